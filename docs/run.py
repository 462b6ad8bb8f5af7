"""Run the pages of examples: `python -m docs.run [names]` draws their pictures and writes what they print."""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from pathlib import Path
from typing import NamedTuple

DOCS = Path(__file__).resolve().parent
EXAMPLES = sorted((DOCS / "examples").glob("*.md"))
_BLOCK = re.compile(r"```python\n(.*?)```\n(?:\n(?:[^`\n]+\n+)*```text\n(.*?)```\n)?", re.DOTALL)  # prose between


class Block(NamedTuple):
    """
    A block of Python on a page.

    Parameters
    ----------
    code
        What it does.
    shown
        What the page says that it prints; "" if the page shows nothing.
    """

    code: str
    shown: str


def blocks(page: Path) -> list[Block]:
    """Return the blocks of Python of a page, in order."""
    return [Block(*found) for found in _BLOCK.findall(page.read_text())]


def run(page: Path) -> list[str]:
    """Run the blocks of a page one after the other, and return what each printed."""
    names: dict[str, object] = {}
    printed = []
    for block in blocks(page):
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(block.code, names)
        printed.append(out.getvalue())
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
    return printed


def _with(text: str, printed: list[str]) -> str:
    """Return a page that shows what its blocks print, where it shows anything."""
    pieces, end = [], 0
    for found, now in zip(_BLOCK.finditer(text), printed, strict=True):
        if found[2] is not None:
            pieces += [text[end : found.start(2)], now]
            end = found.end(2)
    return "".join([*pieces, text[end:]])


if __name__ == "__main__":
    os.environ.setdefault("MPLBACKEND", "Agg")
    os.chdir(DOCS / "examples")
    for example in EXAMPLES:
        if sys.argv[1:] and example.stem not in sys.argv[1:]:
            continue
        example.write_text(_with(example.read_text(), run(example)))
