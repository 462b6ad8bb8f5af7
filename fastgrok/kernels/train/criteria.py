"""What is checked between two epochs: the criteria, the gradient, the validation loss, which units are dead."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fastgrok.kernels.block import Examples, example_tile, load_example, load_tile, mark_alive, norm
from fastgrok.kernels.jit import device
from fastgrok.kernels.lanes import beyond, both, fixed, fma, lane_bits, lane_view, like, repeat, select, splat_view
from fastgrok.kernels.nn.batched import Step
from fastgrok.kernels.nn.losses import add_correct, larger_error
from fastgrok.kernels.nn.passes import layer_at
from fastgrok.kernels.train.holding import leave_out_held
from fastgrok.kernels.train.parameters import DriverConfig


def _make_measure(config: DriverConfig) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return begin(memory, workspace, examples, table, kernel_params, s) and go_on(sums, ...), on the training data.

    They sum losses, the largest error and the number of correct examples, and gradients where these are checked.
    `begin` takes example 0, if they are taken one by one, `go_on` all others.
    """
    forward, backward_one, add_loss, loss_backward = config.passes
    features, lanes = config.features, config.lanes
    tracks, rests, by_accuracy = features.tracks, features.rests, features.by_accuracy

    @device
    def judge(sums, acts, s):
        total, largest, n_correct = sums
        total = add_loss(total, acts, s.loss)
        if s.check_error:
            largest = larger_error(largest, acts, s.loss)
        if by_accuracy or s.check_accuracy:
            n_correct = add_correct(n_correct, acts, s.loss)
        return total, largest, n_correct

    @device
    def add_example(k, sums, memory, alive, gradient, examples, table, scale, s):
        load_example(memory.acts, examples, k, s)
        forward(memory.acts, memory.params, table, s.n_layers)
        if tracks:
            mark_alive(alive, memory.acts, table, s.n_layers)
        if rests:
            loss_backward(memory.deltas, memory.acts, like(sums[0], scale), s.loss)
            backward_one(memory.deltas, gradient, memory.params, memory.acts, table, s.n_backward)
        return judge(sums, memory.acts, s)

    @device
    def nothing(memory, workspace, s):
        zero = like(memory.params[0], 0.0)
        if rests:
            gradient = lane_view(workspace.gradient, lanes)
            for p in range(s.n_params):
                gradient[p] = zero
        return zero, zero, zero

    if config.batched is not None:
        forward_tile, backward_tile = config.batched

        @device
        def begin(memory, workspace, examples, table, kernel_params, s):
            return nothing(memory, workspace, s)

        @device
        def go_on(sums, memory, workspace, examples, table, kernel_params, s):
            n, scale = kernel_params.n_examples, kernel_params.criteria.gradient_scale
            for start in range(0, n, kernel_params.tile.n_examples):
                tile = example_tile(kernel_params.tile, 0, start, n)
                load_tile(memory.acts, examples, start, tile, s)
                forward_tile(memory.acts, memory.params, table, s.n_layers, tile)
                for e in range(tile.n_examples):
                    acts = beyond(memory.acts, e * tile.stride)
                    sums = judge(sums, acts, s)
                    if tracks:
                        mark_alive(lane_view(workspace.dead_units.alive, lanes), acts, table, s.n_layers)
                    if rests:
                        loss_backward(beyond(memory.deltas, e * tile.stride), acts, like(sums[0], scale), s.loss)
                if rests:
                    gradient, no_step = lane_view(workspace.gradient, lanes), Step(False, memory.params)
                    n_back = s.n_backward
                    backward_tile(memory.deltas, gradient, memory.params, memory.acts, table, n_back, tile, no_step)
            return sums

        return begin, go_on

    @device
    def begin_with_example(memory, workspace, examples, table, kernel_params, s):
        alive = lane_view(workspace.dead_units.alive, lanes) if tracks else None
        gradient = lane_view(workspace.gradient, lanes) if rests else None
        scale = kernel_params.criteria.gradient_scale
        return add_example(0, nothing(memory, workspace, s), memory, alive, gradient, examples, table, scale, s)

    @device
    def add_others(sums, memory, workspace, examples, table, kernel_params, s):
        alive = lane_view(workspace.dead_units.alive, lanes) if tracks else None
        gradient = lane_view(workspace.gradient, lanes) if rests else None
        n, scale = fixed("n_examples", kernel_params.n_examples), kernel_params.criteria.gradient_scale
        return repeat(add_example, 1, n, sums, (memory, alive, gradient, examples, table, scale, s))

    return begin_with_example, add_others


def _make_track(lanes: int) -> Callable[..., Any]:
    @device
    def track(workspace, table, s, due, done):
        """Note the units of the due lanes that have died or revived, and forget the marks."""
        alive, unit = lane_view(workspace.dead_units.alive, lanes), 0
        zero = like(alive[0], 0.0)
        for m in range(s.n_layers):
            layer = layer_at(table, m)
            if not layer.is_relu:
                continue
            for place in range(layer.inp, layer.inp + layer.n_in):
                dead = lane_bits(alive[place] == zero)
                changed = (dead ^ workspace.dead_units.dead[unit]) & due
                alive[place] = zero
                if changed:
                    workspace.dead_units.dead[unit] ^= changed
                    for lane in range(lanes):
                        if (changed >> lane) & 1:
                            since = workspace.epochs[lane] + done if (dead >> lane) & 1 else -1
                            workspace.dead_units.since[unit, lane] = since
                unit += 1

    return track


@device
def begin_drift(memory):
    """Know nothing of the parameters of any lane."""
    if fixed("most_drift", 0.0) > 0:
        memory.drift[0] = like(memory.params[0], float("inf"))


@device
def drift(memory, s):
    """Count the step of an example."""
    if fixed("most_drift", 0.0) > 0:
        for k in range(s.loss.n_out):
            delta = memory.deltas[s.loss.delta + k]
            memory.drift[0] = fma(delta, delta, memory.drift[0])


@device
def _look_at_drift(memory, s):
    """Count anew in the lanes whose parameters are small enough."""
    squares = like(memory.params[0], 0.0)
    for p in range(s.n_params):
        squares = fma(memory.params[p], memory.params[p], squares)
    small = squares <= like(squares, fixed("most_squares", 0.0))
    memory.drift[0] = select(small, like(squares, 0.0), like(squares, float("inf")))


@device
def _no_news(first, memory, kernel_params, lane_sets):
    """Whether the sums of example 0 tell that no lane has news.

    So it is where its loss alone is too large in each lane, and no loss can have overflowed in any: the drift from
    where a lane's parameters were last looked at says how far they can have come (engine/drift.py).
    """
    active, waiting, _ = lane_sets
    loss, criteria = first[0], kernel_params.criteria
    too_large = loss * like(loss, criteria.loss_factor) > like(loss, criteria.loss)
    memory.drift[0] = memory.drift[0] + like(loss, fixed("drift_of_epoch", 0.0))
    finite = memory.drift[0] <= like(loss, fixed("most_drift", 0.0))
    if not active & ~lane_bits(both(too_large, finite)):
        return True
    return not (waiting & ~lane_bits(too_large)) and not (active & ~lane_bits(finite))


def _make_keep_best(config: DriverConfig, *, ends: bool) -> Callable[..., Any]:
    """Return keep_best(state, loss, memory, workspace, kernel_params, s, done), for the lanes that are due.

    ends: whether it is the loss that ends seeds, so that it is best by a rule, and its parameters may be restored.
    """
    lanes, restores = config.lanes, ends and config.features.restores
    tracks = restores and config.features.tracks

    @device
    def keep_params(state, better, memory, s):
        kept = lane_view(state.params, lanes)
        for p in range(s.n_params):
            kept[p] = select(better, memory.params[p], kept[p])

    @device
    def keep_best(state, loss, memory, workspace, kernel_params, s, done):
        best, limits = lane_view(state.loss, lanes), kernel_params.limits
        is_due = lane_view(workspace.due, lanes)[0] == like(loss, 1.0)
        better = both(loss < best[0] - like(loss, limits.min_delta if ends else 0.0), is_due)
        enough, improved = lane_bits(better), lane_bits(better)
        if ends and limits.tol >= 0.0:
            enough = lane_bits(both(loss <= best[0] - like(loss, limits.tol), is_due))
        if improved:
            best[0] = select(better, loss, best[0])
            if restores:
                keep_params(state, better, memory, s)
        for lane in range(lanes if improved | enough else 0):
            epoch = workspace.epochs[lane] + done
            if (enough >> lane) & 1:
                state.improved[lane] = epoch
            if (improved >> lane) & 1:
                state.epoch[lane] = epoch
                if tracks:
                    for unit in range(workspace.dead_units.since.shape[0]):
                        workspace.dead_units.best[unit, lane] = workspace.dead_units.since[unit, lane]

    return keep_best


def make_check_criteria(config: DriverConfig) -> Callable[..., Any]:
    """Return check_criteria(memory, examples, table, workspace, kernel_params, s, lane_sets, done).

    It gives the lanes whose parameters meet every criterion, those whose loss is not finite, and those whose gradient
    is small enough, as bits.
    """
    (begin, go_on), track, lanes = _make_measure(config), _make_track(config.lanes), config.lanes
    features, keep_best = config.features, _make_keep_best(config, ends=True)
    tracks, monitors, rests = features.tracks, features.monitors, features.rests
    stagnates, by_accuracy, holds = features.stagnates, features.by_accuracy, features.holds
    may_end_early = config.fused and not (features.skips or monitors or stagnates or rests)

    @device
    def check_criteria(memory, examples, table, workspace, kernel_params, s, lane_sets, done):
        sums, due = begin(memory, workspace, examples, table, kernel_params, s), lane_sets[2]
        if may_end_early and fixed("most_drift", 0.0) > 0:
            if _no_news(sums, memory, kernel_params, lane_sets):
                return np.int64(0), np.int64(0), np.int64(0)
            _look_at_drift(memory, s)
        total, largest, n_correct = go_on(sums, memory, workspace, examples, table, kernel_params, s)
        if tracks:
            track(workspace, table, s, due, done)
        if not (s.stopping or monitors or rests):
            return np.int64(0), np.int64(0), np.int64(0)
        loss = total * like(total, kernel_params.criteria.loss_factor)
        if monitors:
            keep_best(workspace.training, loss, memory, workspace, kernel_params, s, done)
        if stagnates:
            watched = like(loss, 0.0) - n_correct if by_accuracy else loss
            keep_best(workspace.watched, watched, memory, workspace, kernel_params, s, done)
        rested = np.int64(0)
        if rests:
            gradient = lane_view(workspace.gradient, lanes)
            if holds:
                leave_out_held(gradient, memory.held, s.n_params)
            length = norm(gradient, 0, s.n_params)
            rested = lane_bits(length <= like(length, kernel_params.criteria.gradient_norm)) & due
        met = loss <= like(loss, kernel_params.criteria.loss)
        if s.check_error:
            met = both(met, largest <= like(loss, kernel_params.criteria.max_error))
        if s.check_accuracy:
            met = both(met, n_correct >= like(loss, kernel_params.criteria.n_correct))
        finite = loss < like(loss, float("inf"))
        met = both(met, finite)
        return lane_bits(met) & due if s.stopping else np.int64(0), ~lane_bits(finite) & due, rested

    return check_criteria


def _make_add_losses(config: DriverConfig) -> Callable[..., Any]:
    """Return add_losses(total, memory, held_out, table, kernel_params, s), of the validation data."""
    forward, add_loss = config.passes.forward, config.passes.add_loss
    if config.batched is None:

        @device
        def add_losses(total, memory, held_out, table, kernel_params, s):
            for k in range(kernel_params.n_validation):
                load_example(memory.acts, held_out, k, s)
                forward(memory.acts, memory.params, table, s.n_layers)
                total = add_loss(total, memory.acts, s.loss)
            return total

        return add_losses

    forward_tile = config.batched.forward

    @device
    def add_losses_of_tiles(total, memory, held_out, table, kernel_params, s):
        n = kernel_params.n_validation
        for start in range(0, n, kernel_params.tile.n_examples):
            tile = example_tile(kernel_params.tile, 0, start, n)
            load_tile(memory.acts, held_out, start, tile, s)
            forward_tile(memory.acts, memory.params, table, s.n_layers, tile)
            for e in range(tile.n_examples):
                total = add_loss(total, beyond(memory.acts, e * tile.stride), s.loss)
        return total

    return add_losses_of_tiles


def make_validate(config: DriverConfig) -> Callable[..., Any]:
    """Return validate(memory, data, table, workspace, kernel_params, s, done).

    It keeps the best validation loss of the due lanes, its epoch and, where they are restored, its parameters; the
    lanes whose validation loss is not finite come back as bits.
    """
    add_losses, lanes, features = _make_add_losses(config), config.lanes, config.features
    keep_best = _make_keep_best(config, ends=features.stops_early and not features.monitors)

    @device
    def validate(memory, data, table, workspace, kernel_params, s, done):
        held_out = Examples(splat_view(data.inputs, lanes), splat_view(data.targets, lanes), None, None)
        total = add_losses(like(memory.params[0], 0.0), memory, held_out, table, kernel_params, s)
        loss = total * like(total, kernel_params.validation_factor)
        keep_best(workspace.validation, loss, memory, workspace, kernel_params, s, done)
        return ~lane_bits(loss < like(loss, float("inf")))

    return validate
