"""The command `fastgrok study`: list the studies, or run one and print its findings."""

from typing import Annotated, Any

import typer

from fastgrok.cli import texts
from fastgrok.cli.output import print_json

LIST = "list"
"""The name that stands for all of them."""


def study(
    name: Annotated[str, typer.Argument(metavar="NAME", help="the study's name, or list for all of them")],
    seeds: Annotated[
        int | None, typer.Option(metavar="INTEGER", help="seeds of each configuration; the study has a default")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help=texts.JSON)] = False,
) -> int:
    """Run a published result again: expectation beside observation, with intervals.

    The exit status is 0 whether or not they agree; the last line says whether they do.
    """
    from fastgrok import studies
    from fastgrok.results.provenance import cpu_name, versions

    if name == LIST:
        document: Any = [_about(studies.by_name(each)) for each in studies.NAMES]
        text = "\n".join(_lines(document))
    else:
        result = studies.by_name(name)(seeds)
        document = {**result.to_dict(), "provenance": {**versions(), "cpu": cpu_name()}}
        text = repr(result)
    if as_json:
        print_json(document)
    else:
        print(text, flush=True)
    return 0


def _about(study: Any) -> dict[str, Any]:
    """Return what a list says of a study."""
    return {"name": study.command, "seeds": study.default_seeds, "title": study.title, "source": study.source}


def _lines(about: list[dict[str, Any]]) -> list[str]:
    """Return the lines of the list; what is long stands last, where a terminal may break it."""
    rows = ((study["name"], f"{study['seeds']:,}", study["title"]) for study in about)
    lines = [("study", "seeds", "what it asks"), *rows]
    names, seeds, _ = (max(map(len, column)) for column in zip(*lines, strict=True))
    return [f"{name:{names}}  {count:>{seeds}}  {title}" for name, count, title in lines]
