"""What flags and TOML files ask for: an experiment, and the values of the fields that vary."""

import contextlib
import itertools
import math
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from fastgrok.cli.data import data_of
from fastgrok.cli.flags import ACTIVATION_KINDS, ACTIVATION_WORDS, EXPERIMENT_FLAGS, Flag, Values, option
from fastgrok.cli.output import Shown
from fastgrok.datasets import Dataset
from fastgrok.errors import MISSING, InvalidExperiment, hint, one_of
from fastgrok.spec.base import Spec
from fastgrok.spec.calls import NONE, call_name, describe
from fastgrok.spec.experiment import FIELDS, Experiment
from fastgrok.spec.layers import ACTIVATIONS, Softmax
from fastgrok.spec.losses import LAST_LAYERS
from fastgrok.spec.network import Network, mlp
from fastgrok.spec.stopping import Converged, EarlyStopping, Restart, Stationary
from fastgrok.spec.words import NETWORK_WORDS, network_value, outcome_named, word_of_path

Choices = dict[str, list[Any]]
"""The values of fields by their paths in an experiment."""

_OWN_READERS = ("", "data", "network", "validation", "stop")  # fields that functions make of several flags
_BY_NAME = {flag.name: flag for flag in EXPERIMENT_FLAGS}


class Request(NamedTuple):
    """An experiment, and what varies of it."""

    experiment: Experiment  # with the first value of each field
    axes: Choices  # of the fields that have several values, or a list of one
    choices: Choices = {}  # noqa: RUF012  # of every field that was given


def request(name: str | None, values: Values, lists: Collection[str] = ()) -> Request:
    """Return what data by name and the values of flags ask for; `lists` are flags that span an axis in any case."""
    with _naming_flags(values):
        data, validation = data_of(name, values)
        choices = {
            flag.field: flag.values(values[flag.name])
            for flag in sorted(EXPERIMENT_FLAGS, key=lambda flag: _axis_place(flag.field))
            if flag.field not in _OWN_READERS and values[flag.name] is not None
        }
        choices = {"data": data, "network": _networks(data, values), **choices}
        _check_output(choices)
        choices |= {"optimizer": _optimizers(choices, values), "restart": _restarts(choices, values)}
        stop = _stop(choices, values)
        first = {path: options[0] for path, options in choices.items() if path in FIELDS}
        experiment = Experiment(**first, stop=stop, validation=validation)
    if isinstance(stop, tuple):
        choices = {_with_index(path, stop): options for path, options in choices.items()}
    words = _network_words(choices["network"], values)
    varied = {word: options for word, options in words.items() if len(options) > 1 or word in lists}
    axes: Choices = {}
    for path, options in choices.items():
        if path == "network" and varied:
            axes |= varied
        elif len(options) > 1 or is_set_by(path, lists):
            axes[path] = options
    return Request(experiment, axes, choices | words)


def _network_words(networks: list[Network], values: Values) -> Choices:
    """Return the values of each word of a network, {} where they do not make these networks one by one."""
    words = {
        word: [network_value(word, option(word), value) for value in _BY_NAME[word].values(values[word])]
        for word in NETWORK_WORDS
    }
    fields_given = any(values[word] is not None for word in ACTIVATION_WORDS.values())
    if fields_given and len(words["activation"]) * len(words["output"]) > 1:
        return {}
    return words if math.prod(map(len, words.values())) == len(networks) else {}


def _axis_place(path: str) -> int:
    """Return where an axis stands among those of other fields: specifications and their fields come last."""
    field = path.partition(".")[0]
    return FIELDS.index(field) + len(FIELDS) * (field in ("optimizer", "stop", "restart")) if field else 0


def single_experiment(name: str | None, values: Values) -> Experiment:
    """Return the one experiment that the flags ask for."""
    requested = request(name, values)
    for path, options in requested.axes.items():
        raise InvalidExperiment(path, options, "one value: one network is looked at")
    return requested.experiment


def flags_of(path: str) -> list[Flag]:
    """Return the flags that set a path in an experiment."""
    plain = re.sub(r"\[\d+\]", "", path)
    return [flag for flag in EXPERIMENT_FLAGS if flag.field == plain or flag.name == plain in NETWORK_WORDS]


def is_set_by(path: str, names: Collection[str]) -> bool:
    """Whether any of the named flags sets a path in an experiment."""
    return any(flag.name in names for flag in flags_of(path))


@contextlib.contextmanager
def _naming_flags(values: Values) -> Iterator[None]:
    """Let an error about a field name the flag that sets it."""
    try:
        yield
    except InvalidExperiment as error:
        accepted = error.accepted.replace(", or None", f", or {NONE}")
        flags = flags_of(error.field)
        if len(flags) != 1 or flags[0].name == "data":
            raise InvalidExperiment(error.field, error.value, accepted) from None
        flag = flags[0]
        value = MISSING if error.value is None else error.value
        value = values[flag.name] if flag.kind is bool else value
        raise InvalidExperiment(flag.option, value, accepted) from None


@contextlib.contextmanager
def _within(place: str) -> Iterator[None]:
    """Let an error about a field of a specification name its place in the experiment."""
    try:
        yield
    except InvalidExperiment as error:
        raise (error if error.field.startswith("--") else error.within(place)) from None


def _fields(place: str, cls: type[Spec], choices: Choices) -> dict[str, Any]:
    """Return the first value of each field of a specification that was given."""
    paths = {name: f"{place}.{name}" for name in describe(cls)}
    return {name: choices[path][0] for name, path in paths.items() if path in choices}


def _optimizers(choices: Choices, values: Values) -> list[Any]:
    """Return the optimizers."""
    kinds = choices.get("optimizer", [describe(Experiment)["optimizer"].default])
    paths = [path for path in choices if path.startswith("optimizer.")]
    for kind, path in itertools.product(kinds, paths):
        if path.partition(".")[2] not in describe(type(kind)):
            raise _conflict(path, values, f"another --optimizer: {call_name(type(kind))} has none")
    with _within("optimizer"):
        return [kind.replace(**_fields("optimizer", type(kind), choices)) for kind in kinds]


def _stop(choices: Choices, values: Values) -> Any:
    """Return the stopping rule, None, or a tuple of several."""
    rules: list[Any] = []
    criteria = _fields("stop", Converged, choices)
    with _within("stop"):
        if values["no_stop"]:
            for name in criteria:
                raise _conflict(f"stop.{name}", values, "no --no-stop beside it")
        elif criteria.keys() <= {"keep_training"}:
            rules.append(describe(Experiment)["stop"].default.replace(**criteria))
        else:
            rules.append(Converged(**criteria))
        for rule in (EarlyStopping, Stationary):
            if fields := _optional("stop", rule, choices, values):
                rules.append(rule(**fields))
        early = next((rule for rule in rules if isinstance(rule, EarlyStopping)), None)
        if early is not None and early.monitor == "validation" and values["validation"] is None:
            raise _conflict("stop.patience", values, "--validation 0.25 with it, or --monitor training")
    return tuple(rules) if len(rules) > 1 else rules[0] if rules else None


def _with_index(path: str, rules: tuple[Any, ...]) -> str:
    """Return a path with the place of its stopping rule among several: stop[1].patience."""
    place, _, name = path.partition(".")
    if place != "stop":
        return path
    return next(f"stop[{k}].{name}" for k, rule in enumerate(rules) if name in describe(type(rule)))


def _restarts(choices: Choices, values: Values) -> list[Restart | None]:
    """Return the restarts: if some values are `none` the axis is `restart`, and else its fields are axes."""
    with _within("restart"):
        first = _fields("restart", Restart, choices)
        ending = [name for name in Restart.ends_by if name in first]
        for name in first if not ending else ():
            raise _conflict(f"restart.{name}", values, "--restart-after or --restart-patience with it")
        if not all(None in choices[f"restart.{name}"] for name in ending):
            return [Restart(**first)] if first else [None]
        options = [choices.pop(f"restart.{name}") for name in first]
        combined = [dict(zip(first, fields, strict=True)) for fields in itertools.product(*options)]
        kept = (fields if any(fields[name] is not None for name in ending) else None for fields in combined)
        return list(dict.fromkeys(None if fields is None else Restart(**fields) for fields in kept))


def _optional(place: str, cls: type[Spec], choices: Choices, values: Values) -> dict[str, Any]:
    """Return the fields of a specification that its required field turns on; {} without that field."""
    fields = _fields(place, cls, choices)
    required = next(name for name, field in describe(cls).items() if field.default is MISSING)
    for name in fields if required not in fields else ():
        raise _conflict(f"{place}.{name}", values, f"{flags_of(f'{place}.{required}')[0].option} with it")
    return fields


def _conflict(path: str, values: Values, expected: str) -> InvalidExperiment:
    """Return the error about a flag that does not go with the others."""
    flag = flags_of(path)[0]
    return InvalidExperiment(flag.option, values[flag.name], expected)


def _check_output(choices: Mapping[str, list[Any]]) -> None:
    """Raise if a loss needs another output: say it in the words of the command line."""
    words = {cls: word for word, cls in ACTIVATIONS.items() if cls is not None}
    losses = choices.get("loss", [describe(Experiment)["loss"].default])
    for loss, network in itertools.product(losses, choices["network"]):
        last, needed = type(network.layers[-1]), LAST_LAYERS.get(loss)
        if needed is not Softmax and last is Softmax:
            raise InvalidExperiment("--loss", loss, "cross_entropy with --output softmax")
        if needed is not None and last is not needed:
            raise InvalidExperiment("--loss", loss, f"another loss, or --output {words[needed]}")


def _networks(data: list[Dataset], values: Values) -> list[Network]:
    """Return a network for each combination of widths, activations and the activations' fields."""
    n_in, n_out = data[0].n_in, data[0].n_out
    for other in data[1:]:
        if (other.n_in, other.n_out) != (n_in, n_out):
            raise InvalidExperiment("data", other, f"{n_in} inputs and {n_out} outputs, as {data[0].name!r} has")
    names = {name for name, word in ACTIVATION_WORDS.items() if values[word] is not None}
    words = (*NETWORK_WORDS, *(ACTIVATION_WORDS[name] for name in sorted(names)))
    flags = [_BY_NAME[word] for word in words]
    networks = []
    for widths, hidden, output, bias, dropout, skip, *fields in itertools.product(
        *(flag.values(values[flag.name]) for flag in flags)
    ):
        by_name = dict(zip(sorted(names), fields, strict=True))
        layers = [_activation(name, by_name) for name in (hidden, output)]
        sizes, others = [n_in, *widths, n_out], {"bias": bias, "dropout": dropout, "skip": skip}
        network = _network(sizes, values, hidden=layers[0], output=layers[1], **others)
        if network not in networks:  # a slope that no layer has makes no difference
            networks.append(network)
    for name in names:
        having = {kind: cls for kind, cls in ACTIVATION_KINDS.items() if name in describe(cls)}
        if not any(isinstance(layer, tuple(having.values())) for network in networks for layer in network.layers):
            expected = f"a network with a {' or '.join(having)} layer: it has no effect here"
            word = ACTIVATION_WORDS[name]
            raise InvalidExperiment(option(word), values[word], expected)
    return networks


def _activation(name: str, fields: Mapping[str, Any]) -> Any:
    """Return an activation with those of the fields that it has."""
    cls = ACTIVATIONS[name]
    if cls is None:
        return name
    try:
        return cls(**{field: value for field, value in fields.items() if field in describe(cls)})
    except InvalidExperiment as error:
        word = ACTIVATION_WORDS.get(error.field, error.field)
        raise InvalidExperiment(option(word), error.value, error.accepted) from None


def _network(sizes: list[int], values: Values, **arguments: Any) -> Network:
    """Return one network; what is wrong with it was said by a flag."""
    try:
        return mlp(*sizes, **arguments)
    except InvalidExperiment as error:
        if error.field in ("sizes", "layers"):
            raise InvalidExperiment("--hidden", values["hidden"], f"fewer layers ({error.accepted})") from None
        if error.field == "skip":
            expected = "no --skip, or two hidden layers of one width in a row, as --hidden 4x4 has them"
            raise InvalidExperiment("--skip", True, expected) from None
        if isinstance(error.value, Softmax) and sizes[-1] == 1:
            expected = (
                "sigmoid, as the data have one output; --one-hot makes two of two classes, --classes of numbers"
            )
            raise InvalidExperiment("--output", "softmax", expected) from None
        raise


def shown_of(
    compare: str | None,
    of: str | None,
    axes: Collection[str],
    experiment: Experiment,
    margin: float | None = None,
    clusters: str | None = None,
) -> Shown:
    """Return what `--compare` and `--of` ask for, of a sweep with these axes."""
    for flag, value in (("--margin", margin), ("--clusters", clusters)):
        if value is not None and compare is None:
            raise InvalidExperiment(flag, value, "--compare with it, and an axis")
    outcome = None if of is None else outcome_named("--of", of)
    axis = None if compare is None else _axis_of(compare, axes)
    if axis is not None and outcome is None and experiment.criteria is None:
        expected = "no --no-stop beside it: it compares who meets the criteria; or --of loss"
        raise InvalidExperiment("--compare", compare, expected)
    return Shown(axis, outcome, margin, clusters)


def _axis_of(name: str, axes: Collection[str]) -> str:
    """Return the axis that `--compare` names: by its path, by its first or last word, or by its flag."""
    word = name.removeprefix("--").replace("-", "_")
    names = {word, *(flag.field for flag in EXPERIMENT_FLAGS if flag.name == word)}
    matching = [word] if word in axes else [path for path in axes if names & _names(path)]
    if len(matching) != 1:
        words = [word_of_path(path) for path in axes]
        expected = one_of(words) + hint(name, words) if axes else "a field whose flag has a list, such as init"
        raise InvalidExperiment("--compare", name, expected)
    return matching[0]


def _names(path: str) -> set[str]:
    """Return what an axis may be called: stop[0].loss is stop.loss, loss or stop as well."""
    plain = re.sub(r"\[\d+\]", "", path)
    return {path, plain, plain.rpartition(".")[2], plain.partition(".")[0]}
