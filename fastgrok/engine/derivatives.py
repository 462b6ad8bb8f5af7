"""First and second derivatives of the losses of many small networks: exact, in NumPy, in float64.

What each unit does, and the deltas, are the kernels'; Hessians follow from them by forward differentiation of the
backward pass (Pearlmutter 1994), by all parameters of all networks at once. Sums are NumPy's: unlike training, these
numbers may differ in their last bits from one machine to another.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.engine.activations import ACTIVATIONS, no_curvature
from fastgrok.engine.driver import evaluation_lane_count
from fastgrok.engine.layout import make_layout
from fastgrok.engine.losses import LOSSES
from fastgrok.engine.notices import shown
from fastgrok.engine.program import Program
from fastgrok.kernels.nn.linear import Layer
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.layers import Activation, Linear, Skip

Array = NDArray[np.float64]

_CHUNK_BYTES = 2**26
_KINK = 1e-9
"""By how much a slope differs on the two sides of a kink at least: on smooth curves it is rounding."""


class Kink(NamedTuple):
    """Where the slope of a unit changes at once: inputs of an activation that lie exactly on a kink."""

    layer: int  # the number of the Linear layer, from 1
    unit: int
    out: int  # the place of its output
    tangents: Array  # (n, P, n_examples): of its input, by the weights and the bias of the unit alone
    at: NDArray[np.bool_]  # (n, n_examples): on which examples
    below: Array  # (n, n_examples): the slope on the side below, less the one that training takes; elsewhere 0
    above: Array  # and on that above


class Derivatives(NamedTuple):
    """The derivatives of n networks, P parameters each."""

    loss: Array  # (n,)
    gradient: Array  # (n, P): of the mean loss
    acts: Array  # (n, n_examples, n_places): the inputs, then the outputs of each layer
    deltas: Array  # (n, n_examples, n_places): of each example's own loss
    tangents: dict[int, Array]  # of acts by each parameter: by the place of the first, (n, P, n_examples, width)
    hessian: Array | None  # (n, P, P): of the mean loss
    jacobian: Array  # (n, P, n_examples, n_out): of what the loss is first differentiated at


class _Step(NamedTuple):
    """A layer: its spec and its place."""

    spec: Any
    layer: Layer

    @property
    def inp(self) -> slice:
        return slice(self.layer.inp, self.layer.inp + self.layer.n_in)

    @property
    def out(self) -> slice:
        return slice(self.layer.out, self.layer.out + self.layer.n_out)

    @property
    def weight(self) -> slice:
        return slice(self.layer.weight, self.layer.weight + self.layer.n_in * self.layer.n_out)

    @property
    def bias(self) -> slice | None:
        return None if self.layer.bias < 0 else slice(self.layer.bias, self.layer.bias + self.layer.n_out)

    def weights(self, params: Array) -> Array:
        """Return its weights, (n, n_in, n_out)."""
        return params[:, self.weight].reshape(len(params), self.layer.n_in, self.layer.n_out)


class Differentiation:
    """The derivatives of an experiment's loss by the parameters of networks; Dropout passes everything on."""

    def __init__(self, experiment: Experiment) -> None:
        network, loss = experiment.network.without_dropout(), LOSSES[experiment.loss]
        self.experiment = Experiment(network, experiment.data, loss=experiment.loss, dtype="float64")
        layout = make_layout(network)
        self._steps = [_Step(*both) for both in zip(network.layers, layout.layers, strict=True)]
        self._n_places = layout.target
        self._outputs = self._steps[-1].out
        together = loss.together_with is not None
        self._differentiated = self._steps[:-1] if together else self._steps
        self._last = self._differentiated[-1].layer.out
        self._curvature = loss.curvature

    @property
    def n_params(self) -> int:
        """Parameters of a network."""
        return self.experiment.n_params

    def chunks(self, params: Array, *, hessian: bool = True) -> Iterator[tuple[slice, Derivatives]]:
        """Yield the derivatives of some networks at a time; params: (n, P)."""
        n_examples = self.experiment.data.n_examples
        size = max(1, _CHUNK_BYTES // (32 * self.n_params * (n_examples * self._n_places + self.n_params)))
        lanes = evaluation_lane_count(self.experiment, n_seeds=min(size, len(params)))
        program = Program(self.experiment, specialize=False, lanes=lanes, n_seeds=min(size, len(params)))
        memory = program.memory()
        for start in range(0, len(params), size):
            rows = slice(start, min(start + size, len(params)))
            flat = np.ascontiguousarray(params[rows], np.float64)
            with shown(None):
                examined = program.examine(flat, memory)
            acts, deltas = (whole[:, :, : self._n_places] for whole in (examined.acts, examined.deltas))
            tangents = self._tangents(flat, acts)
            second = self._hessian(flat, acts, deltas, tangents) if hessian else None
            values = examined.training.loss, examined.grads, acts, deltas
            yield rows, Derivatives(*values, tangents, second, tangents[self._last])

    def _tangents(self, params: Array, acts: Array) -> dict[int, Array]:
        """Return how the acts change with each parameter: by the place of the first, (n, P, n_examples, width)."""
        n, n_examples, n_params = len(params), acts.shape[1], self.n_params
        tangents = {0: np.zeros((n, n_params, n_examples, self.experiment.network.n_in))}
        for step in self._steps:
            before, (_, n_in, n_out, *_) = tangents[step.layer.inp], step.layer
            if isinstance(step.spec, Skip):
                tangents[step.layer.out] = before + tangents[step.layer.weight]
                continue
            if not isinstance(step.spec, Linear):
                tangents[step.layer.out] = self._slope(step, acts)[:, None] * before
                continue
            after = (before.reshape(n, -1, n_in) @ step.weights(params)).reshape(n, n_params, n_examples, n_out)
            own = after[:, step.weight].reshape(n, n_in, n_out, n_examples, n_out)
            for j in range(n_out):
                own[:, :, j, :, j] += acts[:, :, step.inp].transpose(0, 2, 1)
            after[:, step.weight] = own.reshape(n, n_in * n_out, n_examples, n_out)
            if step.bias is not None:
                after[:, step.bias] += np.eye(n_out)[:, None]
            tangents[step.layer.out] = after
        return tangents

    def _hessian(self, params: Array, acts: Array, deltas: Array, tangents: dict[int, Array]) -> Array:
        """Return the Hessians of the mean loss, (n, P, P): how each gradient changes with each parameter."""
        n, n_examples, n_params = len(params), acts.shape[1], self.n_params
        hessian = np.empty((n, n_params, n_params))
        outputs, last = acts[:, None, :, self._outputs], tangents[self._last]
        change = self._curvature(outputs, self.experiment.data.y, last)  # of the deltas, by each parameter
        of_skips: dict[int, Any] = {}  # and of those that Skips bring back to a place
        for step in reversed(self._differentiated):
            change = change + of_skips.get(step.layer.out, 0.0)
            if isinstance(step.spec, Skip):
                of_skips[step.layer.weight] = of_skips.get(step.layer.weight, 0.0) + change
                continue
            own, before = deltas[:, :, step.out], tangents[step.layer.inp]
            if not isinstance(step.spec, Linear):
                bent = ACTIVATIONS[type(step.spec)].curvature(step.spec, acts[:, :, step.inp], acts[:, :, step.out])
                change = self._slope(step, acts)[:, None] * change + (bent * own)[:, None] * before
                continue
            _, n_in, n_out, *_ = step.layer
            products = before.swapaxes(2, 3).reshape(n, n_params * n_in, n_examples) @ own
            products = products.reshape(n, n_params, n_in, n_out)
            aside = change.transpose(0, 2, 1, 3).reshape(n, n_examples, n_params * n_out)
            more = acts[:, :, step.inp].transpose(0, 2, 1) @ aside
            products += more.reshape(n, n_in, n_params, n_out).swapaxes(1, 2)
            hessian[..., step.weight] = products.reshape(n, n_params, n_in * n_out)
            if step.bias is not None:
                hessian[..., step.bias] = change.sum(axis=2)
            if step.layer.inp:
                change = self._change_before(step, params, own, change)
        hessian /= n_examples
        return (hessian + hessian.swapaxes(1, 2)) / 2

    def _change_before(self, step: _Step, params: Array, own: Array, change: Array) -> Array:
        """Return how the deltas before a Linear layer change with each parameter, (n, P, n_examples, n_in)."""
        n, n_params, n_examples, n_out = change.shape
        n_in = step.layer.n_in
        back = step.weights(params).swapaxes(1, 2)
        before = (change.reshape(n, -1, n_out) @ back).reshape(n, n_params, n_examples, n_in)
        onto = before[:, step.weight].reshape(n, n_in, n_out, n_examples, n_in)
        for i in range(n_in):
            onto[:, i, :, :, i] += own.transpose(0, 2, 1)
        before[:, step.weight] = onto.reshape(n, n_in * n_out, n_examples, n_in)
        return before

    def _slope(self, step: _Step, acts: Array) -> Array:
        """Return f'(z) of the units of a layer, (n, n_examples, n_units)."""
        z, a = acts[:, :, step.inp], acts[:, :, step.out]
        return np.asarray(ACTIVATIONS[type(step.spec)].slope(step.spec, z, a))

    def _curves(self) -> Iterator[_Step]:
        """Yield the activations before the place where the loss is differentiated."""
        yield from (step for step in self._differentiated if isinstance(step.spec, Activation))

    def piece(self, acts: Array) -> Array:
        """Return the slopes of straight activations, by which pieces are told: (n, n_examples, units)."""
        straight = [step for step in self._curves() if ACTIVATIONS[type(step.spec)].curvature is no_curvature]
        found = [self._slope(step, acts) for step in straight]
        return np.concatenate([np.empty((*acts.shape[:2], 0)), *found], axis=-1)

    def _owner(self, unit: int) -> tuple[_Step, int]:
        """Return the Linear layer that the unit at a place belongs to, and its number there."""
        step = next(step for step in self._steps if step.out.start <= unit < step.out.stop)
        j = unit - step.out.start
        return (step, j) if isinstance(step.spec, Linear) else self._owner(step.inp.start + j)

    def into(self, unit: int) -> NDArray[np.bool_]:
        """Return which parameters are those of the unit at a place, its weights and its bias, (P,)."""
        step, j = self._owner(unit)
        mask = np.zeros(self.n_params, np.bool_)
        mask[step.weight] = np.arange(step.layer.n_in * step.layer.n_out) % step.layer.n_out == j
        if step.bias is not None:
            mask[step.bias.start + j] = True
        return mask

    def into_dead(self, acts: Array) -> NDArray[np.bool_]:
        """Return which parameters are those of a unit whose slope is 0 on every example, (n, P)."""
        into = np.zeros((len(acts), self.n_params), np.bool_)
        for step in self._curves():
            dead = (self._slope(step, acts) == 0).all(axis=1)
            for j in np.flatnonzero(dead.any(axis=0)):
                into |= dead[:, j, None] & self.into(step.layer.inp + int(j))
        return into

    def kinks(self, found: Derivatives) -> Iterator[Kink]:
        """Yield the units that are exactly on a kink, in some network on some example."""
        acts = found.acts
        for step in self._curves():
            z, a = acts[:, :, step.inp], acts[:, :, step.out]
            slope = ACTIVATIONS[type(step.spec)].slope
            here = slope(step.spec, z, a)
            below, above = (slope(step.spec, np.nextafter(z, end), a) - here for end in (-np.inf, np.inf))
            at = np.abs(above - below) > _KINK
            for j in np.flatnonzero(at.any(axis=(0, 1))):
                sides = (np.where(at[..., j], side[..., j], 0.0) for side in (below, above))
                place = step.layer.inp + int(j)
                linear = self._owner(place)[0]
                number = [each for each in self._steps if isinstance(each.spec, Linear)].index(linear) + 1
                own = found.tangents[step.layer.inp][..., j] * self.into(place)[:, None]
                yield Kink(number, int(j), step.layer.out + int(j), own, at[..., j], *sides)
