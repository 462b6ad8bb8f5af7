"""The memory that a driver works in, and what it writes."""

from typing import Any, NamedTuple

import numpy as np

LEFT = -2
"""What epochs_run says of a seed that a driver leaves to another one: its other rows mean nothing."""


class BestEpochs(NamedTuple):
    """The best epoch of each seed by one of its losses."""

    loss: Any  # float (n_seeds,), filled with that of epoch 0, infinite if it does not count
    epoch: Any  # int64 (n_seeds,)
    stopped_early: Any  # bool (n_seeds,)
    broken: Any  # bool (n_seeds,): it ended because a loss was not finite


class Attempts(NamedTuple):
    """The attempts of each seed; the last place is that of the last one, and of those before it without a place."""

    restarts: Any  # int64 (n_seeds,): how many there were before the last
    begun: Any  # int64 (n_seeds, n_places): epochs that were run before it
    starts: Any  # (n_seeds, n_places, n_params): its initial parameters, filled with those of the first

    def last(self, of: Any) -> Any:
        """Return what `begun` or `starts` holds for the last attempt of each seed."""
        places = np.minimum(self.restarts, of.shape[1] - 1)
        return of[np.arange(len(places)), places]


class Steps(NamedTuple):
    """Every update of each seed."""

    params: Any  # (n_seeds, n_steps, n_params): the parameters after the updates that were made
    order: Any  # int64 (n_seeds, n_epochs, n_examples): the order of the examples where it is drawn; n_epochs 0


class Outputs(NamedTuple):
    """What training writes, one row a seed; None what the features do not include."""

    params: Any  # (n_seeds, n_params): the initial parameters, replaced by the final ones
    epochs_run: (
        Any  # int64 (n_seeds,), filled with -1: what it stays for a seed that a cancelled run left undone; or LEFT
    )
    epochs_to_converge: Any  # int64 (n_seeds,), filled with -1
    training_of: Any  # int8 (n_seeds, n_params): CUT, TRAINED or FROZEN of block.py
    stationary: Any  # bool (n_seeds,), filled with False: it ended because its gradient was small
    attempts: Attempts | None
    validation: BestEpochs | None
    training: BestEpochs | None
    dead_since: Any  # int64 (n_seeds, n_units): the epoch since which a unit is dead; -1 if it is alive
    recorded_params: Any  # (n_seeds, n_records, n_params): the parameters after the recorded epochs that were run
    steps: Steps | None


class BestState(NamedTuple):
    """The best epoch so far of each lane, by one of its losses."""

    params: Any  # (n_params, L) where they are restored
    loss: Any  # float (1, L)
    epoch: Any  # int64 (L,)
    improved: Any  # int64 (L,): the last epoch from which patience is counted


class DeadUnitState(NamedTuple):
    """Which ReLU units are dead, and since when."""

    alive: Any  # float (n_acts, L): 1 where a unit's z has been above 0
    since: Any  # int64 (n_units, L): -1 where it is alive
    dead: Any  # int64 (n_units,): the lanes in which a unit is dead, as bits
    best: Any  # int64 (n_units, L) where parameters are restored: `since` as it was after the best epoch


class RestartState(NamedTuple):
    """What a restart needs."""

    counts: Any  # int64 (L,): restarts of the lane's seed
    drawn: Any  # float64 (n_params,)
    scratch: Any  # float64: what draws work in


class Workspace(NamedTuple):
    """The memory of one block of L lanes, made once for each thread; None what the features do not need."""

    params: Any  # (n_params, L)
    optimizer_state: Any  # (n_state, L): what the optimizer remembers
    grads: Any  # (n_params, L) where the update is not fused into backward
    acts: Any  # (n_acts, L)
    deltas: Any  # (n_acts, L)
    order: Any  # int64 (n_examples, L) where the order is drawn
    masks: Any  # float (n_masks, L): those of the example that was loaded last
    held: Any  # (n_params, L) where some are not trained: what each is kept at; NaN: it is trained
    steps: Any  # (n_batches * n_params, L) where every update is kept: the parameters after each of the epoch
    states: Any  # uint64 (L, words): the streams that restart, shuffle and drop
    rows: Any  # int64 (L,): the row, in the chunk, of the seed in each lane
    epochs: Any  # int64 (L,): epochs that the lane's seed has run
    attempt_epoch: Any  # int64 (L,): those of its present attempt
    recorded: Any  # int64 (L,): how many records the lane's seed has
    restart: RestartState | None
    due: Any  # float (1, L) where a best epoch is kept: 1 where the lane is checked after this stretch of epochs
    validation: BestState | None
    training: BestState | None
    watched: BestState | None  # of the present attempt, by what may end that
    gradient: Any  # (n_params, L) where its norm is checked: that of the mean loss
    dead_units: DeadUnitState | None
