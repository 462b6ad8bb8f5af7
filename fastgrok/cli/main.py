"""Commands, errors and exit statuses."""

import functools
import inspect
import os
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from fastgrok.cli.flags import EPILOG, EXPLAIN_FLAGS, FLAGS, REPLAY_FLAGS, TOPICS, Flag
from fastgrok.errors import MISSING, InvalidExperiment, StoreError

FAILED, INVALID, INTERRUPTED = 1, 2, 130

Command = Callable[[], int]
"""What a command line asks for: it is parsed first, and done outside of the parser. Returns the exit status."""

_USAGE_ERROR: type[Exception] = typer.BadParameter.__bases__[0]  # its place has moved with typer's versions

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


def _version(wanted: bool) -> None:
    """Print the version and leave."""
    if wanted:
        import fastgrok

        print(f"fastgrok {fastgrok.__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def fastgrok(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="show the version")
    ] = False,
) -> None:
    """Train a small network once for every random seed, and say what the seed decides."""
    if context.invoked_subcommand is None:
        raise InvalidExperiment(
            "command",
            MISSING,
            "sweep, replay, explain, resume, status, verify, summary, merge, study, info (fastgrok --help says more)",
        )


_DATA = "xor, and, or, parity3, streetlights, deep_streetlights; xor(low=-1) has inputs -1 and 1"


def _given(context: typer.Context, values: dict[str, Any]) -> list[str]:
    """Return the names of the flags that stand on the command line."""
    return [flag for flag in values if "COMMANDLINE" in str(context.get_parameter_source(flag))]


def _signature(about: str, flags: tuple[Flag, ...], *first: inspect.Parameter) -> inspect.Signature:
    """Return the signature that makes typer read a table of flags."""
    argument = Annotated[str | None, typer.Argument(help=about, show_default=False)]
    name = inspect.Parameter("name", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=argument)
    context = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    return inspect.Signature([context, *first, name, *(flag.parameter for flag in flags)])


def sweep(context: typer.Context, name: str | None = None, **values: Any) -> Command:
    """
    Train a network for every seed, and print what happened.

    A comma list, as in --hidden 2,4,8 --lr 0.1,0.01, gives every combination.
    """
    from fastgrok.cli.sweep import sweep as command

    return functools.partial(command, name, values, _given(context, values))


def replay(context: typer.Context, name: str | None = None, **values: Any) -> Command:
    """
    Train a seed again, with the same bits, and show its way.

    Of a store, as in fastgrok replay runs/xor --seed 42, or of what the flags say, as in fastgrok replay xor
    --hidden 4 --seed dead.
    """
    from fastgrok.cli.replaying import replay as command

    return functools.partial(command, name, values, _given(context, values))


def explain(context: typer.Context, topic: str, name: str | None = None, **values: Any) -> Command:
    """
    Say why a seed did what it did, in words and as a picture.

    As in fastgrok explain failure runs/xor --seed 42, or of what the flags say: fastgrok explain sign-flow xor
    --hidden 4 --seed dead.
    """
    from fastgrok.cli.explaining import explain as command

    return functools.partial(command, topic, name, values, _given(context, values))


_SEEN = f"a store's directory; a .nc file of fastgrok replay; or data: {_DATA}"
_TOPIC = inspect.Parameter(
    "topic",
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
    annotation=Annotated[str, typer.Argument(help=", ".join(TOPICS), show_default=False)],
)

sweep.__signature__ = _signature(f"{_DATA}; or a TOML file", FLAGS)  # type: ignore[attr-defined]
replay.__signature__ = _signature(_SEEN, REPLAY_FLAGS)  # type: ignore[attr-defined]
explain.__signature__ = _signature(_SEEN, EXPLAIN_FLAGS, _TOPIC)  # type: ignore[attr-defined]
app.command(epilog=EPILOG)(sweep)
app.command()(replay)
app.command()(explain)


@app.command()
def info(json: Annotated[bool, typer.Option("--json", help="print one JSON document")] = False) -> Command:
    """Show versions, CPU, vector width, lanes chosen, and the state of the cache."""
    from fastgrok.cli.info import info as command

    return functools.partial(command, as_json=json)


@app.command()
def study(
    name: Annotated[str, typer.Argument(help="the study's name, or list for all of them", show_default=False)],
    seeds: Annotated[
        int | None, typer.Option("--seeds", help="seeds of each configuration; the study has a default")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="print one JSON document")] = False,
) -> Command:
    """
    Run a published result again: expectation beside observation, with intervals.

    The exit status is 0 whether or not they agree; the last line says whether they do.
    """
    from fastgrok.cli.study import study as command

    return functools.partial(command, name, seeds, as_json=json)


Directory = Annotated[str, typer.Argument(help="the store's directory", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="print one JSON document")]


@app.command()
def resume(
    path: Directory,
    shard: Annotated[str | None, typer.Option("--shard", help="i/n: the i-th of n parts of the work")] = None,
    scheduler: Annotated[str | None, typer.Option("--scheduler", help="the address of a Dask scheduler")] = None,
    threads: Annotated[int | None, typer.Option("--threads", help="threads; default: one for each CPU")] = None,
    json: Json = False,
) -> Command:
    """Make what is missing of a store, and show it."""
    from fastgrok.cli.making import resume as command

    return functools.partial(command, path, shard=shard, scheduler=scheduler, threads=threads, as_json=json)


@app.command()
def status(path: Directory, json: Json = False) -> Command:
    """Show how far a store is: done, left, rate, time left, bad shards."""
    from fastgrok.cli.inspecting import status as command

    return functools.partial(command, path, as_json=json)


@app.command()
def verify(
    path: Directory,
    sample: Annotated[int, typer.Option("--sample", help="rows that are trained again")] = 100,
    json: Json = False,
) -> Command:
    """
    Check every shard of a store by its checksum, and some rows bit for bit.

    Temporary files of writers that are gone are removed. A shard that is not what was written is marked as bad, so
    that fastgrok resume makes it again; until then the exit status is 1. What is only missing is no error, nor are
    rows without a sidecar: a running sweep may be about to write it.
    """
    from fastgrok.cli.inspecting import verify as command

    return functools.partial(command, path, sample=sample, as_json=json)


@app.command()
def summary(
    path: Directory,
    compare: Annotated[
        str | None, typer.Option("--compare", help="an axis, such as init: compare its values, paired by seed")
    ] = None,
    json: Json = False,
) -> Command:
    """Show the table of a store from its counts alone; no row is read but for --compare."""
    from fastgrok.cli.inspecting import summary as command

    return functools.partial(command, path, compare=compare, as_json=json)


@app.command()
def merge(
    target: Annotated[
        str, typer.Argument(help="the store to copy into; made if it is not there", show_default=False)
    ],
    sources: Annotated[list[str], typer.Argument(help="stores of the same sweep", show_default=False)],
) -> Command:
    """Copy the shards of stores into one."""
    from fastgrok.cli.inspecting import merge as command

    return functools.partial(command, target, sources)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line, and leave with its exit status."""
    if sys.stdout is None:  # closed by whoever started us
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    sys.exit(_status(arguments))


def _status(arguments: list[str] | None) -> int:
    """Run the command line, and return its exit status."""
    try:
        parsed = app(arguments, prog_name="fastgrok", standalone_mode=False)
        status = parsed() if callable(parsed) else int(parsed or 0)  # a number after --help and --version
        print(end="", flush=True)
        return status
    except InvalidExperiment as error:
        return _fail(str(error), INVALID)
    except _USAGE_ERROR as error:
        return _fail(error.format_message(), INVALID)  # type: ignore[attr-defined]
    except (KeyboardInterrupt, typer.Abort):
        print("fastgrok: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains when it leaves
        return 0
    except (OSError, StoreError) as error:
        return _fail(str(error), FAILED)


def _fail(message: str, status: int) -> int:
    """Print an error in one line."""
    print(f"fastgrok: error: {' '.join(message.split())}", file=sys.stderr)
    return status
