"""The command line: `fastgrok sweep`, `fastgrok info`."""

from fastgrok.cli.main import main

__all__ = ["main"]
