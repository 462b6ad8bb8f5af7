"""The part of the README that is measured, not written."""

from __future__ import annotations

from pathlib import Path

BEGIN = "<!-- peers:begin -->"
END = "<!-- peers:end -->"


def replace_between_markers(text: str, content: str) -> str:
    """Return the text with everything between the two markers replaced; raise ValueError without them."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"expected {BEGIN} and, after it, {END}")
    return f"{before}{BEGIN}\n\n{content.strip()}\n\n{END}{after}"


def write(path: Path, content: str) -> None:
    """Replace the measured part of a file."""
    path.write_text(replace_between_markers(path.read_text("utf-8"), content), "utf-8")
