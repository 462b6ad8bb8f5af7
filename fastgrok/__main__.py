"""`python -m fastgrok` is the command `fastgrok`."""

from fastgrok.cli import main

if __name__ == "__main__":
    main()
