"""The training driver: run a block of lanes, write back the lanes that are finished, refill them with the next seeds.

`make_train` assembles it from parts; what the features do not include is not compiled. The general and the
specialised driver are the same, compiled once: they differ in what their machine code is bound to
(lanes/constants.py), which is nothing, or the structure of the experiment, its examples if they are few, and whether
the parameters of a block are worked on in registers.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fastgrok.kernels.block import Block, make_view
from fastgrok.kernels.jit import device, kernel
from fastgrok.kernels.lanes import by_reference, fixed, fixed_memory, lowest, peek, scalar_view
from fastgrok.kernels.train.criteria import begin_drift, make_check_criteria, make_validate
from fastgrok.kernels.train.epoch import make_epoch, make_rate, make_shuffle
from fastgrok.kernels.train.known import constants, is_sound
from fastgrok.kernels.train.lifecycle import LaneLifecycle, make_lifecycle
from fastgrok.kernels.train.masks import make_with_masks
from fastgrok.kernels.train.parameters import DriverConfig
from fastgrok.kernels.train.workspace import LEFT


@device
def _copy(target, source):
    """Copy what is worked on in registers, if anything is."""
    for p in range(fixed("params_vectors", 0)):
        target.params[p] = source.params[p]
    for p in range(fixed("state_vectors", 0)):
        target.optimizer_state[p] = source.optimizer_state[p]


def _run_epochs(config: DriverConfig, record: Callable[..., Any]) -> Callable[..., Any]:
    shuffle, rate, epoch = make_shuffle(config), make_rate(config), make_epoch(config)
    check_criteria, validate = make_check_criteria(config), make_validate(config)
    features = config.features
    skips, tracks, validates, monitors = features.skips, features.tracks, features.validates, features.monitors
    ends_by_validation, with_masks = features.stops_early and not monitors, make_with_masks(config)
    records, rests = features.records, features.rests

    @device
    def run_epochs(views, outputs, workspace, kernel_params, s, lane_sets, until, cancel):
        """Run some epochs, stopping after the first in which a lane converges, breaks or comes to rest.

        until: the epochs at most, and those until a lane may be to be recorded. Returns how many epochs were run, the
        lanes that meet the criteria, those that are not finite, those whose gradient is small, and the epochs until a
        lane may be to be recorded.
        """
        block, read, table, validation = views
        examples = with_masks(constants(read), workspace, kernel_params)
        memory = Block(
            fixed_memory("params_vectors", block.params),
            fixed_memory("state_vectors", block.optimizer_state),
            fixed_memory("grads_vectors", block.grads),
            fixed_memory("acts_vectors", block.acts),
            fixed_memory("acts_vectors", block.deltas),
            block.held,
            block.steps,
            fixed_memory("drift_vectors", block.deltas),
        )
        _copy(memory, block)
        begin_drift(memory)
        active, waiting, due = lane_sets
        n_epochs, record_after = until
        done, met, broken, rested = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
        while done < n_epochs:
            shuffle(workspace)
            epoch_rate = rate(memory.acts[0], workspace, kernel_params, done)
            epoch(memory, examples, table, kernel_params, s, epoch_rate, cancel)
            done += 1
            if records and done == record_after:
                _copy(block, memory)
                record_after = record(outputs, workspace, kernel_params, active, done)
            if skips and (done < n_epochs or not due):
                continue
            if tracks or monitors or rests or s.stopping:
                met, broken, rested = check_criteria(
                    memory, examples, table, workspace, kernel_params, s, lane_sets, done
                )
            if validates:
                lost = validate(memory, validation, table, workspace, kernel_params, s, done) & due
                if ends_by_validation:
                    broken |= lost
            if (met & waiting) | ((broken | rested) & active):
                break
        _copy(block, memory)
        return done, met, broken, rested, record_after - done

    return run_epochs


class _LaneSets(NamedTuple):
    """Lanes, as bits."""

    active: Any  # that hold a seed
    waiting: Any  # those of them that have not converged
    ended: Any  # whose seed is written out, or left


def _make_settle(config: DriverConfig, lifecycle: LaneLifecycle) -> Callable[..., Any]:
    """Return settle(outputs, workspace, kernel_params, tensors, active, waiting, found).

    It does what is to be done after a stretch for each lane with news, and gives the `_LaneSets` then;
    found is (done, met, broken, rested, due).
    """
    lanes, features = config.lanes, config.features
    restart, patience_exhausted = lifecycle.restart, lifecycle.patience_exhausted
    stagnated, ends_at_rest = lifecycle.stagnated, lifecycle.ends_at_rest
    record_steps, write_back = lifecycle.record_steps, lifecycle.write_back
    all_have_news = (
        features.steps or features.restarts or features.validates or features.monitors or features.skips
    )  # or may have

    @device
    def count_epochs(workspace, kernel_params, active, done):
        """Count the epochs of a stretch, and return the lanes that have run all."""
        over = np.int64(0)
        for lane in range(lanes):
            ran = done * ((active >> lane) & 1)
            workspace.epochs[lane] += ran
            workspace.attempt_epoch[lane] += ran
            over |= np.int64(workspace.epochs[lane] == kernel_params.limits.epochs) << lane
        return over

    @device
    def goes_on(outputs, workspace, kernel_params, tensors, lane, waiting, found):
        """Whether a lane has more to do with its seed, which is written out or left if not."""
        _, met, broken, rested, due = found
        if not is_sound(workspace, lane):
            outputs.epochs_run[workspace.rows[lane]] = LEFT
            return False
        record_steps(outputs, workspace, lane)
        is_broken, is_due = bool((broken >> lane) & 1), bool((due >> lane) & 1)
        is_at_rest = bool((rested >> lane) & 1)
        is_over = is_broken or is_at_rest or (is_due and stagnated(workspace, kernel_params, lane))
        if waiting and restart(outputs, workspace, kernel_params, tensors, lane, is_over):
            if not is_sound(workspace, lane):
                outputs.epochs_run[workspace.rows[lane]] = LEFT
                return False
            return True
        ended = is_broken or workspace.epochs[lane] == kernel_params.limits.epochs
        ended = ended or (bool((met >> lane) & 1) and not kernel_params.criteria.keep_training)
        ended = ended or (is_due and patience_exhausted(outputs, workspace, kernel_params, lane))
        if ended or (is_at_rest and ends_at_rest(outputs, workspace, lane)):
            write_back(outputs, workspace, lane, is_broken)
            return False
        return True

    @device
    def settle(outputs, workspace, kernel_params, tensors, active, waiting, found):
        done, met, broken, rested, _ = found
        news = count_epochs(workspace, kernel_params, active, done) | (waiting & met) | broken | rested
        news = active if all_have_news else news & active
        ended = np.int64(0)
        while news:
            lane = lowest(news)
            bit = np.int64(1) << lane
            news &= ~bit
            if waiting & met & bit:
                outputs.epochs_to_converge[workspace.rows[lane]] = workspace.epochs[lane]
                waiting &= ~bit
            if not goes_on(outputs, workspace, kernel_params, tensors, lane, waiting & bit, found):
                ended |= bit
        return _LaneSets(active & ~ended, waiting & ~ended, ended)

    return settle


def make_train(config: DriverConfig, key: tuple[object, ...]) -> Any:
    """Compile a driver.

    The kernel's arguments are train(outputs, states, workspace, data, validation, tensors, kernel_params, cancel):

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
    lanes, view, lifecycle = config.lanes, make_view(config.lanes), make_lifecycle(config)
    run_epochs = _run_epochs(config, lifecycle.record)
    fill, epochs_to_next_event, lanes_due = lifecycle.fill, lifecycle.epochs_to_next_event, lifecycle.lanes_due
    settle, records = _make_settle(config, lifecycle), config.features.records
    all_lanes = -1 if lanes == 64 else (1 << lanes) - 1

    @kernel(*key)
    def train(outputs, states, workspace, data, validation, tensors, kernel_params, cancel):
        outputs, workspace, kernel_params = (
            by_reference(outputs),
            by_reference(workspace),
            by_reference(kernel_params),
        )
        tensors = by_reference(tensors)
        block, read, table = view(workspace, data, kernel_params)
        views, s = (block, read, table, validation), by_reference(fixed("structure", kernel_params.structure))
        flag = scalar_view(cancel)
        n_seeds = outputs.params.shape[0]
        next_row = 0
        active, waiting = np.int64(0), np.int64(0)  # lanes that hold a seed; those of them that have not converged
        empty = np.int64(all_lanes)  # lanes to be filled
        record_after = kernel_params.limits.epochs  # epochs until a lane may be to be recorded
        while not peek(flag):
            while empty:
                lane = lowest(empty)
                # a lane too many trains a copy of the last seed, so that it holds sane numbers
                fill(workspace, lane, min(next_row, n_seeds - 1), outputs, states)
                if records:
                    record_after = min(record_after, kernel_params.record_epochs[0])
                next_row += 1
                holds_seed = next_row <= n_seeds
                if holds_seed and not is_sound(workspace, lane):
                    outputs.epochs_run[workspace.rows[lane]] = LEFT
                    continue
                bit = np.int64(1) << lane
                empty &= ~bit
                if holds_seed:
                    active, waiting = active | bit, waiting | bit
            if not active:
                break
            n_epochs = epochs_to_next_event(workspace, kernel_params, active, waiting)
            due = lanes_due(workspace, kernel_params, waiting, n_epochs)
            lane_sets, until = (active, waiting, due), (n_epochs, record_after)
            done, met, broken, rested, record_after = run_epochs(
                views, outputs, workspace, kernel_params, s, lane_sets, until, flag
            )
            if peek(flag):
                break
            found = (done, met, broken, rested, due)
            active, waiting, ended = settle(outputs, workspace, kernel_params, tensors, active, waiting, found)
            if next_row < n_seeds:
                empty = ended
                continue
            for lane in range(lanes):
                if (ended >> lane) & 1:
                    workspace.epochs[lane], workspace.attempt_epoch[lane] = 0, 0

    return train
