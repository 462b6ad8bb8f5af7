"""The seed that `fastgrok replay` and `fastgrok explain` look at: of a store, of a trace on disk, or of flags."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from fastgrok.cli.flags import DATA_FLAGS, FIELD_FLAGS
from fastgrok.cli.lists import integer, items, listed, option
from fastgrok.cli.regime import Values, record_at
from fastgrok.cli.request import request
from fastgrok.errors import MISSING, InvalidExperiment, one_of
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.variables import OUTCOMES
from fastgrok.store.storage import is_store

if TYPE_CHECKING:
    import xarray as xr

    from fastgrok.store import Store

TRACE = ".nc"
"""How the name of a trace on disk ends."""

_LOOKED_AT = 1000  # seeds among which one with an outcome is looked for, as many as a sweep has
_EXPERIMENT_FLAGS = {flag.name for flag in (*DATA_FLAGS, *FIELD_FLAGS)}


def traced(name: str | None, values: Values, given: Collection[str], *, several: bool = False) -> xr.Dataset:
    """Return the trace that a command line asks for."""
    if name is not None and name.endswith(TRACE):
        return _opened(name, values, given, several=several)
    how = {"every": values["every"], "record_at": record_at(values["record_at"])}
    if is_store(name):
        with _naming_flags():
            store, chosen = _store(name, values, given)
            return store.replay(chosen, _seed(values["seed"], several, store, chosen), **how)
    from fastgrok.explain.replay import replay

    exp = experiment(name, values)
    _check_absent(given, {"config"}, values, "a store beside it: it tells its configurations apart")
    return replay(exp, _seed(values["seed"], several, exp, None), **how)


def looked_at(name: str | None, values: Values, given: Collection[str]) -> Experiment:
    """Return the experiment that a command line asks for, whatever the seed."""
    if name is not None and name.endswith(TRACE):
        from fastgrok.explain.trace import experiment_of

        return experiment_of(_opened(name, values, given, several=True))
    if is_store(name):
        with _naming_flags():
            store, chosen = _store(name, values, given)
            return store.experiment(chosen)
    return experiment(name, values)


def experiment(name: str | None, values: Values) -> Experiment:
    """Return the one experiment that the flags ask for."""
    wanted = request(name, values)
    for path, choices in wanted.axes.items():
        raise InvalidExperiment(path, choices, "one value: one network is looked at")
    return wanted.experiment


def config(text: str | None) -> int | dict[str, str] | None:
    """
    Read which configuration of a store is meant: its place, or labels.

    Examples
    --------
    >>> config("3"), config("init=HeNormal(),optimizer.lr=0.1")
    (3, {'init': 'HeNormal()', 'optimizer.lr': '0.1'})
    """
    if text is None:
        return None
    if text.isascii() and text.isdecimal():
        return int(text)
    pairs = [item.partition("=") for item in items("--config", text)]
    if not all(equals for _, equals, _ in pairs):
        raise InvalidExperiment("--config", text, "a place in the table, from 0, or labels such as optimizer.lr=0.1")
    return {path.strip(): label.strip() for path, _, label in pairs}


def _store(name: str | None, values: Values, given: Collection[str]) -> tuple[Store, Any]:
    """Return a store, and which of its configurations is meant."""
    from fastgrok.store import open_store

    _check_absent(given, _EXPERIMENT_FLAGS, values, "no store beside it: it has its experiments")
    return open_store(str(name)), config(values["config"])


@contextlib.contextmanager
def _naming_flags() -> Iterator[None]:
    """Have an error about a configuration name its flag."""
    try:
        yield
    except InvalidExperiment as error:
        if not error.field.startswith("config"):
            raise
        raise InvalidExperiment(f"--{error.field}", error.value or MISSING, error.accepted) from None


def _opened(name: str, values: Values, given: Collection[str], *, several: bool) -> xr.Dataset:
    """Return a trace on disk, or one seed of it."""
    import xarray as xr

    from fastgrok.explain.trace import checked_trace
    from fastgrok.spec.variables import SEED

    its_own = {*_EXPERIMENT_FLAGS, "config", "every", "record_at"}
    _check_absent(given, its_own, values, "no trace on disk beside it: it has its own")
    seed = values["seed"]
    try:
        with xr.open_dataset(name, engine="h5netcdf") as file:
            trace = file.load()
    except (OSError, ValueError) as error:
        raise InvalidExperiment("trace", name, f"a file that `fastgrok replay --out` wrote ({error})") from error
    if seed is not None:
        wanted = listed("--seed", seed, integer)
        known = {int(value) for value in trace[SEED].values.reshape(-1)} if SEED in trace.coords else set()
        for one in wanted:
            if one not in known:
                raise InvalidExperiment("--seed", one, f"a seed of {name}: {one_of(sorted(known)[:20])}")
        if SEED in trace.dims:
            trace = trace.sel({SEED: wanted if len(wanted) > 1 else wanted[0]})
    return checked_trace(trace, several=several)


def _seed(text: str | None, several: bool, where: Store | Experiment, chosen: Any) -> Any:
    """Return the seed that is asked for, by its number or by what became of it."""
    expected = f"a seed, or an outcome for the first seed that has it: {one_of(OUTCOMES)}"
    if text is None:
        raise InvalidExperiment("--seed", MISSING, expected)
    if text in OUTCOMES:
        return _first(text, where, chosen)
    try:
        wanted = listed("--seed", text, integer)
    except InvalidExperiment as error:
        raise InvalidExperiment("--seed", text, expected) from error
    if len(wanted) > 1 and not several:
        raise InvalidExperiment("--seed", text, "one seed")
    return wanted if len(wanted) > 1 else wanted[0]


def _first(outcome: str, where: Store | Experiment, chosen: Any) -> int:
    """Return the first seed that has an outcome."""
    if isinstance(where, Experiment):
        from fastgrok.api import run

        rows, among = run(where, _LOOKED_AT, progress=False).dataset, f"the first {_LOOKED_AT:,} seeds"
    else:
        rows, among = where.dataset(chosen), "the rows of the store"
    codes = rows["outcome"].values == OUTCOMES.index(outcome)
    found = next(itertools.compress(rows["seed"].values.tolist(), codes), None)
    if found is None:
        there = one_of([name for code, name in enumerate(OUTCOMES) if (rows["outcome"].values == code).any()])
        raise InvalidExperiment("--seed", outcome, f"an outcome that one of {among} has: {there}")
    return int(found)


def _check_absent(given: Collection[str], flags: Collection[str], values: Values, expected: str) -> None:
    """Raise if a flag was given that does not go with what is looked at."""
    for name in given:
        if name in flags:
            raise InvalidExperiment(option(name), values[name], expected)
