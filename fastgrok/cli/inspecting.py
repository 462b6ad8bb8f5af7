"""The commands that look into stores and copy them: status, verify, summary, merge."""

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fastgrok.cli.comparing import compared, show_comparison
from fastgrok.cli.shown import show
from fastgrok.errors import InvalidExperiment

FAILED = 1
"""Exit status: something is wrong with a store."""


def status(path: str, *, as_json: bool) -> int:
    """Say how far a store is; the exit status is 1 if something is wrong with its files."""
    from fastgrok.statistics.text import duration, speed
    from fastgrok.store import open_store

    found = open_store(path).status()
    if as_json:
        print(json.dumps(found._asdict(), indent=1))
        return FAILED if found.problems else 0
    share = 100 * found.n_done / found.n_runs
    print(f"{found.n_configurations:,} configurations x {found.n_seeds:,} seeds")
    print(f"done: {found.n_done:,} of {found.n_runs:,} runs ({share:.4g} %) in {found.n_shards:,} shards")
    print(f"size: {found.n_bytes / 1e6:,.1f} MB")
    if found.seconds:
        print(f"rate: {speed(found.seed_epochs / found.seconds)} seed-epochs/s on each thread")
    left = (
        "" if not found.n_missing or found.seconds_left is None else f", {duration(found.seconds_left)} of one thread"
    )
    print(f"left: {found.n_runs - found.n_done:,} runs in {found.n_missing:,} shards{left}")
    _list({"bad": found.problems, "not of this store": found.strays})
    return FAILED if found.problems else 0


def verify(path: str, *, sample: int, as_json: bool) -> int:
    """Check every shard of a store, and some rows bit for bit; the exit status is 1 if something is wrong."""
    from fastgrok.store import open_store

    if sample < 0:
        raise InvalidExperiment("--sample", sample, "a number of rows of 0 or more")
    found = open_store(path).verify(sample)
    if as_json:
        print(json.dumps({**found._asdict(), "ok": found.ok}, indent=1))
        return 0 if found.ok else FAILED
    print(f"{found.n_shards:,} shards are what was written, {found.n_missing:,} are to be made")
    print(f"{found.n_rows:,} rows were trained again, {len(found.different):,} came out with other bits")
    if found.removed:
        print(f"{len(found.removed):,} files of writers that are gone were removed")
    _list({"bad": found.bad, "different": found.different, "no sidecar": found.uncommitted})
    _list({"not of this store": found.strays})
    if found.bad or found.uncommitted:
        print(f"fastgrok resume {shlex.quote(path)} makes them again")
    return 0 if found.ok else FAILED


def _list(findings: Mapping[str, Iterable[str]]) -> None:
    """Print a line for each finding."""
    for what, lines in findings.items():
        for line in lines:
            print(f"{what}: {line}")


def summary(path: str, *, compare: str | None = None, as_json: bool) -> int:
    """Show the table of a store, from its counts alone, or how the values of an axis compare."""
    from fastgrok.store import open_store

    store = open_store(path)
    specification = store.specification
    axis = compared(compare, [axis.path for axis in specification.axes], specification.experiment)
    show_store(store, *store.overview(), as_json=as_json, axis=axis)
    return 0


def merge(target: str, sources: list[str]) -> int:
    """Copy the shards of stores into one, which is made if it is not there."""
    from fastgrok.store.store import merged_store, open_store

    store = merged_store(target, [open_store(source) for source in sources])
    show_store(store, *store.overview(), as_json=False)
    return 0


def show_store(store: Any, status: Any, rows: Sequence[Any], *, as_json: bool, axis: str | None = None) -> None:
    """Print what a store holds."""
    if as_json:
        print(json.dumps(_document(store, status, rows, axis), allow_nan=False, indent=1), flush=True)
    elif axis is not None:
        show_comparison(store, axis)
    else:
        show(rows, [axis.path for axis in store.specification.axes])


def _document(store: Any, status: Any, rows: Sequence[Any], axis: str | None) -> dict[str, Any]:
    """Return what a store says for machines: how far it is, and exact counts."""
    from fastgrok.statistics.comparison import compare

    return {
        "store": store.path,
        "interrupted": store.interrupted,
        "status": status._asdict(),
        "configurations": [
            {"labels": dict(row.labels), **row.summary._asdict(), "experiment_id": row.configuration.experiment.id}
            for row in rows
        ],
        **({} if axis is None else {"comparison": compare(store, axis).to_dict()}),
    }
