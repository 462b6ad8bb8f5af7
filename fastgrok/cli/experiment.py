"""What flags and TOML files ask for: an experiment, and the values of the fields that vary."""

import contextlib
import itertools
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from fastgrok.cli.data import data_of
from fastgrok.cli.flags import EXPERIMENT_FLAGS, Flag, Values, option
from fastgrok.datasets import Dataset
from fastgrok.errors import MISSING, InvalidExperiment, one_of
from fastgrok.spec.base import Spec
from fastgrok.spec.calls import NONE, call_names, describe
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.layers import ACTIVATIONS, Sigmoid
from fastgrok.spec.network import Network, mlp
from fastgrok.spec.stopping import Converged, EarlyStopping, Restart

Choices = dict[str, list[Any]]
"""The values of fields by their paths in an experiment."""

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
        choices: Choices = {"data": data, "network": _networks(data, values), **_plain(values)}
        _check_output(choices)
        optimizers, rates = _optimizers(values)
        stop, criteria = _stop(values)
        restarts, attempts = _restarts(values)
        choices |= optimizers | restarts
        first = {path: options[0] for path, options in choices.items()}
        experiment = Experiment(**first, **stop, validation=validation)
    choices |= rates | criteria | attempts
    axes = {path: options for path, options in choices.items() if len(options) > 1 or is_set_by(path, lists)}
    return Request(experiment, axes, choices)


def single_experiment(name: str | None, values: Values) -> Experiment:
    """Return the one experiment that the flags ask for."""
    requested = request(name, values)
    for path, options in requested.axes.items():
        raise InvalidExperiment(path, options, "one value: one network is looked at")
    return requested.experiment


def flag_of(path: str) -> Flag | None:
    """
    Return the flag of a path in an experiment, None if several flags set it.

    Examples
    --------
    >>> flag_of("stop[1].patience").option, flag_of("network")
    ('--patience', None)
    """
    plain = re.sub(r"\[\d+\]", "", path)
    flags = [flag for flag in EXPERIMENT_FLAGS if flag.field == plain]
    return flags[0] if len(flags) == 1 else None


def _flag(path: str) -> Flag:
    """Return the flag of a field that has one."""
    return next(flag for flag in EXPERIMENT_FLAGS if flag.field == path)


def is_set_by(path: str, names: Collection[str]) -> bool:
    """
    Whether a field is what one of some flags sets.

    Examples
    --------
    >>> is_set_by("stop[0].loss", ["stop_loss"]), is_set_by("network", ["slope"]), is_set_by("optimizer", ["lr"])
    (True, True, False)
    """
    plain = re.sub(r"\[\d+\]", "", path)
    return any(flag.name in names and flag.field == plain for flag in EXPERIMENT_FLAGS)


@contextlib.contextmanager
def _naming_flags(values: Values) -> Iterator[None]:
    """Let an error about a field name the flag that sets it."""
    try:
        yield
    except InvalidExperiment as error:
        accepted = error.accepted.replace(", or None", f", or {NONE}")
        flag = flag_of(error.field)
        if flag is None or flag.name == "data":
            raise InvalidExperiment(error.field, error.value, accepted) from None
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


def _plain(values: Values) -> Choices:
    """Return the values of the fields that are numbers, words or initializers."""
    plain = describe(Experiment).keys() - {"data", "network", "optimizer", "stop", "restart", "validation"}
    return {
        flag.field: flag.values(values[flag.name])
        for flag in EXPERIMENT_FLAGS
        if flag.field in plain and values[flag.name] is not None
    }


def _fields_of(cls: type[Spec], place: str, values: Values) -> Choices:
    """Return the values of the fields of a specification that flags set."""
    paths = {f"{place}.{name}": name for name in describe(cls)}
    return {
        paths[flag.field]: flag.values(values[flag.name])
        for flag in EXPERIMENT_FLAGS
        if flag.field in paths and values[flag.name] is not None
    }


def _first(choices: Choices) -> dict[str, Any]:
    return {name: options[0] for name, options in choices.items()}


def _placed(place: str, choices: Choices) -> Choices:
    return {f"{place}.{name}": options for name, options in choices.items()}


def _optimizers(values: Values) -> tuple[Choices, Choices]:
    """Return the optimizers, and the values of their fields."""
    text = values["optimizer"]
    kinds = [describe(Experiment)["optimizer"].default] if text is None else _BY_NAME["optimizer"].values(text)
    given = {flag.field: flag for flag in EXPERIMENT_FLAGS if flag.field.startswith("optimizer.")}
    given = {path: flag for path, flag in given.items() if values[flag.name] is not None}
    choices = {path.partition(".")[2]: flag.values(values[flag.name]) for path, flag in given.items()}
    for kind in kinds:
        for path, flag in given.items():
            if path.partition(".")[2] not in describe(type(kind)):
                expected = f"another --optimizer: {call_names(type(kind))[0]} has none"
                raise InvalidExperiment(flag.option, values[flag.name], expected)
    with _within("optimizer"):
        return {"optimizer": [kind.replace(**_first(choices)) for kind in kinds]}, _placed("optimizer", choices)


def _stop(values: Values) -> tuple[dict[str, Any], Choices]:
    """Return the stopping rules, and the values of their fields."""
    rules, choices = [], []
    criteria = _fields_of(Converged, "stop", values)
    default = describe(Experiment)["stop"].default
    if values["no_stop"]:
        for name in criteria:
            flag = _flag(f"stop.{name}")
            raise InvalidExperiment(flag.option, values[flag.name], "no --no-stop beside it")
    elif criteria.keys() <= {"keep_training"}:
        rules, choices = [default.replace(**_first(criteria))], [criteria]
    else:
        with _within("stop"):
            rules, choices = [Converged(**_first(criteria))], [criteria]
    patience = _optional("stop", EarlyStopping, values)
    if patience:
        with _within("stop"):
            rules.append(EarlyStopping(**_first(patience)))
            choices.append(patience)
    if len(rules) < 2:
        return {"stop": rules[0] if rules else None}, _placed("stop", choices[0] if choices else {})
    placed = [_placed(f"stop[{k}]", fields) for k, fields in enumerate(choices)]
    return {"stop": tuple(rules)}, placed[0] | placed[1]


def _restarts(values: Values) -> tuple[Choices, Choices]:
    """Return the restarts, and the values of their fields; beside none they are whole values of one axis."""
    choices = _optional("restart", Restart, values)
    if not choices:
        return {}, {}
    with _within("restart"):
        if None not in choices["after"]:
            return {"restart": [Restart(**_first(choices))]}, _placed("restart", choices)
        combined = (dict(zip(choices, fields, strict=True)) for fields in itertools.product(*choices.values()))
        rules = [None if fields["after"] is None else Restart(**fields) for fields in combined]
        return {"restart": list(dict.fromkeys(rules))}, {}


def _optional(place: str, cls: type[Spec], values: Values) -> Choices:
    """Return the values of the fields of a specification that there is if its one required field is given."""
    choices = _fields_of(cls, place, values)
    required = next(name for name, field in describe(cls).items() if field.default is MISSING)
    if choices and required not in choices:
        flag = _flag(f"{place}.{next(iter(choices))}")
        raise InvalidExperiment(flag.option, values[flag.name], f"{_flag(f'{place}.{required}').option} with it")
    return choices


def _check_output(choices: Mapping[str, list[Any]]) -> None:
    """Raise if a loss needs another output: say it in the words of the command line."""
    if "binary_cross_entropy" in choices.get("loss", ()):
        for network in choices["network"]:
            if not isinstance(network.layers[-1], Sigmoid):
                raise InvalidExperiment("--loss", "binary_cross_entropy", "another loss, or --output sigmoid")


def _networks(data: list[Dataset], values: Values) -> list[Network]:
    """Return a network for each combination of widths, activations and the activations' fields."""
    n_in, n_out = data[0].n_in, data[0].n_out
    for other in data[1:]:
        if (other.n_in, other.n_out) != (n_in, n_out):
            raise InvalidExperiment("data", other, f"{n_in} inputs and {n_out} outputs, as {data[0].name!r} has")
    kinds = [cls for cls in ACTIVATIONS.values() if cls is not None]
    names = {name for cls in kinds for name in describe(cls) if values[name] is not None}
    flags = [_BY_NAME[name] for name in ("hidden", "activation", "output", *sorted(names))]
    networks = []
    for widths, hidden, output, *fields in itertools.product(*(flag.values(values[flag.name]) for flag in flags)):
        chosen = dict(zip(sorted(names), fields, strict=True))
        layers = [_activation(name, chosen) for name in (hidden, output)]
        network = _network([n_in, *widths, n_out], values, hidden=layers[0], output=layers[1])
        if network not in networks:  # a slope that no layer has makes no difference
            networks.append(network)
    for name in names:
        having = {word: cls for word, cls in ACTIVATIONS.items() if cls is not None and name in describe(cls)}
        if not any(isinstance(layer, tuple(having.values())) for network in networks for layer in network.layers):
            expected = f"a network with a {' or '.join(having)} layer: it has no effect here"
            raise InvalidExperiment(option(name), values[name], expected)
    return networks


def _activation(name: str, chosen: Mapping[str, Any]) -> Any:
    """Return an activation with those of the chosen fields that it has."""
    cls = ACTIVATIONS[name]
    if cls is None:
        return name
    try:
        return cls(**{field: value for field, value in chosen.items() if field in describe(cls)})
    except InvalidExperiment as error:
        raise InvalidExperiment(option(error.field), error.value, error.accepted) from None


def _network(sizes: list[int], values: Values, **layers: Any) -> Network:
    """Return one network; what is wrong with it was said by a flag."""
    try:
        return mlp(*sizes, **layers, bias=values["bias"])
    except InvalidExperiment as error:
        if error.field in ("sizes", "layers"):
            raise InvalidExperiment("--hidden", values["hidden"], f"fewer layers ({error.accepted})") from None
        raise


def axis_of(name: str | None, axes: Collection[str], experiment: Experiment) -> str | None:
    """Return the axis that `--compare` names: by its path, by its first or last word, or by its flag."""
    if name is None:
        return None
    word = name.removeprefix("--").replace("-", "_")
    names = {word, *(flag.field for flag in EXPERIMENT_FLAGS if flag.name == word)}
    matching = [word] if word in axes else [path for path in axes if names & _names(path)]
    if len(matching) != 1:
        expected = one_of(axes) if axes else "a field whose flag has a list, such as init"
        raise InvalidExperiment("--compare", name, expected)
    if experiment.criteria is None:
        raise InvalidExperiment("--compare", name, "no --no-stop beside it: it compares who meets the criteria")
    return matching[0]


def _names(path: str) -> set[str]:
    """Return what an axis may be called: stop[0].loss is stop.loss, loss or stop as well."""
    plain = re.sub(r"\[\d+\]", "", path)
    return {path, plain, plain.rpartition(".")[2], plain.partition(".")[0]}
