"""A result in a file and back: what its rows do not say, as one JSON text, and the rows of each configuration."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from fastgrok.engine.training import TrainingOutput
from fastgrok.errors import InvalidExperiment
from fastgrok.results.arrays import from_array, outcome_codes
from fastgrok.results.files import (
    DAMAGE,
    METADATA_KEY,
    NETCDF,
    OUTCOME,
    PARAMS,
    PARQUET,
    RESULT_KEY,
    fill_plateau,
    read_netcdf,
    read_parquet,
    variable_columns,
)
from fastgrok.spec.axes import Axis, Configuration, axes_from_plain, axes_to_plain, grid
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.network import all_relu_layers, relu_layers
from fastgrok.spec.recording import Recording
from fastgrok.spec.variables import HIDDEN_LAYER, VARIABLES

if TYPE_CHECKING:
    import pyarrow as pa
    import xarray as xr

_FORMAT = 1


class Saved(NamedTuple):
    """Everything that a result is made of."""

    experiment: Experiment
    seeds: NDArray[np.uint64]  # those that were asked for
    axes: list[Axis]
    configurations: list[Configuration]
    outputs: list[TrainingOutput]
    interrupted: bool
    own_params: bool
    time: float
    attrs: dict[str, Any]


def described(
    seeds: NDArray[np.uint64],
    axes: Sequence[Axis],
    outputs: Sequence[TrainingOutput],
    *,
    own_params: bool,
    time: float,
) -> str:
    """Return as JSON what the rows do not say, besides the experiment: axes, seeds, and how each output was made."""
    recording = outputs[0].recording
    made = [
        {
            "finished": _runs(output.finished),
            "interrupted": output.interrupted,
            "seconds": output.seconds,
            "drivers": output.drivers,
            "lanes": output.lanes,
            "threads": output.threads,
        }
        for output in outputs
    ]
    plain = {
        "format": _FORMAT,
        "axes": axes_to_plain(axes),
        "seeds": _seeds_to_plain(seeds),
        "record_at": recording.at,
        "dead_units": recording.dead_units,
        **({"masked": True} if recording.masked else {}),
        "own_params": own_params,
        "keep_params": outputs[0].params is not None,
        "time": time,
        "outputs": made,
    }
    return json.dumps(plain, default=str)


def _seeds_to_plain(seeds: NDArray[np.uint64]) -> Any:
    """Return seeds as JSON has them: first and stop where they are in a row."""
    first, n = int(seeds[0]), len(seeds)
    in_a_row = n > 1 and int(seeds[-1]) - first == n - 1 and bool((np.diff(seeds) == 1).all())
    return {"first": first, "stop": first + n} if in_a_row else seeds.tolist()


def _seeds_from_plain(plain: Any) -> NDArray[np.uint64]:
    """Return the seeds that JSON describes."""
    if isinstance(plain, Mapping):
        return np.uint64(plain["first"]) + np.arange(plain["stop"] - plain["first"], dtype=np.uint64)
    return np.array(plain, np.uint64)


def _runs(finished: NDArray[np.bool_]) -> list[list[int]]:
    """Return the places of True as [start, stop] each."""
    ends = np.flatnonzero(np.diff(np.concatenate([[False], finished, [False]]).astype(np.int8)))
    return ends.reshape(-1, 2).tolist()


def read(path: Path) -> Saved:
    """Return what a file holds that `Result.save` wrote."""
    try:
        if path.suffix == PARQUET:
            return _read_parquet(path)
        if path.suffix == NETCDF:
            return _read_netcdf(path)
    except DAMAGE as error:
        if isinstance(error, InvalidExperiment):
            raise
        raise InvalidExperiment("path", str(path), f"a file that result.save wrote ({error})") from error
    expected = "a .parquet or .nc file that result.save wrote, or the directory of a store"
    raise InvalidExperiment("path", str(path), expected)


def _begun(path: Path, attrs: Mapping[str, Any]) -> Saved:
    """Return everything, with rows that are still to be filled."""
    if RESULT_KEY not in attrs:
        expected = "a file that result.save wrote, in this version or a later one: it has the rows alone"
        raise InvalidExperiment("path", str(path), expected)
    plain = json.loads(attrs[RESULT_KEY])
    if plain["format"] != _FORMAT:
        expected = f"{_FORMAT}, which this version of fastgrok reads"
        raise InvalidExperiment(f"{path}: format", plain["format"], expected)
    experiment, axes = Experiment.from_json(attrs["experiment_json"]), axes_from_plain(plain["axes"])
    configurations = grid(experiment, axes) if axes else [Configuration({}, experiment)]
    seeds = _seeds_from_plain(plain["seeds"])
    recording = Recording(
        None if plain["record_at"] is None else tuple(plain["record_at"]),
        plain["dead_units"],
        masked=plain.get("masked", False),
    )
    outputs = []
    for configuration, made in zip(configurations, plain["outputs"], strict=True):
        own = configuration.experiment
        output = TrainingOutput.blank(own, recording, len(seeds))
        output.finished[:] = False
        for start, stop in made.pop("finished"):
            output.finished[start:stop] = True
        if plain["keep_params"]:
            output.params = np.zeros((len(seeds), own.n_params), own.dtype)
        outputs.append(output)
        for name, value in made.items():
            setattr(output, name, value)
    kept = {key: value for key, value in attrs.items() if key != RESULT_KEY}
    interrupted, own_params = bool(attrs["interrupted"]), plain["own_params"]
    return Saved(experiment, seeds, axes, configurations, outputs, interrupted, own_params, plain["time"], kept)


def _read_parquet(path: Path) -> Saved:
    """Return what a Parquet file holds: the finished rows of one configuration after the other."""
    table = read_parquet(path)
    metadata = (table.schema.metadata or {}).get(METADATA_KEY.encode(), b"{}")
    saved = _begun(path, json.loads(metadata))
    lengths = [int(output.finished.sum()) for output in saved.outputs]
    if sum(lengths) != table.num_rows:
        raise InvalidExperiment("path", str(path), f"a file of {sum(lengths):,} rows, as it says itself")
    first = 0
    for configuration, output, n in zip(saved.configurations, saved.outputs, lengths, strict=True):
        _fill(configuration, output, table.slice(first, n))
        first += n
    return saved


def _fill(configuration: Configuration, output: TrainingOutput, table: pa.Table) -> None:
    """Fill the finished rows of an output from the columns of its variables."""
    absent = {"plateau"} & set(output.metrics) - set(table.column_names)
    columns = variable_columns(configuration, output)
    for name in columns.keys() - absent:
        for column, index in columns[name]:
            values = outcome_codes(table[column]) if name == OUTCOME else from_array(table[column].combine_chunks())
            output.metrics[name][cast(Any, (output.finished, *index))] = values
    if absent:
        fill_plateau(configuration, output, output.finished)
    if output.params is not None:
        flat = from_array(table[PARAMS].combine_chunks().flatten())
        output.params[output.finished] = flat.reshape(-1, output.params.shape[1])


def _read_netcdf(path: Path) -> Saved:
    """Return what a NetCDF file holds: variables by the axes of a sweep, then seed, then their own dimensions."""
    data = read_netcdf(path)
    saved = _begun(path, data.attrs)
    layers = all_relu_layers([each.experiment.network for each in saved.configurations])
    shape = tuple(len(axis.values) for axis in saved.axes)
    for place, (configuration, output) in enumerate(zip(saved.configurations, saved.outputs, strict=True)):
        point = np.unravel_index(place, shape) if shape else ()
        rows = output.finished if shape else slice(None)  # a run has its finished rows alone
        own = relu_layers(configuration.experiment.network)
        places = {HIDDEN_LAYER: [layers.index(layer) for layer in own] if shape else range(len(own))}
        absent = {"plateau"} & set(output.metrics) - set(data)
        for name in output.metrics.keys() - absent:
            array = output.metrics[name]
            array[output.finished] = _values(data, name, point, rows, places, array.shape[1:])
        if absent:
            fill_plateau(configuration, output, output.finished)
        if output.params is not None:
            output.params[output.finished] = data[PARAMS].values[point][rows, : output.params.shape[1]]
    return saved


def _values(
    data: xr.Dataset,
    name: str,
    point: tuple[Any, ...],
    rows: Any,
    places: Mapping[str, Sequence[int]],
    shape: tuple[int, ...],
) -> NDArray[Any]:
    """Return the finished rows of a variable in one configuration; of layers and units those that its network has."""
    values = data[name].values[point][rows]
    dims = zip(VARIABLES[name].dims[1:], shape, strict=True)
    indices = [np.asarray(places[dim] if dim in places else range(end), int) for dim, end in dims]
    return cast(NDArray[Any], values[np.ix_(np.arange(len(values)), *indices)])
