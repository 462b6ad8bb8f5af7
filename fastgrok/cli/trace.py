"""The command `fastgrok replay`, and the trace that it and `fastgrok explain` show: of a store, a file or flags."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from fastgrok.cli.experiment import single_experiment
from fastgrok.cli.flags import EXPERIMENT_FLAGS, Values, epochs_or_log, items, option, whole_numbers
from fastgrok.cli.output import finite, print_json
from fastgrok.errors import MISSING, InvalidExperiment, hint, one_line, one_of
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.recording import round_epochs
from fastgrok.spec.variables import OUTCOMES
from fastgrok.store.storage import is_store

if TYPE_CHECKING:
    import xarray as xr

    from fastgrok.store import Store

TRACE = ".nc"
"""How the name of a trace on disk ends."""

_SEARCHED = 1000  # seeds among which one with an outcome is searched, as many as a sweep has
_ROWS = 24  # of a table at most
_EXPERIMENT_FLAGS = {flag.name for flag in EXPERIMENT_FLAGS}


def replay(name: str | None, values: Values, typed: Collection[str]) -> int:
    """Replay what the flags ask for, and return the exit status."""
    target = None
    if values["out"] is not None:
        from fastgrok.results.files import NETCDF, checked_target

        target = checked_target(values["out"], "out")
        if target.suffix != NETCDF:
            raise InvalidExperiment("--out", values["out"], "a path that ends in .nc")
    trace = trace_of(name, values, typed, several=True)
    if target is not None:
        from fastgrok.results.files import write_netcdf

        write_netcdf(target, trace)
    traces = [trace] if "seed" not in trace.dims else [trace.isel(seed=k) for k in range(trace.sizes["seed"])]
    if values["json"]:
        print_json(list(map(_document, traces)))
    else:
        print("\n\n".join(map(_text, traces)))
    return 0


def trace_of(name: str | None, values: Values, typed: Collection[str], *, several: bool = False) -> xr.Dataset:
    """Return the trace that a command line names; of one seed, or with `several` of more."""
    if name is not None and name.endswith(TRACE):
        return _opened(name, values, typed, several=several)
    recording = {"every": values["every"], "record_at": epochs_or_log(values["record_at"])}
    if is_store(name):
        with _naming_flags():
            store, config = _store(name, values, typed)
            return store.replay(config, _seed(values["seed"], several, store, config), **recording)
    from fastgrok.explain.replay import replay

    experiment = single_experiment(name, values)
    _check_absent(typed, {"config"}, values, "a store beside it: it tells its configurations apart")
    return replay(experiment, _seed(values["seed"], several, experiment), **recording)


def experiment_of(name: str | None, values: Values, typed: Collection[str]) -> Experiment:
    """Return the experiment that a command line names, whatever the seed."""
    if name is not None and name.endswith(TRACE):
        from fastgrok.explain import trace

        return trace.experiment_of(_opened(name, values, typed, several=True))
    if is_store(name):
        with _naming_flags():
            store, config = _store(name, values, typed)
            return store.experiment(config)
    return single_experiment(name, values)


def config_of(text: str | None) -> int | dict[str, str] | None:
    """Read which configuration of a store is meant: its place, or labels."""
    if text is None:
        return None
    if text.isascii() and text.isdecimal():
        return int(text)
    pairs = [item.partition("=") for item in items("--config", text)]
    if not all(equals for _, equals, _ in pairs):
        raise InvalidExperiment(
            "--config", text, "a place in the table, from 0, or labels such as lr=0.1,init=he_normal"
        )
    return {path.strip(): label.strip() for path, _, label in pairs}


def _store(name: str | None, values: Values, typed: Collection[str]) -> tuple[Store, Any]:
    """Return a store, and which of its configurations is meant."""
    from fastgrok.store import open_store

    _check_absent(typed, _EXPERIMENT_FLAGS, values, "no store beside it: it has its experiments")
    return open_store(str(name)), config_of(values["config"])


@contextlib.contextmanager
def _naming_flags() -> Iterator[None]:
    """Have an error about a configuration name its flag."""
    try:
        yield
    except InvalidExperiment as error:
        if not error.field.startswith("config"):
            raise
        raise InvalidExperiment(f"--{error.field}", error.value or MISSING, error.accepted) from None


def _opened(name: str, values: Values, typed: Collection[str], *, several: bool) -> xr.Dataset:
    """Return a trace on disk, or some seeds of it."""
    from fastgrok.explain.trace import checked_trace, experiment_of
    from fastgrok.results.files import DAMAGE, read_netcdf
    from fastgrok.spec.variables import SEED

    own = {*_EXPERIMENT_FLAGS, "config", "every", "record_at"}
    _check_absent(typed, own, values, "no trace on disk beside it: it has its own")
    try:
        trace = checked_trace(read_netcdf(name), several=True)
        experiment_of(trace)
    except DAMAGE as error:
        raise InvalidExperiment("trace", name, f"a file that `fastgrok replay --out` wrote ({error})") from error
    if values["seed"] is not None:
        seeds = whole_numbers("--seed", values["seed"])
        known = {int(value) for value in trace[SEED].values.reshape(-1)} if SEED in trace.coords else set()
        for seed in seeds:
            if seed not in known:
                raise InvalidExperiment("--seed", seed, f"a seed of {name}: {one_of(sorted(known)[:20])}")
        if SEED in trace.dims:
            trace = trace.sel({SEED: seeds if len(seeds) > 1 else seeds[0]})
    return checked_trace(trace, several=several)


def _seed(text: str | None, several: bool, source: Store | Experiment, config: Any = None) -> Any:
    """Return the seed that is asked for, by its number or by its outcome."""
    expected = f"a seed, or an outcome for the first seed that has it: {one_of(OUTCOMES)}{hint(text, OUTCOMES)}"
    if text is None:
        raise InvalidExperiment("--seed", MISSING, expected)
    if text in OUTCOMES:
        return _first_seed(text, source, config)
    try:
        seeds = whole_numbers("--seed", text)
    except InvalidExperiment as error:
        raise InvalidExperiment("--seed", text, expected) from error
    if len(seeds) > 1 and not several:
        raise InvalidExperiment("--seed", text, "one seed")
    return seeds if len(seeds) > 1 else seeds[0]


def _first_seed(outcome: str, source: Store | Experiment, config: Any) -> int:
    """Return the first seed that has an outcome."""
    if isinstance(source, Experiment):
        from fastgrok.api import run

        rows, among = run(source, _SEARCHED).dataset, f"the first {_SEARCHED:,} seeds"
    else:
        source.experiment(config)  # raises unless it is one
        rows, among = source.dataset(0 if config is None else config), "the rows of the store"
    codes = rows["outcome"].values
    seed = next(itertools.compress(rows["seed"].values.tolist(), codes == OUTCOMES.index(outcome)), None)
    if seed is None:
        present = one_of([name for code, name in enumerate(OUTCOMES) if (codes == code).any()])
        raise InvalidExperiment("--seed", outcome, f"an outcome that one of {among} has: {present}")
    return int(seed)


def _check_absent(typed: Collection[str], flags: Collection[str], values: Values, expected: str) -> None:
    """Raise if a flag was typed that does not go with the name beside it."""
    for name in typed:
        if name in flags:
            raise InvalidExperiment(option(name), values[name], expected)


def _document(trace: xr.Dataset) -> dict[str, Any]:
    """Return the result of a seed and its curves for machines; the whole history is for NetCDF."""
    from fastgrok.explain.trace import checked_time, time_dim
    from fastgrok.spec.variables import VARIABLES

    dim = time_dim(trace)
    ran = trace.sel({dim: slice(None, checked_time(trace, None))})
    curves = [name for name in ran.data_vars if ran[name].dims == (dim,)]
    return {
        "seed": int(trace["seed"]),
        "experiment_id": trace.attrs["experiment_id"],
        "result": {name: finite(trace[name].values.tolist()) for name in VARIABLES if name in trace},
        dim: ran[dim].values.tolist(),
        **{str(name): finite(ran[name].values.tolist()) for name in curves},
    }


def _text(trace: xr.Dataset) -> str:
    """Say what the outcome of a seed is, and what its curves were on the way."""
    from fastgrok.explain import trace as traces
    from fastgrok.statistics.tables import table
    from fastgrok.statistics.text import number, plural

    experiment, dim = traces.experiment_of(trace), traces.time_dim(trace)
    ran = trace.sel({dim: slice(None, traces.checked_time(trace, None))})
    curves = [str(name) for name in ran.data_vars if ran[name].dims == (dim,) and ran[name].dtype.kind == "f"]
    dead = [str(name) for name in ran.data_vars if str(name).startswith("dead_") and dim in ran[name].dims]
    header = [dim, *curves, *[f"dead, layer {name.rpartition('_')[2]}" for name in dead]]
    lines = [
        [f"{int(row[dim]):,}", *(number(row[name], 6) for name in curves)]
        + [" ".join(str(unit) for unit in row[name].values.nonzero()[0]) or "-" for name in dead]
        for row in (ran.isel({dim: place}) for place in _places(ran.sizes[dim]))
    ]
    outcome, length = OUTCOMES[int(trace["outcome"])], plural(int(trace["epochs_run"]), "epoch")
    what = f"{experiment.network} on {one_line(experiment.data.name)}"
    title = f"seed {int(trace['seed'])} of {what}: {outcome} after {length}"
    return f"{title}\n{table(header, lines, n_labels=0)}"


def _places(n: int) -> Collection[int]:
    """Choose rows of a table: all if they are few, else the first, and others ever further apart up to the last."""
    return range(n) if n <= _ROWS else round_epochs(n - 1)
