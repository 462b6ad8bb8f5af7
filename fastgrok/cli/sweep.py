"""The command `fastgrok sweep`: train, show what happened, and keep it."""

import re
import sys
import warnings
from collections.abc import Collection
from pathlib import Path
from typing import Any

from fastgrok.cli import store, toml_file
from fastgrok.cli.data import notes_about
from fastgrok.cli.experiment import Request, flags_of, is_set_by, request, shown_of
from fastgrok.cli.flags import (
    STORE,
    SWEEP_FLAGS,
    Values,
    epochs_or_log,
    items,
    option,
    whole_number,
    whole_numbers,
)
from fastgrok.cli.output import configuration, finite, print_json, print_sweep
from fastgrok.cli.signals import INTERRUPTED
from fastgrok.errors import MISSING, InvalidExperiment
from fastgrok.spec.variables import OUTCOMES
from fastgrok.spec.words import NETWORK_WORDS

Seeds = range | list[int]

_STORE_ONLY = [flag.name for flag in SWEEP_FLAGS if flag.panel == STORE]
_MEMORY_ONLY = ("lanes",)


def sweep(name: str | None, values: Values, typed: Collection[str]) -> int:
    """Train what the flags or a TOML file ask for, and return the exit status."""
    if name is None or not name.endswith(toml_file.SUFFIX):
        return _sweep(request(name, values), values, typed)
    requested, values, keys = toml_file.read(name, values, typed)
    with toml_file.naming_keys(name, typed):
        return _sweep(requested, values, [*keys, *typed])


def _sweep(requested: Request, values: Values, given: Collection[str]) -> int:
    """Train what is asked for, and return the exit status."""
    seeds = seeds_of(values["seeds"])
    _check_flags(values)
    out = values["out"]
    if is_store_path(out):
        requested = _with_axes_of_store(requested, out, given)
    asked = {name: values[name] for name in ("margin", "clusters")}
    shown = shown_of(values["compare"], values["of"], requested.axes, requested.experiment, **asked)
    if not values["quiet"]:
        for note in notes_about(requested.experiment.data, values):
            print(f"fastgrok: {note}", file=sys.stderr)
    if values["dry_run"]:
        return _dry_run(requested, seeds, values)
    for name in ("record_at", "track"):
        if values[name] is not None and out is None:
            raise InvalidExperiment(option(name), values[name], "--out with a file: the table does not show it")
    if is_store_path(out):
        return store.sweep_to(out, _specification(requested, seeds, values), values, shown)
    if out is not None:
        from fastgrok.results.files import checked_target

        checked_target(out, "out")
    result = _train(requested, seeds, values)
    if values["json"] or not values["quiet"]:
        document = _document(result, seeds, out, with_rows=values["with_rows"]) if values["json"] else None
        print_sweep(result, result.rows(), shown, document)
    if out is not None:
        result.save(out)
    if result.interrupted:
        counts = f"{result.n_finished:,} of {result.n_asked:,} runs are finished"
        print(f"fastgrok: interrupted: {counts}", file=sys.stderr)
    return INTERRUPTED if result.interrupted else 0


def seeds_of(text: str) -> Seeds:
    """Read `n`, `first:stop`, or a comma list of seeds."""
    if "," in text:
        if any(re.fullmatch("0[0-9]+", item) for item in items("--seeds", text)):  # 100,000 is not seeds 100 and 0
            raise InvalidExperiment("--seeds", text, "seeds without zeros before them; 100_000 for 100,000 seeds")
        return whole_numbers("--seeds", text)
    seeds = range(*(whole_number("--seeds", end) for end in text.split(":", 1)))
    if not seeds:
        raise InvalidExperiment("--seeds", text, "a number of seeds at least 1, first:stop, or seeds with commas")
    return seeds


def is_store_path(out: str | None) -> bool:
    """Whether `--out` names a store: neither a Parquet nor a NetCDF file."""
    if out is None or Path(out).suffix in store.FILES:
        return False
    if Path(out).suffix and "://" not in out and not out.endswith("/") and not Path(out).is_dir():
        expected = "a path that ends in .parquet or .nc, or a directory for a store (ending in / if it has a dot)"
        raise InvalidExperiment("out", out, expected)
    return True


def _check_flags(values: Values) -> None:
    """Raise if a flag was given that goes with a store, or without one, only."""
    defaults = {flag.name: flag.default for flag in SWEEP_FLAGS}
    is_store = is_store_path(values["out"])
    for name in _MEMORY_ONLY if is_store else _STORE_ONLY:
        if values[name] != defaults[name] and not (values["dry_run"] and name in ("shard_size", "keep_params")):
            stores, memory = "--out with a directory: it is for stores", "no store: it is for results in memory"
            raise InvalidExperiment(option(name), values[name], memory if is_store else stores)
    store.check_threads(values["threads"], values["scheduler"])
    if values["shard_size"] is not None and values["shard_size"] < 1:
        raise InvalidExperiment("--shard-size", values["shard_size"], "an integer of 1 or more")
    if values["with_rows"] and (not values["json"] or is_store):
        expected = "no store: its rows are Parquet files" if is_store else "--json with it"
        raise InvalidExperiment("--with-rows", True, expected)
    if values["compare"] is not None and values["rows"] != defaults["rows"]:
        raise InvalidExperiment("--compare", values["compare"], "--rows all: it needs the rows of the same seeds")


def _with_axes_of_store(requested: Request, out: str, given: Collection[str]) -> Request:
    """Return a request with the axes of a store that exists: one value of a field is one on its axis."""
    from fastgrok.store.manifest import read_specification
    from fastgrok.store.storage import open_storage

    stored = read_specification(open_storage(out))
    axes = {}
    for path in [] if stored is None else [axis.path for axis in stored.axes]:
        if path in requested.axes or is_set_by(path, {"data", *given}):
            axes[path] = requested.axes.get(path, requested.choices.get(path))
        elif flags := flags_of(path):
            raise InvalidExperiment(flags[0].option, MISSING, f"one value or more: the store has an axis {path}")
    by_network = NETWORK_WORDS if "network" in axes else ()
    asked = {path: options for path, options in requested.axes.items() if path not in by_network}
    stored_first = {path: options for path, options in axes.items() if options} | asked
    return requested._replace(axes=stored_first)


def _specification(requested: Request, seeds: Seeds, values: Values) -> Any:
    """Return what a store of this sweep is to hold."""
    from fastgrok.store.manifest import specified

    kept = {name: values[name] for name in ("keep_params", "rows", "track", "shard_size")}
    recorded = epochs_or_log(values["record_at"])
    with store.naming_seeds():
        return specified(requested.experiment, seeds, requested.axes, record_at=recorded, **kept)


def _train(requested: Request, seeds: Seeds, values: Values) -> Any:
    """Run or sweep; an interruption is told by the exit status."""
    from fastgrok import api

    options = {name: values[name] for name in ("threads", "lanes", "specialize", "track")}
    options |= {"progress": False if values["quiet"] else None, "record_at": epochs_or_log(values["record_at"])}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="interrupted: ", category=UserWarning)
        if requested.axes:
            return api.sweep(requested.experiment, seeds, requested.axes, **options)
        return api.run(requested.experiment, seeds, **options)


def _document(result: Any, seeds: Seeds, out: str | None, *, with_rows: bool) -> dict[str, Any]:
    """Return a result for machines: exact counts, experiments, and where it all comes from.

    `converged` counts the seeds that met the criteria, `outcomes` what they were in the end: under --keep-training
    one may diverge later.
    """
    configurations = [
        {
            **configuration(row),
            "experiment": _experiment(row.configuration.experiment),
            "drivers": output.drivers,
            "lanes": output.lanes,
            "threads": output.threads,
            **({"rows": _rows(output, result.all_seeds)} if with_rows else {}),
        }
        for output, row in zip(result.outputs, result.rows(), strict=True)
    ]
    elsewhere = ("drivers", "lanes", "threads", "interrupted")
    attrs = {key: value for key, value in result.attrs.items() if not key.endswith("_json") and key not in elsewhere}
    which = {"first": seeds.start, "stop": seeds.stop} if isinstance(seeds, range) else {"values": seeds}
    return {
        "seeds": {"n": len(seeds), **which},
        "interrupted": result.interrupted,
        "out": out,
        "configurations": configurations,
        "provenance": attrs,
    }


def _rows(output: Any, seeds: Any) -> dict[str, Any]:
    """Return the result variables of the finished seeds of a configuration, a list each, outcomes by their words."""
    columns = {name: values.tolist() for name, values in output.finished_metrics.items()}
    words = [OUTCOMES[code] for code in columns.pop("outcome")]
    rows = {name: finite(values) for name, values in columns.items()}
    return {"seed": output.finished_rows(seeds).tolist(), "outcome": words, **rows}


def _experiment(experiment: Any) -> dict[str, Any]:
    """Return an experiment, of its data the hash alone: `Experiment.from_dict` reads it back with built-in data."""
    data = {"data": experiment.data, "validation": experiment.validation}
    described = {name: each and {"type": "Dataset", **_described(each)} for name, each in data.items()}
    return {**experiment.to_dict(), **described}


def _described(data: Any) -> dict[str, Any]:
    """Return which data it was, its classes, and what was done to its inputs."""
    return {"name": data.name, "n_examples": data.n_examples, "content_hash": data.content_hash, **data.encoding()}


def _dry_run(requested: Request, seeds: Seeds, values: Values) -> int:
    """Say how much work a sweep is."""
    from fastgrok.engine.arguments import ExecutionOptions
    from fastgrok.statistics.text import duration, plural
    from fastgrok.store.store import estimate_in
    from fastgrok.store.survey import estimate

    is_store = is_store_path(values["out"])
    share = None if values["shard"] is None else store.part(values["shard"])
    if is_store:
        specification = _specification(requested, seeds, values)
        with store.naming_seeds():
            work = estimate_in(values["out"], specification, ExecutionOptions(part_of=share), values["shard_size"])
    else:
        in_a_row = _as_many(seeds, requested.experiment.stream)
        work = estimate(_specification(requested, in_a_row, values))
    if values["json"]:
        print_json(work._asdict())
        return 0
    print(f"{plural(work.n_configurations, 'configuration')} x {plural(work.n_seeds, 'seed')}")
    if is_store:
        of_part = "" if share is None else f" in part {share[0]} of {share[1]}"
        print(f"to be made{of_part}: {plural(work.n_runs, 'run')}, {plural(work.n_shards, 'shard')}")
    print(f"at most {work.seed_epochs:,} seed-epochs: about {duration(work.seconds)} if no seed stops early")
    print(f"{work.n_bytes / 1e6:,.1f} MB of rows before compression")
    return 0


def _as_many(seeds: Seeds, stream: str) -> range:
    """Return as many seeds in a row as there are in a list: the work is the same."""
    from fastgrok.engine.arguments import checked_seeds

    return seeds if isinstance(seeds, range) else range(len(checked_seeds(seeds, stream)))
