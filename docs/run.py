"""Run the pages of examples: `python -m docs.run [names]` draws their pictures and writes what they print."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import os
import re
import sys
from pathlib import Path
from typing import NamedTuple

DOCS = Path(__file__).resolve().parent
EXAMPLES = sorted((DOCS / "examples").glob("*.md"))
_BLOCK = re.compile(r"```python\n(.*?)```\n(?:\n(?:[^`\n]+\n+)*```text\n(.*?)```\n)?", re.DOTALL)  # prose between


_OPTIONAL = ("torch", "keras")  # libraries that no extra of the tests installs


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
    """Run the blocks of a page one after the other, and return what each printed.

    From the first block that imports an optional library which is not there, they are taken to print what is shown.
    """
    names: dict[str, object] = {}
    printed, lacking = [], False
    for block in blocks(page):
        imported = re.findall(r"^import (\w+)", block.code, re.MULTILINE)
        lacking |= any(name in _OPTIONAL and importlib.util.find_spec(name) is None for name in imported)
        if lacking:
            printed.append(block.shown)
            continue
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
