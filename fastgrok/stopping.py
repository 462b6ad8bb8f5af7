"""When a seed counts as converged."""

from typing import Annotated

from pydantic import Field

from fastgrok.errors import InvalidExperiment
from fastgrok.fields import Flag, Number
from fastgrok.spec import Spec, spec


@spec
class Converged(Spec):
    """
    Converged after the first epoch at which every criterion given holds on the training data.

    loss <= `loss`, max_error <= `max_error`, accuracy >= `accuracy`, with the parameters as they stand after
    the epoch. Epochs count from 1.

    Parameters
    ----------
    loss
        Largest mean loss over the examples, 0 or more. None: no criterion.
    max_error
        Largest abs(output - target) over examples and outputs, 0 or more. None: no criterion.
    accuracy
        Smallest accuracy, 0 to 1: the share of examples whose every output lies on its target's side of the midpoint
        between the smallest and the largest target (0.5 for targets 0 and 1); for one-hot targets, those whose
        largest output is that of their class. None: no criterion.
    keep_training
        Whether to record the epoch and go on to the last one.

    Raises
    ------
    InvalidExperiment
        If no criterion is given, or one is not a finite number within its limits.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.Converged(max_error=0.5)
    Converged(loss=None, max_error=0.5, accuracy=None, keep_training=False)
    """

    loss: Annotated[Number, Field(ge=0)] | None = None
    max_error: Annotated[Number, Field(ge=0)] | None = None
    accuracy: Annotated[Number, Field(ge=0, le=1)] | None = None
    keep_training: Flag = False

    def __post_init__(self) -> None:
        if self.loss is None and self.max_error is None and self.accuracy is None:
            raise InvalidExperiment("loss, max_error, accuracy", None, "a number for one of them at least")
