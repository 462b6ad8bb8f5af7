"""Work on a store from the command line: who trains, signals that end it, how to go on, and `fastgrok resume`."""

import contextlib
import importlib
import re
import shlex
import signal
import sys
from collections.abc import Iterator
from typing import Any

from fastgrok.cli.inspecting import show_store
from fastgrok.errors import InvalidExperiment

INTERRUPTED, TERMINATED = 130, 143
"""Exit statuses: ended by Ctrl-C; ended by SIGTERM."""


def resume(path: str, *, shard: str | None, scheduler: str | None, threads: int | None, as_json: bool) -> int:
    """Make what is missing of a store, show it, and return the exit status."""
    from fastgrok.engine import arguments
    from fastgrok.store import open_store

    store, share = open_store(path), None if shard is None else part(shard)
    arguments.checked_integer("--threads", threads, arguments.MAX_THREADS)
    check_threads(threads, scheduler)
    command = again(path, shard=shard, scheduler=scheduler, threads=threads)
    with terminable(command) as received, executor(scheduler) as workers:
        store.resume(workers, part_of=share, threads=threads)
    return ended(store, command, received, as_json=as_json, quiet=False)


def check_threads(threads: int | None, scheduler: str | None) -> None:
    """Raise if there are threads beside a scheduler."""
    if threads is not None and scheduler is not None:
        expected = "no --scheduler beside it: each of its workers trains in one thread"
        raise InvalidExperiment("--threads", threads, expected)


def again(path: str, *, shard: str | None, scheduler: str | None, threads: int | None) -> str:
    """
    Return the command that goes on with what a command did.

    Examples
    --------
    >>> again("runs/a b", shard="3/8", scheduler=None, threads=2)
    "fastgrok resume 'runs/a b' --shard 3/8 --threads 2"
    """
    words = ["fastgrok", "resume", path]
    for flag, value in {"--shard": shard, "--scheduler": scheduler, "--threads": threads}.items():
        words += [] if value is None else [flag, str(value)]
    return shlex.join(words)


def part(text: str) -> tuple[int, int]:
    """
    Read `i/n`.

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
def executor(scheduler: str | None) -> Iterator[Any]:
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


@contextlib.contextmanager
def terminable(command: str) -> Iterator[list[int]]:
    """Let SIGTERM end the work on a store as Ctrl-C does; the list says whether it came."""
    received: list[int] = []

    def handle(number: int, frame: Any) -> None:
        received.append(number)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, handle)
    try:
        yield received
    except KeyboardInterrupt:
        print(f"fastgrok: interrupted; go on with: {command}", file=sys.stderr)
        raise SystemExit(TERMINATED if received else INTERRUPTED) from None
    finally:
        signal.signal(signal.SIGTERM, before)


def ended(
    store: Any, command: str, received: list[int], *, as_json: bool, quiet: bool, axis: str | None = None
) -> int:
    """Show what is there after some work, and return the exit status."""
    status, rows = store.overview()
    if as_json or not quiet:
        show_store(store, status, rows, as_json=as_json, axis=axis)
    if not store.interrupted:
        return 0
    done = f"{status.n_done:,} of {status.n_runs:,} runs are in the store"
    print(f"fastgrok: interrupted: {done}; go on with: {command}", file=sys.stderr)
    return TERMINATED if received else INTERRUPTED
