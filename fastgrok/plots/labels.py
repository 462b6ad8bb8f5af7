"""Names of traces, layers and configurations in titles and legends, and the checks of these arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastgrok.errors import InvalidExperiment
from fastgrok.explain.trace import time_dim
from fastgrok.results.result import Result
from fastgrok.spec.axes import Configuration
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.layers import Linear
from fastgrok.spec.variables import EPOCH, SEED
from fastgrok.statistics.counts import Counts
from fastgrok.statistics.text import axis_value
from fastgrok.store import Store

if TYPE_CHECKING:
    import xarray as xr


def trace_title(trace: xr.Dataset, at: int | None = None) -> str:
    """Return the seed of a trace and the time drawn, or the number of its seeds."""
    if SEED in trace.dims:
        return f"{trace.sizes[SEED]:,} seeds"
    when = "" if at is None else f", {time_dim(trace)} {at:,}"
    return f"Seed {int(trace[SEED])}{when}"


def time_label(trace: xr.Dataset) -> str:
    """Return the label of the axis of time."""
    return "epoch" if time_dim(trace) == EPOCH else "step (update)"


def seeds_title(numbers: list[int], *, each: bool) -> str:
    """Return the number of seeds, or the smallest and the largest where parts of a picture differ."""
    least, most = min(numbers), max(numbers)
    return f"{least:,}{'' if least == most else f' to {most:,}'} seeds{' each' * each}"


def checked_number(name: str, value: int, numbers: range, noun: str) -> int:
    """Return the number of a layer or an output."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or int(value) not in numbers:
        raise InvalidExperiment(name, value, f"the number of {noun}, {numbers[0]} to {numbers[-1]}")
    return int(value)


def checked_layer(experiment: Experiment, layer: int) -> int:
    """Return the number of a Linear layer, from 1."""
    return checked_number("layer", layer, range(1, len(experiment.network.linears) + 1), "a Linear layer")


def layer_name(experiment: Experiment, layer: int) -> str:
    """Return the name of a layer: its number, and the activations after it; "inputs" for 0."""
    if not layer:
        return "inputs"
    layers = experiment.network.layers
    starts = [k for k, part in enumerate(layers) if isinstance(part, Linear)]
    start, end = [*starts, len(layers)][layer - 1 : layer + 1]
    return ", ".join([f"layer {layer}", *(type(part).__name__ for part in layers[start + 1 : end])])


def check_explanation(field: str, value: Any, cls: type) -> None:
    """Raise if a value is not what the function of `fastgrok.explain` returns that makes this class."""
    if not isinstance(value, cls):
        raise InvalidExperiment(field, value, f"what fg.explain.{cls.__module__.rpartition('.')[2]} returns")


class Counted(NamedTuple):
    """A configuration with the counts of its seeds' outcomes."""

    configuration: Configuration
    counts: Counts

    @property
    def name(self) -> str:
        """Its values on the axes in words; of a run its network."""
        labels, experiment = self.configuration
        return ", ".join(axis_value(path, label) for path, label in labels.items()) or str(experiment.network)


def checked_sweep(result: Any) -> Result | Store:
    """Return what `run`, `sweep` or `open_store` returns."""
    if not isinstance(result, Result | Store):
        raise InvalidExperiment("result", result, "what fg.run, fg.sweep or fg.open_store returns")
    return result


def counted(result: Result | Store) -> list[Counted]:
    """Return every configuration with its counts."""
    sweep = checked_sweep(result)
    return list(map(Counted, sweep.configurations, sweep.counts))


def trained(result: Result | Store) -> list[Counted]:
    """Return the configurations of which a seed or more is finished."""
    configurations = [config for config in counted(result) if config.counts.n]
    if not configurations:
        raise InvalidExperiment("result", result, "one with seeds that are finished")
    return configurations
