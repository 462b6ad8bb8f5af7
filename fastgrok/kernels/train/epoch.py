"""One pass over the examples: shuffling, loading, the steps, the learning rate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastgrok.kernels.block import load_example
from fastgrok.kernels.jit import device
from fastgrok.kernels.lanes import gather, like, peek, scalar_view, splat_view
from fastgrok.kernels.nn.losses import loss_backward
from fastgrok.kernels.nn.optimizers import adam_update, sgd_update
from fastgrok.kernels.train.plan import Design


def make_shuffle(design: Design) -> Callable[..., Any]:
    """Return shuffle(work), which gives each lane its next permutation of the examples, if there are any."""
    permute, lanes, word = design.permute, design.lanes, design.shuffle_word
    if permute is None:

        @device
        def shuffle(work):
            """Leave the order as given."""
    else:

        @device
        def shuffle(work):
            for lane in range(lanes):
                permute(work.states[lane, word:], work.order[:, lane])

    return shuffle


def make_rate(design: Design) -> Callable[..., Any]:
    """Return rate(work, plan, done): what the epoch after `done` more ones multiplies by, in each lane.

    Where backward is the update that is the scale of the deltas, and else the negative learning rate.
    """
    lanes, fused = design.lanes, design.fused
    if design.regime.scheduled:

        @device
        def rate(like_this, work, plan, done):
            return gather(splat_view(plan.schedule, lanes), scalar_view(work.clock), 0, 1, done)
    else:

        @device
        def rate(like_this, work, plan, done):
            return like(like_this, plan.scale if fused else -plan.rates.lr)

    return rate


def _example_loader(shuffled: bool, lanes: int) -> Callable[..., Any]:
    if shuffled:

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


def make_epoch(design: Design) -> Callable[..., Any]:
    """Return epoch(memory, examples, table, plan, s, rate, cancel)."""
    load, keep = _example_loader(design.permute is not None, design.lanes), _make_keep(design.regime.steps)
    forward, backward = design.passes
    update = adam_update if design.regime.adam else sgd_update

    @device
    def step(memory, into, examples, table, k, s, scale):
        load(memory.acts, examples, k, s)
        forward(memory.acts, memory.params, table, s.n_layers)
        loss_backward(memory.deltas, memory.acts, scale, s.loss)
        backward(memory.deltas, into, memory.params, memory.acts, table, s.n_backward)

    if design.fused:

        @device
        def stretch(memory, examples, table, plan, s, rate, start, end):
            """Train on the examples from start to end; the deltas carry -lr, so that backward is the update."""
            for k in range(start, end):
                step(memory, memory.params, examples, table, k, s, rate)
                keep(memory, k, s)
    else:

        @device
        def train_on(memory, examples, table, plan, s, rate, scale, first, last):
            """Train on one batch."""
            for p in range(s.n_params):
                memory.grads[p] = like(memory.acts[0], 0.0)
            for k in range(first, last):
                step(memory, memory.grads, examples, table, k, s, scale)
            update(memory.params, memory.moments, memory.grads, rate, s.n_params, s.terms, plan.rates)

    if design.single and not design.fused:

        @device
        def stretch(memory, examples, table, plan, s, rate, start, end):
            """Train on the examples from start to end, one by one."""
            scale = like(memory.acts[0], plan.scale)
            for k in range(start, end):
                train_on(memory, examples, table, plan, s, rate, scale, k, k + 1)
                keep(memory, k, s)

    elif not design.fused:

        @device
        def stretch(memory, examples, table, plan, s, rate, start, end):
            """Train on the examples from start to end, batch by batch."""
            for first in range(start, end, plan.batch_size):
                last = min(first + plan.batch_size, end)
                whole = last - first == plan.batch_size
                scale = like(memory.acts[0], plan.scale if whole else plan.last_scale)
                train_on(memory, examples, table, plan, s, rate, scale, first, last)
                keep(memory, first // plan.batch_size, s)

    if design.long_epochs:

        @device
        def epoch(memory, examples, table, plan, s, rate, cancel):
            """One pass over the examples, left early when cancelled."""
            for start in range(0, plan.n_examples, plan.check_examples):
                if peek(cancel):
                    break
                end = min(start + plan.check_examples, plan.n_examples)
                stretch(memory, examples, table, plan, s, rate, start, end)
    else:

        @device
        def epoch(memory, examples, table, plan, s, rate, cancel):
            """One pass over the examples."""
            stretch(memory, examples, table, plan, s, rate, 0, plan.n_examples)

    return epoch
