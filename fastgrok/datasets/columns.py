"""From a table to inputs and targets: chosen columns, classes, categories, missing values."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.datasets.classes import MAX_CLASSES, Label, are_counted, as_number, encode, sorted_labels
from fastgrok.datasets.memory import check_fits
from fastgrok.datasets.missing import MISSING_RULES, complete_rows
from fastgrok.datasets.table import Table
from fastgrok.errors import InvalidExperiment, hint, one_of, short_list, short_repr

Categories = tuple[tuple[str, tuple[Label, ...]], ...]
"""Of each column of the inputs its name and its categories; none for a column of numbers."""


class Columns(NamedTuple):
    """Inputs and targets of a table, and what was done to them."""

    X: NDArray[np.float64]
    y: NDArray[np.float64]
    feature_names: tuple[str, ...]
    target_names: tuple[str, ...]
    classes: tuple[Label, ...] | None = None
    categories: Categories | None = None
    fill: tuple[float, ...] | None = None  # of each column of the inputs, what stands for a missing value


class Known(NamedTuple):
    """What other data, of which these are more examples, have: see `Columns`."""

    categories: Categories
    classes: tuple[Label, ...] | None
    n_out: int
    fill: tuple[float, ...] | None


class Options(NamedTuple):
    """What the columns of a table are taken for: see `Dataset.from_csv`."""

    target: Any
    features: Any = None
    classes: bool | None = None
    one_hot: bool = False
    categorical: Any = None
    missing: str | None = None
    known: Known | None = None


def read_columns(table: Table, options: Options) -> Columns:
    """Return inputs and targets of a table."""
    _check(options)
    targets = chosen(table, "target", options.target)
    if options.classes and len(targets) > 1:
        raise InvalidExperiment("target", options.target, "one column where classes=True")
    features = options.features
    if options.known is not None:
        features = [column for column, _ in options.known.categories]
    inputs = _inputs(table, features, targets)
    raw = _raw(table, inputs, _categorical(table, inputs, options), options.known)
    are_classes = _are_classes(table, targets, options)
    theirs = () if options.known is None else options.known.classes or ()
    wanted: list[Any] = (
        [table.labels(targets[0], theirs)] if are_classes else [table.numbers(name) for name in targets]
    )
    rows = complete_rows(
        table, dict(zip([*inputs, *targets], [*raw, *wanted], strict=True)), len(inputs), options.missing
    )
    X, categories, fill = _encoded(table, inputs, [_take(column, rows) for column in raw], rows, options)
    y, names, classes = _targets(table, targets, [_take(column, rows) for column in wanted], rows, options)
    return Columns(X, y, input_names(categories), names, classes, _if_any(categories), fill)


def _check(options: Options) -> None:
    """Raise if an option is none of its values."""
    if options.classes is not None and not isinstance(options.classes, bool):
        raise InvalidExperiment("classes", options.classes, "True, False or None")
    if not isinstance(options.one_hot, bool):
        raise InvalidExperiment("one_hot", options.one_hot, "True or False")
    missing = options.missing
    if missing is not None and not (isinstance(missing, str) and missing in MISSING_RULES):
        raise InvalidExperiment("missing", missing, one_of(MISSING_RULES) + hint(missing, MISSING_RULES))


def chosen(table: Table, field: str, columns: Any) -> list[str]:
    """Return the chosen columns as a list, if the header has each once."""
    listed = list(columns) if isinstance(columns, list | tuple) else [columns]
    known = set(table.header)
    for column in listed:
        if not isinstance(column, str) or not column or column not in known:
            there = short_list(table.header)
            alone = "; delimiter=';' if that is between the values" if len(table.header) == 1 else ""
            raise InvalidExperiment(
                field, column, f"a column of {table.name}: {there}{alone}{hint(column, table.header)}"
            )
    if not listed:
        raise InvalidExperiment(field, columns, "a column at least")
    if len(set(listed)) < len(listed):
        raise InvalidExperiment(field, columns, "columns that differ")
    return listed


def _inputs(table: Table, features: Any, targets: list[str]) -> list[str]:
    """Return the columns of the inputs."""
    if features is not None:
        inputs = chosen(table, "features", features)
        for column in targets:
            if column in inputs:
                raise InvalidExperiment("features", column, "columns that are not the target")
        return inputs
    apart = set(targets)
    inputs = [column for column in table.header if column not in apart]
    if "" in inputs:
        number = table.header.index("") + 1
        expected = f"the columns to use: column {number} of {table.name} has no name in the header"
        raise InvalidExperiment("features", None, expected)
    if not inputs:
        raise InvalidExperiment("features", None, f"a column beside the target, and {table.name} has none")
    return inputs


def _categorical(table: Table, inputs: list[str], options: Options) -> list[str]:
    """Return the inputs that hold categories."""
    if options.known is not None:
        return [column for column, labels in options.known.categories if labels]
    columns = [] if options.categorical is None else chosen(table, "categorical", options.categorical)
    among = set(inputs)
    for column in columns:
        if column not in among:
            raise InvalidExperiment("categorical", column, f"columns of the inputs: {short_list(inputs)}")
    return columns


def _raw(table: Table, inputs: list[str], categorical: list[str], known: Known | None) -> list[Any]:
    """Return a list of labels for each input of categories, and an array of numbers for each other one."""
    coded = set(categorical)
    words = [column for column in inputs if column in coded or table.kind(column) != "number"]
    hint = f"; categorical={short_repr(words)} makes inputs of words"
    theirs = {} if known is None else dict(known.categories)
    return [
        table.labels(column, theirs.get(column, ())) if column in coded else table.numbers(column, hint)
        for column in inputs
    ]


def _take(column: Any, rows: NDArray[np.int64]) -> Any:
    """Return some rows of a list or an array."""
    if isinstance(column, np.ndarray):
        return column if len(rows) == len(column) else column[rows]
    return column if len(rows) == len(column) else [column[row] for row in rows]


def _encoded(
    table: Table, inputs: list[str], raw: list[Any], rows: NDArray[np.int64], options: Options
) -> tuple[NDArray[np.float64], Categories, tuple[float, ...] | None]:
    """Return the inputs (n_rows, n_in), the categories of each column, and the means that fill gaps."""
    known = options.known
    if known is not None:
        categories = known.categories
    else:
        numeric = [isinstance(column, np.ndarray) for column in raw]
        categories = tuple(
            (name, () if plain else _categories(table, name, column))
            for name, column, plain in zip(inputs, raw, numeric, strict=True)
        )
    fill = known.fill if known is not None and known.fill is not None else None
    if options.missing == "mean" and fill is None:
        fill = tuple(_mean(table, name, column) for name, column in zip(inputs, raw, strict=True))
    width = sum(n_inputs_of(labels) for _, labels in categories)
    check_fits("features", f"{width:,} inputs of {len(rows):,} rows", 4 * 8 * width * len(rows))
    blocks = []
    for k, (column, (name, labels)) in enumerate(zip(raw, categories, strict=True)):
        if labels:
            blocks.append(_one_hot(table, name, column, labels, rows))
        else:
            filled = column if fill is None else np.where(np.isnan(column), fill[k], column)
            blocks.append(filled[:, np.newaxis])
    return np.concatenate(blocks, axis=1), categories, fill


def _categories(table: Table, name: str, labels: list[Label]) -> tuple[Label, ...]:
    """Return the categories of a column."""
    found = sorted_labels(list(dict.fromkeys(labels)))
    if len(found) < 2:
        raise InvalidExperiment("categorical", name, f"two categories at least, and there is only {found[0]!r}")
    if len(found) > MAX_CLASSES:
        expected = f"a column of at most {MAX_CLASSES} categories, and there are {len(found):,}"
        raise InvalidExperiment("categorical", name, expected)
    return found


def _mean(table: Table, name: str, column: Any) -> float:
    """Return the mean of the values that there are; 0 for a column of categories, which has no gaps."""
    if not isinstance(column, np.ndarray):
        return 0.0
    there = column[~np.isnan(column)]
    if not len(there):
        raise InvalidExperiment("missing", "mean", f"a value in column {name!r}, and all are missing")
    return float(there.mean())


def _one_hot(
    table: Table, name: str, labels: Sequence[Label], known: tuple[Label, ...], rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the outputs or inputs for labels; an error names the place of the first that is not known."""
    unknown = set(labels) - set(known)
    if unknown:
        row = next(k for k, label in enumerate(labels) if label in unknown)
        table.fail(int(rows[row]), name, f"one of the values known: {short_list(known)}")
    return encode(labels, known).y


def input_names(categories: Categories) -> tuple[str, ...]:
    """Return the names of the inputs: of a column with two categories the second, of one with more each."""
    names: list[str] = []
    for column, labels in categories:
        shown = labels[1:] if len(labels) == 2 else labels
        names += [f"{column}={label}" for label in shown] if labels else [column]
    return tuple(names)


def _if_any(categories: Categories) -> Categories | None:
    """Return the categories of the columns; None if all hold numbers."""
    return categories if any(labels for _, labels in categories) else None


def _are_classes(table: Table, targets: list[str], options: Options) -> bool:
    """Whether the target is a column of classes: see `fastgrok.datasets.classes`."""
    if options.known is not None:
        return options.known.classes is not None
    if options.classes is not None or len(targets) > 1:
        return bool(options.classes)
    if table.kind(targets[0]) != "number":
        return True
    values = table.numbers(targets[0], "; or classes=True where numbers are classes too")
    return are_counted(values[~np.isnan(values)])


def _targets(
    table: Table, targets: list[str], columns: list[Any], rows: NDArray[np.int64], options: Options
) -> tuple[NDArray[np.float64], tuple[str, ...], tuple[Label, ...] | None]:
    """Return the targets (n_rows, n_out), their names, and the classes if there are any."""
    if isinstance(columns[0], np.ndarray):
        return np.stack(columns, axis=1), tuple(targets), None
    labels, known = columns[0], options.known
    if known is None and options.classes is None:
        _check_one_kind(table, targets[0], labels, rows)
    if known is not None and known.classes is not None:
        _one_hot(table, targets[0], labels, known.classes, rows)  # names the place of one that is not known
        y, classes = encode(labels, known.classes, one_hot=known.n_out > 1)
    else:
        _check_number(table, targets[0], labels, rows)
        try:
            y, classes = encode(labels, one_hot=options.one_hot)
        except InvalidExperiment as error:
            raise InvalidExperiment("target", targets[0], error.accepted) from None
    return y, (targets[0],) if y.shape[1] == 1 else tuple(map(str, classes)), classes


def _check_number(table: Table, name: str, labels: list[Label], rows: NDArray[np.int64]) -> None:
    """Raise where there are more classes than a layer has units."""
    if len(distinct := dict.fromkeys(labels)) > MAX_CLASSES:
        row = labels.index(list(distinct)[MAX_CLASSES])
        table.fail(int(rows[row]), name, f"at most {MAX_CLASSES} classes in a column")


def _check_one_kind(table: Table, target: str, labels: list[Label], rows: NDArray[np.int64]) -> None:
    """Raise if some of the words are numbers: a slip, unless it is said that these are classes."""
    if isinstance(labels[0], str) and as_number(labels[0]) is None:
        for row in (k for k, label in enumerate(labels) if as_number(label) is not None):
            expected = "a class as in the rows before (classes=True takes numbers for classes too)"
            table.fail(int(rows[row]), target, expected)


def raw_inputs(table: Table, known: Known) -> NDArray[np.float64]:
    """Return the inputs of a table as those of the data that are known."""
    inputs = chosen(table, "X", [column for column, _ in known.categories])
    raw = _raw(table, inputs, [column for column, labels in known.categories if labels], known)
    missing = None if known.fill is None else "mean"
    rows = complete_rows(table, dict(zip(inputs, raw, strict=True)), len(inputs), missing)
    return _encoded(table, inputs, raw, rows, Options(None, missing=missing, known=known))[0]


def n_inputs_of(labels: Sequence[Label]) -> int:
    """Return how many inputs a column is: one of numbers or of two categories, else one for each category."""
    return len(labels) if len(labels) > 2 else 1


def column_means(X: NDArray[np.float64], categories: Categories) -> tuple[float, ...]:
    """Return the mean of each column that raw inputs (n_rows, n_in) were made of; 0 for one of categories."""
    means, k = [], 0
    for _, labels in categories:
        means.append(0.0 if labels else float(X[:, k].mean()))
        k += n_inputs_of(labels)
    return tuple(means)


def checked_categories(value: Any, n_in: int) -> Categories | None:
    """Return categories as tuples: pairs of a column's name and its labels, which are `n_in` inputs together."""
    if value is None:
        return None
    expected = "None, or for each column its name and its categories, none for numbers"
    try:
        pairs = tuple((name, tuple(labels)) for name, labels in value)
    except (TypeError, ValueError) as error:
        raise InvalidExperiment("categories", value, expected) from error
    for name, labels in pairs:
        usable = isinstance(name, str) and name and all(isinstance(label, str | int | float) for label in labels)
        if not usable or len(labels) == 1 or len(set(labels)) != len(labels):
            raise InvalidExperiment("categories", value, expected)
    there = sum(n_inputs_of(labels) for _, labels in pairs)
    if there != n_in:
        raise InvalidExperiment(
            "categories", value, f"columns that are {n_in} input{'s' * (n_in != 1)} together, and they are {there}"
        )
    return pairs
