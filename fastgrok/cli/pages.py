"""The help of the commands about an experiment: of sweep all flags, or the common ones; of others their own."""

from collections.abc import Sequence
from typing import Any

from fastgrok.cli.explain import TOPICS
from fastgrok.cli.flags import EXPERIMENT_FLAGS, OF_COMMANDS, OUTCOME_ENTRIES, SWEEP_FLAGS, Flag
from fastgrok.cli.help import HELP, Command, Entry, Page, grouped, paragraphs
from fastgrok.datasets.builtin import BUILTIN
from fastgrok.datasets.sklearn_data import SKLEARN

_DATA = f"{', '.join(BUILTIN).replace('parity', 'parity3')}; {', '.join(SKLEARN)}; xor(low=-1) has inputs -1 and 1"
_TRACED = f"a store's directory; a .nc file of fastgrok replay; or data: {_DATA}"
SUBJECTS = {"sweep": f"{_DATA}; or a TOML file", "replay": _TRACED, "explain": _TRACED}
"""What the one argument of each command names."""

_BRIEF_SUBJECT = "data: xor, parity3, streetlights, iris, wine, digits; or a TOML file"


class _Sweep(Command):
    """The help of sweep."""

    def page(self, ctx: Any) -> Page:
        """Return all flags in their groups, and what the outcomes mean."""
        groups = {"": [("NAME", SUBJECTS["sweep"])], **_groups(SWEEP_FLAGS)}
        groups["Help"] = [("-h", "show the common flags alone"), ("--help", HELP)]
        groups["The outcome of a seed is the first of these that applies"] = OUTCOME_ENTRIES
        return Page(f"{ctx.command_path} [NAME] [FLAGS]", paragraphs(self.help), groups)

    def brief_page(self, ctx: Any) -> Page:
        """Return the common flags, a line each."""
        common = grouped((flag.panel, flag.entry(brief=True)) for flag in SWEEP_FLAGS if flag.brief)
        groups = {"": [("NAME", _BRIEF_SUBJECT)], **common}
        note = f"These are the common flags. All {len(SWEEP_FLAGS)}: {ctx.command_path} --help"
        return Page(f"{ctx.command_path} [NAME] [FLAGS]", paragraphs(self.help), groups, [note], dense=True)


class _OfOneSeed(Command):
    """The help of a command about one seed: its own flags, and where those of an experiment are described."""

    def page(self, ctx: Any) -> Page:
        """Return its own flags in their groups, and the names of those that it shares."""
        own = [flag for flag in OF_COMMANDS[str(self.name)] if flag not in EXPERIMENT_FLAGS]
        topics = [("TOPIC", ", ".join(TOPICS))] if self.name == "explain" else []
        groups = {"": [*topics, ("NAME", SUBJECTS[str(self.name)])], **_groups(own)}
        groups["Help"] = [("-h, --help", HELP)]
        shared = ", ".join(flag.option for flag in EXPERIMENT_FLAGS)
        note = f"What is trained is said as for fastgrok sweep, whose --help describes these flags: {shared}."
        usage = f"{ctx.command_path} {'TOPIC ' * bool(topics)}[NAME] --seed SEED [FLAGS]"
        return Page(usage, paragraphs(self.help), groups, [note])


def _groups(flags: Sequence[Flag]) -> dict[str, list[Entry]]:
    """Return what the help says of flags, by their groups."""
    return grouped((flag.panel, flag.entry()) for flag in flags)


COMMANDS: dict[str, type[Command]] = {"sweep": _Sweep, "replay": _OfOneSeed, "explain": _OfOneSeed}
"""The classes of the commands, by their names."""
