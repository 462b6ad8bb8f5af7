"""The commands about stores: sweep into one, resume, status, verify, summary, merge."""

import contextlib
import importlib
import json
import re
import shlex
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastgrok.cli.flags import FLAGS
from fastgrok.cli.lists import option
from fastgrok.cli.regime import Values, record_at
from fastgrok.cli.request import Request
from fastgrok.cli.shown import show
from fastgrok.errors import InvalidExperiment

FAILED, INTERRUPTED, TERMINATED = 1, 130, 143
"""Exit statuses: something is wrong with a store; ended by Ctrl-C; ended by SIGTERM."""

_FILES = (".parquet", ".nc")
_ONLY = ("shard_size", "rows", "keep_params", "shard", "scheduler")
_ALONE = ("compare", "lanes")


def is_store(out: str | None) -> bool:
    """
    Whether what `--out` names is a store: neither a Parquet nor a NetCDF file.

    Parameters
    ----------
    out
        What was given.

    Raises
    ------
    InvalidExperiment
        If it looks like another kind of file.

    Examples
    --------
    >>> is_store("runs/xor"), is_store("xor.parquet"), is_store(None)
    (True, False, False)
    """
    if out is None or Path(out).suffix in _FILES:
        return False
    if Path(out).suffix and "://" not in out and not out.endswith("/") and not Path(out).is_dir():
        expected = "a path that ends in .parquet or .nc, or a directory for a store (ending in / if it has a dot)"
        raise InvalidExperiment("out", out, expected)
    return True


def check_flags(values: Values) -> None:
    """
    Raise if a flag was given that goes with a store, or without one, only.

    Parameters
    ----------
    values
        What each flag was given.
    """
    defaults = {flag.name: flag.default for flag in FLAGS}
    stored = is_store(values["out"])
    for name in _ALONE if stored else _ONLY:
        if values[name] != defaults[name] and not (values["dry_run"] and name in ("shard_size", "keep_params")):
            wanted = "no store: it is for results in memory" if stored else "--out with a directory: it is for stores"
            raise InvalidExperiment(option(name), values[name], wanted)


def sweep(wanted: Request, chosen: range | list[int], values: Values) -> int:
    """
    Sweep into a store, show what is there, and return the exit status.

    Parameters
    ----------
    wanted
        Experiment and axes.
    chosen
        The seeds.
    values
        What each flag was given.
    """
    from fastgrok.store.sweeping import sweep_to_store

    specification = _specification(wanted, chosen, values)
    share = None if values["shard"] is None else part(values["shard"])
    with _terminable(values["out"]) as received, _executor(values["scheduler"]) as executor:
        store = sweep_to_store(
            values["out"],
            specification,
            executor,
            shard_size=values["shard_size"],
            part_of=share,
            threads=values["threads"],
            specialize=values["specialize"],
            progress=False if values["quiet"] else None,
        )
    return _ended(store, received, as_json=values["json"], quiet=values["quiet"])


def _specification(wanted: Request, chosen: range | list[int], values: Values) -> Any:
    """Return what the store is to hold."""
    from fastgrok.store.sweeping import specified

    kept = {name: values[name] for name in ("keep_params", "rows", "track", "shard_size")}
    return specified(wanted.experiment, chosen, wanted.axes, record_at=record_at(values["record_at"]), **kept)


def dry_run(wanted: Request, chosen: range | list[int], values: Values) -> int:
    """
    Say how much work a sweep is.

    Parameters
    ----------
    wanted
        Experiment and axes.
    chosen
        The seeds.
    values
        What each flag was given.
    """
    from fastgrok.display.numbers import duration
    from fastgrok.store.sweeping import estimate

    found = estimate(_specification(wanted, chosen, values))
    if values["json"]:
        print(json.dumps(found._asdict(), indent=1))
        return 0
    print(
        f"{found.n_configurations:,} configurations x {found.n_seeds:,} seeds, {found.n_shards:,} shards in a store"
    )
    print(f"at most {found.seed_epochs:,} seed-epochs: about {duration(found.seconds)} if no seed stops early")
    print(f"{found.n_bytes / 1e6:,.1f} MB of rows before compression")
    return 0


def part(text: str) -> tuple[int, int]:
    """
    Read `i/n`.

    Parameters
    ----------
    text
        What was given to `--shard`.

    Raises
    ------
    InvalidExperiment
        If it is something else.

    Examples
    --------
    >>> part("3/8")
    (3, 8)
    """
    match = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text, re.ASCII)
    which, of = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= which <= of:
        raise InvalidExperiment("--shard", text, "i/n with i from 1 to n, such as 3/8")
    return which, of


@contextlib.contextmanager
def _executor(scheduler: str | None) -> Iterator[Any]:
    """Return the executor of a Dask scheduler, None for threads of this process."""
    if scheduler is None:
        yield None
        return
    try:
        distributed: Any = importlib.import_module("distributed")
    except ImportError as error:
        raise InvalidExperiment("--scheduler", scheduler, 'pip install "fastgrok[dask]"') from error
    try:
        client = distributed.Client(scheduler, timeout="10s", set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise InvalidExperiment("--scheduler", scheduler, f"the address of a Dask scheduler ({error})") from error
    with client:
        yield client.get_executor()


@contextlib.contextmanager
def _terminable(path: str) -> Iterator[list[int]]:
    """Let SIGTERM end the work on a store as Ctrl-C does; the list says whether it came."""
    received: list[int] = []

    def handle(number: int, frame: Any) -> None:
        received.append(number)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, handle)
    try:
        yield received
    except KeyboardInterrupt:
        print(f"fastgrok: interrupted; {_go_on(path)}", file=sys.stderr)
        raise SystemExit(TERMINATED if received else INTERRUPTED) from None
    finally:
        signal.signal(signal.SIGTERM, before)


def _go_on(path: str) -> str:
    """Say how to resume."""
    return f"go on with: fastgrok resume {shlex.quote(path)}"


def _ended(store: Any, received: list[int], *, as_json: bool, quiet: bool) -> int:
    """Show what is there after some work, and return the exit status."""
    if as_json:
        print(json.dumps(document(store), allow_nan=False, indent=1), flush=True)
    elif not quiet:
        _show(store)
    if not store.interrupted:
        return 0
    status = store.status()
    done = f"{status.n_done:,} of {status.n_runs:,} runs are in the store"
    print(f"fastgrok: interrupted: {done}; {_go_on(store.path)}", file=sys.stderr)
    return TERMINATED if received else INTERRUPTED


def _show(store: Any) -> None:
    """Print the table of a store."""
    show(store.rows(), [axis.path for axis in store.specification.axes])


def document(store: Any) -> dict[str, Any]:
    """
    Return what a store says for machines: how far it is, and exact counts.

    Parameters
    ----------
    store
        Any.
    """
    parts = zip(store.specification.points, store.rows(), strict=True)
    return {
        "store": store.path,
        "interrupted": store.interrupted,
        "status": store.status()._asdict(),
        "configurations": [
            {"labels": dict(row.labels), **row.summary._asdict(), "experiment_id": point.experiment.id}
            for point, row in parts
        ],
    }


def resume(path: str, *, shard: str | None, scheduler: str | None, threads: int | None, as_json: bool) -> int:
    """
    Make what is missing of a store, show it, and return the exit status.

    Parameters
    ----------
    path
        Of the store.
    shard
        Which part of the work, as `i/n`; None: all.
    scheduler
        The address of a Dask scheduler; None: threads of this process.
    threads
        How many of these; None: one for each CPU.
    as_json
        One JSON document instead of a table.
    """
    from fastgrok import arguments
    from fastgrok.store import open_store

    store, share = open_store(path), None if shard is None else part(shard)
    arguments.checked_integer("--threads", threads, arguments.MAX_THREADS)
    with _terminable(path) as received, _executor(scheduler) as executor:
        store.resume(executor, part_of=share, threads=threads)
    return _ended(store, received, as_json=as_json, quiet=False)


def status(path: str, *, as_json: bool) -> int:
    """
    Say how far a store is; the exit status is 1 if something is wrong with its files.

    Parameters
    ----------
    path
        Of the store.
    as_json
        One JSON document instead of lines.
    """
    from fastgrok.display.numbers import duration, speed
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
    for problem in found.problems:
        print(f"bad: {problem}")
    return FAILED if found.problems else 0


def verify(path: str, *, sample: int, as_json: bool) -> int:
    """
    Check every shard of a store, and some rows bit for bit; the exit status is 1 if something is wrong.

    Parameters
    ----------
    path
        Of the store.
    sample
        Rows that are trained again.
    as_json
        One JSON document instead of lines.
    """
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
    for what, lines in (("bad", found.bad), ("different", found.different), ("no sidecar", found.uncommitted)):
        for line in lines:
            print(f"{what}: {line}")
    if found.bad or found.uncommitted:
        print(f"fastgrok resume {shlex.quote(path)} makes them again")
    return 0 if found.ok else FAILED


def summary(path: str, *, as_json: bool) -> int:
    """
    Show the table of a store, from its counts alone.

    Parameters
    ----------
    path
        Of the store.
    as_json
        One JSON document instead of a table.
    """
    from fastgrok.store import open_store

    store = open_store(path)
    if as_json:
        print(json.dumps(document(store), allow_nan=False, indent=1))
    else:
        _show(store)
    return 0


def merge(target: str, sources: list[str]) -> int:
    """
    Copy the shards of stores into one, which is made if it is not there.

    Parameters
    ----------
    target
        Where to.
    sources
        Stores of the same sweep.
    """
    from fastgrok.store import open_store
    from fastgrok.store.opening import made_store

    others = sorted(map(open_store, sources), key=lambda other: other.specification.seeds.start)
    store = made_store(target, others[0].specification, shard_size=None)
    for other in others:
        store.merge(other)
    _show(store)
    return 0
