"""What every explanation reads from a trace: the times there are, and what each layer took in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.explain.trace import checked_time, checked_trace, time_dim
from fastgrok.explain.trace.variables import STEP

if TYPE_CHECKING:
    import xarray as xr


class Moment(NamedTuple):
    """
    A time of a trace.

    Examples
    --------
    >>> str(Moment(3, 9)), Moment(3, 9).time
    ('step 9 (epoch 3)', 9)
    >>> str(Moment(3, None)), Moment(3, None).time
    ('epoch 3', 3)
    """

    epoch: int  # the epoch after which it was, or in which the update was made; 0 is the initialisation
    step: int | None  # the update after which it was; None in a trace by epoch

    @property
    def time(self) -> int:
        """Where it is on the trace's axis of time: the step, in a trace by epoch the epoch."""
        return self.epoch if self.step is None else self.step

    def __str__(self) -> str:
        return f"epoch {self.epoch}" if self.step is None else f"step {self.step} (epoch {self.epoch})"


def recorded(trace: Any, *, last_attempt: bool = False) -> xr.Dataset:
    """Return a trace of one seed without the times that the seed did not come to."""
    checked = checked_trace(trace)
    dim = time_dim(checked)
    there = checked.sel({dim: slice(None, checked_time(checked, None))})
    if last_attempt and "attempt_of" in there:
        attempts = there["attempt_of"].values
        there = there.isel({dim: attempts == attempts[-1]})
    return there


def epochs_of(trace: xr.Dataset) -> NDArray[np.int64]:
    """Return the epoch of each time, (n_times,)."""
    return np.asarray(trace["epoch_of"] if time_dim(trace) == STEP else trace["epoch"], dtype=np.int64)


def moment(trace: xr.Dataset, place: int) -> Moment:
    """Return the time at a place."""
    by_step = time_dim(trace) == STEP
    return Moment(int(epochs_of(trace)[place]), int(trace[STEP].values[place]) if by_step else None)


def layer_input(trace: xr.Dataset, layer: int) -> NDArray[Any]:
    """Return what a Linear layer takes in, (n_times, n_examples, fan_in); without times for the first layer."""
    return np.asarray((trace["input"] if layer == 1 else trace[f"activation_{layer - 1}"]).values)


def last_run(holds: NDArray[np.bool_]) -> int:
    """
    Return the place from which something holds to the end; the length if it does not hold at the end.

    holds: shape (n_times,).

    Examples
    --------
    >>> last_run(np.array([True, False, True, True])), last_run(np.array([True, False]))
    (2, 2)
    """
    broken = np.flatnonzero(~holds)
    return int(broken[-1]) + 1 if broken.size else 0
