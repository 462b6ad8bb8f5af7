"""From an experiment to what kernels take: the plan, the memory of a block, and the choice of driver."""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from fastgrok import network as specs
from fastgrok.datasets import Dataset
from fastgrok.experiment import Experiment
from fastgrok.initializers import Distribution, InitialTensor, initial_tensors
from fastgrok.kernels import layers as kinds
from fastgrok.kernels.draw import FORMS, KINDS, Tensors, make_draw
from fastgrok.kernels.layers import Layer
from fastgrok.kernels.losses import CROSS_ENTROPY, SQUARES, Loss
from fastgrok.kernels.network import GENERAL, specialised
from fastgrok.kernels.optimizers import Rates, Terms
from fastgrok.kernels.plan import (
    Criteria,
    Data,
    Design,
    Limits,
    Outputs,
    Plan,
    Regime,
    Structure,
    Track,
    Watch,
    Work,
)
from fastgrok.kernels.streams import STREAMS
from fastgrok.kernels.target import vector_bytes
from fastgrok.kernels.train import make_train
from fastgrok.optimizers import SGD, Adam
from fastgrok.recording import NOTHING, Recording

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
    criteria, optimizer, loss = experiment.criteria, experiment.optimizer, _loss(experiment, place)
    return Structure(
        n_layers=len(place.layers),
        n_backward=len(place.layers) - (loss.kind == CROSS_ENTROPY),
        n_params=place.n_params,
        n_in=experiment.network.n_in,
        loss=loss,
        terms=Terms(
            weight_decay=optimizer.weight_decay > 0,
            l1=optimizer.l1 > 0,
            momentum=_momentum(experiment) > 0,
            nesterov=isinstance(optimizer, SGD) and optimizer.nesterov,
            clip=optimizer.clip_norm is not None,
        ),
        stopping=criteria is not None,
        check_error=criteria is not None and criteria.max_error is not None,
        check_hits=criteria is not None and criteria.accuracy is not None,
    )


def regime(experiment: Experiment, recording: Recording = NOTHING) -> Regime:
    """Return what the driver of an experiment is compiled to do."""
    early = experiment.early_stopping
    return Regime(
        adam=isinstance(experiment.optimizer, Adam),
        scheduled=experiment.optimizer.schedule is not None,
        restarts=experiment.restart is not None,
        validates=experiment.validation is not None,
        stops_early=early is not None,
        restores=early is not None and early.restore_best,
        tracks=recording.dead_units,
        records=bool(recording.epochs),
    )


def _momentum(experiment: Experiment) -> float:
    return experiment.optimizer.momentum if isinstance(experiment.optimizer, SGD) else 0.0


def is_fused(experiment: Experiment) -> bool:
    """Whether the update is plain SGD on single examples, which backward does as it goes."""
    optimizer = experiment.optimizer
    if experiment.batch_rows > 1 or not isinstance(optimizer, SGD):
        return False
    return not (optimizer.momentum or optimizer.weight_decay or optimizer.l1 or optimizer.clip_norm)


def _rates(experiment: Experiment) -> Rates:
    optimizer = experiment.optimizer
    beta1, beta2, eps = 0.0, 0.0, 0.0
    if isinstance(optimizer, Adam):
        beta1, beta2, eps = optimizer.beta1, optimizer.beta2, optimizer.eps
    return Rates(
        lr=optimizer.lr,
        weight_decay=optimizer.weight_decay,
        l1=optimizer.l1,
        momentum=_momentum(experiment),
        beta1=beta1,
        beta2=beta2,
        fresh1=1 - beta1,
        fresh2=1 - beta2,
        eps=eps,
        clip_norm=optimizer.clip_norm or 0.0,
    )


def _criteria(experiment: Experiment) -> Criteria:
    criteria, n = experiment.criteria, experiment.data.n_examples
    factor = _FACTOR[experiment.loss] / n
    if criteria is None:
        return Criteria(math.inf, factor, math.inf, 0.0, False)
    hits = 0
    if criteria.accuracy is not None:  # the fewest examples whose share, as a float, reaches the accuracy
        hits = math.floor(criteria.accuracy * n)
        hits += hits / n < criteria.accuracy
    return Criteria(
        loss=math.inf if criteria.loss is None else criteria.loss,
        loss_factor=factor,
        max_error=math.inf if criteria.max_error is None else criteria.max_error,
        hits=float(hits),
        keep_training=criteria.keep_training,
    )


def _limits(experiment: Experiment) -> Limits:
    early, restart = experiment.early_stopping, experiment.restart
    return Limits(
        epochs=experiment.epochs,
        check_every=experiment.check_every,
        restart_after=0 if restart is None else restart.after,
        restarts=experiment.epochs if restart is None or restart.at_most is None else restart.at_most,
        patience=0 if early is None else early.patience,
        min_delta=0.0 if early is None else early.min_delta,
    )


def _schedule(experiment: Experiment, scale: float) -> np.ndarray:
    """Return what each epoch of an attempt multiplies by: fused, the scale of the deltas for lr = -1 times it."""
    optimizer, restart = experiment.optimizer, experiment.restart
    if optimizer.schedule is None:
        return np.empty(0, experiment.dtype)
    always = restart is not None and restart.at_most is None
    epochs = min(experiment.epochs, restart.after) if restart is not None and always else experiment.epochs
    rates = optimizer.schedule.rates(optimizer.lr, epochs)
    return (-rates * scale if is_fused(experiment) else -rates).astype(experiment.dtype)


def plan(experiment: Experiment, recording: Recording = NOTHING) -> Plan:
    """Return everything that a driver reads at run time."""
    place, n, validation = layout(experiment.network), experiment.data.n_examples, experiment.validation
    batch, slope = experiment.batch_rows, _SLOPE[experiment.loss]
    last = n % batch or batch
    mean = experiment.reduction == "mean"
    step = -experiment.optimizer.lr if is_fused(experiment) else 1.0
    flops = flops_per_epoch(experiment) * MAX_LANES
    n_validation = 0 if validation is None else validation.n_examples
    return Plan(
        structure=structure(experiment, place),
        sizes=np.array([layer[:7] for layer in place.layers], np.int64),
        arguments=np.array([layer.argument for layer in place.layers]),
        n_examples=n,
        n_validation=n_validation,
        batch_size=batch,
        scale=step * slope / (batch if mean else 1),
        last_scale=step * slope / (last if mean else 1),
        rates=_rates(experiment),
        schedule=_schedule(experiment, slope),
        criteria=_criteria(experiment),
        validation_factor=_FACTOR[experiment.loss] / max(n_validation, 1),
        limits=_limits(experiment),
        records=np.array(recording.epochs, np.int64),
        check_epochs=max(1, int(_CHECK_FLOPS / flops)),
        check_examples=batch * max(1, int(_CHECK_FLOPS / flops * n / batch)),
    )


def validation_plan(whole: Plan) -> Plan:
    """Return a plan as evaluate needs it for the validation data."""
    criteria = whole.criteria._replace(loss_factor=whole.validation_factor)
    return whole._replace(n_examples=whole.n_validation, criteria=criteria)


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
    update = (20 if isinstance(experiment.optimizer, Adam) else 4) * experiment.n_params / experiment.batch_rows
    shuffle = 20 if experiment.order != "fixed" else 0
    training = experiment.data.n_examples * (passes * weights + 2 * units + update + shuffle)
    validation = 0 if experiment.validation is None else experiment.validation.n_examples * (2 * weights + units)
    return float(training + validation)


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


def restart_tensors(experiment: Experiment) -> Tensors:
    """Return what a restart draws, nothing where none is possible."""
    return tensors(experiment) if experiment.restart is not None else table([])


def has_forms(experiment: Experiment) -> bool:
    """Whether something is made of the numbers that are drawn, which the kernel is then compiled for."""
    return bool(tensors(experiment).forms.any())


def scratch_size(experiment: Experiment) -> int:
    """Return how many numbers drawing keeps beside the parameters: one a unit or input of a matrix, at least 1."""
    sizes = [max(part.shape) for part in initial(experiment)] if has_forms(experiment) else []
    return max([1, *sizes])


def data(experiment: Experiment) -> Data:
    """Return the examples in the experiment's dtype."""
    return _data(experiment, experiment.data)


def validation_data(experiment: Experiment) -> Data:
    """Return the examples that are not trained on, none where there are none."""
    if experiment.validation is None:
        none = np.empty((0, 0), experiment.dtype)
        return Data(none, none)
    return _data(experiment, experiment.validation)


def _data(experiment: Experiment, examples: Dataset) -> Data:
    return Data(
        np.ascontiguousarray(examples.X, experiment.dtype),
        np.ascontiguousarray(examples.y, experiment.dtype),
    )


def own_words(experiment: Experiment) -> int:
    """Return the words of a seed's own stream that outlast its initial parameters, 0 if nothing else is drawn."""
    draws_on = experiment.order == "per_seed" or experiment.restart is not None
    return STREAMS[experiment.stream].words if draws_on else 0


def state_words(experiment: Experiment) -> int:
    """Return the words of a lane's streams: the seed's own, then the one that shuffles alike for every seed."""
    return own_words(experiment) + (STREAMS[experiment.stream].words if experiment.order == "shared" else 0)


def _aligned(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """Return zeros that start on a cache line: a vector that crosses one costs two accesses."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    raw = np.zeros(size + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + size].view(dtype).reshape(shape)


def _n_moments(experiment: Experiment) -> int:
    """Return the vectors that the optimizer remembers."""
    if isinstance(experiment.optimizer, Adam):
        return 2 * experiment.n_params + 2
    return experiment.n_params if _momentum(experiment) else 0


def work(experiment: Experiment, lanes: int, *, gradients: bool = False, recording: Recording = NOTHING) -> Work:
    """Return the memory of one block; with gradients even where training itself is fused."""
    place, dtype, does = layout(experiment.network), experiment.dtype, regime(experiment, recording)
    units = sum(experiment.network.relu_widths) * does.tracks
    grads = place.n_params if gradients or not is_fused(experiment) else 0
    shuffled = experiment.data.n_examples if experiment.order != "fixed" else 0
    counts = np.zeros((5, lanes), np.int64)
    return Work(
        params=_aligned((place.n_params, lanes), dtype),
        moments=_aligned((_n_moments(experiment), lanes), dtype),
        grads=_aligned((grads, lanes), dtype),
        acts=_aligned((place.n_acts, lanes), dtype),
        deltas=_aligned((place.n_acts, lanes), dtype),
        order=np.zeros((shuffled, lanes), np.int64),
        states=np.zeros((lanes, state_words(experiment)), np.uint64),
        **dict(zip(("seeds", "epochs", "clock", "restarts", "recorded"), counts, strict=True)),
        watch=Watch(
            params=_aligned((place.n_params * does.restores, lanes), dtype),
            loss=_aligned((int(does.validates), lanes), dtype),
            due=_aligned((int(does.validates), lanes), dtype),
            epoch=np.zeros(lanes, np.int64),
        ),
        track=Track(
            alive=_aligned((place.n_acts * does.tracks, lanes), dtype),
            since=np.zeros((units, lanes), np.int64),
            dead=np.zeros(units, np.int64),
        ),
        drawn=np.zeros(place.n_params * does.restarts),
        scratch=np.zeros(scratch_size(experiment) if does.restarts else 0),
    )


def outputs(experiment: Experiment, params: np.ndarray, recording: Recording = NOTHING) -> Outputs:
    """Return what a driver fills, one row for each of the seeds whose initial parameters these are."""
    does, n = regime(experiment, recording), len(params)
    return Outputs(
        params=params,
        epochs_run=np.full(n, -1, np.int64),
        epochs_to_converge=np.full(n, -1, np.int64),
        restarts=np.zeros(n * does.restarts, np.int64),
        validation_loss=np.zeros(n * does.validates, experiment.dtype),
        validation_epoch=np.zeros(n * does.validates, np.int64),
        stopped_early=np.zeros(n * does.stops_early, np.bool_),
        dead_since=np.full((n * does.tracks, sum(experiment.network.relu_widths)), -1, np.int64),
        records=np.zeros((n * does.records, len(recording.epochs), params.shape[1]), experiment.dtype),
    )


def block_vectors(experiment: Experiment) -> int:
    """Return the vectors in the memory of a block of lanes that trains."""
    place, does = layout(experiment.network), regime(experiment)
    shares = 1 + (not is_fused(experiment)) + does.restores
    return shares * place.n_params + _n_moments(experiment) + 2 * place.n_acts


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


class _Choices(NamedTuple):
    """What a driver's key consists of."""

    lanes: int
    fused: bool
    long_epochs: bool
    permutes: bool
    shuffle_word: int
    stream: str | None  # None where nothing is drawn
    with_forms: bool  # of the draws of a restart
    dtype: str
    regime: Regime
    n_moments: int  # in registers, if anything is
    place: Layout | None  # None for the general driver, as is:
    fixed: Structure | None


@functools.lru_cache(maxsize=256)
def _driver(key: _Choices) -> Any:
    permute = STREAMS[key.stream].permute if key.stream is not None and key.permutes else None
    draw = make_draw(key.stream, key.with_forms) if key.stream is not None and key.regime.restarts else None
    passes, registers = GENERAL, (0, 0, 0, 0)
    if key.place is not None and key.fixed is not None:
        n, acts = key.place.n_params, key.place.n_acts
        passes = specialised(key.place.layers, key.fixed.n_backward)
        registers = (n, key.n_moments, n * (not key.fused), acts)
        if sum(registers) + acts > _STACK_VECTORS or key.regime.tracks:  # what is tracked is looked up by an index
            registers = (0, 0, 0, 0)
    design = Design(
        key.lanes,
        key.fused,
        key.long_epochs,
        permute,
        key.shuffle_word,
        draw,
        key.regime,
        passes,
        key.fixed,
        registers,
    )
    return make_train(design, tuple(key))


def driver(experiment: Experiment, lanes: int, *, specialize: bool, recording: Recording = NOTHING) -> Any:
    """Return the training kernel, to be compiled or read from the cache when it is first called."""
    place, does = layout(experiment.network), regime(experiment, recording)
    permutes = experiment.order != "fixed"
    return _driver(
        _Choices(
            lanes=lanes,
            fused=is_fused(experiment),
            long_epochs=flops_per_epoch(experiment) * MAX_LANES > _CHECK_FLOPS,
            permutes=permutes,
            shuffle_word=own_words(experiment) if experiment.order == "shared" else 0,
            stream=experiment.stream if permutes or does.restarts else None,
            with_forms=does.restarts and has_forms(experiment),
            dtype=experiment.dtype,
            regime=does,
            n_moments=_n_moments(experiment) if specialize else 0,
            place=place if specialize else None,
            fixed=structure(experiment, place) if specialize else None,
        )
    )


def threads() -> int:
    """Return how many CPUs this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
