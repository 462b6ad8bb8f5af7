"""Calls with random arguments: most are valid throughout, and the others have a hostile one or two."""

import contextlib
import io
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from hypothesis import strategies as st

from benchmarks.fuzz.calls import calls
from fastgrok import InvalidExperiment, StoreError

DONE, REFUSED = "done", "refused"
"""How a call may end."""


def _frame() -> Any:
    import pandas as pd

    return pd.DataFrame({"a": [1, 2]})


HOSTILE = {
    "an array": lambda: np.array([1, 2]),
    "a table of zeros": lambda: np.zeros((2, 2)),
    "an array of no dimension": lambda: np.array(3),
    "an array of objects": lambda: np.array([object(), 1], object),
    "a frame": _frame,
    "an endless range": lambda: range(10**30),
    "a large integer": lambda: 10**400,
    "NaN": lambda: float("nan"),
    "infinity": lambda: float("inf"),
    "negative": lambda: -1,
    "zero": lambda: 0,
    "a share": lambda: 0.5,
    "seven": lambda: 7,
    "None": lambda: None,
    "True": lambda: True,
    "a word": lambda: "nonsense",
    "control characters": lambda: "\x1b[31m\n\x00",
    "bytes": lambda: b"x",
    "a dict": lambda: {"a": 1},
    "an empty list": list,
    "a ragged list": lambda: [[1], [1, 2]],
    "a set": lambda: {1},
    "an object": object,
    "a class": lambda: int,
    "complex": lambda: 1j,
    "a date": lambda: np.datetime64("2020-01-01"),
    "a generator": lambda: (k for k in range(3)),
}
"""What people pass by mistake, or to break something; made anew, since a generator is used up."""


_HOW_MANY = (
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    1,
    1,
    2,
)  # of 10 calls: of those with none some are refused, since two do not go together


class Example(NamedTuple):
    """A call: which function, and the index of a valid value or the name of a hostile one for each parameter."""

    name: str
    arguments: dict[str, int | str]


def one_hostile() -> Iterator[Example]:
    """Yield calls with each hostile value in each place; the rest is valid, so that it is reached."""
    for name, call in calls().items():
        for key in call.valid:
            for kind in HOSTILE:
                yield Example(name, {**dict.fromkeys(call.valid, 0), key: kind})


@st.composite
def examples(draw: st.DrawFn) -> Example:
    """Draw a function, and arguments of which none, one, or now and then several are hostile."""
    name = draw(st.sampled_from(sorted(calls())))
    valid = calls()[name].valid
    arguments: dict[str, int | str] = {key: draw(st.integers(0, len(values) - 1)) for key, values in valid.items()}
    for _ in range(draw(st.sampled_from(_HOW_MANY)) if valid else 0):
        arguments[draw(st.sampled_from(sorted(valid)))] = draw(st.sampled_from(sorted(HOSTILE)))
    return Example(name, arguments)


def outcome(example: Example) -> str:
    """Make a call, and return how it ended; what is raised from the inside is raised here."""
    call = calls()[example.name]
    arguments = {
        key: HOSTILE[which]() if isinstance(which, str) else call.valid[key][which]
        for key, which in example.arguments.items()
    }
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            call.function(**arguments)
        except (InvalidExperiment, StoreError) as error:
            said = str(error)
            assert said.isprintable(), f"an error on several lines, or with control characters: {said!r}"
            return REFUSED
        finally:
            if example.name.startswith("fastgrok.plots."):
                plt.close("all")
    return DONE
