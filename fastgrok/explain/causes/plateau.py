"""A plateau: a loss that stays where examples of different targets get the same output."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.explain.causes.death import UnitDeath, dead_units
from fastgrok.explain.causes.loss_trend import FASTER, LossTrend, loss_trend
from fastgrok.explain.curvature import SETTLE, Curvature, curvature
from fastgrok.explain.text import example, paragraph, wrapped
from fastgrok.explain.trace import Moment, epochs_of, moment, start_of_last_run
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.known_plateaus import has_known_plateaus
from fastgrok.statistics.attainable import attainable, distinct_examples, least_sum
from fastgrok.statistics.plateaus import TOLERANCE, Plateau, nearest_plateau, plateaus
from fastgrok.statistics.text import listed, number, plural

if TYPE_CHECKING:
    import xarray as xr

SITS = 0.1
"""A seed sits on a plateau that it has been near for this share of its epochs, without a break, up to the end."""

APART = 0.1
"""Outputs are told apart if they differ by more than this share of the largest distance between two targets."""

GROUP = 0.05
"""Of many examples a group has at least this share."""

MOST = 0.5
"""Share of the loss that the groups must account for."""

_MOST_WORK = 1e7  # parameters times examples times epochs of settling, beyond which the curvature is not looked at
_MOST_OUTPUTS = 4  # that are written of a group
_MOST_EXAMPLES = 5000  # among which groups are looked for


class OnPlateau(NamedTuple):
    """The plateau on which a network sits."""

    plateau: Plateau  # one of `fastgrok.statistics.plateaus.plateaus`, or, of many examples, that of `groups`
    since: Moment  # the first recorded time from which on the loss is near it
    groups: tuple[tuple[int, ...], ...]  # examples whose targets differ and whose outputs do not: see `APART`
    outputs: NDArray[Any]  # in the end, (n_examples, n_out)
    gradient_norm: float  # in the end
    dead: tuple[UnitDeath, ...]  # the units that are dead in the end
    loss_trend: LossTrend
    curvature: Curvature | None  # where it comes to rest; None: too much work, or some parameters are held

    @property
    def cause(self) -> str:
        """The word for it."""
        return "plateau"

    def text(self, experiment: Experiment) -> str:
        """Say it in words."""
        loss = number(self.plateau.loss)
        opening = f"On a plateau: since {self.since} the loss stays near {loss} ({self.plateau.name})."
        is_few = has_known_plateaus(experiment.data)
        group_text = _examples_text if is_few else _targets_text
        lines = [
            "\n".join(wrapped(f"- {group_text(experiment, group)}: output {self._output(group)}", hanging=2))
            for group in self.groups
        ]
        norm = f"The gradient norm there is {number(self.gradient_norm)}."
        verdict = "" if self.curvature is None else self.curvature.verdict()
        closing = paragraph(norm, self.loss_trend.text(), verdict)
        return "\n".join([paragraph(opening, "Its outputs do not tell apart:"), *lines, closing])

    def _output(self, group: tuple[int, ...]) -> str:
        """Write the mean outputs of a group of examples."""
        means = self.outputs[list(group)].mean(axis=0)
        return ", ".join([*map(number, means[:_MOST_OUTPUTS]), *["..."] * (len(means) > _MOST_OUTPUTS)])


def _examples_text(experiment: Experiment, group: tuple[int, ...]) -> str:
    """Name the examples of a group."""
    return listed(example(experiment.data, k) for k in group)


def _targets_text(experiment: Experiment, group: tuple[int, ...]) -> str:
    """Say how many examples of a group have which targets, the most frequent ones first."""
    targets, counts = np.unique(experiment.data.y[list(group)], axis=0, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    of = listed(f"{counts[k]:,} with {', '.join(map(number, targets[k][:_MOST_OUTPUTS]))}" for k in order)
    return f"{plural(len(group), 'example')}, {of}"


def on_plateau(trace: xr.Dataset, experiment: Experiment) -> OnPlateau | None:
    """Return the plateau on which a network sits, or None.

    Notes
    -----
    Of at most 8 examples that differ all plateaus are known. Of more, groups of outputs are looked for, and most of
    the loss must be what is left at least when each group has one output.
    """
    rows = distinct_examples(experiment.data)
    outputs = trace[f"activation_{len(experiment.network.linears)}"].values[-1]
    if not has_known_plateaus(experiment.data):
        return _of_groups(trace, experiment, outputs)
    known = plateaus(experiment.data, experiment.loss)
    near = nearest_plateau(trace["loss"].values, known)
    plateau = next((p for p in known if p.loss == near[-1] and p.merged), None)
    start = start_of_last_run(near == near[-1])
    trend = loss_trend(trace, experiment)
    is_leaving = trend.falling and trend.pace > FASTER
    if plateau is None or is_leaving or not _sits(trace, start):
        return None
    groups = not_told_apart(outputs[rows.first], experiment.data.y[rows.first])
    named = tuple(tuple(int(rows.first[k]) for k in group) for group in groups)
    return _found(trace, experiment, plateau, start, named) if groups else None


def _of_groups(trace: xr.Dataset, experiment: Experiment, outputs: NDArray[Any]) -> OnPlateau | None:
    """Return the plateau that the groups of outputs in the end make, or None where the loss is another one."""
    data, losses = experiment.data, trace["loss"].values
    if data.n_examples > _MOST_EXAMPLES or loss_trend(trace, experiment).finishes:
        return None
    largest = attainable(data, experiment.loss).constant_loss
    mixed = tuple(
        tuple(group.tolist())
        for group in output_groups(outputs, data.y)
        if len(group) >= GROUP * data.n_examples and np.ptp(data.y[group], axis=0).max() > 0
    )
    level = sum(least_sum(data.y[list(group)], experiment.loss) for group in mixed) / data.n_examples
    start = start_of_last_run(np.abs(losses - losses[-1]) <= TOLERANCE * largest)
    if level < MOST * losses[-1] or not mixed or not _sits(trace, start):
        return None
    merged = sum(map(len, mixed))
    name = f"{number(level)} of it at least because {merged:,} of {data.n_examples:,} examples are not told apart"
    return _found(trace, experiment, Plateau(float(losses[-1]), merged, name), start, mixed)


def _sits(trace: xr.Dataset, start: int) -> bool:
    """Whether a time was long enough before the end."""
    epochs = epochs_of(trace)
    return bool(epochs[-1] - epochs[start] >= max(1, SITS * (epochs[-1] - epochs[0])))


def _found(
    trace: xr.Dataset, experiment: Experiment, plateau: Plateau, start: int, groups: tuple[tuple[int, ...], ...]
) -> OnPlateau:
    """Return a plateau with its evidence."""
    outputs = trace[f"activation_{len(experiment.network.linears)}"].values[-1]
    gradient_norm = float(trace["gradient_norm"].values[-1])
    dead, trend = dead_units(trace, experiment), loss_trend(trace, experiment)
    work = experiment.n_params * experiment.data.n_examples * SETTLE
    held = bool(experiment.frozen_layers) or "masks" in trace.attrs  # the curvature is that of all parameters
    lies_there = None if held or work > _MOST_WORK else curvature(trace)
    return OnPlateau(plateau, moment(trace, start), groups, outputs, gradient_norm, dead, trend, lies_there)


def output_groups(outputs: NDArray[Any], targets: NDArray[Any]) -> Iterator[NDArray[np.int64]]:
    """Yield groups of examples with about the same outputs, the largest first; each example is in one.

    outputs, targets: (n_examples, n_out).

    Notes
    -----
    A group is what lies within half of `APART` of one of its examples, chosen so that it is largest: no chain of
    examples makes one group of outputs that are spread evenly.
    """
    near = APART / 2 * np.ptp(targets, axis=0).max()
    close = np.array([np.abs(outputs - row).max(axis=1) <= near for row in outputs])
    left = np.ones(len(outputs), np.bool_)
    sizes = close.sum(axis=1)
    while left.any():
        centre = int(np.argmax(np.where(left, sizes, -1)))
        group = np.flatnonzero(close[centre] & left)
        yield group
        left[group] = False
        sizes = sizes - close[:, group].sum(axis=1)


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
