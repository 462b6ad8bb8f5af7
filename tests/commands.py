"""The command line, called as a function and as a process."""

import subprocess
import sys

import pytest

from fastgrok.cli import main
from fastgrok.cli.flags import SWEEP_FLAGS

QUICK = ["--seeds", "8", "--epochs", "20"]


class Outcome:
    """What a command line printed, and its exit status."""

    def __init__(self, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as left:
            main(arguments)
        self.status = left.value.code
        self.out, self.err = capsys.readouterr()


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Return the one line that a bad command line prints."""
    outcome = Outcome(arguments, capsys)
    assert outcome.status == 2
    assert outcome.out == ""
    assert outcome.err.startswith("fastgrok: error: ")
    assert outcome.err.count("\n") == 1
    return outcome.err


def defaults() -> dict[str, object]:
    return {flag.name: flag.default for flag in SWEEP_FLAGS}


def process(*arguments: str, **options: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "fastgrok", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, **options)  # type: ignore[call-overload]
