"""The short words for fields, which are the flags of the command line and axes in Python: lr, stop_loss, hidden.

A word of a field within a specification stands for its path, `optimizer.lr`. Words of the network alone, such as
`hidden`, are axes themselves: their values make another network.
"""

import itertools
import re
from collections.abc import Collection, Mapping
from typing import Any, cast

from fastgrok.errors import InvalidExperiment, hint, nearest, one_of
from fastgrok.spec.base import Spec, field_names, registered
from fastgrok.spec.calls import classes_by_name
from fastgrok.spec.layers import ACTIVATIONS, MAX_WIDTH, Activation, Dropout, Layer, Linear, Skip
from fastgrok.spec.names import ACTIVATIONS as ACTIVATION_NAMES
from fastgrok.spec.names import resolved
from fastgrok.spec.network import Network, mlp
from fastgrok.spec.optimizers import Optimizer
from fastgrok.spec.stopping import Converged, EarlyStopping, Restart, Stationary
from fastgrok.spec.variables import LARGER_IS_BETTER

NETWORK_WORDS = ("hidden", "activation", "output", "bias", "dropout", "skip")
"""The words of a network: widths of the hidden layers, activations after them and after the last, biases, dropout,
and whether connections skip hidden layers."""

NO_HIDDEN = "none"
"""How no hidden layer is written."""

Widths = int | tuple[int, ...]
"""The widths of hidden layers: a number where there is one."""


_PREFIXES: dict[type[Spec], tuple[str, str]] = {
    Optimizer: ("optimizer", ""),
    Converged: ("stop", "stop_"),
    EarlyStopping: ("stop", ""),
    Stationary: ("stop", ""),
    Restart: ("restart", "restart_"),
}
"""For each kind of specification in an experiment its place there, and how the words of its fields begin."""


def field_words(place: str, kinds: Mapping[str, type[Spec]], prefix: str = "") -> dict[str, str]:
    """Return the short word of each field that the specifications in one place of an experiment may have.

    kinds: the specifications by their names in a text. Where an activation has a field of the same name as an
    optimizer, both words begin with the name of whose field it is: elu_alpha, rmsprop_alpha.
    """
    words: dict[str, str] = {}
    for name in dict.fromkeys(name for cls in kinds.values() for name in field_names(cast(Any, cls))):
        having = [kind for kind, cls in kinds.items() if name in field_names(cast(Any, cls))]
        if name in _SHARED:
            words[name] = f"{having[0] if len(having) == 1 else place}_{name}"
        else:
            words[name] = name if name == "keep_training" else prefix + name
    return words


def _names(base: type[Spec]) -> set[str]:
    """Return the names of the fields of all specifications of a kind."""
    return {name for cls in registered(base).values() for name in field_names(cls)}


_SHARED = _names(Optimizer) & _names(Activation)

WORDS = {
    word: f"{place}.{name}"
    for kind, (place, prefix) in _PREFIXES.items()
    for name, word in field_words(place, classes_by_name(kind), prefix).items()
}
"""The path of each short word, but for those of a network."""


def hint_of_place(name: object, fields: Collection[str]) -> str:
    """Return the end of a sentence about a name that is no field of an experiment: the nearest one, where it stands.

    Examples
    --------
    >>> hint_of_place("learning_rate", ["epochs"])
    '; did you mean optimizer=SGD(lr=...)?'
    """
    near = [] if not isinstance(name, str) else nearest(name, [*fields, *WORDS, *NETWORK_WORDS])
    if len(near) == 1 and near[0] in NETWORK_WORDS:
        return "; did you mean that of mlp, as in network=mlp(2, 4, 1, hidden='relu', output='sigmoid')?"
    for kind, (place, prefix) in _PREFIXES.items():
        kinds = classes_by_name(kind)
        for field, word in field_words(place, kinds, prefix).items():
            if near == [word]:
                cls = next(cls for cls in kinds.values() if field in field_names(cast(Any, cls)))
                return f"; did you mean {place}={cls.__name__}({field}=...)?"
    return hint(name, fields)


_WORD_OF = {path: word for word, path in WORDS.items()}


def word_of_path(path: str) -> str:
    """Return the word of an axis, by which it is named on the command line and in Python: lr of optimizer.lr."""
    return _WORD_OF.get(re.sub(r"\[\d+\]", "", path), path)


def axis_named(name: Any, paths: Collection[str]) -> Any:
    """Return the path among those of some axes that a word or a path names; a name of none as it is."""
    if not isinstance(name, str) or name in paths:
        return name
    wanted = WORDS.get(name.removeprefix("--").replace("-", "_"), name)
    found = [path for path in paths if re.sub(r"\[\d+\]", "", path) == wanted]
    return found[0] if len(found) == 1 else name


def outcome_word(name: str) -> str:
    """Return the word of a continuous outcome, by its variable: validation_loss of loss_validation_final."""
    kind, *middle, _ = name.split("_")
    return "_".join([*middle, kind])


OUTCOME_WORDS = {outcome_word(name): name for name in LARGER_IS_BETTER}
"""The variable of the word of each continuous outcome."""


def outcome_named(field: str, name: Any) -> str:
    """Return the variable of a continuous outcome, by its own name or its word: validation-loss, val_loss."""
    word = re.sub("[- ]", "_", name).replace("val_", "validation_") if isinstance(name, str) else name
    if isinstance(name, str) and (name in LARGER_IS_BETTER or word in OUTCOME_WORDS):
        return OUTCOME_WORDS.get(word, name)
    raise InvalidExperiment(field, name, one_of(OUTCOME_WORDS) + hint(word, OUTCOME_WORDS))


def network_value(word: str, field: str, value: Any) -> Any:
    """Return the value of a word of a network, each value in one form."""
    if word == "hidden":
        return _widths(field, value)
    if word in ("bias", "skip"):
        if not isinstance(value, bool):
            raise InvalidExperiment(field, value, "True or False")
        return value
    if word == "dropout":
        try:
            return Dropout(value).rate
        except InvalidExperiment as error:
            raise InvalidExperiment(field, error.value, error.accepted) from None
    return value if isinstance(value, Activation) else resolved(field, value, ACTIVATIONS, ACTIVATION_NAMES)


def _widths(field: str, value: Any) -> Widths:
    """Return widths, of which a text may be `4`, `4x4` or `none`."""
    if value is None or value == NO_HIDDEN:
        return ()
    parts = value.split("x") if isinstance(value, str) else value if isinstance(value, list | tuple) else [value]
    try:
        widths = tuple(int(part) for part in parts if not isinstance(part, bool | float))
    except (TypeError, ValueError):
        widths = ()
    if len(widths) != len(parts) or not all(1 <= width <= MAX_WIDTH for width in widths):
        expected = f"a width from 1 to {MAX_WIDTH} such as 4, several as in (4, 4) or '4x4', or {NO_HIDDEN!r}"
        raise InvalidExperiment(field, value, expected)
    return widths[0] if len(widths) == 1 else widths


def widths_text(widths: Widths) -> str:
    """Write widths as they are typed."""
    return "x".join(map(str, widths)) or NO_HIDDEN if isinstance(widths, tuple) else str(widths)


def reshaped(network: Network, word: str, value: Any) -> Network:
    """Return the network with another value of one of its words; raise where its hidden layers are not alike.

    Where it has no hidden layer, those that it gets have the activation that `mlp` gives them.
    """
    has_skips = any(isinstance(layer, Skip) for layer in network.layers)
    groups = _after_each(network)
    rates = {group.pop().rate if group and isinstance(group[-1], Dropout) else 0.0 for group in groups[:-1]}
    *inner, last = groups
    biases = {layer.bias for layer in network.linears}
    are_alike = len({tuple(layers) for layers in inner}) <= 1 and len(biases) == 1 and len(rates) <= 1
    are_activations = all(isinstance(layer, Activation) for layer in itertools.chain(*groups))
    if not are_alike or not are_activations or max(map(len, groups)) > 1:
        expected = (
            "a network with one activation in all hidden layers, and one dropout, and biases in all layers or none"
        )
        raise InvalidExperiment("network", network, f"{expected}, for an axis {word!r}")
    hidden = [layer.fan_out for layer in network.linears[:-1]]
    parts: dict[str, Any] = {
        "hidden": hidden,
        "activation": (inner[0][0] if inner[0] else "linear") if inner else "relu",
        "output": last[0] if last else "linear",
        "bias": biases.pop(),
        "dropout": rates.pop() if rates else 0.0,
        "skip": has_skips,
    }
    if has_skips and _made(network, parts) != network:
        expected = "a network with the skip connections of mlp(..., skip=True)"
        raise InvalidExperiment("network", network, f"{expected}, for an axis {word!r}")
    return _made(network, parts | {word: value})


def _made(network: Network, parts: Mapping[str, Any]) -> Network:
    """Return the network of some words, with the inputs and outputs of another."""
    widths = [parts["hidden"]] if isinstance(parts["hidden"], int) else parts["hidden"]
    others = {name: parts[name] for name in ("output", "bias", "dropout", "skip")}
    return mlp(network.n_in, *widths, network.n_out, hidden=parts["activation"], **others)


def _after_each(network: Network) -> list[list[Any]]:
    """Return the activations, and the Dropout, after each Linear layer."""
    groups: list[list[Layer]] = []
    for layer in network.layers:
        if isinstance(layer, Linear):
            groups.append([])
        elif not isinstance(layer, Skip):
            groups[-1].append(layer)
    return groups
