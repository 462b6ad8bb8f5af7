"""Published results, run again: `fg.studies.NAME(seeds=...)`, each loaded when it is first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from fastgrok.errors import checked_choice

if TYPE_CHECKING:
    from fastgrok.studies.study import Study

NAMES = (
    "streetlights",
    "four_networks",
    "hidden_units",
    "init_schemes",
    "restarts",
    "born_dead",
    "init_range",
    "lottery_tickets",
    "reported",
    "encoder",
    "two_spirals",
    "absolute_value",
    "linear_modes",
)
"""The studies, in the order of a list; each is the function of that name in `fastgrok.studies.catalogue`."""

__all__ = [*NAMES, "by_name"]


def by_name(name: str) -> Study:
    """Return a study by its name.

    Parameters
    ----------
    name
        As in Python or on the command line: words joined by "_" or "-".

    Raises
    ------
    InvalidExperiment
        If there is no such study.

    Examples
    --------
    >>> by_name("born-dead").name
    'born_dead'
    """
    known = {other.replace("_", "-"): other for other in NAMES}
    command = name.replace("_", "-") if isinstance(name, str) else name
    module = known[checked_choice("study", command, known)]
    study: Study = getattr(importlib.import_module(f"fastgrok.studies.catalogue.{module}"), module)
    return study


def __getattr__(name: str) -> Study:
    if name not in NAMES:
        raise AttributeError(f"module 'fastgrok.studies' has no attribute {name!r}")
    return by_name(name)


def __dir__() -> list[str]:
    return list(__all__)
