"""The command line: `fastgrok sweep`, those about stores, `fastgrok study`, `fastgrok info`."""

from fastgrok.cli.main import main

__all__ = ["main"]
