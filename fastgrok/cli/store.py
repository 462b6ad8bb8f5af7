"""The commands about a store: sweep into it, resume, status, verify, summary, merge."""

import contextlib
import functools
import importlib
import re
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from fastgrok.cli import texts
from fastgrok.cli.output import ALL, Shown, configuration, print_json, print_sweep
from fastgrok.cli.signals import FAILED, INTERRUPTED, TERMINATED, terminable
from fastgrok.errors import InvalidExperiment, one_line

FILES = (".parquet", ".nc")
"""How the names of files of results end."""

Directory = Annotated[str, typer.Argument(metavar="STORE", help="the store's directory")]
Json = Annotated[bool, typer.Option("--json", help=texts.JSON)]
Margin = Annotated[float | None, typer.Option(metavar="NUMBER", help=texts.MARGIN)]
Clusters = Annotated[str | None, typer.Option(metavar="AXIS", help=texts.CLUSTERS)]


def sweep_to(path: str, specification: Any, values: Mapping[str, Any], shown: Shown) -> int:
    """Make what is missing of a sweep in a store, show the store, and return the exit status."""
    from fastgrok.engine.arguments import ExecutionOptions
    from fastgrok.store.store import made_store

    share = None if values["shard"] is None else part(values["shard"])
    command = resume_command(path, **{name: values[name] for name in ("shard", "scheduler", "threads")})
    with terminable(command) as received, _executor(values["scheduler"]) as executor:
        options = ExecutionOptions(
            threads=values["threads"],
            specialize=values["specialize"],
            progress=False if values["quiet"] else None,
            executor=executor,
            part_of=share,
        ).checked()
        with naming_seeds():
            store = made_store(path, specification, shard_size=values["shard_size"])
            store.make(specification, options)
    return _ended(store, command, received, as_json=values["json"], quiet=values["quiet"], shown=shown)


@contextlib.contextmanager
def naming_seeds() -> Iterator[None]:
    """Let an error about seeds, or about the size of shards, name the flag."""
    try:
        yield
    except InvalidExperiment as error:
        field = {"seeds": "--seeds", "shard_size": "--shard-size"}.get(error.field, error.field)
        accepted = error.accepted.replace("shard_size", "--shard-size").replace("rows='failures'", "--rows failures")
        raise InvalidExperiment(field, error.value, accepted) from None


def resume(
    path: Directory,
    shard: Annotated[str | None, typer.Option(metavar="I/N", help=texts.SHARD)] = None,
    scheduler: Annotated[str | None, typer.Option(metavar="ADDRESS", help=texts.SCHEDULER)] = None,
    threads: Annotated[int | None, typer.Option(metavar="INTEGER", help=texts.THREADS_OR_ALL)] = None,
    as_json: Json = False,
) -> int:
    """Make what is missing of a store, and show it."""
    from fastgrok.engine import arguments
    from fastgrok.store import open_store

    store, share = open_store(path), None if shard is None else part(shard)
    arguments.checked_integer("--threads", threads, arguments.MAX_THREADS)
    check_threads(threads, scheduler)
    command = resume_command(path, shard=shard, scheduler=scheduler, threads=threads)
    with terminable(command) as received, _executor(scheduler) as executor:
        store.resume(executor, part_of=share, threads=threads)
    return _ended(store, command, received, as_json=as_json)


def check_threads(threads: int | None, scheduler: str | None) -> None:
    """Raise if there are threads beside a scheduler."""
    if threads is not None and scheduler is not None:
        expected = "no --scheduler beside it: each of its workers trains in one thread"
        raise InvalidExperiment("--threads", threads, expected)


def resume_command(path: str, *, shard: str | None, scheduler: str | None, threads: int | None) -> str:
    """Return the command that goes on with the work on a store."""
    words = ["fastgrok", "resume", path]
    for flag, value in {"--shard": shard, "--scheduler": scheduler, "--threads": threads}.items():
        words += [] if value is None else [flag, str(value)]
    return shlex.join(words)


def part(text: str) -> tuple[int, int]:
    """Read `i/n`."""
    match = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text, re.ASCII)
    i, n = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= i <= n:
        raise InvalidExperiment("--shard", text, "i/n with i from 1 to n, such as 3/8")
    return i, n


@contextlib.contextmanager
def _executor(scheduler: str | None) -> Iterator[Any]:
    """Give the executor of a Dask scheduler, None for threads of this process."""
    if scheduler is None:
        yield None
        return
    try:
        distributed: Any = importlib.import_module("distributed")
    except ImportError as error:
        raise InvalidExperiment("--scheduler", scheduler, 'Dask: pip install "dask[distributed]"') from error
    try:
        address = scheduler if "://" in scheduler else f"tcp://{scheduler}"
        distributed.comm.get_address_host_port(address, strict=True)  # else a client waits, and at exit again
        client = distributed.Client(address, timeout="10s", set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        expected = f"the address of a Dask scheduler, such as tcp://10.0.0.1:8786 ({error})"
        raise InvalidExperiment("--scheduler", scheduler, expected) from error
    with client:
        yield client.get_executor()


def _ended(
    store: Any, command: str, received: list[int], *, as_json: bool, quiet: bool = False, shown: Shown = ALL
) -> int:
    """Show a store after some work on it, and return the exit status."""
    status, rows = store.overview()
    if as_json or not quiet:
        _show(store, status, rows, as_json=as_json, shown=shown)
    if not store.interrupted:
        return _warned_of(status)
    done = f"{status.n_done:,} of {status.n_runs:,} runs are in the store"
    print(f"fastgrok: interrupted: {done}; go on with: {command}", file=sys.stderr)
    return TERMINATED if received else INTERRUPTED


def _warned_of(status: Any) -> int:
    """Say what is wrong with the shards of a store, beside what it shows of the rest, and return the exit status."""
    for problem in status.problems:
        print(f"fastgrok: bad: {one_line(problem)}", file=sys.stderr)
    return FAILED if status.problems else 0


def status(path: Directory, as_json: Json = False) -> int:
    """Show how far a store is: done, left, rate, time left, bad shards.

    The exit status is 1 if something is wrong with its files.
    """
    from fastgrok.statistics.text import duration, plain_percent, speed
    from fastgrok.store import open_store

    state = open_store(path).status()
    if as_json:
        print_json(state._asdict())
        return FAILED if state.problems else 0
    share = plain_percent(state.n_done / state.n_runs)
    print(f"{state.n_configurations:,} configurations x {state.n_seeds:,} seeds")
    print(f"done: {state.n_done:,} of {state.n_runs:,} runs ({share}) in {state.n_shards:,} shards")
    print(f"size: {state.n_bytes / 1e6:,.1f} MB")
    if state.seconds:
        print(f"rate: {speed(state.seed_epochs / state.seconds)} seed-epochs/s on each thread")
    time_left = ""
    if state.n_missing and state.seconds_left is not None:
        time_left = f", {duration(state.seconds_left)} of one thread"
    print(f"left: {state.n_runs - state.n_done:,} runs in {state.n_missing:,} shards{time_left}")
    _print_lists({"bad": state.problems, "not of this store": state.strays})
    return FAILED if state.problems else 0


def verify(
    path: Directory,
    sample: Annotated[int, typer.Option(metavar="INTEGER", help="rows that are trained again")] = 100,
    as_json: Json = False,
) -> int:
    """Check every shard of a store by its checksum, and some rows bit for bit.

    Temporary files of writers that are gone are removed. A shard that is not what was written is marked as bad, so
    that fastgrok resume makes it again; until then the exit status is 1. What is only missing is no error, nor are
    rows without a sidecar: a running sweep may be about to write it.
    """
    from fastgrok.store import open_store

    if sample < 0:
        raise InvalidExperiment("--sample", sample, "a number of rows of 0 or more")
    report = open_store(path).verify(sample)
    if as_json:
        print_json({**report._asdict(), "ok": report.ok})
        return 0 if report.ok else FAILED
    print(f"{report.n_shards:,} shards are what was written, {report.n_missing:,} are to be made")
    print(f"{report.n_rows:,} rows were trained again, {len(report.different):,} came out with other bits")
    if report.removed:
        print(f"{len(report.removed):,} files of writers that are gone were removed")
    _print_lists({"bad": report.bad, "different": report.different, "no sidecar": report.uncommitted})
    _print_lists({"not of this store": report.strays})
    if len(report.bad) > len(report.unmarked) or report.uncommitted:
        print(f"fastgrok resume {shlex.quote(path)} makes them again")
    return 0 if report.ok else FAILED


def _print_lists(findings: Mapping[str, Iterable[str]]) -> None:
    """Print a line for each finding."""
    for kind, lines in findings.items():
        for line in lines:
            print(f"{kind}: {one_line(line)}")


def summary(
    path: Annotated[str, typer.Argument(metavar="STORE", help="the store's directory, or a .parquet or .nc file")],
    compare: Annotated[str | None, typer.Option(metavar="AXIS", help=texts.COMPARE)] = None,
    of: Annotated[str | None, typer.Option(metavar=texts.OUTCOME, help=texts.OF)] = None,
    margin: Margin = None,
    clusters: Clusters = None,
    as_json: Json = False,
) -> int:
    """Show the table of a store from its counts alone, or of a file that sweep --out wrote."""
    from fastgrok.cli.experiment import shown_of
    from fastgrok.store import open_store

    asked = functools.partial(shown_of, compare, of, margin=margin, clusters=clusters)
    if Path(path).suffix in FILES and Path(path).is_file():
        return _summary_of_file(Path(path), asked, as_json=as_json)
    store = open_store(path)
    specification = store.specification
    shown = asked([axis.path for axis in specification.axes], specification.experiment)
    status, rows = store.overview()
    _show(store, status, rows, as_json=as_json, shown=shown)
    return _warned_of(status)


def _summary_of_file(path: Path, asked: Callable[..., Shown], *, as_json: bool) -> int:
    """Show the table of a result in a file; asked: what is shown of its axes and its experiment."""
    from fastgrok.results.result import Result

    result = Result.of_file(path)
    shown = asked([axis.path for axis in result.axes], result.experiment)
    document = {
        "file": str(path),
        "interrupted": result.interrupted,
        "configurations": [configuration(row) for row in result.rows()],
    }
    print_sweep(result, result.rows(), shown, document if as_json else None)
    return 0


def merge(
    target: Annotated[str, typer.Argument(metavar="TARGET", help="the store to copy into; made if it is not there")],
    sources: Annotated[list[str], typer.Argument(metavar="SOURCES", help="stores of the same sweep")],
) -> int:
    """Copy the shards of stores into one."""
    from fastgrok.store.store import merged_store, open_store

    store = merged_store(target, [open_store(source) for source in sources])
    _show(store, *store.overview(), as_json=False)
    return 0


def shrink(path: Directory) -> int:
    """Plan no more of a store than the seeds and values of which something is there.

    The way back after a sweep that asked for too much, such as --seeds 1e9 for 1e6. Nothing that is done is lost.
    """
    from fastgrok.statistics.text import plural
    from fastgrok.store import open_store

    store = open_store(path)
    before, now = store.specification, store.shrink().specification
    for when, plan in (("planned before", before), ("now", now)):
        seeds, n = plan.seeds, len(plan.configurations)
        print(f"{when}: {plural(n, 'configuration')} x seeds {seeds.start:,} to {seeds.stop - 1:,}")
    return 0


def _show(store: Any, status: Any, rows: Sequence[Any], *, as_json: bool, shown: Shown = ALL) -> None:
    """Print what a store holds; for machines how far it is, and exact counts."""
    document = {
        "store": store.path,
        "interrupted": store.interrupted,
        "status": status._asdict(),
        "configurations": [configuration(row) for row in rows],
    }
    print_sweep(store, rows, shown, document if as_json else None)
