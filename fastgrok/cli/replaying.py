"""The command `fastgrok replay`: train a seed again, show its way, and keep its whole history."""

from __future__ import annotations

import json
import math
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from fastgrok.cli.regime import Values
from fastgrok.cli.traced import traced
from fastgrok.errors import InvalidExperiment

if TYPE_CHECKING:
    import xarray as xr

_ROWS = 24  # of a table at most


def replay(name: str | None, values: Values, given: Collection[str]) -> int:
    """Replay what the flags ask for, and return the exit status."""
    target = None
    if values["out"] is not None:
        from fastgrok.results.files import NETCDF, checked_target

        target = checked_target(values["out"])
        if target.suffix != NETCDF:
            raise InvalidExperiment("--out", values["out"], "a path that ends in .nc")
    trace = traced(name, values, given, several=True)
    if target is not None:
        from fastgrok.results.files import write_netcdf

        write_netcdf(target, trace)
    seeds = [trace] if "seed" not in trace.dims else [trace.isel(seed=k) for k in range(trace.sizes["seed"])]
    if values["json"]:
        print(json.dumps([document(one) for one in seeds], allow_nan=False, indent=1))
    else:
        print("\n\n".join(_text(one) for one in seeds))
    return 0


def document(trace: xr.Dataset) -> dict[str, Any]:
    """Return a trace for machines: what became of the seed, and its curves; the whole history is for NetCDF."""
    from fastgrok.explain.trace import checked_time, time_dim
    from fastgrok.spec.variables import VARIABLES

    dim = time_dim(trace)
    ran = trace.sel({dim: slice(None, checked_time(trace, None))})
    curves = [name for name in ran.data_vars if ran[name].dims == (dim,)]
    return {
        "seed": int(trace["seed"]),
        "experiment_id": trace.attrs["experiment_id"],
        "result": {name: _plain(trace[name].values.tolist()) for name in VARIABLES if name in trace},
        dim: ran[dim].values.tolist(),
        **{str(name): _plain(ran[name].values.tolist()) for name in curves},
    }


def _plain(value: Any) -> Any:
    """Return a value that JSON knows: no NaN, no infinity."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _text(trace: xr.Dataset) -> str:
    """Say what became of a seed, and where it was on the way."""
    from fastgrok.explain.trace import checked_time, experiment_of, time_dim
    from fastgrok.spec.variables import OUTCOMES
    from fastgrok.statistics.tables import table
    from fastgrok.statistics.text import number, plural

    exp, dim = experiment_of(trace), time_dim(trace)
    ran = trace.sel({dim: slice(None, checked_time(trace, None))})
    curves = [str(name) for name in ran.data_vars if ran[name].dims == (dim,) and ran[name].dtype.kind == "f"]
    dead = [str(name) for name in ran.data_vars if str(name).startswith("dead_") and dim in ran[name].dims]
    header = [dim, *curves, *[f"dead, layer {name.rpartition('_')[2]}" for name in dead]]
    lines = [
        [f"{int(row[dim]):,}", *(number(row[name], 6) for name in curves)]
        + [" ".join(str(unit) for unit in row[name].values.nonzero()[0]) or "-" for name in dead]
        for row in (ran.isel({dim: place}) for place in _places(ran.sizes[dim]))
    ]
    outcome, length = OUTCOMES[int(trace["outcome"])], plural(int(trace["epochs_run"]), "epoch")
    title = f"seed {int(trace['seed'])} of {exp.network} on {exp.data.name}: {outcome} after {length}"
    return f"{title}\n{table(header, lines, n_labels=0)}"


def _places(n: int) -> list[int]:
    """Choose rows of a table: all if they are few, else the first, and others ever further apart up to the last."""
    from fastgrok.spec.recording import round_epochs

    if n <= _ROWS:
        return list(range(n))
    return round_epochs(n - 1)
