"""The command `fastgrok sweep`: train, show what happened, and keep it."""

import json
import sys
import warnings
from typing import Any

from fastgrok.cli.lists import seeds
from fastgrok.cli.request import Request, Values, request

INTERRUPTED = 130
"""Exit status after Ctrl-C."""


def sweep(name: str | None, values: Values) -> int:
    """
    Train what the flags ask for, and return the exit status.

    Parameters
    ----------
    name
        The datasets by their names; None: `values["data"]` is a file.
    values
        What each flag was given.

    Raises
    ------
    InvalidExperiment
        If something will not do; nothing has been trained then.
    """
    wanted = request(name, values)
    chosen = seeds(values["seeds"])
    if values["out"] is not None:
        from fastgrok.results.files import checked_target

        checked_target(values["out"])
    result = _train(wanted, chosen, values)
    if values["json"]:
        print(json.dumps(document(result, values), allow_nan=False, indent=1), flush=True)
    elif not values["quiet"]:
        _show(result, wanted)
    if values["out"] is not None:
        result.save(values["out"])
    if result.interrupted:
        print("fastgrok: interrupted: what was finished is shown", file=sys.stderr)
    return INTERRUPTED if result.interrupted else 0


def _train(wanted: Request, chosen: range, values: Values) -> Any:
    """Run or sweep; an interruption is told by the exit status."""
    from fastgrok import api

    options = {name: values[name] for name in ("threads", "lanes", "specialize")}
    options["progress"] = False if values["quiet"] else None
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="interrupted: ", category=UserWarning)
        if wanted.axes:
            return api.sweep(wanted.experiment, chosen, wanted.axes, **options)
        return api.run(wanted.experiment, chosen, **options)


def _show(result: Any, wanted: Request) -> None:
    """Print the table: the network, and what varies."""
    from fastgrok.display.rows import Row
    from fastgrok.display.table import print_table

    shown = ["network", *(path for path in wanted.axes if path != "network")]
    rows = [Row({path: row.labels[path] for path in shown}, row.summary) for row in result.rows()]
    print_table(rows, sys.stdout)


def document(result: Any, values: Values) -> dict[str, Any]:
    """
    Return a result for machines: exact counts, experiments, and where it all comes from.

    Parameters
    ----------
    result
        What `run` or `sweep` returned.
    values
        What each flag was given.
    """
    configurations = [
        {
            "labels": dict(row.labels),
            **row.summary.to_dict(),
            "experiment_id": one.experiment.id,
            "experiment": one.experiment.to_dict(),
            "driver": one.trained.driver,
            "lanes": one.trained.lanes,
            "threads": one.trained.threads,
        }
        for one, row in zip(result.configurations, result.rows(), strict=True)
    ]
    provenance = {key: value for key, value in result.attrs.items() if not key.endswith("_json")}
    return {
        "seeds": values["seeds"],
        "interrupted": result.interrupted,
        "out": values["out"],
        "configurations": configurations,
        "provenance": provenance,
    }
