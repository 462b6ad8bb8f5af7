"""The command line: `fastgrok sweep`, those about stores, `replay`, `explain`, `study`, `info`."""

from fastgrok.cli.main import main

__all__ = ["main"]
