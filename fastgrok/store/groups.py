"""Which configurations of a store share shards: small ones, whose rows have the same columns."""

import functools
from typing import Any, NamedTuple

from fastgrok.engine.kernel_params import flops_per_epoch
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.network import Network, relu_layers
from fastgrok.spec.recording import Recording, sizes, variables
from fastgrok.spec.variables import LAYER, UNIT
from fastgrok.store.manifest import Specification

_MOST = 32  # configurations of a shard; what a shard costs beside its rows is some 2 % of their cost then
_FLOPS = 1e10  # of a shard of several, a fraction of a second of one thread: a configuration of more has its own


class _Group(NamedTuple):
    """A group that may take more configurations."""

    number: int
    n_configurations: int
    flops: float


def grouped(specification: Specification) -> dict[str, int]:
    """Return the number of the group of each configuration, counted from 0 in the order of their first ones.

    It follows from the specification alone, so that all machines have the same groups.
    """
    most = min(_MOST, specification.shard_size // len(specification.seeds))
    numbers: dict[str, int] = {}
    open_: dict[Any, _Group] = {}
    n_groups = 0
    for id_, configuration in specification.by_id.items():
        experiment = configuration.experiment
        flops = len(specification.seeds) * flops_per_epoch(experiment) * experiment.epochs
        kind = columns_key(specification, experiment)
        group = open_.get(kind)
        if group is None or group.n_configurations >= most or group.flops + flops > _FLOPS:
            group, n_groups = _Group(n_groups, 0, 0.0), n_groups + 1
        open_[kind] = _Group(group.number, group.n_configurations + 1, group.flops + flops)
        numbers[id_] = group.number
    return numbers


def columns_key(specification: Specification, experiment: Experiment) -> tuple[Any, ...]:
    """Return what decides which columns the rows of a configuration have."""
    params = (experiment.n_params, experiment.dtype) if specification.keep_params else ()
    present = variables(experiment, specification.recording)
    return *present, *params, *_layers(experiment.network, specification.recording)


@functools.lru_cache(maxsize=1024)
def _layers(network: Network, recording: Recording) -> tuple[Any, ...]:
    """Return what decides how many columns those variables have that have some for each layer or unit."""
    lengths = sizes(network, recording)
    units = (lengths[UNIT],) if recording.dead_units else ()
    return lengths[LAYER], *units, *(layer.column("") for layer in relu_layers(network))
