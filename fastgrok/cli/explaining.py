"""The command `fastgrok explain`: data first, then the text, and the picture where one is asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, NamedTuple

from fastgrok.cli.flags import TOPICS
from fastgrok.cli.lists import option
from fastgrok.cli.regime import Values
from fastgrok.cli.traced import looked_at, traced
from fastgrok.errors import InvalidExperiment, one_of

_PICTURES = (".png", ".svg", ".pdf")


class _Topic(NamedTuple):
    """What is explained: the functions of `fastgrok.explain` and `fastgrok.plots`, and the flags that they take."""

    name: str
    flags: tuple[str, ...] = ()
    of_network: bool = False  # of the network alone: no seed is needed
    picture: str = ""  # where it is not the topic's name
    draws_trace: bool = False  # and not what was found, which is less than the picture shows

    def looked_at(self, name: str | None, values: Values, given: Collection[str]) -> Any:
        return looked_at(name, values, given).network if self.of_network else traced(name, values, given)

    def explained(self, what: Any, values: Values) -> Any:
        from fastgrok import explain

        return getattr(explain, self.name)(what, **{flag: values[flag] for flag in self.flags})

    def drawn(self, what: Any, found: Any) -> Any:
        from fastgrok import plots

        draw: Callable[[Any], Any] = getattr(plots, self.picture or self.name)
        return draw(what if self.draws_trace else found)


_TOPICS = (
    _Topic("failure", draws_trace=True),
    _Topic("algebra", of_network=True, picture="bricks"),
    _Topic("worked_pass", ("at", "example")),
    _Topic("pressure", ("at",)),
    _Topic("correlation"),
    _Topic("sign_flow", ("at",)),
    _Topic("overfitting"),
)


def explain(topic: str, name: str | None, values: Values, given: Collection[str]) -> int:
    """Explain what the flags ask for, and return the exit status."""
    if topic not in TOPICS:
        raise InvalidExperiment("topic", topic, one_of(TOPICS))
    chosen = next(one for one in _TOPICS if one.name == topic.replace("-", "_"))
    for flag in ("at", "example"):
        if flag in given and flag not in chosen.flags:
            raise InvalidExperiment(option(flag), values[flag], f"another topic beside it than {topic}")
    target = None if values["picture"] is None else _checked_picture(values["picture"])
    what = chosen.looked_at(name, values, given)
    found = chosen.explained(what, values)
    print(found)
    if target is not None:
        _draw(chosen, what, found, target)
    return 0


def _checked_picture(text: str) -> Path:
    """Return where a picture is to be drawn."""
    target = Path(text)
    if target.suffix not in _PICTURES or not target.parent.is_dir():
        raise InvalidExperiment(
            "--picture", text, f"a path that ends in {one_of(_PICTURES)}, in a directory that exists"
        )
    return target


def _draw(topic: _Topic, what: Any, found: Any, target: Path) -> None:
    """Draw what was found, without a window."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    axes = topic.drawn(what, found)
    axes.figure.savefig(target, dpi=120)
    plt.close(axes.figure)
