"""Whether a network learns its examples by heart, since when, and which weights grow meanwhile."""

from __future__ import annotations

import numbers
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.datasets import Dataset
from fastgrok.errors import InvalidExperiment
from fastgrok.explain.correlation import pearson
from fastgrok.explain.trace import Moment, experiment_of, moment, time_dim, trimmed
from fastgrok.explain.wording import paragraph, param_names
from fastgrok.spec.experiment import Experiment
from fastgrok.statistics.tables import table
from fastgrok.statistics.text import fixed, number, plural

if TYPE_CHECKING:
    import xarray as xr

_NOTHING = 1e-6  # share of the validation loss at the start
_ROWS = 12  # inputs and weights in the text


class WeightGrowth(NamedTuple):
    """How much a weight or bias grew."""

    layer: int  # number of its Linear layer, from 1
    name: str  # what it is called, as "noise_3 -> unit 0"
    before: float
    after: float

    @property
    def growth(self) -> float:
        """|after| - |before|."""
        return abs(self.after) - abs(self.before)


class InputGrowth(NamedTuple):
    """How much the weights of an input grew, and whether it deserves it."""

    name: str  # its feature name
    before: float
    after: float
    r_training: float
    r_validation: float

    @property
    def growth(self) -> float:
        """after - before."""
        return self.after - self.before


@dataclass(frozen=True)
class Overfitting:
    """
    Whether a network learns its examples by heart.

    Parameters
    ----------
    overfitted
        Whether the curves part: see `overfitting`.
    since
        The time of the smallest validation loss, where the curves part if they do.
    curves
        `loss` and `loss_validation` at every recorded time.
    gap
        loss_validation - loss at the end.
    rise
        By which share the validation loss had risen at the end, over its smallest value.
    grown_from
        From when on growth is told: `since` if the curves part, else the first recorded time.
    inputs
        Each input, those first whose weights grew the most since then.
    weights
        Each weight and bias, those first whose size grew the most since then.
    least
        The rise that counts.
    experiment
        What was trained.
    """

    overfitted: bool
    since: Moment
    curves: xr.Dataset
    gap: float
    rise: float
    grown_from: Moment
    inputs: tuple[InputGrowth, ...]
    weights: tuple[WeightGrowth, ...]
    least: float
    experiment: Experiment = field(repr=False)

    def __str__(self) -> str:
        n, m = len(self.inputs), len(self.weights)
        inputs = [
            [one.name, *(fixed(r, 3) for r in one[3:]), *map(number, (one.before, one.after, one.growth))]
            for one in self.inputs[:_ROWS]
        ]
        weights = [
            [f"{one.layer}: {one.name}", *map(number, (one.before, one.after, one.growth))]
            for one in self.weights[:_ROWS]
        ]
        at = f"at {self.grown_from}"
        grew = f"Inputs by the growth of their weights (size: Euclidean norm in layer 1), {_most(n, 'input')}:"
        then = f"Weights by the growth of their size, {_most(m, 'parameter')}:"
        return "\n\n".join(
            [
                _verdict(self),
                f"{grew}\n{table(['input', 'r training', 'r validation', at, 'at the end', 'growth'], inputs)}",
                f"{then}\n{table(['layer: weight', at, 'at the end', 'growth'], weights)}",
            ]
        )


def overfitting(trace: Any, *, least: float = 0.05) -> Overfitting:
    """
    Say whether the validation loss rises while the training loss goes on falling, since when, and what grew.

    The curves part at the time of the smallest validation loss, if at the end the validation loss is more than
    `least` above it, as a share of it, and the training loss is below what it was then. What is less than 1e-6 of the
    validation loss at the start is taken for that much.

    Parameters
    ----------
    trace
        What `replay` returns, of one seed of an experiment with validation data; of one that began again the last
        attempt is taken.
    least
        The rise that counts, 0 or more.

    Raises
    ------
    InvalidExperiment
        If it is not such a trace, or `least` will not do.

    Notes
    -----
    The end is the last recorded time: a validation loss that rises and comes back has not parted. The weights are
    those of the recorded times, also where EarlyStopping(restore_best=True) takes others in the end. Which input
    matters is seen from validation data alone; with few examples an input correlates by accident. *Grokking Deep
    Learning*, chapter 6.

    Examples
    --------
    >>> import fastgrok as fg
    >>> training, validation = fg.datasets.accidental()
    >>> exp = fg.Experiment(fg.mlp(11, 1), training, validation=validation, stop=None)
    >>> fg.explain.overfitting(fg.replay(exp, seed=0)).overfitted
    True
    """
    if isinstance(least, bool) or not isinstance(least, numbers.Real) or not 0 <= least < np.inf:
        raise InvalidExperiment("least", least, "a finite number of 0 or more")
    there = trimmed(trace, last_attempt=True)
    if "loss_validation" not in there:
        raise InvalidExperiment(
            "trace",
            "without loss_validation",
            "that of an experiment with validation data: Experiment(validation=...)",
        )
    experiment = experiment_of(there)
    losses, validation = there["loss"].values, there["loss_validation"].values
    place = int(np.argmin(np.where(np.isfinite(validation), validation, np.inf)))
    floor = max(float(validation[place]), float(_NOTHING * validation[0]))  # a loss of nothing may double
    rise = float((validation[-1] - validation[place]) / floor) if floor > 0 else 0.0
    parted = bool(validation[-1] > validation[place] + least * floor and losses[-1] < losses[place])
    begin = place if parted else 0
    return Overfitting(
        parted,
        moment(there, place),
        there[["loss", "loss_validation"]].reset_coords(drop=True),
        float(validation[-1] - losses[-1]),
        rise,
        moment(there, begin),
        _inputs(there, experiment, begin),
        _weights(there, experiment, begin),
        float(least),
        experiment,
    )


def _inputs(trace: xr.Dataset, experiment: Experiment, place: int) -> tuple[InputGrowth, ...]:
    """Return how much the weights of each input grew."""
    before, after = (np.linalg.norm(trace["weight_1"].values[k], axis=1) for k in (place, -1))
    training = pearson(experiment.data.X, experiment.data.y)
    others: Dataset = experiment.validation or experiment.data
    validation = pearson(others.X, others.y)
    strongest = np.argmax(np.nan_to_num(np.abs(training), nan=-1.0), axis=1)
    rows = np.arange(len(before))
    columns = (before, after, training[rows, strongest], validation[rows, strongest])
    found = [
        InputGrowth(name, *map(float, row))
        for name, *row in zip(experiment.data.feature_names, *columns, strict=True)
    ]
    return tuple(sorted(found, key=lambda one: -one.growth))


def _weights(trace: xr.Dataset, experiment: Experiment, place: int) -> tuple[WeightGrowth, ...]:
    """Return how much each weight and bias grew."""
    found = []
    for k in range(1, len(experiment.network.linears) + 1):
        params = [trace[name].values for name in (f"weight_{k}", f"bias_{k}") if name in trace]
        before, after = (_flat([param[at] for param in params]) for at in (place, -1))
        names = param_names(experiment, k)
        found += [
            WeightGrowth(k, name, float(old), float(new)) for name, old, new in zip(names, before, after, strict=True)
        ]
    return tuple(sorted(found, key=lambda one: -one.growth))


def _flat(params: list[NDArray[Any]]) -> NDArray[Any]:
    """Return the parameters of a layer one after the other."""
    return np.concatenate([param.ravel() for param in params])


def _most(count: int, noun: str) -> str:
    """Say how many are shown."""
    return f"the first {_ROWS} of {plural(count, noun)}" if count > _ROWS else plural(count, noun)


def _verdict(found: Overfitting) -> str:
    """Say whether, since when and how much."""
    dim = time_dim(found.curves)
    place = {dim: found.since.step if dim == "step" else found.since.epoch}
    then, end = found.curves.sel(place), found.curves.isel({dim: -1})
    validation = (
        f"validation loss {number(then['loss_validation'])} then, {number(end['loss_validation'])} at the end"
    )
    training = f"training loss {number(then['loss'])} then, {number(end['loss'])} at the end"
    share = f"{100 * found.rise:+.3g} %"
    word = (
        "Overfitted: the curves part at" if found.overfitted else "Not overfitted; the validation loss is smallest at"
    )
    return paragraph(
        f"{word} {found.since}: {validation} ({share}); {training}.",
        f"The gap at the end, validation less training, is {number(found.gap)}.",
        f"A rise counts from {100 * found.least:g} % on, while the training loss falls.",
    )
