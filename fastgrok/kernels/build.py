"""From an experiment to what kernels take: the plan, the memory of a block, and the choice of driver."""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import numpy as np

from fastgrok import network as specs
from fastgrok.experiment import Experiment
from fastgrok.initializers import Distribution, InitialTensor, initial_tensors
from fastgrok.kernels import layers as kinds
from fastgrok.kernels.draw import FORMS, KINDS, Tensors
from fastgrok.kernels.layers import Layer
from fastgrok.kernels.losses import CROSS_ENTROPY, SQUARES, Loss
from fastgrok.kernels.network import GENERAL, specialised
from fastgrok.kernels.optimizers import Rates, Terms
from fastgrok.kernels.plan import Criteria, Data, Plan, Structure, Work
from fastgrok.kernels.streams import STREAMS
from fastgrok.kernels.target import vector_bytes
from fastgrok.kernels.train import Design, make_train
from fastgrok.optimizers import SGD

_KIND = {
    specs.Linear: kinds.LINEAR,
    specs.ReLU: kinds.RELU,
    specs.LeakyReLU: kinds.LEAKY_RELU,
    specs.Sigmoid: kinds.SIGMOID,
    specs.Tanh: kinds.TANH,
}
# d(loss)/d(output) = _SLOPE * (output - target), and the loss is _FACTOR * what add_loss sums.
_SLOPE = {"half_squared_error": 1.0, "squared_error": 2.0, "binary_cross_entropy": 1.0}
_FACTOR = {"half_squared_error": 0.5, "squared_error": 1.0, "binary_cross_entropy": 1.0}
_CURVES = (specs.Sigmoid, specs.Tanh)
_CURVE_FLOPS = 40

MAX_LANES = 64
_UNROLLED_VECTORS = 128  # 2-8-1 gains a half from it, 2-16-16-1 nothing
_STACK_VECTORS = 512  # beyond, the stack is no place for a block's parameters
_BLOCK_BYTES = 24 * 1024  # half of a first-level cache of 48 KiB
_LARGE_BYTES = 2**21  # of a block that no cache holds
_MOST_BYTES = 2**29  # of any block, where fewer lanes avoid it
_CHECK_FLOPS = 2e8  # work between two looks at the cancel flag: some 50 ms


class Layout(NamedTuple):
    """A network laid out in memory."""

    layers: tuple[Layer, ...]
    n_params: int
    out: int  # offset in acts of the outputs
    before: int  # of the inputs of the last layer
    target: int  # of the targets
    n_acts: int


def layout(network: specs.Network) -> Layout:
    """Lay out a network: see layers.py for what lies where."""
    rows, params, inp, out, width = [], 0, 0, 0, network.n_in
    end = width
    for layer in network.layers:
        if isinstance(layer, specs.Linear):
            weight, width = params, layer.fan_out
            bias = weight + layer.fan_in * layer.fan_out if layer.bias else -1
            params = weight + (layer.fan_in + layer.bias) * layer.fan_out
            rows.append(Layer(kinds.LINEAR, layer.fan_in, layer.fan_out, weight, bias, out, end, 0.0))
        else:
            argument = getattr(layer, "slope", getattr(layer, "gradient_at_zero", 0.0))
            rows.append(Layer(_KIND[type(layer)], width, width, -1, -1, out, end, argument))
        inp, out, end = out, end, end + width
    return Layout(tuple(rows), params, out, inp, end, end + width)


def _sgd(experiment: Experiment) -> SGD:
    """Return the optimizer: SGD is the only one so far."""
    return cast(SGD, experiment.optimizer)


def _loss(experiment: Experiment, place: Layout) -> Loss:
    y = experiment.data.y
    low, high = float(y.min()), float(y.max())
    one_hot = y.shape[1] > 1 and low < high and bool(np.all(np.sum(y == high, axis=1) == 1))
    one_hot = one_hot and bool(np.all((y == low) | (y == high)))
    entropy = experiment.loss == "binary_cross_entropy"
    kind, delta = (CROSS_ENTROPY, place.before) if entropy else (SQUARES, place.out)
    return Loss(kind, y.shape[1], place.out, delta, place.target, one_hot, low / 2 + high / 2)


def structure(experiment: Experiment, place: Layout) -> Structure:
    """Return what the specialised driver fixes."""
    stop, optimizer, loss = experiment.stop, _sgd(experiment), _loss(experiment, place)
    return Structure(
        n_layers=len(place.layers),
        n_backward=len(place.layers) - (loss.kind == CROSS_ENTROPY),
        n_params=place.n_params,
        n_in=experiment.network.n_in,
        loss=loss,
        terms=Terms(optimizer.weight_decay > 0, optimizer.l1 > 0, optimizer.momentum > 0),
        stopping=stop is not None,
        check_error=stop is not None and stop.max_error is not None,
        check_hits=stop is not None and stop.accuracy is not None,
    )


def is_fused(experiment: Experiment) -> bool:
    """Whether the update is plain SGD on single examples, which backward does as it goes."""
    optimizer = _sgd(experiment)
    return experiment.batch_rows == 1 and not (optimizer.momentum or optimizer.weight_decay or optimizer.l1)


def _criteria(experiment: Experiment) -> Criteria:
    stop, n = experiment.stop, experiment.data.n_examples
    factor = _FACTOR[experiment.loss] / n
    if stop is None:
        return Criteria(math.inf, factor, math.inf, 0.0, False)
    hits = 0
    if stop.accuracy is not None:  # the fewest examples whose share, as a float, reaches the accuracy
        hits = math.floor(stop.accuracy * n)
        hits += hits / n < stop.accuracy
    return Criteria(
        loss=math.inf if stop.loss is None else stop.loss,
        loss_factor=factor,
        max_error=math.inf if stop.max_error is None else stop.max_error,
        hits=float(hits),
        keep_training=stop.keep_training,
    )


def plan(experiment: Experiment) -> Plan:
    """Return everything that a driver reads at run time."""
    place, optimizer, n = layout(experiment.network), _sgd(experiment), experiment.data.n_examples
    batch, slope = experiment.batch_rows, _SLOPE[experiment.loss]
    last = n % batch or batch
    mean = experiment.reduction == "mean"
    step = -optimizer.lr if is_fused(experiment) else 1.0
    flops = flops_per_epoch(experiment) * MAX_LANES
    return Plan(
        structure=structure(experiment, place),
        sizes=np.array([layer[:7] for layer in place.layers], np.int64),
        arguments=np.array([layer.argument for layer in place.layers]),
        n_examples=n,
        batch_size=batch,
        epochs=experiment.epochs,
        scale=step * slope / (batch if mean else 1),
        last_scale=step * slope / (last if mean else 1),
        rates=Rates(optimizer.lr, optimizer.weight_decay, optimizer.l1, optimizer.momentum),
        criteria=_criteria(experiment),
        check_epochs=max(1, int(_CHECK_FLOPS / flops)),
        check_examples=batch * max(1, int(_CHECK_FLOPS / flops * n / batch)),
    )


def gradient_scale(experiment: Experiment) -> float:
    """Return what multiplies a delta, so that gradients summed over examples are those of the mean loss."""
    return _SLOPE[experiment.loss] / experiment.data.n_examples


def flops_per_epoch(experiment: Experiment) -> float:
    """Return about how many operations an epoch of one seed takes, the check of the criteria included."""
    weights = sum(layer.fan_in * layer.fan_out for layer in experiment.network.linears)
    units, width = 0, experiment.network.n_in
    for layer in experiment.network.layers:
        width = layer.fan_out if isinstance(layer, specs.Linear) else width
        units += width * (_CURVE_FLOPS if type(layer) in _CURVES else 4)
    passes = 6 + (2 if experiment.stop is not None else 0)
    update = 4 * experiment.n_params / experiment.batch_rows
    shuffle = 20 if experiment.order != "fixed" else 0
    return float(experiment.data.n_examples * (passes * weights + 2 * units + update + shuffle))


def initial(experiment: Experiment) -> list[InitialTensor]:
    """Return who draws what, in the order of the parameters."""
    return initial_tensors(experiment.init, experiment.bias_init, experiment.network.linears)


def table(parts: Sequence[InitialTensor]) -> Tensors:
    """Return what kernels draw, tensor by tensor; Python makes the others."""
    drawn = [(part.shape, part.source) for part in parts if isinstance(part.source, Distribution)]
    sources, numbers = [source for _, source in drawn], [(*source.numbers, 0.0, 0.0) for _, source in drawn]
    return Tensors(
        rows=np.array([1 if len(shape) == 1 else shape[0] for shape, _ in drawn], np.int64),
        columns=np.array([shape[-1] for shape, _ in drawn], np.int64),
        kinds=np.array([KINDS[source.kind] for source in sources], np.int64),
        first=np.array([source.a for source in sources], np.float64),
        second=np.array([source.b for source in sources], np.float64),
        forms=np.array([FORMS[source.form] for source in sources], np.int64),
        third=np.array([number[0] for number in numbers], np.float64),
        fourth=np.array([number[1] for number in numbers], np.float64),
    )


def tensors(experiment: Experiment) -> Tensors:
    """Return what to draw where kernels draw everything, in the order of the parameters."""
    return table(initial(experiment))


def has_forms(experiment: Experiment) -> bool:
    """Whether something is made of the numbers that are drawn, which the kernel is then compiled for."""
    return bool(tensors(experiment).forms.any())


def scratch_size(experiment: Experiment) -> int:
    """Return how many numbers drawing keeps beside the parameters: one a unit or input of a matrix, at least 1."""
    sizes = [max(part.shape) for part in initial(experiment)] if has_forms(experiment) else []
    return max([1, *sizes])


def data(experiment: Experiment) -> Data:
    """Return the examples in the experiment's dtype."""
    return Data(
        np.ascontiguousarray(experiment.data.X, experiment.dtype),
        np.ascontiguousarray(experiment.data.y, experiment.dtype),
    )


def state_words(experiment: Experiment) -> int:
    """Return the words of the stream that shuffles, 0 where the order is fixed."""
    return 0 if experiment.order == "fixed" else STREAMS[experiment.stream].words


def _aligned(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """Return zeros that start on a cache line: a vector that crosses one costs two accesses."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    raw = np.zeros(size + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + size].view(dtype).reshape(shape)


def work(experiment: Experiment, lanes: int, *, gradients: bool) -> Work:
    """Return the memory of one block; with gradients even where training itself is fused."""
    place, dtype = layout(experiment.network), experiment.dtype
    moments = place.n_params if _sgd(experiment).momentum else 0
    grads = place.n_params if gradients or not is_fused(experiment) else 0
    shuffled = experiment.data.n_examples if experiment.order != "fixed" else 0
    return Work(
        params=_aligned((place.n_params, lanes), dtype),
        moments=_aligned((moments, lanes), dtype),
        grads=_aligned((grads, lanes), dtype),
        acts=_aligned((place.n_acts, lanes), dtype),
        deltas=_aligned((place.n_acts, lanes), dtype),
        order=np.zeros((shuffled, lanes), np.int64),
        states=np.zeros((lanes, state_words(experiment)), np.uint64),
        seeds=np.zeros(lanes, np.int64),
        epochs=np.zeros(lanes, np.int64),
    )


def block_vectors(experiment: Experiment) -> int:
    """Return the vectors in the memory of a block of lanes that trains."""
    place, shares = layout(experiment.network), 1
    shares += _sgd(experiment).momentum > 0
    shares += not is_fused(experiment)
    return shares * place.n_params + 2 * place.n_acts


def lane_count(experiment: Experiment, *, specialize: bool, n_seeds: int = MAX_LANES) -> int:
    """Return the lane count that suits a driver on this CPU; no result depends on it.

    Specialised: two registers a value, which hides the latency of the arithmetic; four where sigmoids make it long;
    one where there would not be registers for all. General: as many as keep a block in half of the first-level
    cache, from one register to four. Fewer where a block is larger than any cache and there are fewer seeds, or where
    it would take half a gigabyte.
    """
    itemsize = np.dtype(experiment.dtype).itemsize
    register = vector_bytes() // itemsize
    lane_bytes = block_vectors(experiment) * itemsize
    if not specialize:
        best = register
        while best * 2 <= min(_BLOCK_BYTES // lane_bytes, 4 * register):
            best *= 2
    elif any(type(layer) in _CURVES for layer in experiment.network.layers):
        best = 4 * register
    else:
        best = register * (2 if is_fused(experiment) and experiment.n_params <= 32 else 1)
    while best > 1 and (
        best * lane_bytes > _MOST_BYTES or (best >= 2 * n_seeds and best * lane_bytes > _LARGE_BYTES)
    ):
        best //= 2
    return best


def is_worth_specializing(experiment: Experiment) -> bool:
    """Whether the specialised driver is the faster one: LLVM unrolls the loops over so few parameters."""
    return block_vectors(experiment) <= _UNROLLED_VECTORS


@functools.lru_cache(maxsize=256)
def _driver(
    lanes: int,
    fused: bool,
    long_epochs: bool,
    stream: str | None,
    dtype: str,
    place: Layout | None,
    fixed: Structure | None,
) -> Any:
    key = (lanes, fused, long_epochs, stream, dtype, place, fixed)
    permute = None if stream is None else STREAMS[stream].permute
    if place is None or fixed is None:
        return make_train(Design(lanes, fused, long_epochs, permute, GENERAL, None, (0, 0, 0, 0)), key)
    n, acts = place.n_params, place.n_acts
    registers = (n, n * fixed.terms.momentum, n * (not fused), acts)
    if sum(registers) + acts > _STACK_VECTORS:
        registers = (0, 0, 0, 0)
    passes = specialised(place.layers, fixed.n_backward)
    return make_train(Design(lanes, fused, long_epochs, permute, passes, fixed, registers), key)


def driver(experiment: Experiment, lanes: int, *, specialize: bool) -> Any:
    """Return the training kernel, to be compiled or read from the cache when it is first called."""
    stream = None if experiment.order == "fixed" else experiment.stream
    long_epochs = flops_per_epoch(experiment) * MAX_LANES > _CHECK_FLOPS
    choices = lanes, is_fused(experiment), long_epochs, stream, experiment.dtype
    if not specialize:
        return _driver(*choices, None, None)
    place = layout(experiment.network)
    return _driver(*choices, place, structure(experiment, place))


def threads() -> int:
    """Return how many CPUs this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
