"""What an experiment is in numbers: everything that a driver reads at run time, and what it is compiled for."""

import functools
import math
from typing import Any, cast

import numpy as np

from fastgrok.engine.activations import ACTIVATIONS
from fastgrok.engine.arguments import MAX_LANES
from fastgrok.engine.layout import Layout, loss_kind, make_layout
from fastgrok.engine.losses import LOSSES
from fastgrok.engine.optimizers import OPTIMIZERS, has_rates, is_plain
from fastgrok.errors import InvalidExperiment
from fastgrok.kernels.nn.losses import Loss
from fastgrok.kernels.nn.optimizers import Hyperparams, Terms
from fastgrok.kernels.target import vector_bytes
from fastgrok.kernels.train.parameters import (
    Criteria,
    DriverFeatures,
    DropoutParams,
    KernelParams,
    Limits,
    Structure,
    TileSizes,
)
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.layers import Activation, Dropout, Layer, Linear
from fastgrok.spec.network import Network
from fastgrok.spec.recording import NOTHING, Recording

_NO_WEIGHTS = np.zeros(0, np.int64)
_CHECK_FLOPS = 2e8  # work between two checks of the cancel flag: some 50 ms
_LINEAR_FLOPS = 4  # of a unit, besides its weights; and of one of a Skip
_DROPOUT_FLOPS = 20  # of a unit, whose mask is drawn lane by lane
_BATCHED_WIDTH = 8  # of a Linear layer on both sides, from which on several examples at once are faster
_ANY_BATCH_WIDTH = 32  # and from which on two or three are
_DEFERRED_BYTES = 40 * 1024  # of parameters, that no first-level cache holds
_TILE_EXAMPLES = 32  # at once, at most
_NO_END = 2**62  # epochs of an attempt that does not end by their number
_TILE_BYTES = 40 * 1024  # of their acts and deltas, in a first-level cache of 48 KiB beside some parameters


def _loss(experiment: Experiment, layout: Layout) -> Loss:
    y = experiment.data.y
    low, high = float(y.min()), float(y.max())
    one_hot = y.shape[1] > 1 and low < high and bool(np.all(np.sum(y == high, axis=1) == 1))
    one_hot = one_hot and bool(np.all((y == low) | (y == high)))
    delta = layout.out if LOSSES[experiment.loss].together_with is None else layout.before
    kind = loss_kind(experiment.loss)
    return Loss(kind, y.shape[1], layout.out, delta, layout.target, one_hot, low / 2 + high / 2)


def structure(experiment: Experiment, layout: Layout) -> Structure:
    """Return what the specialised driver fixes."""
    criteria = experiment.criteria
    return Structure(
        n_layers=len(layout.rows),
        n_backward=len(layout.rows) - (LOSSES[experiment.loss].together_with is not None),
        n_params=layout.n_params,
        n_in=experiment.network.n_in,
        n_masks=len(experiment.network.dropout_rates),
        loss=_loss(experiment, layout),
        terms=_terms(experiment),
        stopping=criteria is not None,
        check_error=criteria is not None and criteria.max_error is not None,
        check_accuracy=criteria is not None and criteria.accuracy is not None,
    )


def _terms(experiment: Experiment) -> Terms:
    """Return which terms the update has."""
    optimizer = experiment.optimizer
    return Terms(
        weight_decay=optimizer.weight_decay > 0,
        l1=optimizer.l1 > 0,
        clip=optimizer.clip_norm is not None,
        weights_only=optimizer.decay == "weights" and (optimizer.weight_decay > 0 or optimizer.l1 > 0),
        own=OPTIMIZERS[type(optimizer)].terms(optimizer),
    )


def driver_features(experiment: Experiment, recording: Recording = NOTHING) -> DriverFeatures:
    """Return what the driver of an experiment is compiled to do."""
    early, restart = experiment.early_stopping, experiment.restart
    stagnates = restart is not None and restart.patience is not None
    return DriverFeatures(
        scheduled=experiment.optimizer.schedule is not None,
        skips=experiment.check_every > 1,
        restarts=restart is not None,
        validates=experiment.validation is not None,
        monitors=early is not None and early.monitor == "training",
        stops_early=early is not None,
        restores=early is not None and early.restore_best,
        stagnates=stagnates,
        by_accuracy=stagnates and restart is not None and restart.monitor == "accuracy",
        rests=experiment.gradient_norm is not None,
        holds=recording.masked or bool(experiment.frozen_layers),
        tracks=recording.dead_units,
        records=bool(recording.epochs),
        steps=recording.steps,
    )


def n_state(experiment: Experiment) -> int:
    """Return the vectors that the optimizer remembers."""
    size = OPTIMIZERS[type(experiment.optimizer)].state(experiment.optimizer)
    return int(size.per_param * experiment.n_params + size.more)


def batches_per_epoch(experiment: Experiment) -> int:
    """Return the updates of an epoch."""
    return -(-experiment.data.n_examples // experiment.batch_rows)


def is_fused(experiment: Experiment) -> bool:
    """Whether the update is plain SGD on single examples, which backward does as it goes."""
    return experiment.batch_rows == 1 and is_plain(experiment.optimizer)


def is_batched(experiment: Experiment) -> bool:
    """Whether batched passes are faster than one example after the other, in batches and in evaluation."""
    width = max(min(layer.fan_in, layer.fan_out) for layer in experiment.network.linears)
    return width >= (_ANY_BATCH_WIDTH if experiment.batch_rows in (2, 3) else _BATCHED_WIDTH)


def is_deferred(experiment: Experiment) -> bool:
    """Whether updates are written every few examples (nn/deferred.py): it pays where parameters leave the cache."""
    is_large = experiment.n_params * vector_bytes() > _DEFERRED_BYTES
    return is_large and is_fused(experiment) and is_batched(experiment)


def tile_sizes(experiment: Experiment) -> TileSizes:
    """Return how passes go through examples: a batch in tiles of about one size.

    As many at once as a first-level cache holds; 32 where it does not hold eight, so that weights are read seldom.
    """
    stride = make_layout(experiment.network).n_acts | 1
    if not is_batched(experiment):
        return TileSizes(1, stride, takes_step=False)
    fitting = _TILE_BYTES // (2 * stride * vector_bytes())
    most = min(fitting, _TILE_EXAMPLES) if fitting >= 8 else _TILE_EXAMPLES
    validation = 0 if experiment.validation is None else experiment.validation.n_examples
    rows = experiment.batch_rows if experiment.batch_rows > most else max(experiment.data.n_examples, validation)
    return TileSizes(-(-rows // -(-rows // most)), stride, takes_step=is_plain(experiment.optimizer))


def _hyperparams(experiment: Experiment) -> Hyperparams:
    optimizer = experiment.optimizer
    return Hyperparams(
        lr=optimizer.lr,
        weight_decay=optimizer.weight_decay,
        l1=optimizer.l1,
        clip_norm=optimizer.clip_norm or 0.0,
        factors=per_parameter(experiment.network, optimizer.lr_factors) if has_rates(optimizer) else None,
        weights=_weights(experiment.network) if _terms(experiment).weights_only else _NO_WEIGHTS,
        own=OPTIMIZERS[type(optimizer)].hyperparams(optimizer),
    )


@functools.lru_cache(maxsize=64)
def per_parameter(network: Network, of_layers: tuple[float, ...]) -> np.ndarray:
    """Return a number of each Linear layer for each of its parameters, float64 (n_params,)."""
    sizes = [(layer.fan_in + layer.bias) * layer.fan_out for layer in network.linears]
    return np.repeat(np.array(of_layers, np.float64), sizes)


@functools.lru_cache(maxsize=64)
def _weights(network: Network) -> np.ndarray:
    """Return which of a network's parameters are weights, as 1, and which biases, as 0."""
    layout = make_layout(network)
    weights = np.ones(layout.n_params, np.int64)
    for layer in layout.layers:
        if layer.bias >= 0:
            weights[layer.bias : layer.bias + layer.n_out] = 0
    return weights


def _criteria(experiment: Experiment) -> Criteria:
    criteria, n = experiment.criteria, experiment.data.n_examples
    factor, norm = LOSSES[experiment.loss].factor / n, experiment.gradient_norm
    at_rest = {"gradient_norm": -1.0 if norm is None else norm, "gradient_scale": gradient_scale(experiment)}
    if criteria is None:
        return Criteria(math.inf, factor, math.inf, 0.0, keep_training=False, **at_rest)
    n_correct = 0
    if criteria.accuracy is not None:  # the fewest examples whose share, as a float, reaches the accuracy
        n_correct = math.floor(criteria.accuracy * n)
        n_correct += n_correct / n < criteria.accuracy
    return Criteria(
        loss=math.inf if criteria.loss is None else criteria.loss,
        loss_factor=factor,
        max_error=math.inf if criteria.max_error is None else criteria.max_error,
        n_correct=float(n_correct),
        keep_training=criteria.keep_training,
        **at_rest,
    )


def _limits(experiment: Experiment) -> Limits:
    early, restart = experiment.early_stopping, experiment.restart
    watch = early or restart  # there is no restart with EarlyStopping
    by_accuracy = restart is not None and restart.monitor == "accuracy"
    return Limits(
        epochs=experiment.epochs,
        check_every=experiment.check_every,
        restart_after=_NO_END if restart is None or restart.after is None else restart.after,
        restarts=experiment.epochs if restart is None or restart.at_most is None else restart.at_most,
        patience=0 if watch is None or watch.patience is None else watch.patience,
        min_delta=0.0 if watch is None else watch.min_delta * (experiment.data.n_examples if by_accuracy else 1),
        tol=-1.0 if early is None or early.tol is None else early.tol,
    )


def _dropout(experiment: Experiment) -> DropoutParams | None:
    """Return what masks are drawn from, None where there is no Dropout."""
    rates = np.array(experiment.network.dropout_rates)
    return DropoutParams(rates, (1 / (1 - rates)).astype(experiment.dtype)) if len(rates) else None


def _longest_attempt(experiment: Experiment) -> int:
    """Return the epochs that an attempt can have: a seed that converges and goes on does not start again."""
    criteria, restart = experiment.criteria, experiment.restart
    if restart is None or restart.after is None or restart.at_most is not None:
        return experiment.epochs
    if criteria is not None and criteria.keep_training:
        return experiment.epochs
    return min(experiment.epochs, restart.after)


def _schedule(experiment: Experiment, scale: float) -> np.ndarray | None:
    """Return the negative learning rate of each epoch of an attempt; fused, the scale of the deltas."""
    optimizer, epochs = experiment.optimizer, _longest_attempt(experiment)
    if optimizer.schedule is None:
        return None
    rates = np.asarray(optimizer.schedule.rates(optimizer.lr, epochs))
    table: np.ndarray = (-rates * scale if is_fused(experiment) else -rates).astype(experiment.dtype)
    if table.shape != (epochs,) or not np.isfinite(table).all():
        expected = f"a schedule that gives a finite learning rate for each of {epochs} epochs"
        raise InvalidExperiment("optimizer.schedule", optimizer.schedule, expected)
    return table


def layer_table(layout: Layout) -> tuple[np.ndarray, np.ndarray]:
    """Return a network's layers as kernels read them: passes.Table."""
    sizes = np.array([layer[:8] for layer in layout.rows], np.int64)
    return sizes, np.array([layer.argument for layer in layout.rows])


def _of_optimizer(experiment: Experiment) -> dict[str, Any]:
    """Return what numbers of the optimizer change, as long as the driver stays what it is."""
    batch, n, slope = experiment.batch_rows, experiment.data.n_examples, LOSSES[experiment.loss].slope
    last = n % batch or batch
    mean = experiment.reduction == "mean"
    step = -experiment.optimizer.lr if is_fused(experiment) else 1.0
    return {
        "scale": step * slope / (batch if mean else 1),
        "last_scale": step * slope / (last if mean else 1),
        "hyperparams": _hyperparams(experiment),
        "schedule": _schedule(experiment, slope),
    }


def make_kernel_params(experiment: Experiment, recording: Recording = NOTHING) -> KernelParams:
    """Return everything that a driver reads at run time."""
    layout, n, validation = make_layout(experiment.network), experiment.data.n_examples, experiment.validation
    batch = experiment.batch_rows
    flops = _block_flops(experiment)
    n_validation = 0 if validation is None else validation.n_examples
    sizes, arguments = layer_table(layout)
    return KernelParams(
        structure=structure(experiment, layout),
        sizes=sizes,
        arguments=arguments,
        n_examples=n,
        n_validation=n_validation,
        batch_size=batch,
        tile=tile_sizes(experiment),
        **_of_optimizer(experiment),
        criteria=_criteria(experiment),
        validation_factor=LOSSES[experiment.loss].factor / max(n_validation, 1),
        limits=_limits(experiment),
        dropout=_dropout(experiment),
        record_epochs=np.array(recording.epochs, np.int64) if recording.epochs else None,
        check_epochs=max(1, int(_CHECK_FLOPS / flops)),
        check_examples=batch * max(1, int(_CHECK_FLOPS / flops * n / batch)),
    )


def evaluation_kernel_params(whole: KernelParams, *, validation: bool = False) -> KernelParams:
    """Return them for evaluation on the training or the validation data: of one type for all experiments."""
    plain = whole._replace(
        structure=whole.structure._replace(terms=None),
        hyperparams=None,
        schedule=None,
        dropout=None,
        record_epochs=None,
    )
    if not validation:
        return plain
    criteria = whole.criteria._replace(loss_factor=whole.validation_factor)
    return plain._replace(n_examples=whole.n_validation, criteria=criteria)


def with_optimizer(
    experiment: Experiment, whole: KernelParams, before: Experiment, *, specialize: bool
) -> KernelParams | None:
    """Return what a driver reads where the optimizer alone is another one than before, None if the driver is another.

    `make_driver` would say so, too, and `make_kernel_params` this, in five times the time.
    """

    def compiled(of: Experiment) -> tuple[object, ...]:
        return type(of.optimizer), of.optimizer.schedule is None, is_fused(of), n_state(of), of.frozen_layers

    terms = _terms(experiment)
    if compiled(experiment) != compiled(before) or (specialize and terms != whole.structure.terms):
        return None
    tile = whole.tile if is_plain(experiment.optimizer) == is_plain(before.optimizer) else tile_sizes(experiment)
    return whole._replace(structure=whole.structure._replace(terms=terms), tile=tile, **_of_optimizer(experiment))


def with_epochs(experiment: Experiment, whole: KernelParams, epochs: int) -> KernelParams:
    """Return what a driver reads where so many epochs are run instead of those of the experiment."""
    restarts = epochs if experiment.restart is None or experiment.restart.at_most is None else whole.limits.restarts
    return whole._replace(limits=whole.limits._replace(epochs=epochs, restarts=restarts))


def with_lr(experiment: Experiment, whole: KernelParams, lr: float) -> KernelParams:
    """Return what a driver reads where the learning rate is another one; there is no schedule."""
    hyperparams = cast(Hyperparams, whole.hyperparams)._replace(lr=lr)
    if not is_fused(experiment):
        return whole._replace(hyperparams=hyperparams)
    scale = -lr * LOSSES[experiment.loss].slope  # of one example, which is a batch
    return whole._replace(hyperparams=hyperparams, scale=scale, last_scale=scale)


def evaluation_on(experiment: Experiment, plain: KernelParams, n_examples: int) -> KernelParams:
    """Return those of an evaluation on other examples, so many."""
    factor = LOSSES[experiment.loss].factor / n_examples
    return plain._replace(n_examples=n_examples, criteria=plain.criteria._replace(loss_factor=factor))


def gradient_scale(experiment: Experiment) -> float:
    """Return what multiplies a delta, so that gradients summed over examples are those of the mean loss."""
    return LOSSES[experiment.loss].slope / experiment.data.n_examples


def flops_per_epoch(experiment: Experiment) -> float:
    """Return about how many operations an epoch of one seed takes, the check of the criteria included."""
    weights, units = _weights_and_units(experiment.network)
    passes = 6 + (2 if experiment.stop is not None else 0) + (4 if experiment.gradient_norm is not None else 0)
    update = OPTIMIZERS[type(experiment.optimizer)].operations * experiment.n_params / experiment.batch_rows
    shuffle = 20 if experiment.order != "fixed" else 0
    training = experiment.data.n_examples * (passes * weights + 2 * units + update + shuffle)
    validation = 0 if experiment.validation is None else experiment.validation.n_examples * (2 * weights + units)
    return float(training + validation)


@functools.lru_cache(maxsize=1024)
def _weights_and_units(network: Network) -> tuple[int, int]:
    """Return the weights of a network, and the operations of its units in one pass."""
    weights = sum(layer.fan_in * layer.fan_out for layer in network.linears)
    units, width = 0, network.n_in
    for layer in network.layers:
        width = layer.fan_out if isinstance(layer, Linear) else width
        units += width * _unit_flops(layer)
    return weights, units


def _unit_flops(layer: Layer) -> int:
    """Return the operations of a unit of a layer in one pass, besides its weights."""
    if isinstance(layer, Activation):
        return ACTIVATIONS[type(layer)].operations
    return _DROPOUT_FLOPS if isinstance(layer, Dropout) else _LINEAR_FLOPS


def is_long(experiment: Experiment) -> bool:
    """Whether an epoch of a block is so long that a driver checks its cancel flag within it."""
    return _block_flops(experiment) > _CHECK_FLOPS


def _block_flops(experiment: Experiment) -> float:
    """Return the operations of an epoch of a block of as many lanes as are usual, or more."""
    lanes = vector_bytes() // np.dtype(experiment.dtype).itemsize if is_batched(experiment) else MAX_LANES
    return flops_per_epoch(experiment) * lanes
