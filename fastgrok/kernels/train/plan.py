"""What kernels are given: the numbers of an experiment, its data, and memory to work in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fastgrok.kernels.nn.losses import Loss
from fastgrok.kernels.nn.optimizers import Rates, Terms
from fastgrok.kernels.nn.passes import Passes


class Structure(NamedTuple):
    """What the specialised driver fixes when it is compiled."""

    n_layers: int
    n_backward: int  # layers that backward goes through
    n_params: int
    n_in: int
    loss: Loss
    terms: Terms
    stopping: bool  # there are criteria
    check_error: bool  # max_error is one of them
    check_hits: bool  # accuracy is one of them


class Regime(NamedTuple):
    """What a driver does besides plain updates; it is compiled for these, and what is False costs nothing."""

    adam: bool
    scheduled: bool  # the learning rate changes from epoch to epoch
    skips: bool  # there are epochs after which nothing is looked at
    restarts: bool  # seeds that have not converged get new parameters
    validates: bool  # the loss on the validation data is watched
    stops_early: bool  # and ends a seed
    restores: bool  # and the parameters of its best epoch are kept
    tracks: bool  # the epoch since which a unit is dead
    records: bool  # parameters at chosen epochs
    steps: bool  # parameters after every update


class Design(NamedTuple):
    """The choices that a driver is compiled for."""

    lanes: int
    fused: bool  # per-example plain SGD: backward itself updates the parameters
    single: bool  # batches of one example
    long_epochs: bool  # look at the cancel flag within an epoch too, which costs tiny networks a twentieth
    permute: Callable[..., Any] | None  # shuffles the order of the examples, where they are shuffled
    shuffle_word: int  # where in a lane's states the stream begins that shuffles
    draw: Callable[..., Any] | None  # draws the parameters of a restarted seed
    regime: Regime
    passes: Passes
    structure: Structure | None  # None: read from the plan
    registers: tuple[int, int, int, int]  # vectors of params, moments, grads, acts to work on in registers; 0: memory


class Criteria(NamedTuple):
    """What a seed must reach to have converged."""

    loss: float  # on the sum that add_loss makes, times loss_factor
    loss_factor: float
    max_error: float
    hits: float
    keep_training: bool


class Limits(NamedTuple):
    """When a seed is looked at, and when it ends or starts again besides converging, in epochs."""

    epochs: int
    check_every: int
    restart_after: int
    restarts: int  # at most
    patience: int
    min_delta: float


class Plan(NamedTuple):
    """Everything about an experiment that a driver reads at run time."""

    structure: Structure
    sizes: Any  # int64 (n_layers, 7): see network.Table
    arguments: Any  # float64 (n_layers,)
    n_examples: int
    n_validation: int
    batch_size: int
    scale: float  # of the deltas, in a whole batch
    last_scale: float  # and in the last one, which may be short
    rates: Rates
    schedule: Any  # None, or float (n_epochs,): the negative learning rate, or the scale of the deltas if fused
    criteria: Criteria
    validation_factor: float  # the loss_factor of the validation data
    limits: Limits
    records: Any  # None, or int64 (n_records,), ascending: epochs after which parameters are recorded
    check_epochs: int  # epochs between two looks at the cancel flag
    check_examples: int  # examples between two looks, a multiple of the batch size


class Data(NamedTuple):
    """The examples, in the dtype of the experiment."""

    inputs: Any  # (n_examples, n_in)
    targets: Any  # (n_examples, n_out)


class BestEpochs(NamedTuple):
    """The best epoch of each seed by the validation loss."""

    loss: Any  # float (n_seeds,); infinite if it was never finite
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
    order: Any  # int64 (n_seeds, n_epochs, n_examples): the order of the examples where it is shuffled; n_epochs 0


class Outputs(NamedTuple):
    """What training writes, one row a seed; None what the regime does not ask for."""

    params: Any  # (n_seeds, n_params): the initial parameters, replaced by the final ones
    epochs_run: Any  # int64 (n_seeds,), filled with -1: what it stays for a seed that a cancelled run left undone
    epochs_to_converge: Any  # int64 (n_seeds,), filled with -1
    attempts: Attempts | None
    best: BestEpochs | None
    dead_since: Any  # int64 (n_seeds, n_units): the epoch since which a unit is dead; -1 if it is alive
    records: Any  # (n_seeds, n_records, n_params): the parameters after the recorded epochs that were run
    steps: Steps | None


class Watch(NamedTuple):
    """The best epoch so far of each lane, by the validation loss."""

    params: Any  # (n_params, L) where they are restored
    loss: Any  # float (1, L)
    due: Any  # float (1, L): 1 where the lane is looked at after this stretch of epochs
    epoch: Any  # int64 (L,)


class Track(NamedTuple):
    """Which ReLU units are dead, and since when."""

    alive: Any  # float (n_acts, L): 1 where a unit's z has been above 0
    since: Any  # int64 (n_units, L): -1 where it is alive
    dead: Any  # int64 (n_units,): the lanes in which a unit is dead, as bits
    best: Any  # int64 (n_units, L) where parameters are restored: `since` as it was after the best epoch


class Again(NamedTuple):
    """What a restart needs."""

    counts: Any  # int64 (L,): restarts of the lane's seed
    drawn: Any  # float64 (n_params,)
    scratch: Any  # float64: what draws work in


class Work(NamedTuple):
    """The memory of one block of L lanes, made once for each thread; None what the regime does not need."""

    params: Any  # (n_params, L)
    moments: Any  # (n_moments, L): what the optimizer remembers
    grads: Any  # (n_params, L) where the update is not fused into backward
    acts: Any  # (n_acts, L)
    deltas: Any  # (n_acts, L)
    order: Any  # int64 (n_examples, L) where the order is shuffled
    steps: Any  # (n_batches * n_params, L) where every update is kept: the parameters after each of the epoch
    states: Any  # uint64 (L, words): the streams that restart and shuffle
    seeds: Any  # int64 (L,): row of the seed in each lane
    epochs: Any  # int64 (L,): epochs that the lane's seed has run
    clock: Any  # int64 (L,): those of its present attempt
    recorded: Any  # int64 (L,): how many records the lane's seed has
    again: Again | None
    watch: Watch | None
    track: Track | None
