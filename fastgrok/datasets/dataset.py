"""The examples that a network is trained on."""

import hashlib
import json
import numbers
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgrok.datasets.arrays import examples_array, targets_array, text, unique_names
from fastgrok.datasets.files import read_csv, read_npz
from fastgrok.errors import MISSING, InvalidExperiment, check_keys


@dataclass(frozen=True, init=False, eq=False, repr=False)
class Dataset:
    """Inputs and targets, one row an example.

    Parameters
    ----------
    X
        Inputs of shape (n_examples, n_in), at most 10**7 rows: finite real numbers (bools are 0 and 1).
        Copied to a read-only float64 array; -0.0 becomes 0.0.
    y
        Targets of shape (n_examples, n_out), or (n_examples,) for one output.
    name
        Its name in tables and pictures.
    feature_names
        A name for each input, each once; None: "x0", "x1", ...
    target_names
        A name for each output, each once; None: "y0", "y1", ...

    Raises
    ------
    InvalidExperiment
        If an array is empty, ragged, not numeric, not finite or not of this shape, the lengths differ, or
        names do not fit.

    Examples
    --------
    >>> import fastgrok as fg
    >>> data = fg.Dataset([[0, 0], [0, 1]], [0, 1], name="two")
    >>> data, data.y.shape
    (<Dataset two: 2 examples, 2 inputs, 1 output>, (2, 1))
    """

    X: NDArray[np.float64]
    y: NDArray[np.float64]
    name: str
    feature_names: tuple[str, ...]
    target_names: tuple[str, ...]

    def __init__(
        self,
        X: ArrayLike,
        y: ArrayLike,
        name: str = "data",
        feature_names: Any = None,
        target_names: Any = None,
    ) -> None:
        inputs = examples_array("X", X)
        targets = targets_array("y", y)
        if len(inputs) != len(targets):
            expected = f"as many rows as X, which has {len(inputs)}, and there are {len(targets)}"
            raise InvalidExperiment("y", y, expected)
        values = {
            "X": inputs,
            "y": targets,
            "name": text("name", name),
            "feature_names": unique_names("feature_names", feature_names, "x", inputs.shape[1]),
            "target_names": unique_names("target_names", target_names, "y", targets.shape[1]),
        }
        for field, value in values.items():
            object.__setattr__(self, field, value)

    @classmethod
    def from_fields(cls, **values: Any) -> Self:
        """Return a dataset with these fields."""
        return cls(**values)

    @classmethod
    def from_csv(
        cls,
        path: str | Path,
        target: str | list[str],
        features: str | list[str] | None = None,
        *,
        classes: bool | None = None,
        delimiter: str = ",",
        name: str | None = None,
    ) -> Self:
        """Read a CSV file: UTF-8, a header, then numbers; blank lines are skipped.

        Parameters
        ----------
        path
            The file.
        target
            The column of the target, or a list of columns for several outputs.
        features
            The columns of the inputs; None: all the others.
        classes
            True: the target column holds classes, and each, sorted, becomes an output that is 1 for its
            examples and 0 for the rest. False: it holds numbers. None: classes if its first value is no
            number, and then none may be.
        delimiter
            The character between values.
        name
            The name of the data; None: the file's name without its suffix.

        Raises
        ------
        InvalidExperiment
            If the file cannot be read, with line and column where there is one.

        Examples
        --------
        >>> import fastgrok as fg, pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp(), "and.csv")
        >>> _ = path.write_text("a,b,both\\n0,1,no\\n1,1,yes\\n")
        >>> fg.Dataset.from_csv(path, target="both").target_names
        ('no', 'yes')
        """
        columns = read_csv(path, target, features, classes, delimiter)
        label = Path(path).stem if name is None else name
        return cls(columns.X, columns.y, label, columns.feature_names, columns.target_names)

    @classmethod
    def from_npz(cls, path: str | Path, X: str = "X", y: str = "y", *, name: str | None = None) -> Self:
        """Read two arrays of an NPZ file, as `numpy.savez` writes it; pickled objects are never loaded.

        Parameters
        ----------
        path
            The file.
        X
            The key of the inputs.
        y
            The key of the targets.
        name
            The name of the data; None: the file's name without its suffix.

        Raises
        ------
        InvalidExperiment
            If the file cannot be read, lacks a key, or its arrays make no dataset.

        Examples
        --------
        >>> import fastgrok as fg, numpy as np, pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp(), "two.npz")
        >>> np.savez(path, X=np.eye(2), y=[0, 1])
        >>> fg.Dataset.from_npz(path)
        <Dataset two: 2 examples, 2 inputs, 1 output>
        """
        inputs, targets = read_npz(path, X, y)
        label = Path(path).stem if name is None else name
        try:
            return cls(inputs, targets, label)
        except InvalidExperiment as error:
            key = {"X": X, "y": y}.get(error.field)
            raise (
                error if key is None else InvalidExperiment(f"{path}: {key}", error.value, error.accepted)
            ) from None

    @property
    def n_examples(self) -> int:
        """Rows."""
        return len(self.X)

    @property
    def n_in(self) -> int:
        """Inputs of an example."""
        return int(self.X.shape[1])

    @property
    def n_out(self) -> int:
        """Targets of an example."""
        return int(self.y.shape[1])

    def split(self, validation: float, *, seed: int = 0, stratified: bool = False) -> tuple[Self, Self]:
        """Split the examples at random into two datasets, one to train on and one to validate on.

        Parameters
        ----------
        validation
            Share of the examples that are held out, between 0 and 1; their number is rounded to the nearest integer.
        seed
            Seed of the split, from 0, for `numpy.random.default_rng`. Nothing else decides it but the data.
        stratified
            Whether both have every distinct target (row of `y`) in about the same share.

        Returns
        -------
        The training and the validation data, each in the order of the rows.

        Raises
        ------
        InvalidExperiment
            If an argument is not accepted, or one of the two would be empty.

        Examples
        --------
        >>> import fastgrok as fg
        >>> fg.datasets.parity(3).split(0.25, stratified=True)[1].y.ravel().tolist()
        [1.0, 0.0]
        """
        if isinstance(validation, bool) or not isinstance(validation, numbers.Real) or not 0 < validation < 1:
            raise InvalidExperiment("validation", validation, "a share greater than 0 and less than 1")
        if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
            raise InvalidExperiment("seed", seed, "an integer at least 0")
        if not isinstance(stratified, bool | np.bool_):
            raise InvalidExperiment("stratified", stratified, "True or False")
        count = round(float(validation) * self.n_examples)
        if not 0 < count < self.n_examples:
            expected = f"a share that leaves some of the {self.n_examples} examples on either side"
            raise InvalidExperiment("validation", validation, expected)
        training, held_out = split_rows(self.y, count, int(seed), stratified=bool(stratified))
        return self._take(training, "training"), self._take(held_out, "validation")

    def _take(self, rows: NDArray[np.int64], part: str) -> Self:
        """Return some of the examples."""
        name = f"{self.name} ({part})"
        return type(self)(self.X[rows], self.y[rows], name, self.feature_names, self.target_names)

    def to_dict(self) -> dict[str, Any]:
        """Return "type" and every field, arrays as lists of rows.

        Examples
        --------
        >>> import fastgrok as fg
        >>> fg.Dataset([[1]], [2]).to_dict()["X"]
        [[1.0]]
        """
        return {
            "type": "Dataset",
            "X": self.X.tolist(),
            "y": self.y.tolist(),
            "name": self.name,
            "feature_names": list(self.feature_names),
            "target_names": list(self.target_names),
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Rebuild what `to_dict` wrote: "type" and every field.

        Raises
        ------
        InvalidExperiment
            If a field is missing, unknown or invalid, or the type is another one.

        Examples
        --------
        >>> import fastgrok as fg
        >>> fg.Dataset.from_dict(fg.datasets.xor().to_dict()) == fg.datasets.xor()
        True
        """
        kind = plain.get("type", MISSING) if isinstance(plain, Mapping) else plain
        if kind != "Dataset":
            raise InvalidExperiment("type", kind, "the dict of a Dataset")
        names = [field.name for field in fields(cls)]
        check_keys("Dataset", plain, names)
        return cls(**{name: plain[name] for name in names})

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 in hexadecimal of names, shapes and values: the same on every machine."""
        names = [self.name, self.feature_names, self.target_names, self.n_examples]
        digest = hashlib.sha256(json.dumps(names).encode("ascii"))
        for array in (self.X, self.y):
            digest.update(array.astype("<f8").tobytes())
        return digest.hexdigest()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Dataset):
            return NotImplemented
        return self is other or self.content_hash == other.content_hash

    def __hash__(self) -> int:
        return hash(self.content_hash)

    def __reduce__(self) -> tuple[Any, ...]:
        # through the constructor: pickle alone would bring back arrays that can be written to
        return type(self), (self.X, self.y, self.name, self.feature_names, self.target_names)

    def __repr__(self) -> str:
        counts = {"example": self.n_examples, "input": self.n_in, "output": self.n_out}
        words = ", ".join(f"{count:,} {noun}{'s' * (count != 1)}" for noun, count in counts.items())
        return f"<Dataset {self.name}: {words}>"


def split_rows(
    targets: NDArray[np.float64], count: int, seed: int, *, stratified: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows to train on and `count` to validate on, drawn by a seed. `targets`: (n_examples, n_out)."""
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(len(targets))
    if not stratified:
        return np.sort(shuffled[count:]), np.sort(shuffled[:count])
    _, stratum = np.unique(targets, axis=0, return_inverse=True)
    exact = np.bincount(stratum.ravel()) * (count / len(targets))
    quota = np.floor(exact).astype(np.int64)
    order = rng.permutation(len(quota))
    most_cut = order[np.argsort((quota - exact)[order], kind="stable")]
    quota[most_cut[: count - quota.sum()]] += 1
    rows = [shuffled[stratum.ravel()[shuffled] == k] for k in range(len(quota))]
    held_out = np.concatenate([group[:n] for group, n in zip(rows, quota, strict=True)])
    training = np.concatenate([group[n:] for group, n in zip(rows, quota, strict=True)])
    return np.sort(training), np.sort(held_out)
