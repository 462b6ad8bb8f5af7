"""One pass over the examples: shuffling, loading, the steps, the learning rate."""

from collections.abc import Callable
from typing import Any

from fastgrok.kernels.block import example_tile, load_example
from fastgrok.kernels.jit import device
from fastgrok.kernels.lanes import (
    beyond,
    fixed,
    gather,
    like,
    peek,
    repeat,
    scalar_view,
    splat_view,
    working_view,
)
from fastgrok.kernels.nn.batched import Step
from fastgrok.kernels.nn.deferred import DeferredPasses, Group
from fastgrok.kernels.target import DEFERRED
from fastgrok.kernels.train.criteria import drift
from fastgrok.kernels.train.holding import hold, leave_out_held
from fastgrok.kernels.train.known import guard
from fastgrok.kernels.train.masks import make_draw_masks
from fastgrok.kernels.train.parameters import DriverConfig


def make_shuffle(config: DriverConfig) -> Callable[..., Any]:
    """Return shuffle(workspace), which gives each lane its next order of the examples, where it is drawn."""
    reorder, lanes, word = config.reorder, config.lanes, config.order_word
    if reorder is None:

        @device
        def shuffle(workspace):
            """Leave the order as given."""
    else:

        @device
        def shuffle(workspace):
            for lane in range(lanes):
                reorder(workspace.states[lane, word:], workspace.order[:, lane])

    return shuffle


def make_rate(config: DriverConfig) -> Callable[..., Any]:
    """Return rate(like_this, workspace, kernel_params, done): what an epoch multiplies by, `done` epochs from now.

    Where backward is the update, that is the scale of the deltas, and else the negative learning rate, in each lane.
    """
    lanes, fused = config.lanes, config.fused
    if config.features.scheduled:

        @device
        def rate(like_this, workspace, kernel_params, done):
            return gather(splat_view(kernel_params.schedule, lanes), scalar_view(workspace.attempt_epoch), 0, 1, done)
    else:

        @device
        def rate(like_this, workspace, kernel_params, done):
            return like(like_this, kernel_params.scale if fused else -kernel_params.hyperparams.lr)

    return rate


def _example_loader(config: DriverConfig) -> Callable[..., Any]:
    """Return load(acts, examples, k, s), which puts the k-th example of an epoch into acts, and its masks."""
    load, draw_masks = _unmasked_loader(config), make_draw_masks(config)
    if draw_masks is None:
        return load

    @device
    def load_masked(acts, examples, k, s):
        load(acts, examples, k, s)
        draw_masks(acts, examples.masks, s)

    return load_masked


def _unmasked_loader(config: DriverConfig) -> Callable[..., Any]:
    lanes = config.lanes
    if config.reorder is not None:

        @device
        def load(acts, examples, k, s):
            for i in range(s.n_in):
                acts[i] = gather(examples.inputs, examples.order, k * lanes, s.n_in, i)
            for i in range(s.loss.n_out):
                acts[s.loss.target + i] = gather(examples.targets, examples.order, k * lanes, s.loss.n_out, i)

        return load
    return load_example


def _make_keep(steps: bool) -> Callable[..., Any]:
    @device
    def keep(memory, batch, s):
        """Keep the parameters after the update on a batch, if that is asked for."""
        if steps:
            for p in range(s.n_params):
                memory.steps[batch * s.n_params + p] = memory.params[p]

    return keep


def _make_step(config: DriverConfig) -> Callable[..., Any]:
    """Return step(memory, grad_out, examples, table, k, s, scale): add the gradients of one example to grad_out."""
    load = _example_loader(config)
    forward, backward, _, loss_backward = config.passes

    @device
    def step(memory, grad_out, examples, table, k, s, scale):
        load(memory.acts, examples, k, s)
        forward(memory.acts, memory.params, table, s.n_layers)
        loss_backward(memory.deltas, memory.acts, scale, s.loss)
        backward(memory.deltas, grad_out, memory.params, memory.acts, table, s.n_backward)

    return step


def _make_train_on(config: DriverConfig) -> Callable[..., Any]:
    """Return train_on(memory, examples, table, kernel_params, s, rate, scale, first, last): train on one batch."""
    step, load = _make_step(config), _example_loader(config)
    update, holds = config.update, config.features.holds
    if config.batched is None or config.single:

        @device
        def add_example(k, scale, memory, examples, table, s):
            step(memory, memory.grads, examples, table, k, s, scale)
            return scale

        @device
        def train_on(memory, examples, table, kernel_params, s, rate, scale, first, last):
            for p in range(s.n_params):
                memory.grads[p] = like(memory.acts[0], 0.0)
            repeat(add_example, first, last, scale, (memory, examples, table, s))
            hyperparams = kernel_params.hyperparams
            if holds:
                leave_out_held(memory.grads, memory.held, s.n_params)
            update(memory.params, memory.optimizer_state, memory.grads, rate, s.n_params, s.terms, hyperparams)
            if holds:
                hold(memory.params, memory.held, s.n_params)
            guard(memory.params, memory.grads)

        return train_on

    (forward, backward), loss_backward = config.batched, config.passes.loss_backward

    @device
    def train_on_tiles(memory, examples, table, kernel_params, s, rate, scale, first, last):
        minus_lr = working_view(memory.params, 1)
        minus_lr[0] = rate
        for start in range(first, last, kernel_params.tile.n_examples):
            tile = example_tile(kernel_params.tile, first, start, last)
            for e in range(tile.n_examples):
                load(beyond(memory.acts, e * tile.stride), examples, start + e, s)
            forward(memory.acts, memory.params, table, s.n_layers, tile)
            for e in range(tile.n_examples):
                acts, deltas = beyond(memory.acts, e * tile.stride), beyond(memory.deltas, e * tile.stride)
                loss_backward(deltas, acts, scale, s.loss)
            descent = Step(kernel_params.tile.takes_step and start + tile.n_examples == last, minus_lr)
            backward(memory.deltas, memory.grads, memory.params, memory.acts, table, s.n_backward, tile, descent)
        if not kernel_params.tile.takes_step:
            hyperparams = kernel_params.hyperparams
            if holds:
                leave_out_held(memory.grads, memory.held, s.n_params)
            update(memory.params, memory.optimizer_state, memory.grads, rate, s.n_params, s.terms, hyperparams)
        if holds:
            hold(memory.params, memory.held, s.n_params)

    return train_on_tiles


def _deferred_stretch(config: DriverConfig, passes: DeferredPasses) -> Callable[..., Any]:
    """Return the stretch that writes updates every few examples, and all of them at its end."""
    load, loss_backward = _example_loader(config), config.passes.loss_backward
    forward, backward, write_first = passes

    @device
    def group_at(memory, stride, number, place, is_last):
        first = number % 2 * DEFERRED * stride
        return Group(beyond(memory.acts, first), beyond(memory.deltas, first), stride, place, is_last)

    @device
    def stretch(memory, examples, table, kernel_params, s, rate, start, end):
        """Train on the examples from start to end; the deltas carry -lr."""
        stride, number, waiting = kernel_params.tile.stride, 0, 0
        for first in range(start, end, DEFERRED):
            last = min(first + DEFERRED, end)
            for k in range(first, last):
                group = group_at(memory, stride, number, k - first, k + 1 == last)
                before = group_at(memory, stride, number + 1, waiting, True)
                acts = beyond(group.acts, group.place * stride)
                load(acts, examples, k, s)
                forward(group, before, memory.params, table, s.n_layers)
                loss_backward(beyond(group.deltas, group.place * stride), acts, rate, s.loss)
                backward(group, memory.params, table, s.n_backward)
                waiting = 0
            waiting = last - first
            number += 1
        group, before = group_at(memory, stride, number, 0, True), group_at(memory, stride, number + 1, waiting, True)
        write_first(group, before, memory.params, table)

    return stretch


def make_epoch(config: DriverConfig) -> Callable[..., Any]:
    """Return epoch(memory, examples, table, kernel_params, s, rate, cancel)."""
    step, keep = _make_step(config), _make_keep(config.features.steps)
    train_on, single, holds = _make_train_on(config), config.single, config.features.holds

    if config.deferred is not None:
        stretch = _deferred_stretch(config, config.deferred)
    elif config.fused:

        @device
        def train_on_example(k, rate, memory, examples, table, s):
            step(memory, memory.params, examples, table, k, s, rate)
            if holds:
                hold(memory.params, memory.held, s.n_params)
            drift(memory, s)
            keep(memory, k, s)
            return rate

        @device
        def stretch(memory, examples, table, kernel_params, s, rate, start, end):
            """Train on the examples from start to end; the deltas carry -lr, so that backward is the update."""
            repeat(train_on_example, start, end, rate, (memory, examples, table, s))
    else:

        @device
        def train_on_batch(b, rate, memory, examples, table, kernel_params, s, size, end):
            first = b * size
            last = min(first + size, end)
            scale = like(memory.acts[0], kernel_params.scale if last - first == size else kernel_params.last_scale)
            train_on(memory, examples, table, kernel_params, s, rate, scale, first, last)
            keep(memory, b, s)
            return rate

        @device
        def stretch(memory, examples, table, kernel_params, s, rate, start, end):
            """Train on the examples from start to end, which begins a batch, batch by batch."""
            size = 1 if single else fixed("batch_size", kernel_params.batch_size)
            others = (memory, examples, table, kernel_params, s, size, end)
            repeat(train_on_batch, start // size, (end + size - 1) // size, rate, others)

    if config.long_epochs:

        @device
        def epoch(memory, examples, table, kernel_params, s, rate, cancel):
            """One pass over the examples, left early when cancelled."""
            for start in range(0, kernel_params.n_examples, kernel_params.check_examples):
                if peek(cancel):
                    break
                end = min(start + kernel_params.check_examples, kernel_params.n_examples)
                stretch(memory, examples, table, kernel_params, s, rate, start, end)
    else:

        @device
        def epoch(memory, examples, table, kernel_params, s, rate, cancel):
            """One pass over the examples."""
            stretch(memory, examples, table, kernel_params, s, rate, 0, fixed("n_examples", kernel_params.n_examples))

    return epoch
