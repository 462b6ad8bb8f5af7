"""What the commands print: JSON, a table of configurations, or a comparison of them."""

import json
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def print_json(document: Any) -> None:
    """Print what machines read, with exact numbers."""
    print(json.dumps(document, allow_nan=False, indent=1), flush=True)


def print_sweep(
    sweep: Any, rows: Sequence[Any], axes: Iterable[str], axis: str | None, document: Mapping[str, Any] | None
) -> None:
    """Print a document, with the comparison where an axis is compared; or that comparison; or a table."""
    if document is None and axis is None:
        from fastgrok.results.table import print_table

        print_table(list(rows), ["network", *(path for path in axes if path != "network")], sys.stdout)
        return
    from fastgrok.statistics.comparison import compare

    comparison = None if axis is None else compare(sweep, axis)
    if document is not None:
        print_json(document if comparison is None else {**document, "comparison": comparison.to_dict()})
    elif comparison is not None:
        print(comparison.as_text(shutil.get_terminal_size().columns if sys.stdout.isatty() else None), flush=True)


def configuration(row: Any) -> dict[str, Any]:
    """Return the exact counts of a row for machines."""
    identity = row.configuration.experiment.id
    return {"labels": dict(row.labels), **row.summary.to_json(), "experiment_id": identity}
