"""The command `fastgrok compare`: two results, or the values of an axis of one."""

from pathlib import Path
from typing import Annotated, Any

import typer

from fastgrok.cli import texts
from fastgrok.cli.output import Shown, compared, print_comparison, print_json
from fastgrok.cli.store import Clusters, Json, Margin
from fastgrok.errors import MISSING, InvalidExperiment


def compare(
    first: Annotated[str, typer.Argument(metavar="RESULT", help="a store's directory, or a .parquet or .nc file")],
    second: Annotated[str | None, typer.Argument(metavar="OTHER", help="another one, of the same axes")] = None,
    axis: Annotated[str | None, typer.Option(metavar="AXIS", help="of one result, with its flag's name")] = None,
    of: Annotated[str | None, typer.Option(metavar=texts.OUTCOME, help=texts.COMPARED_BY)] = None,
    margin: Margin = None,
    clusters: Clusters = None,
    as_json: Json = False,
) -> int:
    """Compare two results, or the values of an axis of one: with intervals, tests, and in words.

    Two results are paired on the seeds that they have in common. Where they have none they are two samples, and that
    is said.
    """
    from fastgrok.api import load
    from fastgrok.cli.experiment import shown_of

    result: Any = load(first)
    if second is not None:
        if axis is not None:
            raise InvalidExperiment("--axis", axis, "one result beside it, whose axis it is")
        outcome = shown_of(None, of, (), result.configurations[0].experiment).of
        names = (first, second) if first != second else (first, f"{second} again")
        comparison = compared(result, load(second), Shown(None, outcome, margin, clusters), names=names)
    else:
        paths = [each.path for each in result.axes]
        if axis is None and len(paths) != 1:
            expected = f"one of {', '.join(paths)}" if paths else "another result to compare with: this is a run"
            raise InvalidExperiment("--axis", MISSING, expected)
        try:
            shown = shown_of(axis or paths[0], of, paths, result.configurations[0].experiment, margin, clusters)
        except InvalidExperiment as error:
            raise InvalidExperiment(error.field.replace("--compare", "--axis"), error.value, error.accepted) from None
        comparison = compared(result, shown.axis, shown)
    if as_json:
        print_json({"files": [Path(each).as_posix() for each in (first, second) if each], **comparison.to_dict()})
    else:
        print_comparison(comparison)
    return 0
