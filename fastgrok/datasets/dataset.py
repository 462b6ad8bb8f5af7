"""The examples that a network is trained on."""

import functools
import hashlib
import json
import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgrok.datasets import scaling
from fastgrok.datasets.arrays import examples_array, finite_numbers, labels_array, targets_array, text, unique_names
from fastgrok.datasets.classes import Label, checked_labels, encode, labels_of
from fastgrok.datasets.columns import (
    Categories,
    Columns,
    Known,
    Options,
    checked_categories,
    column_means,
    n_inputs_of,
    raw_inputs,
    read_columns,
)
from fastgrok.datasets.csv_files import Format, read_csv
from fastgrok.datasets.frames import FrameTable, is_frame
from fastgrok.datasets.npz import read_npz
from fastgrok.datasets.splitting import split_rows
from fastgrok.errors import MISSING, InvalidExperiment, check_keys, one_line, short_list


@dataclass(frozen=True, init=False, eq=False, repr=False)
class Dataset:
    """Inputs and targets, one row an example.

    Parameters
    ----------
    X
        Inputs of shape (n_examples, n_in), at most 10**7 rows: finite real numbers (bools are 0 and 1).
        Copied to a read-only float64 array; -0.0 becomes 0.0.
    y
        Targets of shape (n_examples, n_out), or (n_examples,) for one output; or the class of each example,
        (n_examples,): strings, bools, or numbers with `classes`.
    name
        Its name in tables and pictures.
    feature_names
        A name for each input, each once; None: "x0", "x1", ...
    target_names
        A name for each output, each once; None: the classes, or "y0", "y1", ...
    classes
        True: y of shape (n_examples,) holds classes; False: numbers. None: classes if it holds strings or bools. Two
        classes are one output, 0 for the first in order and 1 for the second; three or more are one output each. A
        list: what the outputs stand for, in this order.
    one_hot
        Whether two classes are two outputs as well, as a softmax needs them.
    categories, fill, shift, scale
        What was done to raw inputs, as `from_frame` and `standardized` keep it: the categories of each column,
        what stands for missing values, and `X = (raw - shift) / scale`. None: nothing.

    Raises
    ------
    InvalidExperiment
        If an array is empty, ragged, not numeric, not finite or not of this shape, the lengths differ, or
        names or classes do not fit.

    Examples
    --------
    >>> import fastgrok as fg
    >>> data = fg.Dataset([[0, 0], [0, 1]], [0, 1], name="two")
    >>> data, data.y.shape
    (<Dataset two: 2 examples, 2 inputs, 1 output>, (2, 1))
    >>> fg.Dataset([[0], [1], [2]], ["no", "yes", "no"])
    <Dataset data: 3 examples, 1 input, 1 output, classes 'no', 'yes'>
    """

    X: NDArray[np.float64]
    y: NDArray[np.float64]
    name: str
    feature_names: tuple[str, ...]
    target_names: tuple[str, ...]
    classes: tuple[Label, ...] | None
    categories: Categories | None
    fill: tuple[float, ...] | None
    shift: tuple[float, ...] | None
    scale: tuple[float, ...] | None

    optional_fields: ClassVar[tuple[str, ...]] = ("classes", "categories", "fill", "shift", "scale")
    """Fields that `to_dict` leaves out where they are None."""

    def __init__(
        self,
        X: ArrayLike,
        y: ArrayLike,
        name: str = "data",
        feature_names: Any = None,
        target_names: Any = None,
        *,
        classes: bool | Sequence[Label] | None = None,
        one_hot: bool = False,
        categories: Any = None,
        fill: Any = None,
        shift: Any = None,
        scale: Any = None,
    ) -> None:
        inputs = examples_array("X", X)
        targets, labels = _targets(y, classes, one_hot=one_hot)
        if len(inputs) != len(targets):
            expected = f"as many rows as X, which has {len(inputs)}, and there are {len(targets)}"
            raise InvalidExperiment("y", y, expected)
        if target_names is None and labels is not None and targets.shape[1] > 1:
            target_names = tuple(map(str, labels))
        scaled = scaling.checked(shift, scale, inputs.shape[1])
        kinds = checked_categories(categories, inputs.shape[1])
        filled = ("input", inputs.shape[1]) if kinds is None else ("column", len(kinds))
        values = {
            "X": inputs,
            "y": targets,
            "name": text("name", name),
            "feature_names": unique_names("feature_names", feature_names, "x", inputs.shape[1]),
            "target_names": unique_names("target_names", target_names, "y", targets.shape[1]),
            "classes": labels,
            "categories": kinds,
            "fill": None if fill is None else finite_numbers("fill", fill, filled[1], filled[0]),
            "shift": None if scaled is None else scaled.shift,
            "scale": None if scaled is None else scaled.scale,
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
        target: str | int | Sequence[str | int],
        features: str | Sequence[str | int] | None = None,
        *,
        classes: bool | None = None,
        one_hot: bool = False,
        categorical: str | Sequence[str | int] | None = None,
        missing: str | None = None,
        delimiter: str | None = None,
        decimal: str | None = None,
        encoding: str | None = None,
        header: bool | None = None,
        like: "Dataset | None" = None,
        name: str | None = None,
    ) -> Self:
        """Read a CSV file: a header, then numbers and words; blank lines are skipped.

        Parameters
        ----------
        path
            The file.
        target
            The column of the target, or a list of columns for several outputs.
        features
            The columns of the inputs; None: all the others.
        classes
            True: the target holds classes; False: it holds numbers. None: words and truth values are classes, and so
            are the whole numbers 0 to k - 1 where k >= 3 and each is there twice or more; other numbers are numbers.
            Two classes are one output, 0 for the first in order and 1 for the second; three or more are one each.
        one_hot
            Whether two classes are two outputs as well, as a softmax needs them.
        categorical
            Columns of the inputs that hold categories: two become one input, 0 for the first and 1 for the second,
            and three or more one input each.
        missing
            What is done where a value is blank, "?", "NA", "nan" and the like: "drop" leaves the row out, "mean"
            takes the mean of the column of an input; None: it is an error.
        delimiter
            The character between values, " " for any number of blanks; None: found among , ; tab | and blanks.
        decimal
            "." or ","; None: a point, or a comma in a column of a file with another delimiter, but for one where each
            comma may stand between thousands, as in 1,234, which is an error.
        encoding
            As Python names it; None: UTF-8, or UTF-16 with its mark.
        header
            Whether the first row has names; None: it has, and a row of numbers is an error. Without one the columns
            are "x0", "x1", ..., or numbers from 0, -1 for the last.
        like
            Data of which these are more examples: columns, classes, categories, means and scaling are theirs.
            Means are those of their inputs where they have no `fill`.
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
        >>> _ = path.write_text("a;b;both\\n0;1,5;no\\n1;1;yes\\n")
        >>> fg.Dataset.from_csv(path, target="both").classes
        ('no', 'yes')
        """
        known = None if like is None else _known(like, missing)
        options = Options(target, features, classes, one_hot, categorical, missing, known)
        columns = read_csv(path, Format(delimiter, decimal, encoding, header), options)
        return cls._of(columns, Path(path).stem if name is None else name, like)

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        target: str | Sequence[str],
        features: str | Sequence[str] | None = None,
        *,
        classes: bool | None = None,
        one_hot: bool = False,
        categorical: str | Sequence[str] | None = None,
        missing: str | None = None,
        like: "Dataset | None" = None,
        name: str = "data",
    ) -> Self:
        """Take the columns of a frame of pandas or polars, or of a table of pyarrow.

        Parameters
        ----------
        frame
            The frame; its index is no column.
        target, features, classes, one_hot, categorical, missing, like, name
            As for `from_csv`.

        Raises
        ------
        InvalidExperiment
            If a column is not there or does not hold what it must, with row and column.

        Examples
        --------
        >>> import fastgrok as fg, pandas as pd
        >>> df = pd.DataFrame({"size": [1.5, 2, 3], "colour": ["red", "blue", "red"], "kind": ["a", "b", "c"]})
        >>> fg.Dataset.from_frame(df, "kind", categorical="colour").feature_names
        ('size', 'colour=red')
        """
        options = Options(
            target, features, classes, one_hot, categorical, missing, None if like is None else _known(like, missing)
        )
        return cls._of(read_columns(FrameTable(frame), options), name, like)

    @classmethod
    def _of(cls, columns: Columns, name: str, like: "Dataset | None") -> Self:
        """Return the dataset of some columns, scaled as the data that it is like."""
        kept: dict[str, Any] = {
            "classes": columns.classes,
            "categories": columns.categories,
            "fill": columns.fill,
        }
        made = cls(columns.X, columns.y, name, columns.feature_names, columns.target_names, **kept)
        return made if like is None else made.scaled_as(like)

    @classmethod
    def from_npz(
        cls, path: str | Path, X: str = "X", y: str = "y", *, classes: bool | None = None, name: str | None = None
    ) -> Self:
        """Read two arrays of an NPZ file, as `numpy.savez` writes it; pickled objects are never loaded.

        Parameters
        ----------
        path
            The file.
        X
            The key of the inputs.
        y
            The key of the targets.
        classes
            As for `Dataset`.
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
            return cls(inputs, targets, label, classes=classes)
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
        return self._with(X=self.X[rows], y=self.y[rows], name=f"{self.name} ({part})")

    def _with(self, **changed: Any) -> Self:
        """Return a dataset with some fields changed."""
        return type(self)(**{field.name: getattr(self, field.name) for field in fields(self)} | changed)

    def standardized(self) -> Self:
        """Return the data with each input at mean 0 and standard deviation 1 (of all rows, as scikit-learn has it).

        Inputs that stand for categories stay 0 and 1, and a constant input becomes 0. What was done is kept in
        `shift` and `scale`, and `Result.predict` does it to raw inputs. Where there is validation, standardise the
        training data after the split, and scale the validation data by `scaled_as`.

        Raises
        ------
        InvalidExperiment
            If they are scaled already.

        Examples
        --------
        >>> import fastgrok as fg
        >>> fg.Dataset([[10], [20], [30], [40]], [0, 0, 1, 1]).standardized().X.round(2).ravel().tolist()
        [-1.34, -0.45, 0.45, 1.34]
        """
        return self._scaled(scaling.standard(self.X, self._binary))

    def scaled(self, low: float = 0.0, high: float = 1.0) -> Self:
        """Return the data with the smallest value of each input at `low` and the largest at `high`.

        As for `standardized`, that is kept in `shift` and `scale`.

        Parameters
        ----------
        low, high
            Where the smallest and the largest value come to be.

        Raises
        ------
        InvalidExperiment
            If they are scaled already, or `low` is not less than `high`.

        Examples
        --------
        >>> import fastgrok as fg
        >>> fg.Dataset([[10], [20], [30]], [0, 0, 1]).scaled(-1, 1).X.ravel().tolist()
        [-1.0, 0.0, 1.0]
        """
        return self._scaled(scaling.min_max(self.X, self._binary, low, high))

    def scaled_as(self, other: "Dataset") -> Self:
        """Return the data scaled as others are, which know nothing of these: those that a network is trained on.

        Parameters
        ----------
        other
            The training data.

        Raises
        ------
        InvalidExperiment
            If these are scaled already, or the others have other inputs.

        Examples
        --------
        >>> import fastgrok as fg
        >>> training, held_out = fg.datasets.parity(3).split(0.25)
        >>> training = training.standardized()
        >>> held_out.scaled_as(training).shift == training.shift
        True
        """
        if not isinstance(other, Dataset) or other.n_in != self.n_in:
            raise InvalidExperiment("other", other, f"a Dataset with {self.n_in} inputs, as these have")
        if other.shift is None or other.scale is None:
            return self
        return self._scaled(scaling.Scaling(other.shift, other.scale))

    def _scaled(self, by: scaling.Scaling) -> Self:
        """Return the data scaled."""
        if self.shift is not None:
            raise InvalidExperiment("shift", list(self.shift), "data that are not scaled already")
        return self._with(X=scaling.apply(self.X, by), shift=by.shift, scale=by.scale)

    @property
    def _binary(self) -> NDArray[np.bool_]:
        """Which inputs stand for categories, (n_in,)."""
        widths = [(n_inputs_of(labels), bool(labels)) for _, labels in self.categories or ()]
        flags = [flag for width, flag in widths for _ in range(width)]
        return np.array(flags or [False] * self.n_in, dtype=np.bool_)

    def inputs(self, X: Any) -> NDArray[np.float64]:
        """Return what a network trained on these data is given for raw inputs: encoded, filled and scaled as these.

        Parameters
        ----------
        X
            Raw inputs: an array of shape (n_examples, n_in), with 0 and 1 for categories; or a frame of pandas or
            polars, with the columns that these data were made of.

        Raises
        ------
        InvalidExperiment
            If X does not fit.

        Examples
        --------
        >>> import fastgrok as fg
        >>> fg.Dataset([[10], [20], [30]], [0, 0, 1]).scaled().inputs([[15]]).tolist()
        [[0.25]]
        """
        if is_frame(X) and (self.categories is not None or _has_columns(X, self.feature_names)):
            raw = raw_inputs(FrameTable(X), _known(self))
        else:
            raw = examples_array("X", self._filled(X))
            if raw.shape[1] != self.n_in:
                raise InvalidExperiment("X", X, f"inputs of shape (n_examples, {self.n_in})")
        if self.shift is None or self.scale is None:
            return raw
        return scaling.apply(raw, scaling.Scaling(self.shift, self.scale))

    def _filled(self, X: Any) -> Any:
        """Return an array with means where it has NaN, if these data were filled so."""
        if self.fill is None or self.categories is not None:
            return X
        array = np.asarray(X)
        if array.ndim != 2 or array.dtype.kind != "f" or array.shape[1] != self.n_in:
            return X
        return np.where(np.isnan(array), self.fill, array)

    def labels(self, outputs: ArrayLike) -> NDArray[Any]:
        """Return the class that each row of outputs stands for.

        Parameters
        ----------
        outputs
            Shape (..., n_out), as `Result.predict` gives them.

        Returns
        -------
        Shape (...): of several outputs the class of the largest, the first of equal ones; of one output the second
        class where it is above 0.5, and else the first.

        Raises
        ------
        InvalidExperiment
            If the targets are no classes, or the outputs do not fit.

        Examples
        --------
        >>> import fastgrok as fg
        >>> fg.Dataset([[0], [1]], ["no", "yes"]).labels([[0.2], [0.7]]).tolist()
        ['no', 'yes']
        """
        if self.classes is None:
            expected = "classes: targets that are words or truth values, or classes=True where numbers are classes"
            raise InvalidExperiment("classes", None, expected)
        array = np.asarray(outputs)
        if array.dtype.kind not in "biuf" or not array.ndim or array.shape[-1] != self.n_out:
            raise InvalidExperiment("outputs", outputs, f"numbers of shape (..., {self.n_out})")
        return labels_of(array, self.classes)

    @property
    def unscaled_note(self) -> str | None:
        """A sentence where inputs are so large that training suffers from it; None where they are not."""
        return scaling.unscaled_note(self.X, self.feature_names)

    def to_dict(self) -> dict[str, Any]:
        """Return "type" and every field, arrays as lists of rows; of `optional_fields` those that there are.

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
            **self.encoding(),
        }

    def encoding(self) -> dict[str, Any]:
        """Return the classes and what was done to raw inputs, for JSON: those of `optional_fields` that there are.

        Examples
        --------
        >>> import fastgrok as fg
        >>> fg.Dataset([[1], [2]], [True, False]).encoding()
        {'classes': [False, True]}
        """
        there = {name: getattr(self, name) for name in self.optional_fields}
        return {name: _listed(value) for name, value in there.items() if value is not None}

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
        names = [field.name for field in fields(cls) if field.name in plain or field.name not in cls.optional_fields]
        check_keys("Dataset", plain, names)
        return cls(**{name: plain[name] for name in names})

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 in hexadecimal of names, shapes, values and encoding: the same on every machine."""
        names: list[Any] = [self.name, self.feature_names, self.target_names, self.n_examples]
        encoding = self.encoding()
        digest = hashlib.sha256(json.dumps([*names, encoding] if encoding else names).encode("ascii"))
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
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return functools.partial(type(self), **values), ()

    def __repr__(self) -> str:
        counts = {"example": self.n_examples, "input": self.n_in, "output": self.n_out}
        words = ", ".join(f"{count:,} {noun}{'s' * (count != 1)}" for noun, count in counts.items())
        classes = "" if self.classes is None else f", classes {short_list(self.classes)}"
        return f"<Dataset {one_line(self.name)}: {words}{', scaled' * (self.shift is not None)}{classes}>"


def _targets(y: Any, classes: Any, *, one_hot: bool) -> tuple[NDArray[np.float64], tuple[Label, ...] | None]:
    """Return targets (n_examples, n_out), and the classes that the outputs stand for if there are any."""
    if not isinstance(one_hot, bool):
        raise InvalidExperiment("one_hot", one_hot, "True or False")
    listed = None if classes is None or isinstance(classes, bool) else checked_labels(classes)
    labels = None if classes is False else labels_array(y, numbers_too=classes is True or listed is not None)
    if labels is None:
        targets = targets_array("y", y)
        if classes is True:
            raise InvalidExperiment("y", y, "the class of each example, shape (n_examples,), where classes=True")
        n_labels = max(2, targets.shape[1])
        if listed is not None and len(listed) != n_labels:
            raise InvalidExperiment("classes", classes, f"{n_labels} labels, and there are {len(listed)}")
        return targets, listed
    if listed is None and all(isinstance(label, bool) for label in labels):
        listed = (False, True)  # also where one of them is not there
    encoded = encode(labels, listed, one_hot=one_hot)
    return targets_array("y", encoded.y), encoded.classes


def _known(data: Dataset, missing: str | None = None) -> Known:
    """Return what more examples of some data must have in common with them; `missing`: what is done about gaps."""
    if not isinstance(data, Dataset):
        raise InvalidExperiment("like", data, "a Dataset, or None")
    categories = data.categories or tuple((name, ()) for name in data.feature_names)
    fill = data.fill
    if fill is None and missing == "mean":
        raw = data.X if data.shift is None else data.X * np.array(data.scale) + np.array(data.shift)
        fill = column_means(raw, categories)
    return Known(categories, data.classes, data.n_out, fill)


def _has_columns(frame: Any, names: tuple[str, ...]) -> bool:
    """Whether a frame has all the columns."""
    columns = getattr(frame, "column_names", None)
    return set(names) <= set(map(str, getattr(frame, "columns", ()) if columns is None else columns))


def _listed(value: Any) -> Any:
    """Return tuples as lists."""
    return [_listed(item) for item in value] if isinstance(value, tuple) else value
