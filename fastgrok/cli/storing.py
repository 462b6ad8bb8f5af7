"""`fastgrok sweep` into a store."""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from fastgrok.cli import making
from fastgrok.cli.flags import FIELD_FLAGS, FLAGS
from fastgrok.cli.lists import option
from fastgrok.cli.regime import Values, record_at
from fastgrok.cli.request import Request, is_set_by
from fastgrok.engine import arguments
from fastgrok.errors import MISSING, InvalidExperiment

_FILES = (".parquet", ".nc")
_ONLY = ("shard_size", "rows", "keep_params", "shard", "scheduler")
_ALONE = ("lanes",)


def goes_to_store(out: str | None) -> bool:
    """
    Whether what `--out` names is a store: neither a Parquet nor a NetCDF file.

    Examples
    --------
    >>> goes_to_store("runs/xor"), goes_to_store("xor.parquet"), goes_to_store(None)
    (True, False, False)
    """
    if out is None or Path(out).suffix in _FILES:
        return False
    if Path(out).suffix and "://" not in out and not out.endswith("/") and not Path(out).is_dir():
        expected = "a path that ends in .parquet or .nc, or a directory for a store (ending in / if it has a dot)"
        raise InvalidExperiment("out", out, expected)
    return True


def check_flags(values: Values) -> None:
    """Raise if a flag was given that goes with a store, or without one, only."""
    defaults = {flag.name: flag.default for flag in FLAGS}
    stored = goes_to_store(values["out"])
    for name in _ALONE if stored else _ONLY:
        if values[name] != defaults[name] and not (values["dry_run"] and name in ("shard_size", "keep_params")):
            wanted = "no store: it is for results in memory" if stored else "--out with a directory: it is for stores"
            raise InvalidExperiment(option(name), values[name], wanted)
    making.check_threads(values["threads"], values["scheduler"])
    if values["shard_size"] is not None and values["shard_size"] < 1:
        raise InvalidExperiment("--shard-size", values["shard_size"], "an integer of 1 or more")
    if values["compare"] is not None and values["rows"] != defaults["rows"]:
        raise InvalidExperiment("--compare", values["compare"], "--rows all: it needs the rows of the same seeds")


def with_axes_of_store(wanted: Request, out: str, given: Collection[str]) -> Request:
    """Return a request whose axes are those of a store that is there: one value of a field is one on its axis."""
    from fastgrok.store.manifest import read_specification
    from fastgrok.store.storage import open_storage

    there = read_specification(open_storage(out))
    paths = [] if there is None else [axis.path for axis in there.axes]
    axes = {}
    for path in paths:
        if path in wanted.axes or is_set_by(path, {"data", *given}):
            axes[path] = wanted.axes.get(path, wanted.choices.get(path))
        elif flag := next((flag for flag in FIELD_FLAGS if flag.field == path), None):
            raise InvalidExperiment(option(flag.name), MISSING, f"one value or more: the store has an axis {path}")
    return wanted._replace(axes={**{path: some for path, some in axes.items() if some}, **wanted.axes})


def sweep(wanted: Request, chosen: range | list[int], values: Values, axis: str | None) -> int:
    """Sweep into a store, show what is there, and return the exit status."""
    from fastgrok.engine.arguments import ExecutionOptions
    from fastgrok.store.store import made_store

    specification = _specification(wanted, chosen, values)
    share = None if values["shard"] is None else making.part(values["shard"])
    command = making.again(values["out"], **{name: values[name] for name in ("shard", "scheduler", "threads")})
    with making.terminable(command) as received, making.executor(values["scheduler"]) as workers:
        options = ExecutionOptions(
            threads=values["threads"],
            specialize=values["specialize"],
            progress=False if values["quiet"] else None,
            executor=workers,
            part_of=share,
        ).checked()
        store = made_store(values["out"], specification, shard_size=values["shard_size"])
        store.make(specification, options)
    return making.ended(store, command, received, as_json=values["json"], quiet=values["quiet"], axis=axis)


def _specification(wanted: Request, chosen: range | list[int], values: Values) -> Any:
    """Return what the store is to hold."""
    from fastgrok.store.manifest import specified

    kept = {name: values[name] for name in ("keep_params", "rows", "track", "shard_size")}
    return specified(wanted.experiment, chosen, wanted.axes, record_at=record_at(values["record_at"]), **kept)


def dry_run(wanted: Request, chosen: range | list[int], values: Values) -> int:
    """Say how much work a sweep is."""
    from fastgrok.engine.arguments import ExecutionOptions
    from fastgrok.statistics.text import duration, plural
    from fastgrok.store.store import estimate_in
    from fastgrok.store.survey import estimate

    if goes_to_store(values["out"]):
        share = None if values["shard"] is None else making.part(values["shard"])
        specification = _specification(wanted, chosen, values)
        found = estimate_in(values["out"], specification, ExecutionOptions(part_of=share), values["shard_size"])
    else:
        share, found = None, estimate(_specification(wanted, _as_many(chosen, wanted.experiment.stream), values))
    if values["json"]:
        print(json.dumps(found._asdict(), indent=1))
        return 0
    print(f"{plural(found.n_configurations, 'configuration')} x {plural(found.n_seeds, 'seed')}")
    if goes_to_store(values["out"]):
        part = "" if share is None else f" in part {share[0]} of {share[1]}"
        print(f"to be made{part}: {plural(found.n_runs, 'run')}, {plural(found.n_shards, 'shard')}")
    print(f"at most {found.seed_epochs:,} seed-epochs: about {duration(found.seconds)} if no seed stops early")
    print(f"{found.n_bytes / 1e6:,.1f} MB of rows before compression")
    return 0


def _as_many(chosen: range | list[int], stream: str) -> range:
    """Return as many seeds in a row as there are in a list: the work is the same."""
    return chosen if isinstance(chosen, range) else range(len(arguments.checked_seeds(chosen, stream)))
