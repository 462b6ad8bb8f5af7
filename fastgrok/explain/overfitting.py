"""Overfitting: whether the losses of training and validation part, since when, and which weights grow meanwhile."""

from __future__ import annotations

import numbers
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastgrok.datasets import Dataset
from fastgrok.errors import InvalidExperiment
from fastgrok.explain.correlation import pearson
from fastgrok.explain.text import paragraph, param_names
from fastgrok.explain.trace import Moment, experiment_of, moment, time_dim, trimmed
from fastgrok.kernels.environment import in_default_environment
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
    """How much the weights of an input grew, and how it correlates with the target."""

    name: str  # its feature name
    before: float  # Euclidean norm of its weights in layer 1, when growth begins
    after: float  # in the end
    r_training: float  # Pearson's r with the target with which it correlates most in training
    r_validation: float  # with the same one, over the validation examples

    @property
    def growth(self) -> float:
        """after - before."""
        return self.after - self.before


@dataclass(frozen=True)
class Overfitting:
    """Whether a network learns its examples by heart.

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
        The experiment that was replayed.
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
            [row.name, *(fixed(r, 3) for r in (row.r_training, row.r_validation)), *_growth_cells(row)]
            for row in self.inputs[:_ROWS]
        ]
        weights = [[f"{row.layer}: {row.name}", *_growth_cells(row)] for row in self.weights[:_ROWS]]
        at = f"at {self.grown_from}"
        by_input = f"Inputs by the growth of their weights (size: Euclidean norm in layer 1), {_most(n, 'input')}:"
        by_weight = f"Weights by the growth of their size, {_most(m, 'parameter')}:"
        return "\n\n".join(
            [
                _verdict(self),
                f"{by_input}\n{table(['input', 'r training', 'r validation', at, 'at the end', 'growth'], inputs)}",
                f"{by_weight}\n{table(['layer: weight', at, 'at the end', 'growth'], weights)}",
            ]
        )


@in_default_environment
def overfitting(trace: Any, *, least: float = 0.05) -> Overfitting:
    """Say whether the validation loss rises while the training loss goes on falling, since when, and what grew.

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
        If it is not such a trace, or `least` is not a finite number of 0 or more.

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
    if isinstance(least, bool) or not isinstance(least, numbers.Real) or not 0 <= least <= sys.float_info.max:
        raise InvalidExperiment("least", least, "a finite number of 0 or more")
    trace = trimmed(trace, last_attempt=True)
    if "loss_validation" not in trace:
        raise InvalidExperiment(
            "trace",
            "without loss_validation",
            "that of an experiment with validation data: Experiment(validation=...)",
        )
    experiment = experiment_of(trace)
    losses, validation = trace["loss"].values, trace["loss_validation"].values
    smallest = int(np.argmin(np.where(np.isfinite(validation), validation, np.inf)))
    floor = max(float(validation[smallest]), float(_NOTHING * validation[0]))  # a loss of nothing may double
    rise = float((validation[-1] - validation[smallest]) / floor) if floor > 0 else 0.0
    parted = bool(validation[-1] > validation[smallest] + least * floor and losses[-1] < losses[smallest])
    start = smallest if parted else 0
    return Overfitting(
        parted,
        moment(trace, smallest),
        trace[["loss", "loss_validation"]].reset_coords(drop=True),
        float(validation[-1] - losses[-1]),
        rise,
        moment(trace, start),
        _inputs(trace, experiment, start),
        _weights(trace, experiment, start),
        float(least),
        experiment,
    )


def _inputs(trace: xr.Dataset, experiment: Experiment, start: int) -> tuple[InputGrowth, ...]:
    """Return how much the weights of each input grew."""
    before, after = (np.linalg.norm(trace["weight_1"].values[k], axis=1) for k in (start, -1))
    training = pearson(experiment.data.X, experiment.data.y)
    held_out: Dataset = experiment.validation or experiment.data
    validation = pearson(held_out.X, held_out.y)
    strongest = np.argmax(np.nan_to_num(np.abs(training), nan=-1.0), axis=1)
    inputs = np.arange(len(before))
    columns = (before, after, training[inputs, strongest], validation[inputs, strongest])
    rows = zip(experiment.data.feature_names, *columns, strict=True)
    growths = (InputGrowth(name, *map(float, numbers)) for name, *numbers in rows)
    return tuple(sorted(growths, key=lambda growth: -growth.growth))


def _weights(trace: xr.Dataset, experiment: Experiment, start: int) -> tuple[WeightGrowth, ...]:
    """Return how much each weight and bias grew."""
    growths = []
    for k in range(1, len(experiment.network.linears) + 1):
        params = [trace[name].values for name in (f"weight_{k}", f"bias_{k}") if name in trace]
        before, after = (np.concatenate([param[at].ravel() for param in params]) for at in (start, -1))
        rows = zip(param_names(experiment, k), before, after, strict=True)
        growths += [WeightGrowth(k, name, float(old), float(new)) for name, old, new in rows]
    return tuple(sorted(growths, key=lambda growth: -growth.growth))


def _growth_cells(row: InputGrowth | WeightGrowth) -> list[str]:
    """Return the cells of a row that tables of inputs and of weights share."""
    return [number(row.before), number(row.after), number(row.growth)]


def _most(count: int, noun: str) -> str:
    """Name the rows of a table, and how many there are."""
    return f"the first {_ROWS} of {plural(count, noun)}" if count > _ROWS else plural(count, noun)


def _verdict(result: Overfitting) -> str:
    """Say whether the curves part, since when, and by how much."""
    dim = time_dim(result.curves)
    then, end = result.curves.sel({dim: result.since.time}), result.curves.isel({dim: -1})
    validation = (
        f"validation loss {number(then['loss_validation'])} then, {number(end['loss_validation'])} at the end"
    )
    training = f"training loss {number(then['loss'])} then, {number(end['loss'])} at the end"
    parted, smallest = "Overfitted: the curves part at", "Not overfitted; the validation loss is smallest at"
    return paragraph(
        f"{parted if result.overfitted else smallest} {result.since}: "
        f"{validation} ({100 * result.rise:+.3g} %); {training}.",
        f"The gap at the end, validation less training, is {number(result.gap)}.",
        f"A rise counts from {100 * result.least:g} % on, while the training loss falls.",
    )
