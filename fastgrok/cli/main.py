"""Commands, errors and exit statuses."""

import functools
import inspect
import os
import sys
from collections.abc import Callable
from typing import Annotated, Any, cast

import typer
from typer.core import TyperGroup

from fastgrok.cli import help, store
from fastgrok.cli.compare import compare
from fastgrok.cli.info import info
from fastgrok.cli.signals import FAILED, INTERRUPTED, INVALID
from fastgrok.cli.study import study
from fastgrok.errors import InvalidExperiment, StoreError, one_line

Command = Callable[[], int]
"""The work of a command line, done once all of it is parsed. Returns the exit status."""

_USAGE_ERROR: type[Exception] = typer.BadParameter.__bases__[0]  # its place has moved with typer's versions


_HELP = {"help_option_names": ["-h", "--help"]}


class _Commands(TyperGroup):
    """Makes the flags of an experiment when a command needs them: the specifications take a while to import."""

    def resolve_command(self, context: Any, args: list[str]) -> Any:
        """Return the name, the command and the rest of the arguments."""
        name, command, rest = super().resolve_command(context, args)
        return name, _with_flags(_EXPERIMENTS[name]) if name in _EXPERIMENTS else command, rest

    def get_help(self, ctx: Any) -> str:
        """Return the help: the commands in groups, and the flags of the command itself."""
        first = {name: help.paragraphs(self.commands[name].help)[0] for name in self.list_commands(ctx)}
        groups = {title: [(name, first[name]) for name in names] for title, names in _GROUPS.items()}
        groups["Flags"] = help.flag_entries(self, ctx)
        usage = f"{ctx.command_path} COMMAND [FLAGS]"
        return help.Page(usage, help.paragraphs(self.help), groups, [_MORE]).text()


_GROUPS = {
    "Train, and look at one seed": ("sweep", "replay", "explain", "study"),
    "Sweeps on disk": ("resume", "status", "verify", "summary", "compare", "merge", "shrink"),
    "This machine": ("info",),
}
_MORE = "fastgrok COMMAND --help says what a command takes. To begin with: fastgrok sweep xor --hidden 2,4,8"

app = typer.Typer(
    cls=_Commands, pretty_exceptions_enable=False, rich_markup_mode=None, context_settings=dict[Any, Any](_HELP)
)


def _version(is_on: bool) -> None:
    """Print the version and leave."""
    if is_on:
        import fastgrok

        print(f"fastgrok {fastgrok.__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def fastgrok(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("-V", "--version", callback=_version, is_eager=True, help="show the version")
    ] = False,
) -> None:
    """Train a small network once for every random seed, and say what the seed decides."""
    if context.invoked_subcommand is None:
        print(context.get_help())


def sweep(context: typer.Context, name: str | None = None, **values: Any) -> Command:
    """Train a network for every seed, and print what happened.

    A comma list, as in --hidden 2,4,8 --lr 0.1,0.01, gives every combination.
    """
    from fastgrok.cli.sweep import sweep

    return functools.partial(sweep, name, values, _typed(context, values))


def replay(context: typer.Context, name: str | None = None, **values: Any) -> Command:
    """Train a seed again, with the same bits, and show its way.

    Of a store, as in fastgrok replay runs/xor --config 1 --seed 42, or of what the flags say, as in fastgrok replay
    xor --hidden 4 --seed dead.
    """
    from fastgrok.cli.trace import replay

    return functools.partial(replay, name, values, _typed(context, values))


def explain(context: typer.Context, topic: str = "", name: str | None = None, **values: Any) -> Command:
    """Say why a seed did what it did, in words and as a picture.

    As in fastgrok explain failure runs/xor --config 1 --seed 42, or of what the flags say: fastgrok explain sign-flow
    xor --hidden 4 --seed dead.
    """
    from fastgrok.cli.explain import explain

    return functools.partial(explain, topic, name, values, _typed(context, values))


_EXPERIMENTS: dict[str | None, Callable[..., Command]] = {"sweep": sweep, "replay": replay, "explain": explain}


def _typed(context: typer.Context, values: dict[str, Any]) -> list[str]:
    """Return the names of the flags that were typed."""
    return [flag for flag in values if "COMMANDLINE" in str(context.get_parameter_source(flag))]


def _with_flags(function: Callable[..., Command]) -> Any:
    """Return the command of a function with the flags of an experiment."""
    from fastgrok.cli import flags, pages

    name = function.__name__
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    subject = typer.Argument(None, help=pages.SUBJECTS[name], show_default=False)
    parameters = [inspect.Parameter("context", kind, annotation=typer.Context)]
    if name == "explain":
        from fastgrok.cli.explain import TOPICS

        topic = typer.Argument(..., help=", ".join(TOPICS), show_default=False)
        parameters.append(inspect.Parameter("topic", kind, default=topic, annotation=str))
    parameters += [inspect.Parameter("name", kind, default=subject, annotation=str | None)]
    parameters += [flag.parameter for flag in flags.OF_COMMANDS[name]]
    if name == "sweep":
        parameters.append(inspect.Parameter("h", inspect.Parameter.KEYWORD_ONLY, default=_brief(), annotation=bool))
    function.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    alone = typer.Typer(add_completion=False, rich_markup_mode=None)
    alone.command(name, cls=pages.COMMANDS[name], help=_help(function), context_settings=_HELP)(function)
    return typer.main.get_command(alone)


def _brief() -> Any:
    """Return the flag -h, which shows the common flags where --help shows all."""

    def show(context: typer.Context, is_on: bool) -> None:
        if is_on and not context.resilient_parsing:
            print(context.command.brief_page(context).text())  # type: ignore[attr-defined]
            raise typer.Exit

    return typer.Option(False, "-h", is_eager=True, expose_value=False, callback=show)


def _deferred(function: Callable[..., int]) -> Callable[..., Command]:
    """Return what the parser calls: the work is deferred, since the parser treats some errors in its own way."""

    @functools.wraps(function)
    def parsed(*args: Any, **kwargs: Any) -> Command:
        return functools.partial(function, *args, **kwargs)

    return parsed


def _help(function: Callable[..., Any]) -> str:
    """Return the docstring of a command with each paragraph in one line: a terminal breaks them."""
    return "\n\n".join(" ".join(text.split()) for text in (inspect.getdoc(function) or "").split("\n\n"))


for command in (sweep, replay, explain):
    app.command(help=_help(command))(command)
_PLAIN = (
    *(store.resume, store.status, store.verify, store.summary, compare, store.merge, store.shrink),
    *(study, info),
)
for function in _PLAIN:
    app.command(cls=help.Command, help=_help(function))(_deferred(cast(Callable[..., int], function)))


def main(arguments: list[str] | None = None) -> None:
    """Run the command line, and leave with its exit status."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started us
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
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
    print(f"fastgrok: error: {one_line(message)}", file=sys.stderr)
    return status
