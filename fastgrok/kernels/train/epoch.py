"""One pass over the examples: shuffling, loading, the steps, the learning rate."""

from collections.abc import Callable
from typing import Any

from fastgrok.kernels.block import example_tile, load_example
from fastgrok.kernels.jit import device
from fastgrok.kernels.lanes import Step, beyond, gather, like, peek, scalar_view, splat_view, unrolled, working_view
from fastgrok.kernels.train.known import make_guard
from fastgrok.kernels.train.parameters import DriverConfig, KnownExamples


def make_shuffle(config: DriverConfig) -> Callable[..., Any]:
    """Return shuffle(workspace), which gives each lane its next permutation of the examples, if there are any."""
    permute, lanes, word = config.permute, config.lanes, config.shuffle_word
    if permute is None:

        @device
        def shuffle(workspace):
            """Leave the order as given."""
    else:

        @device
        def shuffle(workspace):
            for lane in range(lanes):
                permute(workspace.states[lane, word:], workspace.order[:, lane])

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


def _known_stretch(
    config: DriverConfig, known: KnownExamples, step: Callable[..., Any], keep: Callable[..., Any]
) -> Callable[..., Any]:
    """Return the stretch that is an epoch on known examples, written out."""
    n, batch = len(known.data.inputs), known.batch_size
    n_batches, update, guard = -(-n // batch), config.update, make_guard(config)

    if config.fused:

        @device
        def train_on(k, end, memory, examples, table, s, rate, scales, hyperparams):
            step(memory, memory.params, examples, table, k, s, rate)
            keep(memory, k, s)
            return end
    else:

        @device
        def add_example(place, first, memory, examples, table, s, scale):
            if first + place < n:
                step(memory, memory.grads, examples, table, first + place, s, scale)
            return first

        @device
        def train_on(b, end, memory, examples, table, s, rate, scales, hyperparams):
            for p in range(s.n_params):
                memory.grads[p] = like(memory.acts[0], 0.0)
            first = b * batch
            scale = like(memory.acts[0], scales[0] if first + batch <= n else scales[1])
            unrolled(add_example, batch, first, (memory, examples, table, s, scale))
            update(memory.params, memory.optimizer_state, memory.grads, rate, s.n_params, s.terms, hyperparams)
            guard(memory.params, memory.grads)
            keep(memory, b, s)
            return end

    @device
    def stretch(memory, examples, table, kernel_params, s, rate, start, end):
        scales = (kernel_params.scale, kernel_params.last_scale)
        unrolled(train_on, n_batches, end, (memory, examples, table, s, rate, scales, kernel_params.hyperparams))

    return stretch


def _make_step(config: DriverConfig) -> Callable[..., Any]:
    """Return step(memory, grad_out, examples, table, k, s, scale): add the gradients of one example to grad_out."""
    load = _example_loader(config.permute is not None, config.lanes)
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
    step, load = _make_step(config), _example_loader(config.permute is not None, config.lanes)
    update = config.update
    if config.batched is None or config.single:

        @device
        def train_on(memory, examples, table, kernel_params, s, rate, scale, first, last):
            for p in range(s.n_params):
                memory.grads[p] = like(memory.acts[0], 0.0)
            for k in range(first, last):
                step(memory, memory.grads, examples, table, k, s, scale)
            hyperparams = kernel_params.hyperparams
            update(memory.params, memory.optimizer_state, memory.grads, rate, s.n_params, s.terms, hyperparams)

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
            update(memory.params, memory.optimizer_state, memory.grads, rate, s.n_params, s.terms, hyperparams)

    return train_on_tiles


def make_epoch(config: DriverConfig) -> Callable[..., Any]:
    """Return epoch(memory, examples, table, kernel_params, s, rate, cancel)."""
    step, keep = _make_step(config), _make_keep(config.features.steps)
    train_on = _make_train_on(config)

    if config.known is not None:
        stretch = _known_stretch(config, config.known, step, keep)
    elif config.fused:

        @device
        def stretch(memory, examples, table, kernel_params, s, rate, start, end):
            """Train on the examples from start to end; the deltas carry -lr, so that backward is the update."""
            for k in range(start, end):
                step(memory, memory.params, examples, table, k, s, rate)
                keep(memory, k, s)

    if config.known is None and config.single and not config.fused:

        @device
        def stretch(memory, examples, table, kernel_params, s, rate, start, end):
            """Train on the examples from start to end, one by one."""
            scale = like(memory.acts[0], kernel_params.scale)
            for k in range(start, end):
                train_on(memory, examples, table, kernel_params, s, rate, scale, k, k + 1)
                keep(memory, k, s)

    elif config.known is None and not config.fused:

        @device
        def stretch(memory, examples, table, kernel_params, s, rate, start, end):
            """Train on the examples from start to end, batch by batch."""
            for first in range(start, end, kernel_params.batch_size):
                last = min(first + kernel_params.batch_size, end)
                whole = last - first == kernel_params.batch_size
                scale = like(memory.acts[0], kernel_params.scale if whole else kernel_params.last_scale)
                train_on(memory, examples, table, kernel_params, s, rate, scale, first, last)
                keep(memory, first // kernel_params.batch_size, s)

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
            stretch(memory, examples, table, kernel_params, s, rate, 0, kernel_params.n_examples)

    return epoch
