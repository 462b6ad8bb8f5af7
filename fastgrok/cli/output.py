"""What the commands print: JSON, a table of configurations, or a comparison of them."""

import json
import math
import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from fastgrok.cli.help import wrapped
from fastgrok.errors import InvalidExperiment


def print_json(document: Any) -> None:
    """Print what machines read, with exact numbers."""
    print(json.dumps(document, allow_nan=False, indent=1), flush=True)


class Shown(NamedTuple):
    """What is shown of a sweep."""

    axis: str | None = None  # whose values are compared
    of: str | None = None  # the continuous outcome that is shown in full, or compared by
    margin: float | None = None  # the smallest difference that matters, where values are compared
    clusters: str | None = None  # the axis whose values are a sample, where values are compared


ALL = Shown()
"""A table of all that there is room for."""


def print_sweep(sweep: Any, rows: Sequence[Any], shown: Shown, document: Mapping[str, Any] | None) -> None:
    """Print a document, with the comparison where an axis is compared; or that comparison; or a table."""
    axis, of = shown.axis, shown.of
    if of is not None and not any(of in row.summary.continuous for row in rows if row.summary.n):
        from fastgrok.spec.words import outcome_word

        raise InvalidExperiment("--of", outcome_word(of), "--validation with it, a share or a file")
    if document is None and axis is None:
        from fastgrok.results.advice import advice_on
        from fastgrok.results.layout import print_table
        from fastgrok.statistics.scope import scope

        left_out = print_table(list(rows), [each.path for each in sweep.axes], sys.stdout, of)
        if left_out:
            first = left_out[0].replace(" ", "-")
            said = f"No room for {', '.join(left_out)}: --of {first} shows it, a wider terminal or --json all."
            print("\n".join(wrapped(said, shutil.get_terminal_size().columns)))
        if lines := (*advice_on(rows), *scope(sweep.configurations)):  # in a pipe the table is alone
            file = sys.stdout if sys.stdout.isatty() else sys.stderr
            print("", *map(_to_width, lines), sep="\n", file=file, flush=True)
        return
    comparison = None if axis is None else compared(sweep, axis, shown)
    if document is not None:
        print_json(document if comparison is None else {**document, "comparison": comparison.to_dict()})
    elif comparison is not None:
        print_comparison(comparison)


def compared(sweep: Any, axis: Any, shown: Shown, **names: Any) -> Any:
    """Return the comparison of an axis, or of another result, that flags ask for; an error names the flag."""
    from fastgrok.statistics.comparison import compare

    try:
        return compare(sweep, axis, of=shown.of, margin=shown.margin, clusters=shown.clusters, **names)
    except InvalidExperiment as error:
        if error.field in ("margin", "clusters"):
            raise InvalidExperiment(f"--{error.field}", error.value, error.accepted) from None
        raise


def print_comparison(comparison: Any) -> None:
    """Print a comparison, as wide as a terminal is."""
    print(comparison.as_text(shutil.get_terminal_size().columns if sys.stdout.isatty() else None), flush=True)


def finite(value: Any) -> Any:
    """Return a value that JSON knows: None for NaN and infinity."""
    if isinstance(value, list):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _to_width(line: str) -> str:
    """Break a line of text between words, to the width of a terminal; in a pipe it stays whole."""
    return "\n".join(wrapped(line, shutil.get_terminal_size().columns)) if sys.stdout.isatty() else line


def configuration(row: Any) -> dict[str, Any]:
    """Return the exact counts of a row for machines."""
    from fastgrok.results.advice import advice

    identity = row.configuration.experiment.id
    plateaus = None if row.plateaus is None else [each.to_dict() for each in row.plateaus]
    said = {"plateaus": plateaus, "advice": list(advice(row)), "experiment_id": identity}
    return {"labels": dict(row.labels), **row.summary.to_json(), **said}
