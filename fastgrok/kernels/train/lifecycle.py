"""One seed in its lane: how it gets in, when it is due for what, how it starts again, and how it is written out."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fastgrok.kernels.block import put_params
from fastgrok.kernels.jit import device
from fastgrok.kernels.train.holding import begin_holding
from fastgrok.kernels.train.parameters import DriverConfig, DriverFeatures


class LaneLifecycle(NamedTuple):
    """What a driver does with the lanes between two stretches of epochs."""

    fill: Callable[..., Any]  # fill(workspace, lane, row, outputs, states)
    epochs_to_next_event: Callable[..., Any]  # of these: (workspace, kernel_params, active, waiting)
    lanes_due: Callable[..., Any]  # to be checked then, as bits: (workspace, kernel_params, waiting, n_epochs)
    record: Callable[..., Any]  # after some epochs of a stretch: (outputs, workspace, kernel_params, active, done)
    record_steps: Callable[..., Any]  # of the epoch just run: (outputs, workspace, lane)
    stagnated: Callable[..., Any]  # whether what is watched has not improved: (workspace, kernel_params, lane)
    restart: Callable[..., Any]  # if it is time to: (outputs, workspace, kernel_params, tensors, lane, is_over)
    patience_exhausted: Callable[..., Any]  # (outputs, workspace, kernel_params, lane)
    ends_at_rest: Callable[..., Any]  # whether a small gradient ends the seed: (outputs, workspace, lane)
    write_back: Callable[..., Any]  # write_back(outputs, workspace, lane, broken)


def _make_begin(features: DriverFeatures) -> Callable[..., Any]:
    tracks, stagnates = features.tracks, features.stagnates

    @device
    def begin(workspace, lane):
        """Begin an attempt: no momentum, nothing known to be dead, and no loss to improve on."""
        workspace.attempt_epoch[lane] = 0
        for m in range(workspace.optimizer_state.shape[0]):
            workspace.optimizer_state[m, lane] = 0.0
        if tracks:
            for unit in range(workspace.dead_units.since.shape[0]):
                workspace.dead_units.since[unit, lane] = -1
                workspace.dead_units.dead[unit] &= ~(1 << lane)
        if stagnates:
            workspace.watched.loss[0, lane] = np.inf
            workspace.watched.improved[lane] = workspace.epochs[lane]

    return begin


@device
def _begin_best(state, lane, best, row):
    """Begin with the loss of epoch 0, or with none."""
    state.loss[0, lane] = best.loss[row]
    state.epoch[lane], state.improved[lane] = 0, 0


def _make_fill(config: DriverConfig, begin: Callable[..., Any]) -> Callable[..., Any]:
    restarts, records, holds = config.features.restarts, config.features.records, config.features.holds
    validates, monitors = config.features.validates, config.features.monitors

    @device
    def fill(workspace, lane, row, outputs, states):
        put_params(workspace, lane, outputs.params, row)
        if holds:
            begin_holding(workspace, lane, outputs.training_of[row])
        for word in range(states.shape[1]):
            workspace.states[lane, word] = states[row, word]
        workspace.rows[lane] = row
        workspace.epochs[lane] = 0
        if restarts:
            workspace.restart.counts[lane] = 0
        if records:
            workspace.recorded[lane] = 0
        if validates:
            _begin_best(workspace.validation, lane, outputs.validation, row)
        if monitors:
            _begin_best(workspace.training, lane, outputs.training, row)
        begin(workspace, lane)

    return fill


@device
def _restarts_next(workspace, kernel_params, waiting, lane):
    """Whether the seed in a lane starts again if it has not converged when its attempt is over."""
    return bool((waiting >> lane) & 1) and workspace.restart.counts[lane] < kernel_params.limits.restarts


def _make_ending(monitors: bool) -> Callable[..., Any]:
    @device
    def ending(of):
        """Return the part, of a workspace or of outputs, about the loss that ends seeds early."""
        return of.training if monitors else of.validation

    return ending


def _make_epochs_to_next_event(config: DriverConfig) -> Callable[..., Any]:
    lanes, features = config.lanes, config.features
    skips, restarts, stops_early = features.skips, features.restarts, features.stops_early
    steps, stagnates, ending = features.steps, features.stagnates, _make_ending(features.monitors)

    @device
    def epochs_to_next_event(workspace, kernel_params, active, waiting):
        limits, epochs = kernel_params.limits, kernel_params.check_epochs
        for lane in range(lanes):
            if not (active >> lane) & 1:
                continue
            run, attempt_epoch = workspace.epochs[lane], workspace.attempt_epoch[lane]
            epochs = min(epochs, limits.epochs - run)
            if skips:
                epochs = min(epochs, limits.check_every - attempt_epoch % limits.check_every)
            if restarts and _restarts_next(workspace, kernel_params, waiting, lane):
                epochs = min(epochs, limits.restart_after - attempt_epoch)
                if stagnates and not skips:
                    epochs = min(epochs, workspace.watched.improved[lane] + limits.patience - run)
            if stops_early and not skips:
                epochs = min(epochs, ending(workspace).improved[lane] + limits.patience - run)
            if steps:
                epochs = 1
        return epochs

    return epochs_to_next_event


def _make_lanes_due(config: DriverConfig) -> Callable[..., Any]:
    lanes, features = config.lanes, config.features
    skips, restarts = features.skips, features.restarts
    keeps_best = features.validates or features.monitors or features.stagnates

    @device
    def lanes_due(workspace, kernel_params, waiting, epochs):
        limits, bits = kernel_params.limits, np.int64(0)
        if not (skips or keeps_best):
            return np.int64(-1)
        for lane in range(lanes):
            attempt_epoch = workspace.attempt_epoch[lane] + epochs
            is_last = workspace.epochs[lane] + epochs == limits.epochs
            is_due = not skips or attempt_epoch % limits.check_every == 0 or is_last
            if restarts and attempt_epoch == limits.restart_after:
                is_due = is_due or _restarts_next(workspace, kernel_params, waiting, lane)
            if is_due:
                bits |= np.int64(1) << lane
            if keeps_best:
                workspace.due[0, lane] = 1.0 if is_due else 0.0
        return bits

    return lanes_due


def _make_record_steps(steps: bool) -> Callable[..., Any]:
    @device
    def record_steps(outputs, workspace, lane):
        """Keep the parameters after each update of an epoch, and the order of its examples."""
        if steps:
            row, done = workspace.rows[lane], workspace.epochs[lane] - 1
            n_params = workspace.params.shape[0]
            n_batches = workspace.steps.shape[0] // n_params
            for b in range(n_batches):
                for p in range(n_params):
                    outputs.steps.params[row, done * n_batches + b, p] = workspace.steps[b * n_params + p, lane]
            for k in range(workspace.order.shape[0]):
                outputs.steps.order[row, done, k] = workspace.order[k, lane]

    return record_steps


def _make_record(lanes: int) -> Callable[..., Any]:
    @device
    def record(outputs, workspace, kernel_params, active, done):
        """Keep the parameters of lanes that are to be recorded after `done` epochs of a stretch, as they stand.

        Returns after how many epochs of it a lane may be to be recorded next.
        """
        due, following = kernel_params.record_epochs, done + kernel_params.limits.epochs
        for lane in range(lanes):
            k, run = workspace.recorded[lane], workspace.epochs[lane]
            if not (active >> lane) & 1 or k == due.shape[0]:
                continue
            if due[k] == run + done:
                for p in range(workspace.params.shape[0]):
                    outputs.recorded_params[workspace.rows[lane], k, p] = workspace.params[p, lane]
                k += 1
                workspace.recorded[lane] = k
            if k < due.shape[0]:
                following = min(following, due[k] - run)
        return following

    return record


def _make_restart(config: DriverConfig, begin: Callable[..., Any]) -> Callable[..., Any]:
    draw, holds = config.draw, config.features.holds
    if draw is None:

        @device
        def restart(outputs, workspace, kernel_params, tensors, lane, is_over):
            return False
    else:

        @device
        def restart(outputs, workspace, kernel_params, tensors, lane, is_over):
            limits = kernel_params.limits
            over = is_over or workspace.attempt_epoch[lane] == limits.restart_after
            exhausted = workspace.restart.counts[lane] >= limits.restarts
            if not over or exhausted or workspace.epochs[lane] == limits.epochs:
                return False
            draw(workspace.restart.drawn, workspace.restart.scratch, workspace.states[lane], tensors)
            workspace.restart.counts[lane] += 1
            place = min(workspace.restart.counts[lane], outputs.attempts.starts.shape[1] - 1)
            outputs.attempts.begun[workspace.rows[lane], place] = workspace.epochs[lane]
            for p in range(workspace.params.shape[0]):
                workspace.params[p, lane] = workspace.restart.drawn[p]
            if holds:
                begin_holding(workspace, lane, outputs.training_of[workspace.rows[lane]])
            for p in range(workspace.params.shape[0]):
                outputs.attempts.starts[workspace.rows[lane], place, p] = workspace.params[p, lane]
            begin(workspace, lane)
            return True

    return restart


def _make_stagnated(stagnates: bool) -> Callable[..., Any]:
    @device
    def stagnated(workspace, kernel_params, lane):
        if stagnates:
            return workspace.epochs[lane] - workspace.watched.improved[lane] >= kernel_params.limits.patience
        return False

    return stagnated


def _make_ends_at_rest(features: DriverFeatures) -> Callable[..., Any]:
    ends = features.rests and not features.restarts

    @device
    def ends_at_rest(outputs, workspace, lane):
        if ends:
            outputs.stationary[workspace.rows[lane]] = True
        return ends

    return ends_at_rest


def _make_patience_exhausted(features: DriverFeatures) -> Callable[..., Any]:
    stops_early, ending = features.stops_early, _make_ending(features.monitors)

    @device
    def patience_exhausted(outputs, workspace, kernel_params, lane):
        if stops_early:
            waited = workspace.epochs[lane] - ending(workspace).improved[lane]
            if waited >= kernel_params.limits.patience:
                ending(outputs).stopped_early[workspace.rows[lane]] = True
                return True
        return False

    return patience_exhausted


@device
def _write_best(best, row, state, lane, broken):
    best.loss[row], best.epoch[row], best.broken[row] = state.loss[0, lane], state.epoch[lane], broken


def _make_write_back(config: DriverConfig) -> Callable[..., Any]:
    features = config.features
    restarts, validates, monitors = features.restarts, features.validates, features.monitors
    restores, tracks, ending = features.restores, features.tracks, _make_ending(features.monitors)

    @device
    def write_back(outputs, workspace, lane, broken):
        row = workspace.rows[lane]
        outputs.epochs_run[row] = workspace.epochs[lane]
        for p in range(workspace.params.shape[0]):
            outputs.params[row, p] = workspace.params[p, lane]
        if restarts:
            outputs.attempts.restarts[row] = workspace.restart.counts[lane]
        if validates:
            _write_best(outputs.validation, row, workspace.validation, lane, broken)
        if monitors:
            _write_best(outputs.training, row, workspace.training, lane, broken)
        if tracks:
            for unit in range(workspace.dead_units.since.shape[0]):
                outputs.dead_since[row, unit] = workspace.dead_units.since[unit, lane]
        if restores and ending(workspace).epoch[lane] > 0:
            for p in range(workspace.params.shape[0]):
                outputs.params[row, p] = ending(workspace).params[p, lane]
            if tracks:
                for unit in range(workspace.dead_units.since.shape[0]):
                    outputs.dead_since[row, unit] = workspace.dead_units.best[unit, lane]

    return write_back


def make_lifecycle(config: DriverConfig) -> LaneLifecycle:
    """Return what a driver of this config does with its lanes."""
    begin = _make_begin(config.features)
    return LaneLifecycle(
        _make_fill(config, begin),
        _make_epochs_to_next_event(config),
        _make_lanes_due(config),
        _make_record(config.lanes),
        _make_record_steps(config.features.steps),
        _make_stagnated(config.features.stagnates),
        _make_restart(config, begin),
        _make_patience_exhausted(config.features),
        _make_ends_at_rest(config.features),
        _make_write_back(config),
    )
