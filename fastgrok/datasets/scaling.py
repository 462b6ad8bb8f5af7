"""Scaling of inputs: what a network is given is (raw - shift) / scale, column by column."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.datasets.arrays import finite_numbers
from fastgrok.errors import InvalidExperiment

LARGE = 10.0
"""Root mean square of an input from which training suffers at usual learning rates: gradients are so much larger."""


class Scaling(NamedTuple):
    """Of each input, what is subtracted and what it is then divided by."""

    shift: tuple[float, ...]
    scale: tuple[float, ...]


_LARGEST = float(np.finfo(np.float64).max)


def standard(X: NDArray[np.float64], binary: NDArray[np.bool_]) -> Scaling:
    """Return the scaling to mean 0 and standard deviation 1 (of the population) of each column that is not binary."""
    return _scaling(X.mean(axis=0), X.std(axis=0), binary)


def min_max(X: NDArray[np.float64], binary: NDArray[np.bool_], low: Any, high: Any) -> Scaling:
    """Return the scaling of each column that is not binary from its smallest and largest value to low and high."""
    for field, value in (("low", low), ("high", high)):
        number = isinstance(value, int | float | np.number) and not isinstance(value, bool | np.complexfloating)
        if not number or not -_LARGEST <= value <= _LARGEST:
            raise InvalidExperiment(field, value, "a finite number")
    if not low < high:
        raise InvalidExperiment("low", low, f"less than high, which is {high}")
    smallest, scale = X.min(axis=0), (X.max(axis=0) - X.min(axis=0)) / (float(high) - float(low))
    return _scaling(smallest - float(low) * scale, scale, binary)


def _scaling(shift: NDArray[np.float64], scale: NDArray[np.float64], binary: NDArray[np.bool_]) -> Scaling:
    """Return a scaling that leaves binary columns as they are, and only shifts constant ones."""
    constant = scale <= 1e-12 * np.abs(shift)  # what rounding makes of a constant column, too
    scale = np.where(constant | binary, 1.0, scale)
    return Scaling(tuple(np.where(binary, 0.0, shift).tolist()), tuple(scale.tolist()))


def apply(X: NDArray[np.float64], scaling: Scaling) -> NDArray[np.float64]:
    """Return scaled inputs, (n_examples, n_in)."""
    scaled: NDArray[np.float64] = (X - np.array(scaling.shift)) / np.array(scaling.scale)
    return scaled


def checked(shift: Any, scale: Any, n_in: int) -> Scaling | None:
    """Return a scaling from its two fields: None twice, or a number for each input."""
    if shift is None and scale is None:
        return None
    numbers = (
        finite_numbers("shift", shift, n_in, "input"),
        finite_numbers("scale", scale, n_in, "input", nonzero=True),
    )
    return Scaling(*(tuple(number + 0.0 for number in field) for field in numbers))


def unscaled_note(X: NDArray[np.float64], names: tuple[str, ...]) -> str | None:
    """Return a sentence where inputs are large enough for training to suffer from it; None where they are not."""
    sizes = np.sqrt(np.mean(np.square(X), axis=0))
    if sizes.max() < LARGE:
        return None
    k = int(np.argmax(sizes))
    count = int((sizes >= LARGE).sum())
    which = f"{count} of {len(sizes)} inputs are unscaled" if len(sizes) > 1 else "the input is unscaled"
    remedy = "--standardize, or data.standardized(), brings them to mean 0 and deviation 1"
    return f"{which}: {names[k]!r} has a root mean square of {sizes[k]:.3g}; {remedy}"
