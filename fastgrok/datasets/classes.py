"""Classes: what they are taken from, the outputs that stand for them, and labels of outputs.

One rule everywhere: words and truth values are classes; so are, in a file or a frame, the whole numbers 0 to k - 1
where k >= 3 and each is there twice or more. All other numbers are numbers. Two classes are one output, 0 for the
first and 1 for the second; three or more are one output each.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.datasets.memory import check_fits
from fastgrok.errors import InvalidExperiment, short_list

MAX_CLASSES = 4096
"""Classes of a target at most: the widest layer."""

Label = str | int | float | bool


class Encoded(NamedTuple):
    """Targets that stand for classes."""

    y: NDArray[np.float64]  # (n_examples, n_out)
    classes: tuple[Label, ...]


def sorted_labels(labels: Sequence[Label]) -> tuple[Label, ...]:
    """Return each label once: numbers, and words that are numbers, in their order; words by their characters."""
    distinct = dict.fromkeys(labels)
    values = [as_number(label) for label in distinct]
    if any(value is None or math.isnan(value) for value in values):
        return tuple(sorted(distinct, key=str))
    order = dict(zip(distinct, values, strict=True))
    return tuple(sorted(distinct, key=lambda label: (order[label], str(label))))


def as_number(label: Label) -> float | None:
    """Read a decimal number; None if it is something else."""
    if not isinstance(label, str):
        return float(label)
    if "_" in label or not label.isascii():  # Python would read 1_000, and digits of other scripts
        return None
    try:
        return float(label)
    except ValueError:
        return None


def by_text(known: Sequence[Label]) -> dict[str, Label]:
    """Return known labels by how they are written; a text before a number that is written so."""
    return {str(label): label for label in sorted(known, key=lambda label: isinstance(label, str))}


def are_counted(values: NDArray[np.float64]) -> bool:
    """Whether numbers are 0 to k - 1 for some k >= 3, each there twice or more: what others call class indices."""
    if not (np.isfinite(values).all() and (values >= 0).all() and (values < MAX_CLASSES).all()):
        return False
    if (values != np.floor(values)).any():
        return False
    counts = np.bincount(values.astype(np.int64))
    return len(counts) >= 3 and bool((counts >= 2).all())


def encode(labels: Sequence[Label], classes: Sequence[Label] | None = None, *, one_hot: bool = False) -> Encoded:
    """Return the outputs for the label of each example; `classes`: in this order, None: those there are, sorted."""
    known = sorted_labels(labels) if classes is None else tuple(classes)
    if len(known) < 2:
        raise InvalidExperiment("y", list(known), f"two classes at least, and there is only {known[0]!r}")
    if len(known) > MAX_CLASSES:
        raise InvalidExperiment("y", f"{len(known)} classes", f"at most {MAX_CLASSES} classes")
    rank = {label: k for k, label in enumerate(known)}
    codes = np.fromiter((rank.get(label, -1) for label in labels), np.int64, len(labels))
    if (codes < 0).any():
        row = int(np.argmax(codes < 0))
        raise InvalidExperiment(f"y[{row}]", labels[row], f"one of the classes {short_list(known)}")
    if len(known) == 2 and not one_hot:
        return Encoded(codes[:, np.newaxis].astype(np.float64), known)
    check_fits("y", f"{len(known):,} classes of {len(codes):,} rows", 3 * 8 * len(known) * len(codes))
    one_hot_rows = np.zeros((len(codes), len(known)))
    one_hot_rows[np.arange(len(codes)), codes] = 1.0
    return Encoded(one_hot_rows, known)


def labels_of(outputs: NDArray[Any], classes: tuple[Label, ...]) -> NDArray[Any]:
    """Return the label of each row of outputs (..., n_out): that of the largest, or of its side of 1/2."""
    single = outputs.shape[-1] == 1
    codes = (outputs[..., 0] > 0.5).astype(np.int64) if single else np.argmax(outputs, axis=-1)
    labels: NDArray[Any] = label_array(classes)[codes]
    return labels


def label_array(classes: tuple[Label, ...]) -> NDArray[Any]:
    """Return labels as an array of their kind."""
    kinds = {type(label) for label in classes}
    return np.array(classes) if len(kinds) == 1 else np.array(classes, dtype=object)


def checked_labels(value: Any) -> tuple[Label, ...]:
    """Return a list of classes: two or more labels that differ."""
    listed = value.tolist() if isinstance(value, np.ndarray) else value
    expected = "None, True, False, or two labels or more that differ (strings, numbers or truth values)"
    if not isinstance(listed, list | tuple) or len(listed) < 2:
        raise InvalidExperiment("classes", value, expected)
    labels = tuple(label.item() if isinstance(label, np.generic) else label for label in listed)
    usable = all(isinstance(label, str | int | float) and label == label for label in labels)
    if not usable or len(set(labels)) != len(labels):
        raise InvalidExperiment("classes", value, expected)
    return labels
