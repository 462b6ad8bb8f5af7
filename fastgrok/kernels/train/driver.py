"""The training driver: run a block of lanes, retire the lanes that are finished, refill them with the next seeds.

`make_train` assembles it from parts, so that the general and the specialised driver are the same source: they differ
in the passes through the network (network.py), in whether the structure of the experiment is an argument or a
constant, and in whether the parameters of a block are worked on in memory or in registers. What a regime does not ask
for is not compiled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastgrok.kernels.block import Block, make_view
from fastgrok.kernels.jit import device, kernel
from fastgrok.kernels.lanes import align_stack, peek, scalar_view, working_view
from fastgrok.kernels.train.epoch import make_epoch, make_rate, make_shuffle
from fastgrok.kernels.train.look import make_check, make_validate
from fastgrok.kernels.train.plan import Design, Structure
from fastgrok.kernels.train.seats import make_seats


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


def _run_epochs(design: Design) -> Callable[..., Any]:
    shuffle, rate, epoch = make_shuffle(design), make_rate(design), make_epoch(design)
    check, validate = make_check(design), make_validate(design)
    regime = design.regime
    skips, tracks, validates, stops_early = regime.skips, regime.tracks, regime.validates, regime.stops_early
    n_params, n_moments, n_grads, n_acts = design.registers

    @device
    def run_epochs(views, validation, work, plan, s, lane_sets, budget, cancel):
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
            block.steps,
        )
        for p in range(n_params):
            memory.params[p] = block.params[p]
        for p in range(n_moments):
            memory.moments[p] = block.moments[p]
        active, waiting, due = lane_sets
        done, met, broken = np.int64(0), np.int64(0), np.int64(0)
        while done < budget:
            shuffle(work)
            epoch(memory, examples, table, plan, s, rate(memory.acts[0], work, plan, done), cancel)
            done += 1
            if skips and (done < budget or not due):
                continue
            if tracks or s.stopping:
                met, broken = check(memory, examples, table, work, plan, s, due, done)
            if validates:
                lost = validate(memory, validation, table, work, plan, s, done) & due
                if stops_early:
                    broken |= lost
            if (met & waiting) | (broken & active):
                break
        for p in range(n_params):
            block.params[p] = memory.params[p]
        for p in range(n_moments):
            block.moments[p] = memory.moments[p]
        return done, met, broken

    return run_epochs


def make_train(design: Design, key: tuple[object, ...]) -> Any:
    """Compile a driver.

    The kernel's arguments are train(outputs, states, work, data, validation, tensors, plan, cancel):

    outputs : Outputs
        One row for each of a chunk of seeds.
    states : uint64 (n_seeds, words)
        The streams that restart a seed and shuffle its examples; no words where neither is done.
    validation : Data, or None
        Examples that are not trained on.
    tensors : Tensors, or None
        What a restart draws.
    cancel : int64 (1,)
        Set by another thread to end the run early; what is not finished then is lost.
    """
    lanes = design.lanes
    run_epochs, read_structure = _run_epochs(design), _structure_reader(design.structure)
    view = make_view(lanes)
    fill, until_due, due_after, record, restart, expire, retire = make_seats(design)

    @kernel(*key)
    def train(outputs, states, work, data, validation, tensors, plan, cancel):
        align_stack()
        views = view(work, data, plan)
        flag = scalar_view(cancel)
        n_seeds = outputs.params.shape[0]
        upcoming = 0
        active, waiting = np.int64(0), np.int64(0)  # lanes that hold a seed; those of them that have not converged
        empty = ~np.int64(0)  # lanes to be filled
        while not peek(flag):
            for lane in range(lanes):
                bit = np.int64(1) << lane
                if empty & bit:
                    # a lane too many trains a copy of the last seed, so that it holds sane numbers
                    fill(work, lane, min(upcoming, n_seeds - 1), outputs.params, states)
                    active |= bit if upcoming < n_seeds else np.int64(0)
                    upcoming += 1
            waiting |= empty & active
            empty = np.int64(0)
            if not active:
                break
            budget = until_due(work, plan, active, waiting)
            due = due_after(work, plan, waiting, budget)
            done, met, broken = run_epochs(
                views, validation, work, plan, read_structure(plan), (active, waiting, due), budget, flag
            )
            if peek(flag):
                break
            for lane in range(lanes):
                bit = np.int64(1) << lane
                if not active & bit:
                    continue
                work.epochs[lane] += done
                work.clock[lane] += done
                if waiting & met & bit:
                    outputs.epochs_to_converge[work.seeds[lane]] = work.epochs[lane]
                    waiting &= ~bit
                record(outputs, work, plan, lane)
                is_broken = bool(broken & bit)
                if waiting & bit and restart(outputs, work, plan, tensors, lane, is_broken):
                    continue
                ended = is_broken or work.epochs[lane] == plan.limits.epochs
                ended = ended or (bool(met & bit) and not plan.criteria.keep_training)
                if not (ended or (bool(due & bit) and expire(outputs, work, plan, lane))):
                    continue
                retire(outputs, work, lane, is_broken)
                active &= ~bit
                waiting &= ~bit
                if upcoming < n_seeds:
                    empty |= bit
                else:
                    work.epochs[lane], work.clock[lane] = 0, 0

    return train
