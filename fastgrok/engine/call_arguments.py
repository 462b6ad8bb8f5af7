"""What is checked of the arrays that a trainer is called with, in a few microseconds."""

import math
import sys
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.datasets.arrays import check_unmasked
from fastgrok.engine.params import expected_shapes, joined, split
from fastgrok.errors import InvalidExperiment
from fastgrok.spec.experiment import MAX_COUNT, Experiment
from fastgrok.spec.losses import check_targets
from fastgrok.spec.network import Network


class Form(NamedTuple):
    """How a caller writes parameters: what it gets back is written so too."""

    listed: bool  # layer by layer, as a list of arrays
    alone: bool  # of one network, without the axis of length n_seeds

    def of(self, network: Network, flat: NDArray[Any]) -> Any:
        """Return parameters (n_seeds, n_params) in this form, as views."""
        if not self.listed:
            return flat[0] if self.alone else flat
        arrays = split(network, flat)
        return [array[0] for array in arrays] if self.alone else arrays


def read_params(network: Network, params: Any, dtype: np.dtype[Any]) -> tuple[NDArray[Any], Form]:
    """Return parameters as C-contiguous (n_seeds, n_params), not copied where they are that, and their form.

    A list of numbers is one network, flat.
    """
    n = network.n_params
    if isinstance(params, list | tuple) and not (params and isinstance(params[0], int | float | np.number)):
        flat = joined(network, params, dtype.name, finite=False)
        return flat, Form(True, bool(params) and np.ndim(params[0]) == len(network.param_shapes[0]))
    array = as_array("params", params, dtype)
    if array.ndim == 2 and array.shape[1] == n and len(array):
        return array, Form(False, False)
    if array.shape == (n,):
        return array[np.newaxis], Form(False, True)
    raise InvalidExperiment("params", array.shape, expected_shapes(network))


def as_array(field: str, values: Any, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return a C-contiguous array of this dtype: the very one, or rounded and copied. It need not be finite."""
    if type(values) is np.ndarray and values.dtype == dtype and values.flags.c_contiguous and values.flags.aligned:
        return values
    check_unmasked(field, values)
    try:
        array = np.asarray(values)
    except Exception as error:  # ragged lists, and whatever the `__array__` of others raises
        raise InvalidExperiment(field, values, f"an array of real numbers ({error})") from error
    if array.dtype.kind not in "iuf":
        raise InvalidExperiment(field, array.dtype, f"an array of real numbers, such as {dtype.name}")
    with np.errstate(over="ignore"):
        return np.require(array, dtype, ["C_CONTIGUOUS", "ALIGNED"])


def read_examples(experiment: Experiment, X: Any, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return inputs (n_examples, n_in)."""
    array, n_in = as_array("X", X, dtype), experiment.network.n_in
    if array.ndim != 2 or array.shape[1] != n_in or not len(array):
        raise InvalidExperiment("X", array.shape, f"shape (n_examples, {n_in}), with at least one example")
    return array


def read_targets(experiment: Experiment, y: Any, n: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return targets (n, n_out); for one output they may be (n,)."""
    array, n_out = as_array("y", y, dtype), experiment.network.n_out
    if n_out == 1 and array.ndim == 1:
        array = array[:, np.newaxis]
    if array.shape != (n, n_out):
        raise InvalidExperiment("y", array.shape, f"shape ({n}, {n_out}), a row for each of X")
    check_targets("y", experiment.loss, array)
    return array


def read_out(out: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return an array to write to: what the caller has, as a plain array where it is of a class of its own."""
    if type(out) is not np.ndarray:
        check_unmasked("out", out)
    fits = isinstance(out, np.ndarray) and out.shape == shape and out.dtype == dtype
    if not fits or not (out.flags.c_contiguous and out.flags.aligned and out.flags.writeable):
        value = (out.shape, out.dtype.name) if isinstance(out, np.ndarray) else out
        raise InvalidExperiment("out", value, f"a writeable C-contiguous {dtype.name} array of shape {shape}")
    return np.asarray(out)


def apart(array: NDArray[Any], out: NDArray[Any]) -> NDArray[Any]:
    """Return an array that is read while `out` is written: a copy if they overlap."""
    return array.copy() if np.may_share_memory(array, out) else array


def read_epochs(experiment: Experiment, epochs: Any) -> int | None:
    """Return how many epochs to run instead of the experiment's; None: those."""
    if epochs is None:
        return None
    most = MAX_COUNT if experiment.optimizer.schedule is None else experiment.epochs
    if isinstance(epochs, bool) or not isinstance(epochs, int | np.integer) or not 0 <= epochs <= most:
        of_schedule = "" if experiment.optimizer.schedule is None else ", those of the schedule"
        raise InvalidExperiment("epochs", epochs, f"an integer from 0 to {most}{of_schedule}")
    return int(epochs)


def read_lr(experiment: Experiment, lr: Any, dtype: np.dtype[Any]) -> float | None:
    """Return the learning rate to use instead of the optimizer's; None: that."""
    if lr is None:
        return None
    if experiment.optimizer.schedule is not None:
        raise InvalidExperiment("lr", lr, "None: the optimizer has a schedule")
    is_number = isinstance(lr, int | float | np.integer | np.floating) and not isinstance(lr, bool)
    if is_number and 0 < lr <= sys.float_info.max:
        with np.errstate(over="ignore", under="ignore"):
            rounded = float(dtype.type(lr))
        if rounded > 0 and math.isfinite(rounded):
            return float(lr)
    raise InvalidExperiment("lr", lr, f"a finite number greater than 0, in {dtype.name} too")
