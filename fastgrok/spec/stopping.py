"""When a seed counts as converged, when it stops, and when it starts again."""

from typing import ClassVar, Literal

from pydantic import Field

from fastgrok.errors import InvalidExperiment
from fastgrok.spec.base import Spec, spec
from fastgrok.spec.fields import Bool, Epochs, NotNegative, Share


@spec
class Converged(Spec):
    """Converged after the first epoch at which every criterion holds on the training data.

    loss <= `loss`, max_error <= `max_error`, accuracy >= `accuracy`, with the parameters as they stand after
    the epoch. Epochs count from 1; only every `check_every`-th of them, and the last, is checked.

    Parameters
    ----------
    loss
        Largest mean loss over the examples, 0 or more. None: no criterion.
    max_error
        Largest abs(output - target) over examples and outputs, 0 or more. None: no criterion.
    accuracy
        Smallest accuracy, 0 to 1. It is the share of examples whose every output lies on its target's side of the
        midpoint between the smallest and the largest target (0.5 for targets 0 and 1); for one-hot targets, those
        whose largest output is that of their class. None: no criterion.
    keep_training
        Whether to record the epoch and go on to the last one.

    Raises
    ------
    InvalidExperiment
        If there is no criterion, or one is not a finite number within its limits.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.Converged(max_error=0.5)
    Converged(max_error=0.5)
    """

    loss: NotNegative | None = Field(default=None, repr=False)
    max_error: NotNegative | None = Field(default=None, repr=False)
    accuracy: Share | None = Field(default=None, repr=False)
    keep_training: Bool = Field(default=False, repr=False)

    def __post_init__(self) -> None:
        if self.loss is None and self.max_error is None and self.accuracy is None:
            raise InvalidExperiment("loss, max_error, accuracy", None, "a number for one of them at least")


@spec
class EarlyStopping(Spec):
    """Stop when the loss on the validation or the training data has not improved for some epochs.

    It has improved after an epoch where it is below the best so far by more than `min_delta`, which then is the best;
    or, with `tol`, where it is below the smallest so far by `tol` or more.

    Parameters
    ----------
    patience
        Epochs without an improvement after which a seed stops, 1 or more.
    min_delta
        Difference beyond which it is an improvement, 0 or more.
    restore_best
        Whether the final parameters are those of the best epoch. They are so however training ended, and with them
        every variable that says `final`. If no epoch improved they are the last.
    monitor
        The loss that is watched: that on the "validation" or on the "training" data, as it is after an epoch. The
        training loss counts from the initialisation on, which is epoch 0.
    tol
        Smallest difference that is an improvement, 0 or more, with the smallest loss so far, however little it was
        below the one before, as the best. None: the rule is that of `min_delta`.

    Raises
    ------
    InvalidExperiment
        If there are both `min_delta` and `tol`, or a field is not accepted.

    Notes
    -----
    `min_delta` is the rule of Keras (`monitor="val_loss"` or "loss"), where many small improvements add up to one.
    With `tol` they do not, as in scikit-learn: `MLPClassifier(tol=tol, n_iter_no_change=n)` stops after n + 1 epochs
    in a row whose loss is greater than the smallest before less tol, so with `patience=n + 1`, `monitor="training"`
    and `restore_best=False`. Both take the loss while they train: in full batches that is the loss before the update,
    so that `n_iter_` there is `epochs_run` + 1 here; scikit-learn adds the penalty of `alpha` to it. In mini-batches
    theirs is a mean over the epoch, and here it is the loss after it. A seed that its training loss stopped is
    "trapped", unless another outcome comes first. Prechelt, "Early Stopping, but When?", 1998.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.EarlyStopping(patience=20)
    EarlyStopping(patience=20)
    >>> fg.EarlyStopping(11, tol=1e-4, monitor="training", restore_best=False)
    EarlyStopping(patience=11, restore_best=False, monitor='training', tol=0.0001)
    """

    optional_fields = ("monitor", "tol")

    patience: Epochs
    min_delta: NotNegative = Field(default=0.0, repr=False)
    restore_best: Bool = Field(default=True, repr=False)
    monitor: Literal["validation", "training"] = Field(default="validation", repr=False)
    tol: NotNegative | None = Field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.tol is not None and self.min_delta > 0:
            raise InvalidExperiment("min_delta", self.min_delta, "0 with tol, which is a rule of its own")


@spec
class Stationary(Spec):
    """Stop where the gradient is almost zero: at a solution, at a saddle, on a plateau, in a dead network.

    Parameters
    ----------
    gradient_norm
        Largest Euclidean norm of the gradient of the mean loss over all training examples, with the parameters as
        they stand after an epoch, at which a seed stops, 0 or more.

    Notes
    -----
    It is the norm that results have as `gradient_norm_final`, of the loss alone, without penalties, clipping and
    `Dropout`; only every `check_every`-th epoch, and the last, is checked. A seed that it stopped is "trapped",
    unless another outcome comes first. Updates on single examples circle around a stationary point, at a distance
    that grows with the learning rate: their norm may never be as small as that of full batches. `gtol` of
    `scipy.optimize`.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.Stationary(1e-4)
    Stationary(gradient_norm=0.0001)
    """

    gradient_norm: NotNegative


@spec
class Restart(Spec):
    """Give a seed that has not converged new parameters, drawn from the continuation of its own stream.

    An attempt ends after a number of epochs, on a plateau, or where the gradient is small: at the first of those
    that are given. One that diverges ends at once. The next begins with no momentum and at the start of the learning
    rate's schedule. The last goes on to the experiment's `epochs`, which counts the epochs of all attempts.

    Parameters
    ----------
    after
        Epochs of an attempt, 1 or more. None: no such limit.
    at_most
        Restarts at most, 1 or more. None: as many as fit into `epochs`.
    patience
        Epochs without an improvement after which an attempt ends, 1 or more. None: no plateau ends it.
    monitor
        What has to improve: the loss on the "training" data, or the "accuracy" on them. It is that after an epoch;
        the first epoch of an attempt that is checked improves on nothing.
    min_delta
        Difference from the best of the attempt beyond which it is an improvement, 0 or more; of accuracy as a share.
    gradient_norm
        Norm of the gradient at which an attempt ends, as `Stationary` has it. None: none ends it.

    Raises
    ------
    InvalidExperiment
        If nothing ends an attempt, or a field is not accepted.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.Restart(after=1000)
    Restart(after=1000)
    >>> fg.Restart(patience=100, monitor="accuracy")
    Restart(patience=100, monitor='accuracy')
    """

    optional_fields = ("patience", "monitor", "min_delta", "gradient_norm")
    ends_by: ClassVar[tuple[str, ...]] = ("after", "patience", "gradient_norm")
    """The fields that end an attempt, one of which is given at least."""

    after: Epochs | None = Field(default=None, repr=False)
    at_most: Epochs | None = Field(default=None, repr=False)
    patience: Epochs | None = Field(default=None, repr=False)
    monitor: Literal["training", "accuracy"] = Field(default="training", repr=False)
    min_delta: NotNegative = Field(default=0.0, repr=False)
    gradient_norm: NotNegative | None = Field(default=None, repr=False)

    def __post_init__(self) -> None:
        if all(getattr(self, name) is None for name in self.ends_by):
            raise InvalidExperiment(", ".join(self.ends_by), None, "a number for one of them at least")
        watched = {"monitor": self.monitor != "training", "min_delta": self.min_delta > 0}
        for name, is_given in watched.items() if self.patience is None else ():
            if is_given:
                raise InvalidExperiment(
                    name, getattr(self, name), "a patience beside it, without which it means nothing"
                )
