"""The training driver: run a block of lanes, retire the lanes that are finished, refill them with the next seeds.

`make_train` assembles it from parts, so that the general and the specialised driver are the same source: they differ
in the passes through the network (network.py), in whether the structure of the experiment is an argument or a
constant, and in whether the parameters of a block are worked on in memory or in registers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from fastgrok.kernels.block import Block, load_example, make_view, put_params
from fastgrok.kernels.jit import device, kernel
from fastgrok.kernels.lanes import (
    align_stack,
    both,
    gather,
    lane_bits,
    like,
    peek,
    scalar_view,
    working_view,
)
from fastgrok.kernels.losses import add_hit, add_loss, larger_error, loss_backward
from fastgrok.kernels.network import Passes
from fastgrok.kernels.optimizers import sgd_update
from fastgrok.kernels.plan import Structure


class Design(NamedTuple):
    """The choices that a driver is compiled for."""

    lanes: int
    fused: bool  # per-example plain SGD: backward itself updates the parameters
    long_epochs: bool  # look at the cancel flag within an epoch too, which costs tiny networks a twentieth
    permute: Callable[..., Any] | None  # shuffles the order of the examples, where they are shuffled
    passes: Passes
    structure: Structure | None  # None: read from the plan
    registers: tuple[int, int, int, int]  # vectors of params, moments, grads, acts to work on in registers; 0: memory


def _structure_reader(structure: Structure | None) -> Callable[..., Any]:
    if structure is None:

        @device
        def read(plan):
            return plan.structure
    else:

        @device
        def read(plan):
            return structure

    return read


def _shuffler(permute: Callable[..., Any] | None, lanes: int) -> Callable[..., Any]:
    if permute is None:

        @device
        def shuffle(work):
            """Leave the order as given."""
    else:

        @device
        def shuffle(work):
            """Give each lane its next permutation of the examples."""
            for lane in range(lanes):
                permute(work.states[lane], work.order[:, lane])

    return shuffle


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


def _epoch(design: Design) -> Callable[..., Any]:
    load = _example_loader(design.permute is not None, design.lanes)
    forward, backward = design.passes

    @device
    def step(memory, into, examples, table, k, s, scale):
        load(memory.acts, examples, k, s)
        forward(memory.acts, memory.params, table, s.n_layers)
        loss_backward(memory.deltas, memory.acts, scale, s.loss)
        backward(memory.deltas, into, memory.params, memory.acts, table, s.n_backward)

    if design.fused:

        @device
        def stretch(memory, examples, table, plan, s, start, end):
            """Train on the examples from start to end; the deltas carry -lr, so that backward is the update."""
            scale = like(memory.acts[0], plan.scale)
            for k in range(start, end):
                step(memory, memory.params, examples, table, k, s, scale)
    else:

        @device
        def stretch(memory, examples, table, plan, s, start, end):
            """Train on the examples from start to end, batch by batch."""
            for first in range(start, end, plan.batch_size):
                last = min(first + plan.batch_size, end)
                whole = last - first == plan.batch_size
                scale = like(memory.acts[0], plan.scale if whole else plan.last_scale)
                for p in range(s.n_params):
                    memory.grads[p] = like(memory.acts[0], 0.0)
                for k in range(first, last):
                    step(memory, memory.grads, examples, table, k, s, scale)
                sgd_update(memory.params, memory.moments, memory.grads, s.n_params, s.terms, plan.rates)

    if design.long_epochs:

        @device
        def epoch(memory, examples, table, plan, s, cancel):
            """One pass over the examples, left early when cancelled."""
            for start in range(0, plan.n_examples, plan.check_examples):
                if peek(cancel):
                    break
                end = min(start + plan.check_examples, plan.n_examples)
                stretch(memory, examples, table, plan, s, start, end)
    else:

        @device
        def epoch(memory, examples, table, plan, s, cancel):
            """One pass over the examples."""
            stretch(memory, examples, table, plan, s, 0, plan.n_examples)

    return epoch


def _criteria(passes: Passes) -> Callable[..., Any]:
    forward = passes.forward

    @device
    def check(memory, examples, table, plan, s):
        """Return the lanes whose parameters meet every criterion, and those whose loss is not finite, as bits."""
        zero = like(memory.params[0], 0.0)
        total, largest, hits = zero, zero, zero
        for k in range(plan.n_examples):
            load_example(memory.acts, examples, k, s)
            forward(memory.acts, memory.params, table, s.n_layers)
            total = add_loss(total, memory.acts, s.loss)
            if s.check_error:
                largest = larger_error(largest, memory.acts, s.loss)
            if s.check_hits:
                hits = add_hit(hits, memory.acts, s.loss)
        loss = total * like(zero, plan.criteria.loss_factor)
        met = loss <= like(zero, plan.criteria.loss)
        if s.check_error:
            met = both(met, largest <= like(zero, plan.criteria.max_error))
        if s.check_hits:
            met = both(met, hits >= like(zero, plan.criteria.hits))
        finite = loss < like(zero, float("inf"))
        return lane_bits(both(met, finite)), ~lane_bits(finite)

    return check


def _run_epochs(design: Design) -> Callable[..., Any]:
    shuffle = _shuffler(design.permute, design.lanes)
    epoch, check = _epoch(design), _criteria(design.passes)
    n_params, n_moments, n_grads, n_acts = design.registers

    @device
    def run_epochs(views, work, plan, s, lane_sets, budget, cancel):
        """Run up to `budget` epochs, stopping after the first in which a lane has news.

        Returns the number of epochs, the lanes that meet the criteria and those that are not finite.
        """
        block, examples, table = views
        memory = Block(
            working_view(block.params, n_params),
            working_view(block.moments, n_moments),
            working_view(block.grads, n_grads),
            working_view(block.acts, n_acts),
            working_view(block.deltas, n_acts),
        )
        for p in range(n_params):
            memory.params[p] = block.params[p]
        for p in range(n_moments):
            memory.moments[p] = block.moments[p]
        active, waiting = lane_sets
        done, met, broken = 0, 0, 0
        while done < budget:
            shuffle(work)
            epoch(memory, examples, table, plan, s, cancel)
            done += 1
            if s.stopping:
                met, broken = check(memory, examples, table, plan, s)
                if (met & waiting) | (broken & active):
                    break
        for p in range(n_params):
            block.params[p] = memory.params[p]
        for p in range(n_moments):
            block.moments[p] = memory.moments[p]
        return done, met, broken

    return run_epochs


@device
def _fill(work, lane, seed, params, states):
    """Put a seed into a lane: its parameters, its stream, no momentum, no epochs."""
    put_params(work, lane, params, seed)
    for p in range(work.moments.shape[0]):
        work.moments[p, lane] = 0.0
    for word in range(states.shape[1]):
        work.states[lane, word] = states[seed, word]
    work.epochs[lane] = 0


def make_train(design: Design, key: tuple[object, ...]) -> Any:
    """Compile a driver.

    The kernel's arguments are train(params, epochs_run, epochs_to_converge, states, work, data, plan, cancel):

    params : (n_seeds, n_params)
        The initial parameters of a chunk of seeds, replaced by the final ones.
    epochs_run, epochs_to_converge : int64 (n_seeds,)
        Filled with -1; a seed that was not finished because of `cancel` keeps -1 in epochs_run.
    states : uint64 (n_seeds, words)
        The stream that shuffles the examples of each seed; no words where the order is fixed.
    cancel : int64 (1,)
        Set by another thread to end the run early; what is not finished then is lost.
    """
    lanes = design.lanes
    run_epochs, read_structure = _run_epochs(design), _structure_reader(design.structure)
    view = make_view(lanes)

    @kernel(*key)
    def train(params, epochs_run, epochs_to_converge, states, work, data, plan, cancel):
        align_stack()
        views = view(work, data, plan)
        flag = scalar_view(cancel)
        n_seeds = params.shape[0]
        upcoming = min(n_seeds, lanes)
        active, waiting = 0, 0  # lanes that hold a seed; those of them that have not converged
        for lane in range(lanes):
            seed = min(lane, n_seeds - 1)  # a lane too many trains a copy, so that it holds sane numbers
            _fill(work, lane, seed, params, states)
            work.seeds[lane] = seed
            if lane < n_seeds:
                active |= 1 << lane
        waiting = active
        while active and not peek(flag):
            budget = plan.check_epochs
            for lane in range(lanes):
                if (active >> lane) & 1:
                    budget = min(budget, plan.epochs - work.epochs[lane])
            done, met, broken = run_epochs(views, work, plan, read_structure(plan), (active, waiting), budget, flag)
            if peek(flag):
                break
            for lane in range(lanes):
                bit = 1 << lane
                if not active & bit:
                    continue
                seed = work.seeds[lane]
                work.epochs[lane] += done
                if waiting & met & bit:
                    epochs_to_converge[seed] = work.epochs[lane]
                    waiting &= ~bit
                ended = bool(met & bit) and not plan.criteria.keep_training
                if not (ended or broken & bit or work.epochs[lane] == plan.epochs):
                    continue
                epochs_run[seed] = work.epochs[lane]
                for p in range(params.shape[1]):
                    params[seed, p] = work.params[p, lane]
                if upcoming < n_seeds:
                    _fill(work, lane, upcoming, params, states)
                    work.seeds[lane] = upcoming
                    upcoming += 1
                    waiting |= bit
                else:
                    active &= ~bit
                    waiting &= ~bit

    return train
