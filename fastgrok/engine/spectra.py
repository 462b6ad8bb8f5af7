"""Spectra of many small networks: of the loss's Hessian, and of the neural tangent kernel."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgrok.datasets.memory import check_fits
from fastgrok.engine import arguments, training
from fastgrok.engine.call_arguments import read_params
from fastgrok.engine.critical_points import (
    KINDS,
    SMALL_GRADIENT,
    ZERO,
    ZERO_BY_GRADIENT,
    kinds,
    looked_at,
    settled,
    singular_values,
)
from fastgrok.engine.derivatives import Array, Differentiation
from fastgrok.errors import InvalidExperiment
from fastgrok.kernels.environment import in_default_environment
from fastgrok.spec.experiment import MAX_COUNT, Experiment

STAYS = 0.05
"""A network that settles stays where it was if its loss comes down by this share at most."""

MAX_PARAMS = 2000
"""Parameters of a network at most: a Hessian has their square, and its spectrum takes their cube."""


class HessianSpectrum(NamedTuple):
    """What `hessian_spectrum` returns: one row a network, in the order of the parameters.

    Parameters
    ----------
    eigenvalues
        Of the Hessian of the mean loss, (n_seeds, n_params), ascending.
    loss, gradient_norm
        The mean loss and the norm of its gradient, (n_seeds,).
    kind
        What lies there, (n_seeds,): the place in `KINDS`; `names` has the words.
    tolerance
        Up to which size an eigenvalue counts as zero, (n_seeds,).
    rank
        Directions that change some output, to the first order, (n_seeds,): the rank of the outputs' Jacobian.
    kinks
        Inputs of ReLUs and their like that lie exactly on a kink, over all examples, (n_seeds,).
    kink_slope
        The steepest slope of the loss across a kink, by moving the weights and the bias of one unit, (n_seeds,):
        below 0 it falls there, whatever the gradient says; 0 where there are no kinks, or none with such a slope.
    kink_at
        That kink, (n_seeds, 3): the number of the Linear layer, from 1, the unit, the example; -1: there is none.
    params
        Where it was looked at, (n_seeds, n_params): those given, or where they settled.
    moved
        How far that is from the parameters given, (n_seeds,).

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(1, 1, 1, hidden="linear", bias=False), fg.Dataset([[1]], [1]))
    >>> origin = fg.hessian_spectrum(exp, [[[0.0]], [[0.0]]])
    >>> origin.eigenvalues.tolist(), origin.names.tolist(), origin.counts["saddle"]
    ([[-1.0, 1.0]], ['saddle'], 1)
    """

    eigenvalues: NDArray[np.float64]
    loss: NDArray[np.float64]
    gradient_norm: NDArray[np.float64]
    kind: NDArray[np.int8]
    tolerance: NDArray[np.float64]
    rank: NDArray[np.int64]
    kinks: NDArray[np.int64]
    kink_slope: NDArray[np.float64]
    kink_at: NDArray[np.int64]
    params: NDArray[np.float64]
    moved: NDArray[np.float64]

    @property
    def names(self) -> NDArray[np.str_]:
        """The kind of each network in words, (n_seeds,)."""
        return np.array(KINDS)[self.kind]

    @property
    def n_negative(self) -> NDArray[np.int64]:
        """Eigenvalues below zero, beyond the tolerance, (n_seeds,)."""
        return np.asarray(np.count_nonzero(self.eigenvalues < -self.tolerance[:, None], axis=1))

    @property
    def counts(self) -> dict[str, int]:
        """How many networks there are of each kind."""
        return dict(zip(KINDS, np.bincount(self.kind, minlength=len(KINDS)).tolist(), strict=True))


class TangentKernelSpectrum(NamedTuple):
    """What `ntk_spectrum` returns: one row a network.

    Parameters
    ----------
    eigenvalues
        Of the kernel J J^T over all examples and outputs, (n_seeds, n_examples * n_out), ascending.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor())
    >>> list(fg.ntk_spectrum(exp, seeds=100).covariates())
    ['ntk_largest', 'ntk_smallest', 'ntk_trace']
    """

    eigenvalues: NDArray[np.float64]

    @property
    def largest(self) -> NDArray[np.float64]:
        """The largest eigenvalue, (n_seeds,)."""
        return self.eigenvalues[:, -1]

    @property
    def smallest(self) -> NDArray[np.float64]:
        """The smallest eigenvalue, (n_seeds,): 0 where not all outputs can be moved apart."""
        return self.eigenvalues[:, 0]

    @property
    def trace(self) -> NDArray[np.float64]:
        """The sum of the eigenvalues, (n_seeds,)."""
        return np.asarray(self.eigenvalues.sum(axis=1))

    @property
    def condition(self) -> NDArray[np.float64]:
        """The largest eigenvalue over the smallest, (n_seeds,); infinite where that is 0."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.smallest > 0, self.largest / self.smallest, np.inf)

    def covariates(self) -> dict[str, NDArray[np.float64]]:
        """Return the numbers that tell one start from another, by name, (n_seeds,) each."""
        names = ("largest", "smallest", "trace")
        return {f"ntk_{name}": np.asarray(getattr(self, name)) for name in names}


@in_default_environment
def hessian_spectrum(
    experiment: Experiment, params: ArrayLike | Sequence[ArrayLike], *, settle: int = 0
) -> HessianSpectrum:
    """Return the eigenvalues of the Hessian of the mean loss, of many networks at once, and what lies there.

    Parameters
    ----------
    experiment
        Network, data and loss; the rest does not matter.
    params
        As for `fastgrok.run`: those of many networks or of one, such as `Result.params`.
    settle
        Epochs of gradient descent on all examples that each network makes before, to where it comes to rest: a seed
        that is trained by single examples ends beside that point, where the mean loss still has a gradient. The
        rate is what the largest eigenvalues allow. A network whose loss thereby comes down by more than 5 % was not
        at rest, and is looked at where it was.

    Returns
    -------
    The kind is the first of these that applies:

    ============ =======================================================================================
    "slope"      the gradient is not small: |gradient| > 1e-6 * max |eigenvalue| * |parameters|
    "kink"       some unit has z = 0 exactly, and the loss falls to the first order if its parameters move
                 across: no minimum, though gradients, which take one side, say so
    "saddle"     an eigenvalue is below -tolerance: the loss falls along its direction
    "minimum"    a local minimum: the directions that change some output all have eigenvalues above the
                 tolerance, and the others change nothing, nearby neither (as the scale of a ReLU unit)
    "degenerate" none of these: the second order does not tell
    ============ =======================================================================================

    The tolerance is 1e-6 * max |eigenvalue| + 30 |gradient| / |parameters|.

    Raises
    ------
    InvalidExperiment
        If an argument is not accepted, a parameter is not finite, or there are more than 2,000 parameters.

    Notes
    -----
    All parameters count, those of frozen layers and those that masks cut out as well.

    Hessians are exact to rounding: forward differentiation of the backward pass (Pearlmutter 1994), in float64
    whatever the dtype of the experiment, without Dropout. A network of ReLUs is made of pieces, and the Hessian is
    that of the piece that training is in: with z = 0 exactly that which `gradient_at_zero` stands for. Minima of such
    networks are never isolated: "minimum" says that the rank of the outputs' Jacobian is the same nearby, tried at a
    random neighbour 1e-3 away, and that as many eigenvalues are positive: the loss is then constant along the rest.
    Kinks of activations are looked at, one unit at a time, and those of `absolute_error` are not.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor())
    >>> result = fg.run(exp, seeds=[0, 3, 42], keep_params=True)
    >>> spectrum = fg.hessian_spectrum(exp, result.params, settle=20_000)
    >>> spectrum.eigenvalues.shape, spectrum.names.tolist()
    ((3, 17), ['minimum', 'kink', 'slope'])
    """
    flat = _checked(experiment, params)
    if isinstance(settle, bool) or not isinstance(settle, int | np.integer) or not 0 <= settle <= MAX_COUNT:
        raise InvalidExperiment("settle", settle, f"a number of epochs from 0 to {MAX_COUNT}")
    given, seen = flat, looked_at(experiment, flat)
    if settle:
        rested = settled(experiment, flat, int(settle), seen)
        there = looked_at(experiment, rested)
        stays = there.loss >= (1 - STAYS) * seen.loss
        flat, seen = np.where(stays[:, None], rested, flat), seen.updated(stays, there)
    moved = np.linalg.norm(flat - given, axis=1)
    size = np.linalg.norm(flat, axis=1)
    largest, norm = np.abs(seen.eigenvalues).max(axis=1), seen.gradient_norm
    with np.errstate(divide="ignore", invalid="ignore"):
        tolerance = ZERO * largest + np.where(norm > 0, ZERO_BY_GRADIENT * norm / size, 0.0)
    kind = kinds(seen, tolerance, small=norm <= SMALL_GRADIENT * largest * size)
    values = seen.eigenvalues, seen.loss, norm, kind, tolerance, seen.rank
    return HessianSpectrum(*values, seen.kinks, seen.kink_slope, seen.kink_at, flat, moved)


@in_default_environment
def ntk_spectrum(
    experiment: Experiment,
    seeds: int | range | ArrayLike | None = None,
    *,
    params: ArrayLike | Sequence[ArrayLike] | None = None,
) -> TangentKernelSpectrum:
    """Return the eigenvalues of the neural tangent kernel of many networks: at initialisation, a covariate of seeds.

    K = J J^T, J the Jacobian of all outputs on all examples by all parameters (Jacot, Gabriel, Hongler 2018). Under
    gradient flow the outputs change by -K dL/d(outputs).

    Parameters
    ----------
    experiment
        Network, data, initialisation.
    seeds
        As for `fastgrok.run`: the networks as they are initialised.
    params
        Those of many networks or of one, instead.

    Raises
    ------
    InvalidExperiment
        If an argument is not accepted, a parameter is not finite, or there are too many of them.

    Notes
    -----
    Outputs are what the loss is first differentiated at: with a cross-entropy what the Sigmoid or Softmax takes in.
    An eigenvalue is 0 if not all outputs can be moved apart, as with more outputs than parameters, or where dead
    units leave too few directions; one below n * 2**-52 of the largest counts as 0.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor())
    >>> kernel = fg.ntk_spectrum(exp, seeds=1000)
    >>> kernel.eigenvalues.shape, bool((kernel.largest > 1).all())
    ((1000, 4), True)
    """
    if (seeds is None) == (params is None):
        raise InvalidExperiment("seeds", seeds, "seeds, or params, and not both")
    arguments.checked_experiment(experiment)
    if params is None:
        params = training.initial_params_of(experiment, seeds)
    flat = _checked(experiment, params)
    differentiation = Differentiation(experiment)
    n_outputs = experiment.data.n_examples * experiment.network.n_out
    eigenvalues = np.empty((len(flat), n_outputs))
    for rows, found in differentiation.chunks(flat, hessian=False):
        squares = singular_values(found) ** 2
        squares[squares < n_outputs * np.finfo(np.float64).eps * squares[:, :1]] = 0.0
        eigenvalues[rows] = np.pad(squares, ((0, 0), (0, n_outputs - squares.shape[1])))[:, ::-1]
    return TangentKernelSpectrum(eigenvalues)


def _checked(experiment: Any, params: Any) -> Array:
    """Return the parameters of networks as float64 rows, (n, n_params), finite ones."""
    network = arguments.checked_experiment(experiment).network
    if network.n_params > MAX_PARAMS:
        raise InvalidExperiment("experiment", network, f"a network of at most {MAX_PARAMS} parameters")
    flat, _ = read_params(network, params, np.dtype(np.float64))
    if not np.isfinite(flat).all():
        row = int(np.flatnonzero(~np.isfinite(flat).all(axis=1))[0])
        raise InvalidExperiment(f"params[{row}]", "not finite", "finite parameters: the seed diverged")
    per_network = 8 * (network.n_params + 8)
    check_fits("params", f"those of {len(flat)} networks", 3 * len(flat) * per_network)
    return flat
