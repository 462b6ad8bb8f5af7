"""What drivers are compiled for, and the numbers and data of an experiment that they read at run time."""

from collections.abc import Callable
from typing import Any, NamedTuple

from fastgrok.kernels.nn.batched import BatchedPasses
from fastgrok.kernels.nn.deferred import DeferredPasses
from fastgrok.kernels.nn.losses import Loss
from fastgrok.kernels.nn.optimizers import Hyperparams, Terms
from fastgrok.kernels.nn.passes import Passes


class Structure(NamedTuple):
    """What the specialised driver fixes."""

    n_layers: int
    n_backward: int  # layers that backward goes through
    n_params: int
    n_in: int
    n_masks: int  # units of Dropout layers, each with a mask
    loss: Loss
    terms: Terms | None  # None for kernels that only evaluate
    stopping: bool  # there are criteria
    check_error: bool  # max_error is one of them
    check_accuracy: bool  # accuracy is one of them


class DriverFeatures(NamedTuple):
    """What a driver does besides plain updates; it is compiled for these, and what is False costs nothing."""

    scheduled: bool  # the learning rate changes from epoch to epoch
    skips: bool  # there are epochs after which nothing is checked
    restarts: bool  # seeds that have not converged get new parameters
    validates: bool  # the best loss on the validation data is kept
    monitors: bool  # that on the training data is
    stops_early: bool  # one of them, the training data's if that is kept, ends a seed
    restores: bool  # and the parameters of its best epoch are kept
    stagnates: bool  # seeds start again too when what is watched has not improved for some epochs
    by_accuracy: bool  # which is the accuracy, not the training loss
    rests: bool  # seeds end, or start again, when the gradient of the mean loss is small
    holds: bool  # parameters that are not trained: they are kept at a number
    tracks: bool  # the epoch since which a unit is dead
    records: bool  # parameters at chosen epochs
    steps: bool  # parameters after every update


class Data(NamedTuple):
    """The examples, in the dtype of the experiment."""

    inputs: Any  # (n_examples, n_in)
    targets: Any  # (n_examples, n_out)


class DriverConfig(NamedTuple):
    """The choices that a driver is compiled for."""

    lanes: int
    fused: bool  # per-example plain SGD: backward itself updates the parameters
    single: bool  # batches of one example
    long_epochs: bool  # read the cancel flag within an epoch too, which costs tiny networks a twentieth
    reorder: Callable[..., Any] | None  # draws the order of an epoch's examples, where it is drawn
    order_word: int  # where in a lane's states the stream begins that it is drawn from
    random: Callable[..., Any] | None  # draws the masks of Dropout layers, where there are any
    draw: Callable[..., Any] | None  # draws the parameters of a restarted seed
    features: DriverFeatures
    passes: Passes
    batched: BatchedPasses | None  # for batches and for what is checked; None: one example after the other
    deferred: DeferredPasses | None  # of wide layers example by example
    update: Callable[..., Any]  # the optimizer's


class Criteria(NamedTuple):
    """What a seed must reach to have converged."""

    loss: float  # on the sum that add_loss makes, times loss_factor
    loss_factor: float
    max_error: float
    n_correct: float
    gradient_norm: float  # of the mean loss, at which a seed has come to rest
    gradient_scale: float  # of a delta, so that the gradients are those of the mean loss
    keep_training: bool


class Limits(NamedTuple):
    """When a seed is checked, and when it ends or starts again besides converging, in epochs."""

    epochs: int
    check_every: int
    restart_after: int
    restarts: int  # at most
    patience: int  # epochs without an improvement after which a seed ends, or starts again
    min_delta: float  # what the best loss must be fallen short of by; of correct examples what it must be exceeded by
    tol: float  # what it must be reached by to go on, any smaller loss being the best; negative: the same as the best


class DropoutParams(NamedTuple):
    """What each mask is drawn from."""

    rates: Any  # float64 (n_masks,): the probability of 0
    kept: Any  # float (n_masks,): 1 / (1 - rate), what the mask is otherwise


class TileSizes(NamedTuple):
    """How batched passes go through examples."""

    n_examples: int  # at once
    stride: int  # vectors from the acts of one example to those of the next
    takes_step: bool  # backward takes the step of plain SGD with the last tile of a batch


class KernelParams(NamedTuple):
    """Everything about an experiment that a driver reads at run time."""

    structure: Structure
    sizes: Any  # int64 (n_layers, 8): see passes.Table
    arguments: Any  # float64 (n_layers,)
    n_examples: int
    n_validation: int
    batch_size: int
    tile: TileSizes
    scale: float  # of the deltas, in a whole batch
    last_scale: float  # and in the last one, which may be short
    hyperparams: Hyperparams | None  # None for kernels that only evaluate
    schedule: Any  # None, or float (n_epochs,): the negative learning rate, or the scale of the deltas if fused
    criteria: Criteria
    validation_factor: float  # the loss_factor of the validation data
    limits: Limits
    dropout: DropoutParams | None
    record_epochs: Any  # None, or int64 (n_records,), ascending: parameters are recorded after these
    check_epochs: int  # epochs between two reads of the cancel flag
    check_examples: int  # examples between two reads, a multiple of the batch size
