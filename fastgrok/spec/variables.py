"""The registry of result variables: name, dimensions, dtype, unit and meaning of each, and the outcomes of a seed.

A further variable is one entry of `_ALL`; `engine/metrics` fills it in by its name.
"""

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import Any, NamedTuple


class Outcome(IntEnum):
    """What became of a seed: the first that applies."""

    DIVERGED = 0
    CONVERGED = 1
    DEAD = 2
    TRAPPED = 3
    UNFINISHED = 4


OUTCOMES = tuple(outcome.name.lower() for outcome in Outcome)
"""The outcomes by their names; the code of each is its place here."""

FORMER_OUTCOMES: Mapping[str, str] = MappingProxyType({"stalled": "trapped"})
"""Names in files of before, by another test, and what they are read as."""

GROWN = 1e6
"""A loss that grew to more than so many times what it was, and what the best constant output has, diverges: the run
was too short for it to overflow."""

REST_SHARE, REST_SHARE_SHUFFLED = 0.2, 0.5
"""The last part of training, as a share of its epochs, over which a loss that has come to rest hardly changes; the
second where examples are shuffled, so that losses scatter."""

REST_CHANGE = 0.01
"""By what share it changes at most, up or down."""

CREEP_CHANGE, CREEP_SLOWDOWN = 0.002, 0.95
"""A change between this and `REST_CHANGE` is rest only if the gradient norm came down to this share of what it was:
a loss that creeps down at one rate, as with a tiny learning rate, goes on so. Not where examples are shuffled."""

REST_EPOCHS, REST_UPDATES = 250, 10_000
"""Training of fewer epochs and fewer updates is too short to tell."""

SADDLE_CHANGE, SADDLE_GROWTH = 0.001, 1.1
"""Where no unit can die (a network without ReLU) plateaus are saddles: the loss changes by less, and a gradient that
grew by more than this factor meanwhile is leaving one."""

SADDLE_EPOCHS = 1000
"""And the epochs, instead of `REST_EPOCHS`, that are too few to tell."""

SOLVED_CHANGE = 0.01
"""Targets that are no classes are solved within this share of the way from the least loss to that of a constant."""

OUTCOME_MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "diverged": "a parameter or a loss is not finite, or was when training ended; or the loss grew to more than "
        f"{GROWN:,.0f} times what it was, and what the best constant output has",
        "converged": "every criterion of `stop` held after some epoch; where there is none, the seed is not dead, "
        "and solved: as many examples are right as can be, and the loss is nearer to the least possible one than to "
        "that of the best constant output, or, of targets that are no classes, it is less than "
        f"{100 * SOLVED_CHANGE:g} % of the way from the one to the other",
        "dead": "every unit of some ReLU layer is dead: the output is constant",
        "trapped": f"the loss has come to rest: it changed by {100 * REST_CHANGE:g} % at most over the last "
        f"{100 * REST_SHARE:g} % of the epochs (by {100 * CREEP_CHANGE:g} % unless the gradient shrank); where "
        f"examples are shuffled, over the last {100 * REST_SHARE_SHUFFLED:g} %, or it stayed at one plateau; in a "
        f"network without ReLU by {100 * SADDLE_CHANGE:g} %, and the gradient did not grow; or an EarlyStopping that "
        "monitors the training loss found that it no longer improved, or Stationary that the gradient was small",
        "unfinished": "none of these: the loss still changed when the epochs ran out, or they were too few to tell, "
        "or an EarlyStopping on the validation loss ended training",
    }
)
"""The meaning of each outcome, in a line; docs/outcomes.md has the test of `trapped`, and its error."""

ACCURACY = (
    "share of examples whose every output lies on its target's side of the midpoint between the smallest and the "
    "largest target; for one-hot targets, those whose largest output is that of their class"
)
"""The meaning of accuracy."""

LARGER_IS_BETTER: Mapping[str, bool] = MappingProxyType(
    {
        "loss_final": False,
        "accuracy_final": True,
        "loss_validation_final": False,
        "accuracy_validation_final": True,
    }
)
"""The continuous outcomes that every table tells of, and whether the larger value is the better one."""

NEVER = -1
"""`epochs_to_converge` of a seed that did not converge."""

ABSENT = -1
"""Dead units of a layer that a configuration does not have; any integer of a row that was not trained."""

NOT_RUN = "not_run"
"""The meaning of outcome -1 (`ABSENT`): a row that an interrupted sweep did not finish. Finished results and files of
rows never have it."""

SEED = "seed"
"""The dimension of the seeds: one row a training run."""

HIDDEN_LAYER = "hidden_layer"
"""The dimension of the ReLU layers; its coordinate is the number, from 1, of the Linear layer before each."""

LAYER = "layer"
"""The dimension of the Linear layers; its coordinate is their number, from 1."""

UNIT = "unit"
"""The dimension of the units of a ReLU layer, from 0."""

EPOCH = "epoch"
"""The dimension of the recorded epochs; 0 is the initialisation."""

VALIDATION, RESTART, RECORD_AT, TRACK = "validation", "restart", "record_at", "track"
STOPPING_RULE = "EarlyStopping or Stationary"
MONITOR_TRAINING = 'EarlyStopping(monitor="training")'
"""What a variable may require: fields of an experiment, a stopping rule, arguments of `run`."""

FEW_EXAMPLES = "few examples"
"""What a variable may require: data of at most `MAX_PLATEAU_EXAMPLES` examples that differ."""

MAX_PLATEAU_EXAMPLES = 8
"""Examples that differ up to which plateaus are enumerated: 8 have 4,140 partitions."""

_LATER = "of a seed that stopped before, as it is in the end"


class Variable(NamedTuple):
    """One result variable."""

    name: str  # in every dataset, file and table
    dims: tuple[str, ...]  # those of a sweep's axes come before them
    dtype: str  # of NumPy. Results of float32 experiments are widened: float64 holds each exactly
    units: str  # "1" for a pure number
    meaning: str  # one sentence
    attrs: Mapping[str, Any] = MappingProxyType({})  # further attributes by the CF conventions
    requires: str | None = None  # one of the words above; None: every result has it


def _variable(
    name: str, dtype: str, meaning: str, *dims: str, units: str = "1", requires: str | None = None, **attrs: Any
) -> Variable:
    """Return a variable with one value for each seed, or for each seed and element of further dimensions."""
    return Variable(name, (SEED, *dims), dtype, units, meaning, MappingProxyType(attrs), requires)


def _number(name: str, meaning: str, *dims: str, requires: str | None = None) -> Variable:
    return _variable(name, "float64", meaning, *dims, requires=requires)


def _epoch(name: str, meaning: str, *dims: str, requires: str | None = None) -> Variable:
    return _variable(name, "int64", meaning, *dims, units="epoch", requires=requires)


def _flag(name: str, meaning: str, requires: str | None = None) -> Variable:
    return _variable(name, "bool", meaning, requires=requires)


def _dead(name: str, when: str, *dims: str, requires: str | None = None) -> Variable:
    """Return a count of dead units for each seed and ReLU layer."""
    meaning = (
        "ReLU units of the layer with z <= 0 for every training example (z < 0 where its gradient at 0 is not 0), "
        f"{when}; -1: no such layer."
    )
    return _variable(name, "int32", meaning, *dims, HIDDEN_LAYER, requires=requires)


_OUTCOME = "; ".join(f"{name}, {meaning}" for name, meaning in OUTCOME_MEANINGS.items())
_NORM = "Frobenius norm of a Linear layer's weights"

_ALL = (
    _variable(
        "outcome",
        "int8",
        f"What became of the seed, first that applies: {_OUTCOME}.",
        flag_values=tuple(map(int, Outcome)),
        flag_meanings=" ".join(OUTCOMES),
    ),
    _epoch("epochs_run", "Epochs that were run."),
    _epoch(
        "epochs_to_converge",
        "First epoch, from 1, after which every criterion held; -1 if none: censored at epochs_run.",
    ),
    _number("loss_initial", "Mean loss over the training examples before the first update."),
    _number("loss_final", "Mean loss over the training examples after the last update."),
    _number("accuracy_final", f"Accuracy on the training data after the last update: {ACCURACY}."),
    _number(
        "gradient_norm_final",
        "Euclidean norm of the gradient of the mean loss over all training examples, after the last update.",
    ),
    _dead("dead_units_initial", "at initialisation"),
    _dead("dead_units_final", "after the last update"),
    _dead("units_died", "after the last update and not at initialisation"),
    _dead("units_revived", "at initialisation and not after the last update"),
    _flag("born_dead", "Whether every unit of some ReLU layer that no Skip leads around is dead at initialisation."),
    _number("weight_norm_initial", f"{_NORM}, at initialisation.", LAYER),
    _number("weight_norm_final", f"{_NORM}, after the last update.", LAYER),
    _number(
        "plateau",
        "Loss of the plateau on which a seed sits that did not converge, within 5 % of the largest plateau: what is "
        "left when a network does not tell some examples apart; NaN: none is near, or nothing is left to tell apart.",
        requires=FEW_EXAMPLES,
    ),
    _variable(
        "restarts",
        "int64",
        "Times that a seed began again with new parameters; what says `initial`, and born_dead, is of the last "
        "attempt. -1: without restart.",
        requires=RESTART,
    ),
    _number(
        "loss_validation_final",
        "Mean loss over the validation examples with the final parameters.",
        requires=VALIDATION,
    ),
    _number(
        "accuracy_validation_final",
        "Accuracy on the validation data with the final parameters, by the midpoint of the training targets.",
        requires=VALIDATION,
    ),
    _number(
        "loss_validation_best",
        "Smallest mean loss over the validation examples after an epoch, but for improvements below min_delta; NaN "
        "if it was never finite.",
        requires=VALIDATION,
    ),
    _epoch(
        "epoch_validation_best",
        "First epoch, from 1, after which it was that small; with EarlyStopping(min_delta=) the last epoch that "
        "improved by more; -1 if it was never finite.",
        requires=VALIDATION,
    ),
    _flag(
        "stopped_early",
        "Whether the seed stopped because the loss that EarlyStopping monitors had not improved, or because its "
        "gradient was as small as Stationary asks.",
        requires=STOPPING_RULE,
    ),
    _number(
        "loss_best",
        "Smallest mean loss over the training examples, from the initialisation on, but for improvements below "
        "min_delta; NaN if it was never finite.",
        requires=MONITOR_TRAINING,
    ),
    _epoch(
        "epoch_best",
        "First epoch after which it was that small, 0 if no epoch improved on the initialisation; with "
        "EarlyStopping(min_delta=) the last epoch that improved by more; -1 if it was never finite.",
        requires=MONITOR_TRAINING,
    ),
    _number(
        "loss_recorded", f"Mean loss over the training examples after the epoch; {_LATER}.", EPOCH, requires=RECORD_AT
    ),
    _number(
        "accuracy_recorded", f"Accuracy on the training data after the epoch; {_LATER}.", EPOCH, requires=RECORD_AT
    ),
    _dead("dead_units_recorded", f"after the epoch; {_LATER}", EPOCH, requires=RECORD_AT),
    _epoch(
        "dead_since",
        "Epoch after which the ReLU unit died for the last time, that at which the last attempt began (0 without "
        "restarts) if it was dead from then on; -1: it is alive in the end, or there is no such unit.",
        HIDDEN_LAYER,
        UNIT,
        requires=TRACK,
    ),
)

FINISHED = _flag(
    "finished",
    "Whether the row was trained; where it was not, integers are -1, floats NaN, bools False. "
    "Only in an interrupted sweep.",
)
"""Tells trained rows from the others in an interrupted sweep, whose configurations share one dimension of seeds."""

VARIABLES: Mapping[str, Variable] = MappingProxyType({variable.name: variable for variable in _ALL})
"""The result variables by their names, in the order of tables and files."""


def with_not_run(variable: Variable) -> Variable:
    """Return a variable as an interrupted sweep has it: an outcome has a flag for the rows that were not trained."""
    if "flag_values" not in variable.attrs:
        return variable
    flags = {
        "flag_values": (ABSENT, *variable.attrs["flag_values"]),
        "flag_meanings": f"{NOT_RUN} {variable.attrs['flag_meanings']}",
    }
    return variable._replace(attrs=MappingProxyType({**variable.attrs, **flags}))
