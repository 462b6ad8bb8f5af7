"""A ReLU layer of which every unit is dead, and around which no Skip leads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.explain.text import example, paragraph
from fastgrok.explain.trace import Moment, epochs_of, moment, start_of_last_run
from fastgrok.explain.trace_variables import unit_dim
from fastgrok.spec.experiment import Experiment
from fastgrok.statistics.tables import table
from fastgrok.statistics.text import listed, number, plural

if TYPE_CHECKING:
    import xarray as xr

_ROWS = 12  # examples of the table of a death


class UnitDeath(NamedTuple):
    """A unit that is dead in the end."""

    layer: int  # number of the Linear layer that gives it out, from 1
    unit: int  # from 0
    since: Moment  # the first recorded time from which on it is dead
    born: bool  # whether that is the initialisation


class FatalChange(NamedTuple):
    """The change between two recorded times that killed a unit."""

    before: Moment
    after: Moment
    examples: tuple[int, ...] | None  # on which examples the update was made; None in a trace by epoch
    z_before: NDArray[Any]
    z_after: NDArray[Any]
    weight_change: NDArray[Any]  # of the weights into the unit, (fan_in,)
    bias_change: float | None  # none if the layer has no biases


class NetworkDeath(NamedTuple):
    """How a network died."""

    layer: int  # the ReLU layer, by the number of its Linear layer, whose units are all dead; the first that was
    since: Moment  # the first recorded time from which on they are
    born: bool  # whether it was so at initialisation
    deaths: tuple[UnitDeath, ...]  # each unit of the layer, in the order in which they died
    fatal_change: FatalChange | None  # what killed the last unit; None if it was so from the start

    @property
    def cause(self) -> str:
        """The word for it."""
        return "born_dead" if self.born else "dead"

    def text(self, experiment: Experiment) -> str:
        """Say it in words."""
        n = len(self.deaths)
        which = f"{'the only unit' if n == 1 else f'all {n} units'} of ReLU layer {self.layer}"
        follows = "the output is the same for every example, and no gradient reaches the weights up to that layer."
        if self.born:
            return paragraph(f"Born dead: z <= 0 for every example in {which} at initialisation, so {follows}")
        opening = f"Dead: from {self.since} on, z <= 0 for every example in {which}, so {follows}"
        died = listed(f"unit {d.unit} {'born dead' if d.born else f'at {d.since}'}" for d in self.deaths)
        text = paragraph(opening, f"They died in this order: {died}." if n > 1 else "")
        change = self.fatal_change
        return text if change is None else f"{text}\n\n{_fatal_change_text(self.deaths, change, experiment)}"


def network_death(trace: xr.Dataset, experiment: Experiment) -> NetworkDeath | None:
    """Return how a network died, or None if it lives."""
    network = experiment.network
    around = {k for k, is_gate in zip(network.relu_layers, network.relu_gates, strict=True) if not is_gate}
    layers = [k for k in dict.fromkeys(network.relu_layers) if k not in around]
    n_times = len(trace["loss"])
    since = {k: start_of_last_run(np.asarray(trace[f"dead_{k}"].all(unit_dim(k)))) for k in layers}
    layer = min(since, key=lambda k: since[k], default=None)
    if layer is None or since[layer] == n_times:
        return None
    deaths = unit_deaths(trace, layer)
    index = since[layer]
    born = index == 0 and bool(trace["born_dead"])
    change = _fatal_change(trace, layer, deaths[-1].unit, index) if index > 0 else None
    return NetworkDeath(layer, moment(trace, index), born, deaths, change)


def unit_deaths(trace: xr.Dataset, layer: int) -> tuple[UnitDeath, ...]:
    """Return the units of a ReLU layer that are dead in the end, in the order in which they died."""
    dead = trace[f"dead_{layer}"].values
    starts = {unit: start_of_last_run(dead[:, unit]) for unit in range(dead.shape[1])}
    dead_units = sorted((unit for unit, start in starts.items() if start < len(dead)), key=lambda unit: starts[unit])
    first = int(epochs_of(trace)[0])
    begun = max(first - 1, 0)  # where the attempt began, if it is not the first
    since = trace["dead_since"].values[list(trace["hidden_layer"].values).index(layer)]
    return tuple(
        UnitDeath(layer, unit, moment(trace, starts[unit]), starts[unit] == 0 and int(since[unit]) == begun)
        for unit in dead_units
    )


def dead_units(trace: xr.Dataset, experiment: Experiment) -> tuple[UnitDeath, ...]:
    """Return the units of all ReLU layers that are dead in the end."""
    return tuple(death for k in dict.fromkeys(experiment.network.relu_layers) for death in unit_deaths(trace, k))


def _fatal_change(trace: xr.Dataset, layer: int, unit: int, index: int) -> FatalChange:
    """Return what happened to a unit at an index along the axis of time, since the time before it."""
    z = trace[f"pre_activation_{layer}"].values[index - 1 : index + 1, :, unit]
    weight = trace[f"weight_{layer}"].values[index - 1 : index + 1, :, unit]
    bias = f"bias_{layer}"
    examples = None
    if "batch_example" in trace:
        batch = trace["batch_example"].values[index]
        examples = tuple(int(k) for k in batch[batch >= 0])
    return FatalChange(
        moment(trace, index - 1),
        moment(trace, index),
        examples,
        z[0],
        z[1],
        weight[1] - weight[0],
        float(np.diff(trace[bias].values[index - 1 : index + 1, unit])[0]) if bias in trace else None,
    )


def _fatal_change_text(deaths: tuple[UnitDeath, ...], change: FatalChange, experiment: Experiment) -> str:
    """Say what killed the last unit."""
    data, unit = experiment.data, deaths[-1].unit
    together = [f"unit {death.unit}" for death in deaths if death.since == change.after]
    last = f"The last one alive was unit {unit}."
    if len(together) > 1:
        last = f"The last ones alive, {listed(together)}, died together; here is unit {unit}."
    if change.examples is None:
        did = f"{last} Between {change.before} and {change.after} its weights changed by"
        hint = "fg.replay(..., every='step') shows which update it was."
    else:
        on = listed(example(data, k) for k in change.examples)
        did = f"{last} The update of {change.after}, on {on}, changed its weights by"
        hint = ""
    weights = listed(number(value) for value in change.weight_change)
    bias = "" if change.bias_change is None else f" and its bias by {number(change.bias_change)}"
    rows = [
        [example(data, k), number(change.z_before[k]), number(change.z_after[k])]
        for k in range(min(data.n_examples, _ROWS))
    ]
    z = table(["", "z before", "z after"], rows)
    more = "" if data.n_examples <= _ROWS else f"\n(the first of {plural(data.n_examples, 'example')})"
    return paragraph(f"{did} {weights}{bias}.", hint) + f"\n\n{z}{more}"
