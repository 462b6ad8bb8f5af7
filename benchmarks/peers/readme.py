"""The parts of documents that are measured, not written."""

from __future__ import annotations

from pathlib import Path


def replace_between_markers(text: str, content: str, name: str = "peers") -> str:
    """Return the text with everything between the two markers of a name replaced; raise ValueError without them."""
    opening, closing = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    before, begin, rest = text.partition(opening)
    _, end, after = rest.partition(closing)
    if not (begin and end):
        raise ValueError(f"expected {opening} and, after it, {closing}")
    return f"{before}{opening}\n\n{content.strip()}\n\n{closing}{after}"


def write(path: Path, content: str, name: str = "peers") -> None:
    """Replace the measured part of a file."""
    path.write_text(replace_between_markers(path.read_text("utf-8"), content, name), "utf-8")
