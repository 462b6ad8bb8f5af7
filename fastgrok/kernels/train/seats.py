"""One seed in its lane: how it gets in, when it is due for what, how it starts again, and how it is written out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fastgrok.kernels.block import put_params
from fastgrok.kernels.jit import device
from fastgrok.kernels.train.plan import Design, Regime


class Seats(NamedTuple):
    """What a driver does with the lanes between two stretches of epochs."""

    fill: Callable[..., Any]  # fill(work, lane, seed, params, states)
    budget: Callable[..., Any]  # budget(work, plan, active, waiting): epochs until one of them is due for something
    due: Callable[..., Any]  # due(work, plan, waiting, budget): the lanes that are looked at then, as bits
    record: Callable[..., Any]  # record(outputs, work, plan, lane): keep what is asked for of the epochs just run
    restart: Callable[..., Any]  # restart(outputs, work, plan, tensors, lane, broken): whether the seed starts again
    expire: Callable[..., Any]  # expire(outputs, work, plan, lane): whether the validation loss improved too long ago
    retire: Callable[..., Any]  # retire(outputs, work, lane, broken)


def _make_begin(lanes: int, tracks: bool) -> Callable[..., Any]:
    @device
    def begin(work, lane):
        """Begin an attempt: no momentum, and nothing known to be dead."""
        work.clock[lane] = 0
        for m in range(work.moments.shape[0]):
            work.moments[m, lane] = 0.0
        if tracks:
            for unit in range(work.track.since.shape[0]):
                work.track.since[unit, lane] = -1
                work.track.dead[unit] &= ~(1 << lane)

    return begin


def _make_fill(design: Design, begin: Callable[..., Any]) -> Callable[..., Any]:
    restarts, validates, records = design.regime.restarts, design.regime.validates, design.regime.records

    @device
    def fill(work, lane, seed, params, states):
        put_params(work, lane, params, seed)
        for word in range(states.shape[1]):
            work.states[lane, word] = states[seed, word]
        work.seeds[lane] = seed
        work.epochs[lane] = 0
        if restarts:
            work.again.counts[lane] = 0
        if records:
            work.recorded[lane] = 0
        if validates:
            work.watch.loss[0, lane] = float("inf")
            work.watch.epoch[lane] = 0
        begin(work, lane)

    return fill


@device
def _restarts_next(work, plan, waiting, lane):
    """Whether the seed in a lane starts again if it has not converged when its attempt is over."""
    return bool((waiting >> lane) & 1) and work.again.counts[lane] < plan.limits.restarts


def _make_budget(design: Design) -> Callable[..., Any]:
    lanes, regime = design.lanes, design.regime
    skips, restarts, stops_early, records = regime.skips, regime.restarts, regime.stops_early, regime.records
    steps = regime.steps

    @device
    def budget(work, plan, active, waiting):
        limits, epochs = plan.limits, plan.check_epochs
        for lane in range(lanes):
            if not (active >> lane) & 1:
                continue
            run, clock = work.epochs[lane], work.clock[lane]
            epochs = min(epochs, limits.epochs - run)
            if skips:
                epochs = min(epochs, limits.check_every - clock % limits.check_every)
            if restarts and _restarts_next(work, plan, waiting, lane):
                epochs = min(epochs, limits.restart_after - clock)
            if stops_early and not skips:
                epochs = min(epochs, work.watch.epoch[lane] + limits.patience - run)
            if records and work.recorded[lane] < plan.records.shape[0]:
                epochs = min(epochs, plan.records[work.recorded[lane]] - run)
            if steps:
                epochs = 1
        return epochs

    return budget


def _make_due(design: Design) -> Callable[..., Any]:
    lanes, regime = design.lanes, design.regime
    skips, restarts, validates = regime.skips, regime.restarts, regime.validates

    @device
    def due(work, plan, waiting, epochs):
        limits, bits = plan.limits, np.int64(0)
        if not (skips or validates):
            return np.int64(-1)
        for lane in range(lanes):
            clock = work.clock[lane] + epochs
            is_due = not skips or clock % limits.check_every == 0 or work.epochs[lane] + epochs == limits.epochs
            if restarts and clock == limits.restart_after and _restarts_next(work, plan, waiting, lane):
                is_due = True
            if is_due:
                bits |= np.int64(1) << lane
            if validates:
                work.watch.due[0, lane] = 1.0 if is_due else 0.0
        return bits

    return due


@device
def _record_steps(outputs, work, lane):
    """Keep the parameters after each update of an epoch, and the order of its examples."""
    seed, done = work.seeds[lane], work.epochs[lane] - 1
    n_params = work.params.shape[0]
    n_batches = work.steps.shape[0] // n_params
    for b in range(n_batches):
        for p in range(n_params):
            outputs.steps.params[seed, done * n_batches + b, p] = work.steps[b * n_params + p, lane]
    for k in range(work.order.shape[0]):
        outputs.steps.order[seed, done, k] = work.order[k, lane]


def _make_record(regime: Regime) -> Callable[..., Any]:
    records, steps = regime.records, regime.steps

    @device
    def record(outputs, work, plan, lane):
        if steps:
            _record_steps(outputs, work, lane)
        if records:
            k = work.recorded[lane]
            if k < plan.records.shape[0] and plan.records[k] == work.epochs[lane]:
                for p in range(work.params.shape[0]):
                    outputs.records[work.seeds[lane], k, p] = work.params[p, lane]
                work.recorded[lane] = k + 1

    return record


def _make_restart(design: Design, begin: Callable[..., Any]) -> Callable[..., Any]:
    draw = design.draw
    if draw is None:

        @device
        def restart(outputs, work, plan, tensors, lane, broken):
            return False
    else:

        @device
        def restart(outputs, work, plan, tensors, lane, broken):
            limits = plan.limits
            over = broken or work.clock[lane] == limits.restart_after
            if not over or work.again.counts[lane] >= limits.restarts or work.epochs[lane] == limits.epochs:
                return False
            draw(work.again.drawn, work.again.scratch, work.states[lane], tensors)
            work.again.counts[lane] += 1
            place = min(work.again.counts[lane], outputs.attempts.starts.shape[1] - 1)
            outputs.attempts.begun[work.seeds[lane], place] = work.epochs[lane]
            for p in range(work.params.shape[0]):
                work.params[p, lane] = work.again.drawn[p]
                outputs.attempts.starts[work.seeds[lane], place, p] = work.again.drawn[p]
            begin(work, lane)
            return True

    return restart


def _make_expire(stops_early: bool) -> Callable[..., Any]:
    @device
    def expire(outputs, work, plan, lane):
        if stops_early and work.epochs[lane] - work.watch.epoch[lane] >= plan.limits.patience:
            outputs.best.stopped_early[work.seeds[lane]] = True
            return True
        return False

    return expire


def _make_retire(design: Design) -> Callable[..., Any]:
    regime = design.regime
    restarts, validates, restores, tracks = regime.restarts, regime.validates, regime.restores, regime.tracks

    @device
    def retire(outputs, work, lane, broken):
        seed = work.seeds[lane]
        outputs.epochs_run[seed] = work.epochs[lane]
        for p in range(work.params.shape[0]):
            outputs.params[seed, p] = work.params[p, lane]
        if restarts:
            outputs.attempts.restarts[seed] = work.again.counts[lane]
        if validates:
            outputs.best.loss[seed] = work.watch.loss[0, lane]
            outputs.best.epoch[seed] = work.watch.epoch[lane]
            outputs.best.broken[seed] = broken
        if restores and work.watch.epoch[lane] > 0:
            for p in range(work.params.shape[0]):
                outputs.params[seed, p] = work.watch.params[p, lane]
        if tracks:
            for unit in range(work.track.since.shape[0]):
                outputs.dead_since[seed, unit] = work.track.since[unit, lane]
        if tracks and restores and work.watch.epoch[lane] > 0:
            for unit in range(work.track.since.shape[0]):
                outputs.dead_since[seed, unit] = work.track.best[unit, lane]

    return retire


def make_seats(design: Design) -> Seats:
    """Return what a driver of this design does with its lanes."""
    begin = _make_begin(design.lanes, design.regime.tracks)
    return Seats(
        _make_fill(design, begin),
        _make_budget(design),
        _make_due(design),
        _make_record(design.regime),
        _make_restart(design, begin),
        _make_expire(design.regime.stops_early),
        _make_retire(design),
    )
