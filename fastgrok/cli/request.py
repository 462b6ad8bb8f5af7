"""What the flags of `fastgrok sweep` ask for: an experiment, and the axes of the lists among them."""

import itertools
import os
import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from fastgrok import datasets
from fastgrok.cli.flags import DATA_FLAGS, FIELD_FLAGS
from fastgrok.cli.lists import integer, integer_or, items, listed, number, option, word
from fastgrok.cli.regime import Values, optimizers, stopping
from fastgrok.datasets import Dataset
from fastgrok.datasets.builtin import BUILTIN
from fastgrok.errors import MISSING, InvalidExperiment, one_of
from fastgrok.spec.calls import from_call
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.initializers import Initializer
from fastgrok.spec.layers import ACTIVATIONS, MAX_WIDTH, LeakyReLU, ReLU, Sigmoid
from fastgrok.spec.network import Network, mlp

_KNOWN = ", ".join(BUILTIN).replace("parity", "parity3")


class Request(NamedTuple):
    """An experiment, and what varies of it."""

    experiment: Experiment  # with the first value of each field
    axes: dict[str, list[Any]]  # the values of each field that has several, or a list of one
    choices: dict[str, list[Any]] = {}  # noqa: RUF012


def request(name: str | None, values: Values, lists: Collection[str] = ()) -> Request:
    """Return what a command line asks for."""
    try:
        return _requested(name, values, lists)
    except InvalidExperiment as error:
        raise _by_its_flag(error, values) from None


def _by_its_flag(error: InvalidExperiment, values: Values) -> InvalidExperiment:
    """Name the flag of the field that is wrong, as far as it has one."""
    field = re.sub(r"\[\d+\]", "", error.field)
    if field == "stop" and values["no_stop"]:
        return InvalidExperiment("--no-stop", True, error.accepted)
    flag = next((flag for flag in FIELD_FLAGS if flag.field == field), None)
    if flag is None or field in ("network", "stop", "optimizer"):
        return error
    return InvalidExperiment(
        flag.option or option(flag.name), MISSING if error.value is None else error.value, error.accepted
    )


def is_set_by(path: str, names: Collection[str]) -> bool:
    """
    Whether a field is what one of some flags sets.

    Examples
    --------
    >>> is_set_by("stop[0].loss", ["stop_loss"]), is_set_by("network", ["slope"]), is_set_by("optimizer", ["lr"])
    (True, True, False)
    """
    plain = re.sub(r"\[\d+\]", "", path)
    return any(flag.name in names and flag.field == plain for flag in (*DATA_FLAGS, *FIELD_FLAGS))


def _requested(name: str | None, values: Values, lists: Collection[str]) -> Request:
    """Return what a command line asks for; an error names a field or a flag."""
    fields: dict[str, list[Any]] = {"data": _data(name, values)}
    fixed: dict[str, Any] = {"validation": _validation(fields["data"], values)}
    fields["network"] = _networks(fields["data"], values)
    for path, parse in _PARSERS.items():
        flag = next(flag for flag in FIELD_FLAGS if flag.field == path)
        fields[path] = listed(option(flag.name), values[flag.name], parse)
    _check_output(fields)
    chosen, rates = optimizers(values)
    ends, limits = stopping(values)
    fields |= chosen
    first = {path: choices[0] for path, choices in fields.items()}
    experiment = Experiment(**first, **fixed, **ends)
    choices = {**fields, **rates, **limits}
    axes = {path: some for path, some in choices.items() if len(some) > 1 or is_set_by(path, lists)}
    return Request(experiment, axes, choices)


def _validation(data: list[Dataset], values: Values) -> Dataset | None:
    """Return what is validated on; a share of the examples is taken away from the one dataset that there is then."""
    given, seed, stratified = values["validation"], values["split_seed"], values["stratified"]
    share = None if given is None else _share(given)
    for name, value in (("split_seed", seed), ("stratified", stratified or None)):
        if value is not None and share is None:
            raise InvalidExperiment(option(name), value, "--validation with a share of the examples")
    if given is None:
        return None
    if share is None:
        columns = ",".join(data[0].feature_names) if _is_csv(values["data"]) else None
        return _from_file("--validation", given, {**values, "features": values["features"] or columns})
    if len(data) > 1:
        raise InvalidExperiment("--validation", given, "one dataset of which it is a share")
    try:
        data[0], held_out = data[0].split(share, seed=seed or 0, stratified=stratified)
    except InvalidExperiment as error:
        flag = "--split-seed" if error.field == "seed" else option(error.field)
        raise InvalidExperiment(flag, error.value, error.accepted) from None
    return held_out


def _share(text: str) -> float | None:
    """Return the share that a text is, None if it is a file."""
    try:
        return float(text)
    except ValueError:
        return None


def _initializer(flag: str, text: str) -> Any:
    return from_call("init", Initializer, text)


def _bias_initializer(flag: str, text: str) -> Any:
    return "same" if text == "same" else from_call("init", Initializer, text)


_PARSERS: dict[str, Callable[[str, str], Any]] = {
    "loss": word,
    "reduction": word,
    "init": _initializer,
    "bias_init": _bias_initializer,
    "stream": word,
    "batch_size": integer_or("full"),
    "order": word,
    "epochs": integer,
    "check_every": integer,
    "dtype": word,
}


def _check_output(fields: Mapping[str, list[Any]]) -> None:
    """Raise if a loss needs another output: say it in the words of the command line."""
    if "binary_cross_entropy" in fields["loss"]:
        for network in fields["network"]:
            if not isinstance(network.layers[-1], Sigmoid):
                raise InvalidExperiment("--loss", "binary_cross_entropy", "another loss, or --output sigmoid")


def _data(name: str | None, values: Values) -> list[Dataset]:
    """Return the datasets: by name, or one from a file."""
    if (name is None) == (values["data"] is None):
        given = MISSING if name is None else f"{name} and --data {values['data']}"
        raise InvalidExperiment("data", given, f"either a name ({_KNOWN}) or --data with a file")
    for flag in DATA_FLAGS[1:]:
        if values[flag.name] is not None and not any(map(_is_csv, (values["data"], values["validation"]))):
            raise InvalidExperiment(option(flag.name), values[flag.name], "a CSV file, by --data or --validation")
    if values["data"] is not None:
        return [_from_file("--data", values["data"], values)]
    return listed("data", name or "", _named)


def is_file(item: str) -> bool:
    """
    Whether what names data looks like a file.

    Examples
    --------
    >>> is_file("xor"), is_file("my.csv")
    (False, True)
    """
    return Path(item).suffix.lower() in (".csv", ".npz", ".tsv", ".txt") or "/" in item


def _named(field: str, item: str) -> Dataset:
    """Return a dataset by its name."""
    stem = "" if is_file(item) else re.sub(r"[^a-z_].*", "", item, flags=re.DOTALL)
    if stem not in BUILTIN:
        file = item if is_file(item) else "my.csv"
        raise InvalidExperiment(field, item, f"a name ({_KNOWN}); for a file: --data {file}")
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
    chosen = target if len(target) > 1 else target[0]
    return _read(flag, Dataset.from_csv, path, chosen, features, classes=values["classes"])


def _read(flag: str, read: Callable[..., Dataset], path: str, *columns: Any, **options: Any) -> Dataset:
    """Read a file; an error about its path names the flag."""
    try:
        return read(path, *columns, **options)
    except InvalidExperiment as error:
        if error.field == "path":
            raise InvalidExperiment(flag, os.path.abspath(path), error.accepted) from None
        raise


def _networks(data: list[Dataset], values: Values) -> list[Network]:
    """Return a network for each combination of widths and activations."""
    n_in, n_out = data[0].n_in, data[0].n_out
    for other in data[1:]:
        if (other.n_in, other.n_out) != (n_in, n_out):
            raise InvalidExperiment("data", other, f"{n_in} inputs and {n_out} outputs, as {data[0].name!r} has")
    numbers = {
        name: listed(option(name), default if values[name] is None else values[name], number)
        for name, default in (("gradient_at_zero", "0"), ("slope", "0.01"))
    }
    networks = []
    for widths, hidden, output, gradient, slope in itertools.product(
        listed("--hidden", values["hidden"], _widths),
        listed("--activation", values["activation"], _activation),
        listed("--output", values["output"], _activation),
        numbers["gradient_at_zero"],
        numbers["slope"],
    ):
        special = {"relu": ReLU(gradient), "leaky_relu": LeakyReLU(slope)}
        ends = {"hidden": special.get(hidden, hidden), "output": special.get(output, output)}
        network = _network([n_in, *widths, n_out], values, **ends)
        if network not in networks:  # a slope that no layer has makes no difference
            networks.append(network)
    for name, kind in (("gradient_at_zero", ReLU), ("slope", LeakyReLU)):
        if values[name] is not None and not any(isinstance(layer, kind) for one in networks for layer in one.layers):
            wanted = f"a network with a {'relu' if kind is ReLU else 'leaky_relu'} layer: it has no effect here"
            raise InvalidExperiment(option(name), values[name], wanted)
    return networks


def _network(sizes: list[int], values: Values, **ends: Any) -> Network:
    """Return one network; what is wrong with it was said by a flag."""
    try:
        return mlp(*sizes, **ends, bias=values["bias"])
    except InvalidExperiment as error:
        if error.field in ("sizes", "layers"):
            raise InvalidExperiment("--hidden", values["hidden"], f"fewer layers ({error.accepted})") from None
        raise


def _widths(flag: str, text: str) -> list[int]:
    """Read `4`, `4x4`, or `none`."""
    if text == "none":
        return []
    try:
        widths = [integer(flag, width) for width in text.split("x")]
    except InvalidExperiment as error:
        raise InvalidExperiment(flag, text, "a width such as 4, several as in 4x4, or none") from error
    if not all(1 <= width <= MAX_WIDTH for width in widths):
        raise InvalidExperiment(flag, text, f"widths from 1 to {MAX_WIDTH}, or none for no hidden layer")
    return widths


def _activation(flag: str, text: str) -> str:
    """Return the name of an activation."""
    if text not in ACTIVATIONS:
        raise InvalidExperiment(flag, text, one_of(ACTIVATIONS))
    return text
