"""The command line: `fastgrok sweep`, `fastgrok study`, `fastgrok info`."""

from fastgrok.cli.main import main

__all__ = ["main"]
