"""What kernels are given: the numbers of an experiment, its data, and memory to work in."""

from __future__ import annotations

from typing import Any, NamedTuple

from fastgrok.kernels.losses import Loss
from fastgrok.kernels.optimizers import Rates, Terms


class Structure(NamedTuple):
    """What the specialised driver fixes when it is compiled."""

    n_layers: int
    n_backward: int  # layers that backward goes through
    n_params: int
    n_in: int
    loss: Loss
    terms: Terms
    stopping: bool  # check the criteria after each epoch
    check_error: bool  # max_error is one of them
    check_hits: bool  # accuracy is one of them


class Criteria(NamedTuple):
    """What a seed must reach to have converged."""

    loss: float  # on the sum that add_loss makes, times loss_factor
    loss_factor: float
    max_error: float
    hits: float
    keep_training: bool


class Plan(NamedTuple):
    """Everything about an experiment that a driver reads at run time."""

    structure: Structure
    sizes: Any  # int64 (n_layers, 7): see network.Table
    arguments: Any  # float64 (n_layers,)
    n_examples: int
    batch_size: int
    epochs: int
    scale: float  # of the deltas, in a whole batch
    last_scale: float  # and in the last one, which may be short
    rates: Rates
    criteria: Criteria
    check_epochs: int  # epochs between two looks at the cancel flag
    check_examples: int  # examples between two looks, a multiple of the batch size


class Data(NamedTuple):
    """The examples, in the dtype of the experiment."""

    inputs: Any  # (n_examples, n_in)
    targets: Any  # (n_examples, n_out)


class Work(NamedTuple):
    """The memory of one block of L lanes, made once for each thread."""

    params: Any  # (n_params, L)
    moments: Any  # (n_params, L) where there is momentum
    grads: Any  # (n_params, L) where the update is not fused into backward
    acts: Any  # (n_acts, L)
    deltas: Any  # (n_acts, L)
    order: Any  # int64 (n_examples, L) where the order is shuffled
    states: Any  # uint64 (L, words): the stream that shuffles
    seeds: Any  # int64 (L,): row of the seed in each lane
    epochs: Any  # int64 (L,): epochs that the lane's seed has run
