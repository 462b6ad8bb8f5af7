"""Arrays of several configurations as one labelled dataset."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fastgrok.engine.training import TrainingOutput
from fastgrok.spec.axes import Axis, Configuration
from fastgrok.spec.network import Network, all_relu_layers, relu_layers
from fastgrok.spec.recording import Recording, sizes
from fastgrok.spec.variables import (
    ABSENT,
    EPOCH,
    FINISHED,
    HIDDEN_LAYER,
    LAYER,
    SEED,
    UNIT,
    VARIABLES,
    Variable,
    with_not_run,
)

if TYPE_CHECKING:
    import xarray as xr


def to_dataset(
    seeds: NDArray[np.uint64],
    axes: Sequence[Axis],
    configurations: Sequence[Configuration],
    outputs: Sequence[TrainingOutput],
    attrs: Mapping[str, Any],
) -> xr.Dataset:
    """Label the results of a run or a sweep.

    Notes
    -----
    Dimensions are the axes, then `seed`, then those of each variable in `fastgrok.spec.variables`. An interrupted run
    has the rows that were finished. An interrupted sweep has all; a variable `finished` tells them apart, and the
    outcome of those that were not trained is one more flag, -1 "not_run". What only some configurations of a sweep
    have is -1, NaN or False in the others.
    """
    import xarray as xr

    networks = [configuration.experiment.network for configuration in configurations]
    if axes:
        variables = _sweep_variables(len(seeds), axes, networks, outputs)
    else:
        variables = {name: (VARIABLES[name], column) for name, column in outputs[0].finished_metrics.items()}
        variables |= _own(outputs[0])
        seeds = outputs[0].finished_rows(seeds)
    dims = [axis.path for axis in axes]
    data = {name: (dims + list(v.dims), array, _attrs(v)) for name, (v, array) in variables.items()}
    coords: dict[str, Any] = {axis.path: (axis.path, np.asarray(axis.labels)) for axis in axes}
    coords[SEED] = (SEED, seeds, {"long_name": "what fixes the initial parameters, and what is drawn after them"})
    used = {dim for variable, _ in variables.values() for dim in variable.dims}
    coords |= {dim: value for dim, value in _coords(networks, outputs[0].recording).items() if dim in used}
    names = [name for name in (*VARIABLES, FINISHED.name) if name in data]
    return xr.Dataset({name: data[name] for name in dict.fromkeys([*names, *data])}, coords, attrs)


def _own(output: TrainingOutput) -> dict[str, tuple[Variable, NDArray[Any]]]:
    """Return what measures of the user's own said, of the finished rows."""
    own = output.measured or {}
    return {name: (variable, output.finished_rows(values)) for name, (variable, values) in own.items()}


def _coords(networks: Sequence[Network], recording: Recording) -> dict[str, Any]:
    """Return the coordinates of the dimensions but axes and seeds."""
    most = _most(networks, recording)
    numbers = {
        HIDDEN_LAYER: (
            [layer.linear for layer in all_relu_layers(networks)],
            "number of the Linear layer before the ReLU",
        ),
        LAYER: (range(1, most[LAYER] + 1), "number of the Linear layer"),
        UNIT: (range(most[UNIT]), "unit of a ReLU layer"),
        EPOCH: (recording.at or (), "epoch after which it was so; 0 is the initialisation"),
    }
    return {dim: (dim, np.array(values, np.int64), {"long_name": name}) for dim, (values, name) in numbers.items()}


def _most(networks: Sequence[Network], recording: Recording) -> dict[str, int]:
    """Return the longest length of each dimension."""
    lengths = [sizes(network, recording) for network in networks]
    return {dim: max(each[dim] for each in lengths) for dim in lengths[0]}


def _attrs(variable: Variable) -> dict[str, Any]:
    """Return a variable's attributes, by the CF conventions."""
    extra = dict(variable.attrs)
    if "flag_values" in extra:
        extra["flag_values"] = np.array(extra["flag_values"], variable.dtype)
    return {"long_name": variable.meaning, "units": variable.units, **extra}


def _sweep_variables(
    n: int, axes: Sequence[Axis], networks: Sequence[Network], outputs: Sequence[TrainingOutput]
) -> dict[str, tuple[Variable, NDArray[Any]]]:
    """Put the configurations side by side; rows that were not trained are flagged."""
    shape = tuple(len(axis.values) for axis in axes)
    layers = all_relu_layers(networks)
    lengths = {SEED: n, **_most(networks, outputs[0].recording), HIDDEN_LAYER: len(layers)}
    names = {name for output in outputs for name in output.metrics}
    full = {
        name: (variable, _blank(variable, shape + tuple(lengths[dim] for dim in variable.dims)))
        for name, variable in VARIABLES.items()
        if name in names
    }
    for output in outputs:
        for name, (variable, column) in _own(output).items():
            full.setdefault(name, (variable, _blank(variable, (*shape, n, *column.shape[1:]))))
    finished = np.zeros((*shape, n), FINISHED.dtype)
    points = itertools.product(*(range(len(axis.values)) for axis in axes))
    for point, network, output in zip(points, networks, outputs, strict=True):
        rows = output.finished
        finished[point] = rows
        places = np.array([layers.index(layer) for layer in relu_layers(network)], int)
        for name, (_, column) in _own(output).items():
            full[name][1][point][rows] = column
        for name, column in output.finished_metrics.items():
            variable, array = full[name]
            ends = zip(variable.dims[1:], column.shape[1:], strict=True)
            indices = [places if dim == HIDDEN_LAYER else np.arange(end) for dim, end in ends]
            array[point][np.ix_(rows, *indices)] = column
    if finished.all():
        return full
    marked = {name: (with_not_run(variable), array) for name, (variable, array) in full.items()}
    return marked | {FINISHED.name: (FINISHED, finished)}


def _blank(variable: Variable, shape: tuple[int, ...]) -> NDArray[Any]:
    """Return an array of rows that were not trained."""
    kind = np.dtype(variable.dtype).kind
    return np.full(shape, {"f": np.nan, "b": False}.get(kind, ABSENT), variable.dtype)
