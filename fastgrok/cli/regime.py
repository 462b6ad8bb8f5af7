"""What the flags ask for beside the network and its data: optimizer, stopping, restarts, validation."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, TypeVar

from fastgrok.cli.lists import integer, integer_or, listed, number, option
from fastgrok.errors import InvalidExperiment, one_of
from fastgrok.spec.calls import call_names, from_call
from fastgrok.spec.optimizers import Optimizer
from fastgrok.spec.schedules import Schedule
from fastgrok.spec.stopping import Converged, EarlyStopping, Restart

Values = Mapping[str, Any]
"""What each flag was given, by the flag's name."""

Chosen = tuple[dict[str, Any], dict[str, list[Any]]]
"""Fields of an experiment, and the values of each path in them that has a flag."""

_T = TypeVar("_T")

NONE = "none"
"""The word for a schedule, a clipping, a restart that there is not."""

_CRITERIA = ("stop_loss", "stop_max_error", "stop_accuracy")


def _schedule(flag: str, text: str) -> Any:
    return None if text == NONE else from_call(flag, Schedule, text)


def _number_or_none(flag: str, text: str) -> float | None:
    return None if text == NONE else number(flag, text)


_OPTIMIZER: dict[str, Callable[[str, str], Any]] = {
    "lr": number,
    "momentum": number,
    "beta1": number,
    "beta2": number,
    "eps": number,
    "weight_decay": number,
    "l1": number,
    "clip_norm": _number_or_none,
    "schedule": _schedule,
}


def optimizers(values: Values) -> Chosen:
    """Return the optimizers, and the values of their fields."""
    given = {
        name: listed(option(name), values[name], parse)
        for name, parse in _OPTIMIZER.items()
        if values[name] is not None
    }
    if values["nesterov"] is not None:
        given["nesterov"] = [values["nesterov"]]
    first = {name: choices[0] for name, choices in given.items()}
    found = []
    for text in listed("--optimizer", values["optimizer"], lambda flag, name: name):
        if text not in call_names(Optimizer):
            raise InvalidExperiment("--optimizer", text, one_of(call_names(Optimizer)))
        plain = from_call("--optimizer", Optimizer, text)
        has = {field.name for field in fields(plain)}
        for name in first.keys() - has:
            raise InvalidExperiment(option(name), values[name], f"another --optimizer: {text} has none")
        found.append(plain.replace(**first))
    paths = {f"optimizer.{name}": choices for name, choices in given.items()}
    return {"optimizer": found}, paths


def stopping(values: Values) -> Chosen:
    """Return the stopping rule and the restarts, and the values of their fields."""
    rules: list[Any] = []
    paths: dict[str, list[Any]] = {}
    for made, choices in (_converged(values), _early(values)):
        if made is not None:
            rules.append(made)
            paths |= {f"stop[{len(rules) - 1}].{name}": some for name, some in choices.items()}
    if len(rules) < 2:
        paths = {path.replace("stop[0]", "stop"): choices for path, choices in paths.items()}
    restart, again = _restart(values)
    stop = tuple(rules) if len(rules) > 1 else rules[0] if rules else None
    return {"stop": stop, "restart": restart}, paths | again


def _converged(values: Values) -> tuple[Converged | None, dict[str, list[Any]]]:
    """Return the criteria: a loss of 0.01 where nothing else stops a seed."""
    given = {name: values[name] for name in _CRITERIA if values[name] is not None}
    if values["no_stop"]:
        for name, text in {**given, **({"keep_training": True} if values["keep_training"] else {})}.items():
            raise InvalidExperiment(option(name), text, "no --no-stop beside it")
        return None, {}
    given = given or {"stop_loss": "0.01"}
    found = {name.removeprefix("stop_"): listed(option(name), text, number) for name, text in given.items()}
    first: dict[str, Any] = {name: choices[0] for name, choices in found.items()}
    return _within("stop", Converged, **first, keep_training=values["keep_training"]), found


def _early(values: Values) -> tuple[EarlyStopping | None, dict[str, list[Any]]]:
    """Return the early stopping, if there is a patience."""
    if values["patience"] is None:
        for name in ("min_delta", "restore_best"):
            if values[name] is not None:
                raise InvalidExperiment(option(name), values[name], "--patience with it")
        return None, {}
    found: dict[str, list[Any]] = {"patience": listed("--patience", values["patience"], integer)}
    if values["min_delta"] is not None:
        found["min_delta"] = listed("--min-delta", values["min_delta"], number)
    if values["restore_best"] is not None:
        found["restore_best"] = [values["restore_best"]]
    return _within("stop", EarlyStopping, **{name: choices[0] for name, choices in found.items()}), found


def _restart(values: Values) -> tuple[Restart | None, dict[str, list[Any]]]:
    """Return the restarts, if an attempt ends; beside none they are whole values of one axis."""
    at_most = values["restart_at_most"]
    if values["restart_after"] is None:
        if at_most is not None:
            raise InvalidExperiment("--restart-at-most", at_most, "--restart-after with it")
        return None, {}
    limits = [None] if at_most is None else listed("--restart-at-most", at_most, integer)
    after = listed("--restart-after", values["restart_after"], integer_or(NONE))
    if NONE in after:
        rules = [None if epochs == NONE else _begun(epochs, most) for epochs in after for most in limits]
        rules = list(dict.fromkeys(rules))
        return rules[0], {"restart": rules}
    return _begun(after[0], limits[0]), {"restart.after": after, "restart.at_most": limits}


def _begun(after: Any, at_most: int | None) -> Restart:
    """Return a rule of restarts."""
    return _within("restart", Restart, after=after, at_most=at_most)


def _within(field: str, kind: Callable[..., _T], **values: Any) -> _T:
    """Make the value of a field; an error names the field too."""
    try:
        return kind(**values)
    except InvalidExperiment as error:
        raise error.within(field) from None


def record_at(text: str | None) -> str | list[int] | None:
    """
    Return the epochs at which something is recorded.

    Examples
    --------
    >>> record_at("0,10,100")
    [0, 10, 100]
    """
    if text is None:
        return None
    found = listed("--record-at", text, integer_or("log"))
    return "log" if found == ["log"] else found
