"""Errors and warnings: bad input, a store that cannot be written or read; how messages name values and choices."""

import difflib
import os
import reprlib
import sys
import warnings
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

_WIDTH = 80
_MOST_NEAR, _MOST_NAMED = 3, 6
_PACKAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "")


class _Missing:
    """The type of `MISSING`."""

    def __repr__(self) -> str:
        return "MISSING"

    def __reduce__(self) -> str:
        return "MISSING"


MISSING = _Missing()
"""The `value` of an error about a field that has none."""

_shortener = reprlib.Repr()
_shortener.maxstring = _shortener.maxother = _shortener.maxlong = _WIDTH


def short_repr(value: Any) -> str:
    """Return the representation of a value, on one line of at most 80 characters."""
    try:
        text = one_line(_shortener.repr(value))
    except Exception:  # another library's repr; even an integer of 5,000 digits raises
        text = f"<a value of type {type(value).__name__}>"
    return text if len(text) <= _WIDTH else text[: _WIDTH - 3] + "..."


def one_line(label: object) -> str:
    """Return a text on one line, as everything is shown: what a terminal would take for a command is escaped."""
    text = " ".join(str(label).split())
    return text if text.isprintable() else "".join(map(_escaped, text))


def _escaped(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")


def one_of(choices: Iterable[Any]) -> str:
    """Name the choices as an error message does."""
    return "one of " + ", ".join(map(repr, choices))


def checked_choice(field: str, value: Any, choices: Collection[str]) -> str:
    """Return one of some words; an error names the nearest."""
    if not isinstance(value, str) or value not in choices:
        raise InvalidExperiment(field, value, one_of(choices) + hint(value, choices))
    return value


def short_list(items: Sequence[Any]) -> str:
    """Name the first things, and how many more there are."""
    first = ", ".join(short_repr(item) for item in items[:_MOST_NAMED])
    return first if len(items) <= _MOST_NAMED else f"{first} and {len(items) - _MOST_NAMED:,} more"


_ELSEWHERE: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("learning_rate", "learning_rate_init", "eta"), ("lr",)),
    **dict.fromkeys(("n_epochs", "num_epochs", "max_iter", "max_epochs"), ("epochs",)),
    **dict.fromkeys(("kernel_initializer", "initializer", "weight_init"), ("init",)),
    **dict.fromkeys(("bias_initializer", "bias_initialization"), ("bias_init",)),
    **dict.fromkeys(("shuffle", "shuffled"), ("order", "per_seed", "shared")),
    **dict.fromkeys(("criterion", "objective"), ("loss",)),
    **dict.fromkeys(("solver", "optim", "optimiser"), ("optimizer",)),
    **dict.fromkeys(("l2", "decay"), ("weight_decay",)),
    **dict.fromkeys(("hidden_layer_sizes", "units", "width", "widths"), ("hidden",)),
    **dict.fromkeys(("clipnorm", "max_norm", "global_clipnorm"), ("clip_norm",)),
    **dict.fromkeys(("negative_slope", "alpha"), ("slope",)),
    "epsilon": ("eps",),
    "betas": ("beta1", "beta2"),
}
"""What other libraries call fields and their values: for hints alone."""


def hint(value: object, choices: Iterable[object]) -> str:
    """Return the end of a sentence that names the choice nearest to a misspelt one; nothing where none is near.

    Where it is a word of some choices, as alpha of elu_alpha, these are named.
    """
    if not isinstance(value, str) or len(value) > _WIDTH:
        return ""
    near = nearest(value, choices)
    return f"; did you mean {' or '.join(map(repr, near))}?" if near else ""


def nearest(value: str, choices: Iterable[object]) -> list[object]:
    """Return the choices nearest to a misspelt one: what other libraries call so, longer ones, similar ones."""
    by_text = {str(choice).lower(): choice for choice in choices}
    text = value.lower().removeprefix("--").replace("-", "_")
    name = text.rpartition(".")[2]
    near = [choice for choice in (name, *_ELSEWHERE.get(name, ())) if choice in by_text]
    if not near:
        longer = [choice for choice in by_text if f"_{name}_" in f"_{choice}_"]  # alpha: elu_alpha; he: he_normal
        near = longer if 0 < len(longer) <= _MOST_NEAR else difflib.get_close_matches(text, by_text, 1)
    return [by_text[choice] for choice in near]


def joined(path: str, step: str) -> str:
    """Return the path of a field that is a step further down."""
    return f"{path}{step}" if step.startswith("[") or not step else f"{path}.{step}"


class InvalidExperiment(ValueError):
    """Input that cannot be trained: the field, its value, and what is accepted instead.

    Parameters
    ----------
    field
        The field's name or dotted path, such as `optimizer.lr` or `network.layers[1]`.
    value
        Its value; `MISSING` if it has none.
    accepted
        What would be accepted, as a phrase that follows "expected".

    Examples
    --------
    >>> import fastgrok as fg
    >>> print(fg.InvalidExperiment("optimizer.lr", -1, "a finite number greater than 0"))
    optimizer.lr = -1: expected a finite number greater than 0
    """

    field: str
    value: Any
    accepted: str

    def __init__(self, field: str, value: Any, accepted: str) -> None:
        super().__init__(field, value, accepted)  # these are what pickle passes on
        self.field = field
        self.value = value
        self.accepted = accepted

    def __str__(self) -> str:
        state = "is missing" if isinstance(self.value, _Missing) else f"= {short_repr(self.value)}"
        return one_line(f"{self.field} {state}: expected {self.accepted}")

    def within(self, parent: str) -> "InvalidExperiment":
        """Return the same error for the field by its path from one level further up.

        Parameters
        ----------
        parent
            The field that holds the object that this field belongs to.

        Examples
        --------
        >>> import fastgrok as fg
        >>> fg.InvalidExperiment("lr", -1, "a finite number greater than 0").within("optimizer").field
        'optimizer.lr'
        """
        return type(self)(joined(parent, self.field), self.value, self.accepted)


def warn(message: str, category: type[Warning]) -> None:
    """Warn of the line outside of this package that called it, through however many functions and decorators."""
    level, frame = 2, sys._getframe(1)
    while frame.f_code.co_filename.startswith(_PACKAGE) and frame.f_back is not None:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


def check_keys(kind: str, plain: Mapping[Any, Any], names: Collection[str]) -> None:
    """Raise unless a dict has each field of a class, and no key besides them and "type"."""
    for key in plain:
        if key not in names and key != "type":
            expected = f"only the fields of {kind}: {', '.join(names)}{hint(key, names)}"
            raise InvalidExperiment(str(key), plain[key], expected)
    for name in names:
        if name not in plain:
            raise InvalidExperiment(name, MISSING, f"every field of {kind}: {', '.join(names)}")


class StoreError(RuntimeError):
    """A store that cannot be written to or read, or that does not hold what it must; the message says which file."""

    def __str__(self) -> str:
        return one_line(super().__str__())
