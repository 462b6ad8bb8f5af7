"""Every result variable once: its name, dimensions, dtype, unit and meaning."""

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import Any, NamedTuple


class Outcome(IntEnum):
    """What became of a seed: the first that applies."""

    DIVERGED = 0
    CONVERGED = 1
    DEAD = 2
    STALLED = 3
    UNFINISHED = 4


OUTCOMES = tuple(outcome.name.lower() for outcome in Outcome)
"""The outcomes by their names; the code of each is its place here."""

STALLED_GRADIENT_NORM = 1e-6
"""A seed has stalled if its `gradient_norm_final` is below this."""

OUTCOME_MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "diverged": "a parameter or a loss is not finite, or was when training ended",
        "converged": "every criterion of `stop` held after some epoch",
        "dead": "every unit of some ReLU layer is dead: the output is constant",
        "stalled": f"gradient_norm_final is below {STALLED_GRADIENT_NORM:g}",
        "unfinished": "none of these when training ended",
    }
)
"""What each outcome means, in a line."""

ACCURACY = (
    "share of examples whose every output lies on its target's side of the midpoint between the smallest and the "
    "largest target; for one-hot targets, those whose largest output is that of their class"
)
"""What accuracy is."""

NEVER = -1
"""`epochs_to_converge` of a seed that did not converge."""

NOT_THERE = -1
"""Dead units of a layer that a configuration of a sweep does not have, and any count of an unfinished row."""

NOT_RUN = "not_run"
"""The meaning of outcome -1 (`NOT_THERE`): a row that an interrupted sweep did not finish. No seed of a file of rows
has it, nor a result that is whole."""

SEED = "seed"
"""The dimension of the seeds: one row a training run."""

HIDDEN_LAYER = "hidden_layer"
"""The dimension of the ReLU layers; its coordinate is the number, from 1, of the Linear layer before each."""

LAYER = "layer"
"""The dimension of the Linear layers; its coordinate is their number, from 1."""

UNIT = "unit"
"""The dimension of the units of a ReLU layer, from 0."""

EPOCH = "epoch"
"""The dimension of the epochs at which something is recorded; 0 is the initialisation."""

VALIDATION, EARLY_STOPPING, RESTART, RECORD_AT, TRACK = "validation", "EarlyStopping", "restart", "record_at", "track"
"""What a variable may be asked for by: fields of an experiment, a stopping rule, arguments of `run`."""

FEW_EXAMPLES = "few examples"
"""What a variable may be there for: data of at most `MAX_PLATEAU_EXAMPLES` examples."""

MAX_PLATEAU_EXAMPLES = 8
"""Examples up to which plateaus are looked for: 8 have 4,140 partitions."""

_LATER = "of a seed that stopped before, as it is in the end"


class Variable(NamedTuple):
    """One result variable."""

    name: str  # its name in every dataset, file and table
    dims: tuple[str, ...]  # its dimensions; those of a sweep's axes come before them
    dtype: str  # its NumPy dtype. Results of float32 experiments are widened: float64 holds each exactly
    units: str  # its unit, "1" for what has none
    meaning: str  # one sentence
    attrs: Mapping[str, Any] = MappingProxyType({})  # further attributes by the CF conventions
    asked_by: str | None = None  # what asks for it, one of the words above; None: it is always there


def _each(
    name: str, dtype: str, units: str, meaning: str, *dims: str, asked_by: str | None = None, **attrs: Any
) -> Variable:
    """Return a variable with one value for each seed, or for each seed and element of further dimensions."""
    return Variable(name, (SEED, *dims), dtype, units, meaning, MappingProxyType(attrs), asked_by)


def _dead(name: str, when: str, *dims: str, asked_by: str | None = None) -> Variable:
    """Return a count of dead units for each seed and ReLU layer."""
    meaning = f"ReLU units of the layer with z <= 0 for every training example, {when}; -1: no such layer."
    return _each(name, "int32", "1", meaning, *dims, HIDDEN_LAYER, asked_by=asked_by)


def _weight_norm(name: str, when: str) -> Variable:
    """Return a norm for each seed and Linear layer."""
    return _each(name, "float64", "1", f"Frobenius norm of a Linear layer's weights, {when}.", LAYER)


_ALL = (
    _each(
        "outcome",
        "int8",
        "1",
        "What became of the seed, first that applies: "
        + "; ".join(f"{name}, {meaning}" for name, meaning in OUTCOME_MEANINGS.items())
        + ".",
        flag_values=tuple(map(int, Outcome)),
        flag_meanings=" ".join(OUTCOMES),
    ),
    _each("epochs_run", "int64", "epoch", "Epochs that were run."),
    _each(
        "epochs_to_converge",
        "int64",
        "epoch",
        "First epoch, from 1, after which every criterion held; -1 if none: censored at epochs_run.",
    ),
    _each("loss_initial", "float64", "1", "Mean loss over the training examples before the first update."),
    _each("loss_final", "float64", "1", "Mean loss over the training examples after the last update."),
    _each("accuracy_final", "float64", "1", f"Accuracy on the training data after the last update: {ACCURACY}."),
    _each(
        "gradient_norm_final",
        "float64",
        "1",
        "Euclidean norm of the gradient of the mean loss over all training examples, after the last update.",
    ),
    _dead("dead_units_initial", "at initialisation"),
    _dead("dead_units_final", "after the last update"),
    _dead("units_died", "after the last update and not at initialisation"),
    _dead("units_revived", "at initialisation and not after the last update"),
    _each("born_dead", "bool", "1", "Whether every unit of some ReLU layer is dead at initialisation."),
    _weight_norm("weight_norm_initial", "at initialisation"),
    _weight_norm("weight_norm_final", "after the last update"),
    _each(
        "plateau",
        "float64",
        "1",
        "Loss of the plateau on which a seed sits that did not converge, within 5 % of the largest plateau: what is "
        "left when a network does not tell some examples apart; NaN: none is near, or nothing is left to tell apart.",
        asked_by=FEW_EXAMPLES,
    ),
    _each(
        "restarts",
        "int64",
        "1",
        "Times that a seed began again with new parameters; what says `initial`, and born_dead, is of the last "
        "attempt. -1: without restart.",
        asked_by=RESTART,
    ),
    _each(
        "loss_validation_final",
        "float64",
        "1",
        "Mean loss over the validation examples with the final parameters.",
        asked_by=VALIDATION,
    ),
    _each(
        "accuracy_validation_final",
        "float64",
        "1",
        "Accuracy on the validation data with the final parameters, by the midpoint of the training targets.",
        asked_by=VALIDATION,
    ),
    _each(
        "loss_validation_best",
        "float64",
        "1",
        "Smallest mean loss over the validation examples after an epoch, but for improvements below min_delta; NaN "
        "if it was never finite.",
        asked_by=VALIDATION,
    ),
    _each(
        "epoch_validation_best",
        "int64",
        "epoch",
        "First epoch, from 1, after which it was that small; with EarlyStopping(min_delta=) the last epoch that "
        "improved by more; -1 if it was never finite.",
        asked_by=VALIDATION,
    ),
    _each(
        "stopped_early",
        "bool",
        "1",
        "Whether the seed stopped because its validation loss had not improved.",
        asked_by=EARLY_STOPPING,
    ),
    _each(
        "loss_recorded",
        "float64",
        "1",
        f"Mean loss over the training examples after the epoch; {_LATER}.",
        EPOCH,
        asked_by=RECORD_AT,
    ),
    _each(
        "accuracy_recorded",
        "float64",
        "1",
        f"Accuracy on the training data after the epoch; {_LATER}.",
        EPOCH,
        asked_by=RECORD_AT,
    ),
    _dead("dead_units_recorded", f"after the epoch; {_LATER}", EPOCH, asked_by=RECORD_AT),
    _each(
        "dead_since",
        "int64",
        "epoch",
        "Epoch after which the ReLU unit died for the last time, that at which the last attempt began (0 without "
        "restarts) if it was dead from then on; -1: it is alive in the end, or there is no such unit.",
        HIDDEN_LAYER,
        UNIT,
        asked_by=TRACK,
    ),
)

FINISHED = _each(
    "finished",
    "bool",
    "1",
    "Whether the row was trained; where it was not, integers are -1, floats NaN, bools False. "
    "Only in an interrupted sweep.",
)
"""What tells the rows apart that an interrupted sweep has trained: its configurations share one dimension."""

VARIABLES: Mapping[str, Variable] = MappingProxyType({variable.name: variable for variable in _ALL})
"""The result variables by their names, in the order of tables and files."""


def with_not_run(variable: Variable) -> Variable:
    """
    Return a variable as an interrupted sweep has it: with a flag for the rows that were not trained.

    Examples
    --------
    >>> with_not_run(VARIABLES["outcome"]).attrs["flag_values"]
    (-1, 0, 1, 2, 3, 4)
    """
    if "flag_values" not in variable.attrs:
        return variable
    flags = {
        "flag_values": (NOT_THERE, *variable.attrs["flag_values"]),
        "flag_meanings": f"{NOT_RUN} {variable.attrs['flag_meanings']}",
    }
    return variable._replace(attrs=MappingProxyType({**variable.attrs, **flags}))
