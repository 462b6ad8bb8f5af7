"""How good outputs can be on some data, whatever the network; examples that occur more than once."""

import functools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.datasets import Dataset
from fastgrok.spec.losses import Loss
from fastgrok.spec.stopping import Converged
from fastgrok.spec.variables import SOLVED_CHANGE
from fastgrok.statistics.text import number, plural

_HALVINGS = 60
_LEAST_GAP = 1e-4  # of the scale, at which targets that are all equal are solved
_ROUNDING = 1e-9  # relative, of a least loss


class Attainable(NamedTuple):
    """The best that outputs can do which are the same for equal inputs."""

    loss: float  # least mean loss over the examples
    max_error: float  # least largest |output - target|
    n_correct: int  # most examples that can be right, as accuracy counts them
    constant_loss: float  # mean loss of the best output that is the same for all examples
    n_conflicting: int  # examples whose inputs have other targets elsewhere
    scale: float  # the loss of an error as large as the largest target, about
    is_classes: bool  # whether targets are of two values, or one-hot; else accuracy says little


@functools.lru_cache(maxsize=256)
def attainable(data: Dataset, loss: Loss) -> Attainable:
    """Return the best that outputs can do on the examples of some data.

    Notes
    -----
    Of squared errors and cross-entropies the best output for equal inputs is their mean target. A cross-entropy is at
    least the entropy of the targets, where these are shares.

    Examples
    --------
    >>> import fastgrok as fg
    >>> data = fg.Dataset([[0], [0], [1]], [0, 1, 1])
    >>> best = attainable(data, "squared_error")
    >>> round(best.loss, 3), best.n_correct, best.max_error
    (0.167, 2, 0.5)
    """
    y, n = data.y, data.n_examples
    low, high = y.min(), y.max()
    sides = np.sign(y - (low / 2 + high / 2))
    _, group = np.unique(data.X, axis=0, return_inverse=True)
    group = group.reshape(-1)
    sizes = np.bincount(group)
    best, error, n_correct, n_conflicting = 0.0, 0.0, 0, 0
    for targets, sides_of in _several(y, sides, group, sizes):
        best += least_sum(targets, loss)
        error = max(error, float(np.ptp(targets, axis=0).max()) / 2)
        n_correct += int(np.unique(sides_of, axis=0, return_counts=True)[1].max())
        n_conflicting += len(targets) * bool(np.ptp(targets, axis=0).max() > 0)
    alone = y[sizes[group] == 1]
    best += _sum_alone(alone, loss)
    is_classes = bool(low < high and np.all((y == low) | (y == high)))
    size = max(abs(float(low)), abs(float(high))) or 1.0
    scale = size if loss == "absolute_error" else size * size
    return Attainable(
        best / n, error, n_correct + len(alone), least_sum(y, loss) / n, n_conflicting, scale, is_classes
    )


class Distinct(NamedTuple):
    """The examples of some data that differ, in inputs or in targets."""

    first: NDArray[np.int64]  # (n,), the place of each where it is first, ascending
    weights: NDArray[np.int64]  # (n,), how often each occurs, in lowest terms: 1 where all occur as often
    of: NDArray[np.int64]  # (n_examples,), which of them each example is


@functools.lru_cache(maxsize=256)
def distinct_examples(data: Dataset) -> Distinct:
    """Return the examples that differ: rows that are there three times count once, with a weight.

    Examples
    --------
    >>> import fastgrok as fg
    >>> rows = distinct_examples(fg.Dataset([[0], [1], [0], [0]], [1, 0, 1, 1]))
    >>> rows.first.tolist(), rows.weights.tolist()
    ([0, 1], [3, 1])
    """
    both = np.concatenate([data.X, data.y], axis=1) + 0.0  # -0 is 0
    _, first, of, weights = np.unique(both, axis=0, return_index=True, return_inverse=True, return_counts=True)
    order = np.argsort(first)
    weights = weights[order]
    return Distinct(first[order], weights // np.gcd.reduce(weights), np.argsort(order)[of.reshape(-1)])


def _several(
    y: NDArray[np.float64], sides: NDArray[np.bool_], group: NDArray[np.int64], sizes: NDArray[np.int64]
) -> list[tuple[NDArray[np.float64], NDArray[np.bool_]]]:
    """Return targets and their sides of the midpoint for each input that occurs more than once."""
    order = np.argsort(group, kind="stable")
    parts = np.split(order, np.cumsum(sizes)[:-1])
    return [(y[part], sides[part]) for part in parts if len(part) > 1]


def solved_loss(best: Attainable) -> float:
    """Return the loss up to which data are solved: nearer to the least than to a constant's for classes.

    Examples
    --------
    >>> import fastgrok as fg
    >>> solved_loss(attainable(fg.datasets.xor(), "squared_error"))
    0.125
    """
    gap = best.constant_loss - best.loss
    if best.is_classes and gap > 0:
        return best.loss + gap / 2
    return best.loss + (SOLVED_CHANGE * gap or _LEAST_GAP * best.scale)


def out_of_reach(criteria: Converged, data: Dataset, loss: Loss) -> str | None:
    """Say which of some criteria no network can meet on some data, whatever it is; None: all can be met.

    Examples
    --------
    >>> import fastgrok as fg
    >>> data = fg.Dataset([[0], [0], [1]], [0, 1, 1])
    >>> out_of_reach(fg.Converged(max_error=0.1), data, "squared_error")
    'max_error 0.1 cannot be met: it is at least 0.5, since 2 examples have inputs that occur with other targets.'
    """
    best, n = attainable(data, loss), data.n_examples
    same = f"since {plural(best.n_conflicting, 'example')} have inputs that occur with other targets"
    why = same if best.n_conflicting else "the entropy of the targets"
    if criteria.accuracy is not None and criteria.accuracy > best.n_correct / n:
        asked = f"accuracy {number(criteria.accuracy)} cannot be met"
        return f"{asked}: of {n:,} examples at most {best.n_correct:,} can be right, {same}."
    if criteria.max_error is not None and criteria.max_error < best.max_error:
        asked = f"max_error {number(criteria.max_error)} cannot be met"
        return f"{asked}: it is at least {number(best.max_error)}, {same}."
    if criteria.loss is not None and criteria.loss < best.loss * (1 - _ROUNDING):
        asked = f"loss {number(criteria.loss)} cannot be met"
        return f"{asked}: it is at least {number(best.loss)}, {why}."
    return None


def _sum_alone(targets: NDArray[np.float64], loss: Loss) -> float:
    """Return the least summed loss of examples with inputs of their own: the entropy of targets that are shares."""
    if loss == "cross_entropy":
        return float(entropy(targets).sum())
    if loss == "binary_cross_entropy":
        return float(np.maximum(entropy(targets) + entropy(1 - targets), 0.0).sum())
    return 0.0


def least_sum(targets: NDArray[np.float64], loss: Loss) -> float:
    """Return the least summed loss of one output for all of some targets, (n, n_out)."""
    if loss in LEAST_SUMS:
        return float(LEAST_SUMS[loss](targets).sum())
    mean = targets.mean(axis=0, keepdims=True)
    if loss in ("cross_entropy", "binary_cross_entropy"):
        return len(targets) * _sum_alone(mean, loss)
    return float(((targets - mean) ** 2).sum()) * (0.5 if loss == "half_squared_error" else 1.0)


def least_absolute(targets: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return, by output, the least sum of |output - target|, that of the median."""
    return np.abs(targets - np.median(targets, axis=0)).sum(axis=0) if len(targets) else np.zeros(targets.shape[1])


def least_huber(targets: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return, by output, the least sum of the Huber loss of targets (n, n_out), by halving where its slope is 0."""
    if not len(targets):
        return np.zeros(targets.shape[1])
    low, high = targets.min(axis=0), targets.max(axis=0)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        rises = np.clip(middle - targets, -1, 1).sum(axis=0) > 0
        low, high = np.where(rises, low, middle), np.where(rises, middle, high)
    size = np.abs((low + high) / 2 - targets)
    return np.asarray(np.where(size > 1, size - 0.5, size * size / 2).sum(axis=0))


LEAST_SUMS = {"absolute_error": least_absolute, "huber": least_huber}
"""By loss: the least sums where the mean target is not the best output."""


def entropy(share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return -p log p: what a share adds to the least cross-entropy of examples with this mean target."""
    return np.asarray(-share * np.log(np.where(share > 0, share, 1.0)))
