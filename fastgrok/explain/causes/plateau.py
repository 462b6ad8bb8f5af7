"""A plateau: a loss that stays where some examples are not told apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.explain.causes.death import UnitDeath, unit_deaths
from fastgrok.explain.causes.loss_trend import LossTrend, loss_trend
from fastgrok.explain.text import example, paragraph, wrapped
from fastgrok.explain.trace import Moment, epochs_of, moment, start_of_last_run
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.variables import MAX_PLATEAU_EXAMPLES
from fastgrok.statistics.plateaus import Plateau, nearest_plateau, plateaus
from fastgrok.statistics.text import listed, number

if TYPE_CHECKING:
    import xarray as xr

SITS = 0.1
"""A seed sits on a plateau that it has been near for this share of its epochs, without a break, up to the end."""

APART = 0.1
"""Outputs are told apart if they differ by more than this share of the largest distance between two targets."""


class OnPlateau(NamedTuple):
    """The plateau on which a network sits."""

    plateau: Plateau  # one of `fastgrok.statistics.plateaus.plateaus`
    since: Moment  # the first recorded time from which on the loss is near it
    groups: tuple[tuple[int, ...], ...]  # examples whose targets differ and whose outputs do not: see `APART`
    outputs: NDArray[Any]  # in the end, (n_examples, n_out)
    gradient_norm: float  # in the end
    dead: tuple[UnitDeath, ...]  # the units that are dead in the end
    loss_trend: LossTrend

    @property
    def cause(self) -> str:
        """The word for it."""
        return "plateau"

    def text(self, experiment: Experiment) -> str:
        """Say it in words."""
        data, loss = experiment.data, number(self.plateau.loss)
        opening = f"On a plateau: since {self.since} the loss stays near {loss} ({self.plateau.name})."
        groups = (f"{listed(example(data, k) for k in group)}: output {self._output(group)}" for group in self.groups)
        lines = ["\n".join(wrapped(f"- {group}", hanging=2)) for group in groups]
        dead = listed(f"unit {d.unit} of layer {d.layer} (since {d.since})" for d in self.dead)
        closing = paragraph(
            f"The gradient norm there is {number(self.gradient_norm)}.",
            f"Dead: {dead}." if self.dead else "",
            self.loss_trend.text(),
        )
        return "\n".join([paragraph(opening, "Its outputs do not tell apart:"), *lines, closing])

    def _output(self, group: tuple[int, ...]) -> str:
        """Write the mean outputs of a group of examples."""
        return ", ".join(number(value) for value in self.outputs[list(group)].mean(axis=0))


def on_plateau(trace: xr.Dataset, experiment: Experiment) -> OnPlateau | None:
    """Return the plateau on which a network sits, or None.

    Notes
    -----
    Only for data of at most 8 examples: of more, nobody tries every partition.
    """
    if experiment.data.n_examples > MAX_PLATEAU_EXAMPLES:
        return None
    known = plateaus(experiment.data, experiment.loss)
    near = nearest_plateau(trace["loss"].values, known)
    plateau = next((p for p in known if p.loss == near[-1] and p.merged), None)
    start = start_of_last_run(near == near[-1])
    epochs = epochs_of(trace)
    if plateau is None or epochs[-1] - epochs[start] < max(1, SITS * (epochs[-1] - epochs[0])):
        return None
    outputs = trace[f"activation_{len(experiment.network.linears)}"].values[-1]
    groups = not_told_apart(outputs, experiment.data.y)
    if not groups:
        return None
    layers = dict.fromkeys(experiment.network.relu_layers)
    dead = tuple(death for k in layers for death in unit_deaths(trace, k))
    gradient_norm = float(trace["gradient_norm"].values[-1])
    return OnPlateau(
        plateau, moment(trace, start), groups, outputs, gradient_norm, dead, loss_trend(trace, experiment)
    )


def not_told_apart(outputs: NDArray[Any], targets: NDArray[Any]) -> tuple[tuple[int, ...], ...]:
    """Return the groups of examples whose targets differ and whose outputs hardly do, each and all ascending.

    outputs, targets: (n_examples, n_out).

    Notes
    -----
    Two examples are in one group if every output differs by at most `APART` of the largest distance between two
    targets, or if a chain of such examples joins them.
    """
    near = APART * np.ptp(targets, axis=0).max()
    labels = np.arange(len(outputs))
    for k in range(len(outputs)):
        close = np.abs(outputs - outputs[k]).max(axis=1) <= near
        labels[np.isin(labels, labels[close])] = labels[close].min()
    groups = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    return tuple(tuple(group.tolist()) for group in groups if np.ptp(targets[group], axis=0).max() > 0)
