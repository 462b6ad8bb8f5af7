"""The command `fastgrok explain`: the text of a topic, and its picture where one is asked for."""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, NamedTuple

from fastgrok.cli.flags import Values, option
from fastgrok.cli.trace import experiment_of, trace_of
from fastgrok.errors import InvalidExperiment, hint, one_of

_PICTURES = (".png", ".svg", ".pdf")


class _Topic(NamedTuple):
    """A topic: the functions of `fastgrok.explain` and `fastgrok.plots`, and the flags that they take."""

    name: str
    flags: tuple[str, ...] = ()
    of_network: bool = False  # of the network alone: no seed is needed
    picture: str = ""  # where it is not the topic's name
    draws_trace: bool = False  # and not the explanation, which is less than the picture shows

    def subject(self, name: str | None, values: Values, typed: Collection[str]) -> Any:
        """Return what is explained: a network, or a trace."""
        return experiment_of(name, values, typed).network if self.of_network else trace_of(name, values, typed)

    def explanation(self, subject: Any, values: Values) -> Any:
        """Return what `fastgrok.explain` says."""
        from fastgrok import explain

        return getattr(explain, self.name)(subject, **{flag: values[flag] for flag in self.flags})

    def draw(self, subject: Any, explanation: Any, target: Path) -> None:
        """Draw the topic to a file, without a window."""
        import matplotlib

        matplotlib.use("Agg")
        import matplotlib.pyplot as plt

        from fastgrok import plots
        from fastgrok.results.files import temporary_beside

        plot: Callable[[Any], Any] = getattr(plots, self.picture or self.name)
        figure = plot(subject if self.draws_trace else explanation).figure
        try:
            with temporary_beside(target) as temporary:
                figure.savefig(temporary, dpi=120, format=target.suffix[1:].lower())
                temporary.replace(target)
        finally:
            plt.close(figure)


TOPICS = {
    "failure": _Topic("failure", draws_trace=True),
    "algebra": _Topic("algebra", of_network=True, picture="bricks"),
    "worked-pass": _Topic("worked_pass", ("at", "example")),
    "pressure": _Topic("pressure", ("at",)),
    "correlation": _Topic("correlation"),
    "sign-flow": _Topic("sign_flow", ("at",)),
    "overfitting": _Topic("overfitting"),
}
"""What `fastgrok explain` explains, as it is typed."""


def explain(topic: str, name: str | None, values: Values, typed: Collection[str]) -> int:
    """Explain what the flags ask for, and return the exit status."""
    if topic not in TOPICS:
        raise InvalidExperiment("topic", topic, one_of(TOPICS) + hint(topic, TOPICS))
    entry = TOPICS[topic]
    for flag in ("at", "example"):
        if flag in typed and flag not in entry.flags:
            raise InvalidExperiment(option(flag), values[flag], f"another topic beside it than {topic}")
    target = None if values["picture"] is None else _checked_picture(values["picture"])
    subject = entry.subject(name, values, typed)
    explanation = entry.explanation(subject, values)
    print(explanation)
    if target is not None:
        entry.draw(subject, explanation, target)
    return 0


def _checked_picture(text: str) -> Path:
    """Return where a picture is to be drawn."""
    target = Path(text)
    if target.suffix not in _PICTURES or not target.parent.is_dir():
        expected = f"a path that ends in {one_of(_PICTURES)}, in a directory that exists"
        raise InvalidExperiment("--picture", text, expected)
    return target
