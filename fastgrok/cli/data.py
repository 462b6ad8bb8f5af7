"""The data that a command line names, how a file is read, what is validated on, and how inputs are scaled."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from fastgrok import datasets
from fastgrok.cli.flags import COLUMN_FLAGS, Values, items, option
from fastgrok.datasets import Dataset
from fastgrok.datasets.builtin import BUILTIN
from fastgrok.datasets.sklearn_data import SKLEARN
from fastgrok.errors import MISSING, InvalidExperiment, hint, one_line, short_list

_KNOWN = f"{', '.join(BUILTIN).replace('parity', 'parity3')}; {', '.join(SKLEARN)} of scikit-learn"
_WORDS = {"tab": "\t", "\\t": "\t", "space": " ", "blank": " ", "comma": ",", "semicolon": ";", "bar": "|"}
_FEW = 20  # distinct whole numbers that may well be classes


def data_of(name: str | None, values: Values) -> tuple[list[Dataset], Dataset | None]:
    """Return the datasets, by name or one from a file, and what is validated on."""
    if (name is None) == (values["data"] is None):
        both = MISSING if name is None else f"{name} and --data {values['data']}"
        raise InvalidExperiment("data", both, f"either a name ({_KNOWN}) or --data with a file")
    _check_column_flags(values)
    if values["data"] is not None:
        data = [_from_file("--data", values["data"], values)]
    else:
        data = [_by_name(item) for item in items("data", name or "")]
    return _scaled(*_validated(data, values), values)


def _check_column_flags(values: Values) -> None:
    """Raise if a flag says how a file is read, and there is none that is read so."""
    is_csv = any(map(_is_csv, (values["data"], values["validation"])))
    for flag in COLUMN_FLAGS:
        of_npz = flag.name in ("classes", "regression") and _is_npz(values["data"])
        if values[flag.name] != flag.default and not is_csv and not of_npz:
            raise InvalidExperiment(flag.option, values[flag.name], "a CSV file, by --data or --validation")


def _validated(data: list[Dataset], values: Values) -> tuple[list[Dataset], Dataset | None]:
    """Return the datasets, and what is validated on; a share of the examples is taken from the one dataset."""
    text, seed, stratified = values["validation"], values["split_seed"], values["stratified"]
    share = None if text is None else _share(text)
    for name, value in (("split_seed", seed), ("stratified", stratified or None)):
        if value is not None and share is None:
            raise InvalidExperiment(option(name), value, "--validation with a share of the examples")
    if text is None:
        return data, None
    if share is None:
        return data, _from_file("--validation", text, values, like=data[0])
    if len(data) > 1:
        raise InvalidExperiment("--validation", text, "one dataset of which it is a share")
    try:
        rest, held_out = data[0].split(share, seed=seed or 0, stratified=stratified)
    except InvalidExperiment as error:
        flag = "--split-seed" if error.field == "seed" else option(error.field)
        raise InvalidExperiment(flag, error.value, error.accepted) from None
    return [rest], held_out


def _scaled(data: list[Dataset], validation: Dataset | None, values: Values) -> tuple[list[Dataset], Dataset | None]:
    """Return the data scaled as the flags ask, and what is validated on as the first of them."""
    if values["standardize"] and values["min_max"]:
        raise InvalidExperiment("--min-max", True, "either this or --standardize")
    if not values["standardize"] and not values["min_max"]:
        return data, validation
    scaled = [one.standardized() if values["standardize"] else one.scaled() for one in data]
    return scaled, None if validation is None else validation.scaled_as(scaled[0])


def _share(text: str) -> float | None:
    """Return the share that a text is, None if it is a file."""
    try:
        return float(text)
    except ValueError:
        return None


def is_file(item: str) -> bool:
    """Whether what names data looks like a file."""
    return Path(item).suffix.lower() in (".csv", ".npz", ".tsv", ".txt", ".data", ".dat") or "/" in item


def _by_name(item: str) -> Dataset:
    """Return a dataset by its name."""
    stem = "" if is_file(item) else re.sub(r"[^a-z_].*", "", item, flags=re.DOTALL)
    if stem not in BUILTIN and item not in SKLEARN:
        file = item if is_file(item) else "my.csv"
        near = hint(item, [*BUILTIN, *SKLEARN])
        raise InvalidExperiment("data", item, f"a name ({_KNOWN}); for a file: --data {file}{near}")
    return datasets.by_name(item)


def _is_csv(path: str | None) -> bool:
    """Whether a file is read as CSV: every one that is not NPZ."""
    return path is not None and _share(path) is None and not _is_npz(path)


def _is_npz(path: str | None) -> bool:
    """Whether a file is NPZ."""
    return path is not None and Path(path).suffix.lower() == ".npz"


def _from_file(flag: str, path: str, values: Values, like: Dataset | None = None) -> Dataset:
    """Return the dataset of a CSV or an NPZ file; the flags of columns are for both files."""
    if values["classes"] and values["regression"]:
        raise InvalidExperiment("--regression", True, "either this or --classes")
    classes = False if values["regression"] else values["classes"]
    if not _is_csv(path):
        return _read(flag, Dataset.from_npz, path, classes=classes)
    if values["target"] is None:
        raise InvalidExperiment("--target", MISSING, _target_expected(flag, path, values))
    target = _columns("target", values)
    options = {name: values[name] for name in ("one_hot", "missing", "decimal", "encoding", "header")}
    options |= {"delimiter": _WORDS.get(values["delimiter"], values["delimiter"])}
    options |= {"classes": classes, "categorical": _columns("categorical", values), "like": like}
    columns = target if target is None or len(target) > 1 else target[0]
    return _read(flag, Dataset.from_csv, path, columns, _columns("features", values), **options)


def _target_expected(flag: str, path: str, values: Values) -> str:
    """Say what `--target` takes."""
    last = ", -1 for the last" if values["header"] is False else ""
    return f"the column of the target in {flag}, or several with commas{last}"


def _columns(name: str, values: Values) -> list[str | int] | None:
    """Return the columns that a flag names, numbers where the file has no header."""
    if values[name] is None:
        return None
    listed = items(option(name), values[name])
    if values["header"] is not False:
        return list(listed)
    return [int(item) if re.fullmatch("-?[0-9]{1,9}", item) else item for item in listed]


def _read(flag: str, read: Callable[..., Dataset], path: str, *columns: Any, **options: Any) -> Dataset:
    """Read a file; an error names flags: about its path this one, about another argument its own."""
    try:
        return read(path, *columns, **options)
    except InvalidExperiment as error:
        accepted = in_flags(error.accepted)
        if error.field == "path":
            raise InvalidExperiment(flag, os.path.abspath(path), accepted) from None
        is_flag = error.field in (flag.name for flag in COLUMN_FLAGS)
        raise InvalidExperiment(option(error.field) if is_flag else error.field, error.value, accepted) from None


def in_flags(text: str) -> str:
    """Write arguments of Python, as in `missing='drop'`, as they are typed: `--missing drop`."""
    switches = {"header=False": "--no-header", "header=True": "--header"}
    switches |= {"classes=True": "--classes", "classes=False": "--regression"}
    for python, typed in switches.items():
        text = text.replace(python, typed)
    names = "|".join(flag.name for flag in COLUMN_FLAGS)
    return re.sub(rf"\b({names})=(\[[^]]*\]|'[^']*')", _typed, text)


def _typed(match: re.Match[str]) -> str:
    """Write one argument."""
    value = ",".join(re.findall("'([^']*)'", match[2]))
    return f"{option(match[1])} " + (value if re.fullmatch(r"[\w.,-]+", value) else f"'{value}'")


def notes_about(data: Dataset, values: Values) -> list[str]:
    """Return what is to be said about data: what the targets were taken for, and inputs that are not scaled."""
    notes = []
    if data.classes is not None or is_file(values["data"] or ""):
        notes.append(f"{one_line(data.name)}: {_target_note(data)}")
    if data.unscaled_note is not None:
        notes.append(f"{one_line(data.name)}: {data.unscaled_note.replace(', or data.standardized(),', '')}")
    return notes


def _target_note(data: Dataset) -> str:
    """Say what the targets were taken for, and which flag takes them for something else."""
    if data.classes is not None:
        outputs = "one output each" if data.n_out > 1 else f"one output, above 0.5 for {data.classes[1]!r}"
        numbers = all(isinstance(label, int | float) and not isinstance(label, bool) for label in data.classes)
        other = "; --regression takes them for numbers" if numbers else ""
        return f"{len(data.classes)} classes ({short_list(data.classes)}), {outputs}{other}"
    values = np.unique(data.y) if data.n_out == 1 else np.empty(0)
    whole = 2 < len(values) <= _FEW and bool((values == np.floor(values)).all())
    other = f"; --classes takes the {len(values)} whole numbers for classes" if whole else ""
    return f"the target is numbers{other}"
