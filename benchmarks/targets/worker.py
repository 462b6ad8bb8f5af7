"""Measure targets with the fastgrok that PYTHONPATH leads to: a name a line of standard input, JSON as the answer."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any, TextIO

import fastgrok
from benchmarks.targets.measures import Sizes
from benchmarks.targets.registry import BY_NAME


def answers_alone() -> TextIO:
    """Return the stream that answers go to; whatever else is printed goes to standard error."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return answers


def answer(name: str, sizes: Sizes) -> dict[str, Any]:
    """Return what was measured, or why it was not."""
    try:
        return {"measured": BY_NAME[name].measure(sizes)}
    except Exception as error:  # the table says what failed, and the other figures are measured
        return {"failed": f"{type(error).__name__}: {error}".splitlines()[0]}


def main(arguments: list[str]) -> None:
    """Say where fastgrok is, then answer until the input ends."""
    sizes, answers = Sizes(*map(int, arguments)), answers_alone()
    print(Path(fastgrok.__file__).parents[1], file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(line.rstrip("\n"), sizes)), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
