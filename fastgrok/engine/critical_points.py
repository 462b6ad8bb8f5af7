"""What lies where some networks are: slope, kink, saddle or minimum, and where they come to rest."""

import itertools
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.engine import training
from fastgrok.engine.derivatives import Array, Derivatives, Differentiation
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.optimizers import SGD

KINDS = ("slope", "kink", "saddle", "minimum", "degenerate")
"""What may lie at a point of the loss: see `hessian_spectrum`."""

SMALL_GRADIENT = 1e-6
"""A gradient is small if its norm is at most this, times the largest |eigenvalue|, times the norm of the parameters:
within that share of its size the network could reach a point without a gradient."""

ZERO, ZERO_BY_GRADIENT = 1e-6, 30.0
"""An eigenvalue counts as zero up to ZERO * the largest one + ZERO_BY_GRADIENT * |gradient| / |parameters|: where the
gradient is not quite zero, directions in which nothing changes have curvature of about that size."""

_RANK, _NEAR = 1e-10, 1e-3  # of the largest singular value; of the parameters' size: how far away neighbours are


class Looks(NamedTuple):
    """What is seen of networks where they are, (n, ...)."""

    eigenvalues: Array
    loss: Array
    gradient_norm: Array
    rank: NDArray[np.int64]
    is_constant: NDArray[np.bool_]  # whether the rank is the same nearby
    kinks: NDArray[np.int64]
    kink_slope: Array
    kink_at: NDArray[np.int64]
    rises: NDArray[np.bool_]  # whether the loss rises across each kink

    def updated(self, rows: NDArray[np.bool_], other: "Looks") -> "Looks":
        """Return it with some rows, (n,), of another."""
        pairs: Any = zip(self, other, strict=True)
        return Looks(*(np.where(rows if a.ndim == 1 else rows[:, None], b, a) for a, b in pairs))


def looked_at(experiment: Experiment, params: Array) -> Looks:
    """Look at networks where they are."""
    differentiation, parts = Differentiation(experiment), []
    for rows, found in differentiation.chunks(params):
        rank = _rank(found)
        same = _same_rank_nearby(differentiation, params[rows], found, rank)
        across = _across_kinks(differentiation, found)
        norm = np.sqrt((found.gradient**2).sum(axis=1))
        assert found.hessian is not None
        eigenvalues = np.asarray(np.linalg.eigvalsh(found.hessian), np.float64)
        parts.append(Looks(eigenvalues, found.loss, norm, rank, same, *across))
    return Looks(*map(np.concatenate, zip(*parts, strict=True)))


def kinds(seen: Looks, tolerance: Array, *, small: NDArray[np.bool_]) -> NDArray[np.int8]:
    """Return the kind of each network."""
    negative = seen.eigenvalues[:, 0] < -tolerance
    positive = np.count_nonzero(seen.eigenvalues > tolerance[:, None], axis=1)
    falls = seen.kink_slope < -SMALL_GRADIENT * np.abs(seen.eigenvalues).max(axis=1)
    certain = seen.is_constant & (positive == seen.rank) & seen.rises
    conditions = [~small, falls, negative, certain]
    return np.select(conditions, range(4), len(KINDS) - 1).astype(np.int8)


def singular_values(found: Derivatives) -> Array:
    """Return the singular values of the outputs' Jacobians, (n, at most n_outputs), descending."""
    return np.asarray(np.linalg.svd(found.jacobian.reshape(*found.gradient.shape, -1), compute_uv=False), np.float64)


def _rank(found: Derivatives) -> NDArray[np.int64]:
    """Return how many directions change an output, (n,)."""
    values = singular_values(found)
    return np.asarray(np.count_nonzero(values > _RANK * values[:, :1], axis=1))


def _same_rank_nearby(
    differentiation: Differentiation, params: Array, found: Derivatives, rank: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Whether as many directions change an output at a neighbour in the same piece, (n,).

    Parameters that change no output, and would not nearby, as those of a dead unit, stay: moved, a unit that is dead
    on a kink could come alive, which is another piece.
    """
    scale = np.linalg.norm(params, axis=1, keepdims=True) / np.sqrt(params.shape[1])
    draws = np.random.default_rng(0).standard_normal(params.shape[1])
    moves = found.jacobian.any(axis=(2, 3)) | ~differentiation.into_dead(found.acts)
    near = params + _NEAR * np.where(scale > 0, scale, 1.0) * draws * moves
    same = np.zeros(len(params), np.bool_)
    for rows, other in differentiation.chunks(near, hessian=False):
        here, there = (differentiation.piece(acts) for acts in (found.acts[rows], other.acts))
        same[rows] = (here == there).all(axis=(1, 2)) & (_rank(other) == rank[rows])
    return same


def _across_kinks(
    differentiation: Differentiation, found: Derivatives
) -> tuple[NDArray[np.int64], Array, NDArray[np.int64], NDArray[np.bool_]]:
    """Return how many kinks there are, the steepest slope of the loss across one, its place, and whether all rise.

    One unit is moved at a time, up and down from each of its kinks, along the gradient of its z by its parameters.
    """
    n, n_examples = found.acts.shape[:2]
    count, steepest, rises = np.zeros(n, np.int64), np.zeros(n), np.ones(n, np.bool_)
    place = np.full((n, 3), -1)
    for kink in differentiation.kinks(found):
        own = kink.tangents
        count += kink.at.sum(axis=1)
        delta = found.deltas[:, :, kink.out] / n_examples
        for k, way in itertools.product(np.flatnonzero(kink.at.any(axis=0)), (1.0, -1.0)):
            along = way * own[..., k]
            length = np.linalg.norm(along, axis=1)
            moves = kink.at[:, k] & (length > 0)
            change = np.einsum("np,npe->ne", along, own)  # of z on each example
            beyond = np.where(change > 0, kink.above, kink.below) * change  # what the other side adds to that of a
            slope = np.einsum("np,np->n", found.gradient, along) + (delta * beyond).sum(axis=1)
            slope = np.where(moves, slope / np.where(moves, length, 1.0), 0.0)
            place[slope < steepest] = kink.layer, kink.unit, k
            steepest = np.minimum(steepest, slope)
            rises &= ~kink.at[:, k] | (beyond[:, k] == 0) | (slope > 0)
    return count, steepest, place, rises


def settled(experiment: Experiment, params: Array, epochs: int, seen: Looks) -> Array:
    """Return where gradient descent on all examples takes networks, (n, n_params)."""
    largest = np.abs(seen.eigenvalues).max(axis=1)
    rate = 1 / (float(np.quantile(largest, 0.99)) or 1.0)
    network, seeds = experiment.network.without_dropout(), np.arange(len(params), dtype=np.uint64)
    fields: dict[str, Any] = {"batch_size": "full", "epochs": epochs, "stop": None, "optimizer": SGD(rate)}
    descent = Experiment(network, experiment.data, loss=experiment.loss, dtype="float64", **fields)
    trained = training.train(descent, seeds, params=params, keep_params=True)
    if trained.interrupted or trained.params is None:
        raise KeyboardInterrupt
    return np.where(np.isfinite(trained.params).all(axis=1, keepdims=True), trained.params, params)
