"""The command `fastgrok sweep`: train, show what happened, and keep it."""

import json
import sys
import warnings
from collections.abc import Collection
from typing import Any

from fastgrok.cli import specified, storing
from fastgrok.cli.comparing import compared, show_comparison
from fastgrok.cli.lists import option, seeds
from fastgrok.cli.regime import Values, record_at
from fastgrok.cli.request import Request, request
from fastgrok.cli.shown import show
from fastgrok.errors import InvalidExperiment

MAX_EXAMPLES = 100
"""Examples of data that a JSON document holds; of larger data it holds the hash."""

INTERRUPTED = 130
"""Exit status after Ctrl-C."""


def sweep(name: str | None, values: Values, given: Collection[str]) -> int:
    """Train what the flags ask for, and return the exit status."""
    if name is None or not name.endswith(specified.SUFFIX):
        return _sweep(request(name, values), values, given)
    wanted, values, keys = specified.read(name, values, given)
    with specified.naming(name, given):
        return _sweep(wanted, values, [*keys, *given])


def _sweep(wanted: Request, values: Values, given: Collection[str]) -> int:
    """Train what is asked for, and return the exit status."""
    chosen = seeds(values["seeds"])
    storing.check_flags(values)
    if is_stored := storing.goes_to_store(values["out"]):
        wanted = storing.with_axes_of_store(wanted, values["out"], given)
    axis = compared(values["compare"], wanted.axes, wanted.experiment)
    if values["dry_run"]:
        return storing.dry_run(wanted, chosen, values)
    for name in ("record_at", "track"):
        if values[name] is not None and values["out"] is None:
            raise InvalidExperiment(option(name), values[name], "--out with a file: the table does not show it")
    if is_stored:
        return storing.sweep(wanted, chosen, values, axis)
    if values["out"] is not None:
        from fastgrok.results.files import checked_target

        checked_target(values["out"])
    result = _train(wanted, chosen, values)
    if values["json"]:
        print(json.dumps(document(result, chosen, values, axis), allow_nan=False, indent=1), flush=True)
    elif not values["quiet"]:
        _show(result, wanted, axis)
    if values["out"] is not None:
        result.save(values["out"])
    if result.interrupted:
        counts = f"{result.n_finished:,} of {result.n_asked:,} runs are finished"
        print(f"fastgrok: interrupted: {counts}", file=sys.stderr)
    return INTERRUPTED if result.interrupted else 0


def _train(wanted: Request, chosen: range | list[int], values: Values) -> Any:
    """Run or sweep; an interruption is told by the exit status."""
    from fastgrok import api

    options = {name: values[name] for name in ("threads", "lanes", "specialize")}
    options["progress"] = False if values["quiet"] else None
    options |= {"record_at": record_at(values["record_at"]), "track": values["track"]}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="interrupted: ", category=UserWarning)
        if wanted.axes:
            return api.sweep(wanted.experiment, chosen, wanted.axes, **options)
        return api.run(wanted.experiment, chosen, **options)


def _show(result: Any, wanted: Request, axis: str | None) -> None:
    """Print the table, the network and what varies, or the comparison."""
    if axis is not None:
        show_comparison(result, axis)
    else:
        show(result.rows(), wanted.axes)


def document(result: Any, chosen: range | list[int], values: Values, axis: str | None) -> dict[str, Any]:
    """
    Return a result for machines: exact counts, experiments, and where it all comes from.

    Notes
    -----
    Each configuration has its experiment, which `Experiment.from_dict` brings back; data of more than 100 examples
    are left out of it, and their `content_hash` tells which they were. `converged` counts the seeds that met the
    criteria, `outcomes` what they were in the end: under --keep-training one may diverge later.
    """
    configurations = [
        {
            "labels": dict(row.labels),
            **row.summary._asdict(),
            "experiment_id": one.experiment.id,
            "experiment": _experiment(one.experiment),
            "driver": output.driver,
            "lanes": output.lanes,
            "threads": output.threads,
        }
        for one, output, row in zip(result.configurations, result.outputs, result.rows(), strict=True)
    ]
    elsewhere = ("driver", "lanes", "threads", "interrupted")
    provenance = {
        key: value for key, value in result.attrs.items() if not key.endswith("_json") and key not in elsewhere
    }
    from fastgrok.statistics.comparison import compare

    return {
        "seeds": _seeds(chosen),
        "interrupted": result.interrupted,
        "out": values["out"],
        "configurations": configurations,
        **({} if axis is None else {"comparison": compare(result, axis).to_dict()}),
        "provenance": provenance,
    }


def _seeds(chosen: range | list[int]) -> dict[str, Any]:
    """Return the seeds that were asked for: how many, and which."""
    which = {"first": chosen.start, "stop": chosen.stop} if isinstance(chosen, range) else {"values": chosen}
    return {"n": len(chosen), **which}


def _experiment(experiment: Any) -> dict[str, Any]:
    """Return an experiment as a dict, without data that are many."""
    data = experiment.data
    if data.n_examples <= MAX_EXAMPLES:
        plain: dict[str, Any] = experiment.to_dict()
        return plain
    short = {
        "type": "Dataset",
        "name": data.name,
        "n_examples": data.n_examples,
        "content_hash": data.content_hash,
    }
    return {**experiment.to_dict(), "data": short}
