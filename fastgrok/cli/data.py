"""The data that a command line names, and what is validated on."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastgrok import datasets
from fastgrok.cli.flags import DATA_FLAGS, Values, items, option
from fastgrok.datasets import Dataset
from fastgrok.datasets.builtin import BUILTIN
from fastgrok.errors import MISSING, InvalidExperiment

_KNOWN = ", ".join(BUILTIN).replace("parity", "parity3")


def data_of(name: str | None, values: Values) -> tuple[list[Dataset], Dataset | None]:
    """Return the datasets, by name or one from a file, and what is validated on."""
    if (name is None) == (values["data"] is None):
        both = MISSING if name is None else f"{name} and --data {values['data']}"
        raise InvalidExperiment("data", both, f"either a name ({_KNOWN}) or --data with a file")
    for flag in DATA_FLAGS[1:]:
        if values[flag.name] is not None and not any(map(_is_csv, (values["data"], values["validation"]))):
            raise InvalidExperiment(flag.option, values[flag.name], "a CSV file, by --data or --validation")
    if values["data"] is not None:
        data = [_from_file("--data", values["data"], values)]
    else:
        data = [_by_name(item) for item in items("data", name or "")]
    return _validated(data, values)


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
        columns = ",".join(data[0].feature_names) if _is_csv(values["data"]) else None
        return data, _from_file("--validation", text, {**values, "features": values["features"] or columns})
    if len(data) > 1:
        raise InvalidExperiment("--validation", text, "one dataset of which it is a share")
    try:
        rest, held_out = data[0].split(share, seed=seed or 0, stratified=stratified)
    except InvalidExperiment as error:
        flag = "--split-seed" if error.field == "seed" else option(error.field)
        raise InvalidExperiment(flag, error.value, error.accepted) from None
    return [rest], held_out


def _share(text: str) -> float | None:
    """Return the share that a text is, None if it is a file."""
    try:
        return float(text)
    except ValueError:
        return None


def is_file(item: str) -> bool:
    """Whether what names data looks like a file."""
    return Path(item).suffix.lower() in (".csv", ".npz", ".tsv", ".txt") or "/" in item


def _by_name(item: str) -> Dataset:
    """Return a dataset by its name."""
    stem = "" if is_file(item) else re.sub(r"[^a-z_].*", "", item, flags=re.DOTALL)
    if stem not in BUILTIN:
        file = item if is_file(item) else "my.csv"
        raise InvalidExperiment("data", item, f"a name ({_KNOWN}); for a file: --data {file}")
    return datasets.by_name(item)


def _is_csv(path: str | None) -> bool:
    """Whether a file is read as CSV: every one that is not NPZ."""
    return path is not None and _share(path) is None and Path(path).suffix.lower() != ".npz"


def _from_file(flag: str, path: str, values: Values) -> Dataset:
    """Return the dataset of a CSV or an NPZ file; the flags of columns are for both files."""
    if not _is_csv(path):
        return _read(flag, Dataset.from_npz, path)
    if values["target"] is None:
        raise InvalidExperiment("--target", MISSING, f"the column of the target in {flag}, or several with commas")
    target = items("--target", values["target"])
    features = None if values["features"] is None else items("--features", values["features"])
    columns = target if len(target) > 1 else target[0]
    return _read(flag, Dataset.from_csv, path, columns, features, classes=values["classes"])


def _read(flag: str, read: Callable[..., Dataset], path: str, *columns: Any, **options: Any) -> Dataset:
    """Read a file; an error about its path names the flag."""
    try:
        return read(path, *columns, **options)
    except InvalidExperiment as error:
        if error.field == "path":
            raise InvalidExperiment(flag, os.path.abspath(path), error.accepted) from None
        raise
