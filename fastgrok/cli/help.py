"""The help of the command and of its commands: named groups, as wide as the terminal, with nothing cut.

Plain text, as git and pytest write theirs: it reads the same without colours, in a pipe and in a log.
"""

import shutil
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from typer.core import TyperCommand

Entry = tuple[str, str]
"""What is typed, and what for."""

HELP = "show this page"
"""What the help says of itself."""

_WIDEST_NAME = 28  # of what is typed; the text of a longer one begins on the next line
_LEAST_TEXT = 20  # characters of a line of text, however narrow the terminal is


class Page(NamedTuple):
    """What the help of a command shows."""

    usage: str  # the line after "Usage: "
    paragraphs: Sequence[str]
    groups: Mapping[str, Sequence[Entry]]  # by their titles; "" for none
    notes: Sequence[str] = ()  # paragraphs below the groups
    dense: bool = False  # no blank line between two groups, so that all is one screen

    def text(self, width: int | None = None) -> str:
        """Return the lines, as wide as the terminal."""
        width = width or shutil.get_terminal_size().columns
        lines = wrapped(f"Usage: {self.usage}", width, indent=7)
        for paragraph in self.paragraphs:
            lines += ["", *wrapped(paragraph, width)]
        left = _left([entry for entries in self.groups.values() for entry in entries])
        for place, (title, entries) in enumerate(self.groups.items()):
            lines += [""] * (place == 0 or not self.dense)
            lines += [f"{title}:"] if title else []
            lines += listing(entries, width, left if self.dense else None)
        for note in self.notes:
            lines += ["", *wrapped(note, width)]
        return "\n".join(lines)


def listing(entries: Sequence[Entry], width: int, left: int | None = None) -> list[str]:
    """Return a line or more for each entry: what is typed to the left, the texts in one column to the right."""
    left = _left(entries) if left is None else left
    lines = []
    for name, text in entries:
        texts = wrapped(text, max(width - left, _LEAST_TEXT))
        first = texts.pop(0) if len(name) <= left - 4 and texts else ""
        lines.append(f"  {name:{left - 2}}{first}".rstrip())
        lines += [f"{'':{left}}{line}" for line in texts]
    return lines


def _left(entries: Sequence[Entry]) -> int:
    """Return where the column of the texts begins."""
    return max((len(name) for name, _ in entries if len(name) <= _WIDEST_NAME), default=0) + 4


def wrapped(text: str, width: int, indent: int = 0) -> list[str]:
    """Return a paragraph as lines; no word is broken, and so no flag at its hyphens."""
    whole = textwrap.TextWrapper(
        width, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False
    )
    return whole.wrap(text) or [""]


def grouped(entries: Iterable[tuple[str, Entry]]) -> dict[str, list[Entry]]:
    """Return entries by the titles of their groups, in the order of the first of each."""
    groups: dict[str, list[Entry]] = {}
    for title, entry in entries:
        groups.setdefault(title, []).append(entry)
    return groups


class Command(TyperCommand):
    """A command whose help is a page of what its function and its parameters say."""

    def get_help(self, ctx: Any) -> str:
        """Return the help."""
        return self.page(ctx).text()

    def page(self, ctx: Any) -> Page:
        """Return what the help shows."""
        arguments = [param for param in self.params if param.param_type_name == "argument"]
        groups = (
            {"": [(str(param.metavar), str(getattr(param, "help", ""))) for param in arguments]} if arguments else {}
        )
        usage = " ".join([ctx.command_path, *(str(param.metavar) for param in arguments), "[FLAGS]"])
        return Page(usage, paragraphs(self.help), {**groups, "Flags": flag_entries(self, ctx)})


def flag_entries(command: Any, ctx: Any) -> list[Entry]:
    """Return what the help says of the flags that typer has read from a function."""
    flags = [param for param in command.get_params(ctx) if param.param_type_name == "option"]
    records = [record for record in (flag.get_help_record(ctx) for flag in flags) if record is not None]
    return [(name, HELP if "--help" in name else text.replace("  [", " [")) for name, text in records]


def paragraphs(text: str | None) -> list[str]:
    """Return the paragraphs of a docstring."""
    return [" ".join(part.split()) for part in (text or "").split("\n\n") if part.strip()]
