"""What a run records on its way, and which result variables, of which shapes, an experiment has."""

import functools
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from fastgrok.errors import InvalidExperiment, hint, one_of
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.known_plateaus import has_known_plateaus
from fastgrok.spec.network import Network
from fastgrok.spec.variables import (
    EPOCH,
    FEW_EXAMPLES,
    HIDDEN_LAYER,
    LAYER,
    MONITOR_TRAINING,
    RECORD_AT,
    RESTART,
    SEED,
    STOPPING_RULE,
    TRACK,
    UNIT,
    VALIDATION,
    VARIABLES,
    Variable,
)

MAX_RECORDS = 10_000
"""Epochs at most at which something is recorded."""

LOG = "log"
"""The name of the epochs 0, 1, 2, 5, 10, 20, 50, ... and the last."""

DEAD_UNITS = "dead_units"
"""The value of `track`: the epoch since which each ReLU unit is dead."""


class Recording(NamedTuple):
    """What is recorded of every seed on its way. No bit of the other results depends on it."""

    at: tuple[int, ...] | None = None  # epochs of loss, accuracy and dead units, ascending; 0: the initialisation
    dead_units: bool = False  # whether the epoch since which a unit is dead is tracked
    kept: tuple[int, ...] = ()  # epochs, from 1, after which the parameters themselves are kept, for a replay
    steps: bool = False  # whether the parameters after every update are kept
    attempts: int = 1  # attempts, with restarts, whose first parameters are kept
    earlier: int = 0  # epoch at whose parameters outcomes look, to tell whether the loss has come to rest; 0: none
    masked: bool = False  # whether some parameters are cut out, of which bits do depend
    last: int = 0  # the last epoch, where they look at it as well since earlier parameters may be restored; 0: not

    @property
    def epochs(self) -> tuple[int, ...]:
        """The epochs after which parameters are recorded: all but 0."""
        own = (*(self.at or ()), self.earlier, self.last)
        return tuple(sorted({epoch for epoch in own if epoch > 0}.union(self.kept)))


NOTHING = Recording()


def checked_recording(record_at: Any, track: Any, epochs: int) -> Recording:
    """Return what `run` records: `record_at` is None, "log", or epochs in any order; `track` None or "dead_units"."""
    if track is not None and not (isinstance(track, str) and track == DEAD_UNITS):
        raise InvalidExperiment("track", track, f"None, or {one_of([DEAD_UNITS])}{hint(track, [DEAD_UNITS])}")
    return Recording(_epochs(record_at, epochs), track is not None)


def round_epochs(last: int) -> list[int]:
    """Return 0, the round numbers before the last epoch, ever further apart, and the last."""
    series = (digit * 10**power for power in range(len(str(last))) for digit in (1, 2, 5))
    return [0, *(epoch for epoch in series if epoch < last), *[last] * (last > 0)]


def _epochs(record_at: Any, last: int) -> tuple[int, ...] | None:
    """Return the recorded epochs, ascending."""
    if record_at is None:
        return None
    if isinstance(record_at, str) and record_at == LOG:
        return tuple(round_epochs(last))
    expected = f"None, {LOG!r}, or a list of epochs from 0 to {last}"
    if isinstance(record_at, np.ndarray):
        record_at = record_at.tolist()
    if not isinstance(record_at, list | tuple | range) or not record_at:
        raise InvalidExperiment("record_at", record_at, expected)
    if len(record_at[: MAX_RECORDS + 1]) > MAX_RECORDS:  # len() of a range ends at 2**63 - 1
        raise InvalidExperiment("record_at", record_at, f"at most {MAX_RECORDS} epochs")
    for k, epoch in enumerate(record_at):
        if isinstance(epoch, bool) or not isinstance(epoch, int | np.integer) or not 0 <= epoch <= last:
            raise InvalidExperiment(f"record_at[{k}]", epoch, f"an epoch from 0 to {last}")
    return tuple(sorted(set(map(int, record_at))))


def variables(experiment: Experiment, recording: Recording = NOTHING) -> Mapping[str, Variable]:
    """Return the result variables of an experiment."""
    early = experiment.early_stopping
    return _variables(
        validation=experiment.validation is not None,
        monitor=None if early is None else early.monitor,
        stationary=experiment.stationary is not None,
        restart=experiment.restart is not None,
        record_at=recording.at is not None,
        track=recording.dead_units,
        few_examples=has_known_plateaus(experiment.data),
    )


@functools.cache
def _variables(
    *,
    validation: bool,
    monitor: str | None,
    stationary: bool,
    restart: bool,
    record_at: bool,
    track: bool,
    few_examples: bool,
) -> Mapping[str, Variable]:
    """Return the result variables that there are under some conditions."""
    holds = {
        None: True,
        VALIDATION: validation,
        STOPPING_RULE: monitor is not None or stationary,
        MONITOR_TRAINING: monitor == "training",
        RESTART: restart,
        RECORD_AT: record_at,
        TRACK: track,
        FEW_EXAMPLES: few_examples,
    }
    return MappingProxyType({name: variable for name, variable in VARIABLES.items() if holds[variable.requires]})


def sizes(network: Network, recording: Recording = NOTHING) -> dict[str, int]:
    """Return the length of each dimension but that of the seeds."""
    return {
        HIDDEN_LAYER: len(network.relu_layers),
        LAYER: len(network.linears),
        UNIT: max(network.relu_widths, default=0),
        EPOCH: len(recording.at or ()),
    }


def shapes(experiment: Experiment, recording: Recording, n: int) -> dict[str, tuple[int, ...]]:
    """Return the shape of each result variable."""
    lengths = {SEED: n, **sizes(experiment.network, recording)}
    present = variables(experiment, recording)
    return {name: tuple(lengths[dim] for dim in variable.dims) for name, variable in present.items()}
