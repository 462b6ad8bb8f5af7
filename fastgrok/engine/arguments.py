"""What is checked of the arguments of `run` and its like, before any kernel sees them."""

import functools
import math
import numbers
from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from fastgrok.datasets.arrays import check_unmasked
from fastgrok.datasets.memory import SMALL_BYTES, check_fits
from fastgrok.errors import InvalidExperiment
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.network import Network
from fastgrok.spec.recording import NOTHING, Recording, sizes, variables
from fastgrok.spec.variables import SEED, VARIABLES

MAX_LANES = 64
"""Lanes of a vector at most."""

MAX_THREADS = 1024
"""Threads at most."""

LARGEST_SEED = {"numpy": 2**64 - 1, "numpy_legacy": 2**32 - 1}
"""The largest seed of each stream."""

Seeds = range | NDArray[np.uint64]
"""A range stays one until its array is known to fit into memory."""


class ExecutionOptions(NamedTuple):
    """How training is done, as `run` and `Store.resume` say. No bit of a result depends on it."""

    threads: int | None = None  # None: one for each CPU that the process may use
    specialize: bool | None = None  # whether to compile a driver for each network; None: where that saves time
    lanes: int | None = None  # None: what suits the CPU
    chunk_size: int | None = None  # seeds in a task of a thread; None: what suits
    progress: bool | None = None  # whether to show a bar; None: on a terminal
    executor: Executor | None = None  # of a store: whose workers train; None: threads of this process
    part_of: tuple[int, int] | None = None  # of a store: (i, n) for the i-th of n parts of the work; None: all of it

    def checked(self) -> Self:
        """Return the options, as integers and bools of Python."""
        if self.executor is not None and not isinstance(self.executor, Executor):
            expected = "None, or a concurrent.futures.Executor, such as Client(...).get_executor() of Dask"
            raise InvalidExperiment("executor", self.executor, expected)
        if self.part_of is not None and not _is_part(self.part_of):
            raise InvalidExperiment("part_of", self.part_of, "None, or (i, n) with i from 1 to n")
        if self.threads is not None and self.executor is not None:
            expected = "None with an executor: each of its workers trains in one thread"
            raise InvalidExperiment("threads", self.threads, expected)
        return self._replace(
            threads=checked_integer("threads", self.threads, MAX_THREADS),
            specialize=checked_flag("specialize", self.specialize),
            lanes=checked_lanes(self.lanes),
            chunk_size=checked_integer("chunk_size", self.chunk_size),
            progress=checked_flag("progress", self.progress),
        )


def _is_part(value: Any) -> bool:
    """Whether a value is (i, n) with i from 1 to n."""
    if not isinstance(value, tuple | list) or len(value) != 2 or not all(type(number) is int for number in value):
        return False
    return bool(1 <= value[0] <= value[1])


_EXPECTED = "a number of seeds, a range, or integers from 0 to {}"


def checked_experiment(experiment: Any) -> Experiment:
    """Return the experiment."""
    if not isinstance(experiment, Experiment):
        raise InvalidExperiment("experiment", experiment, "an Experiment")
    return experiment


def checked_seeds(seeds: Any, stream: str) -> NDArray[np.uint64]:
    """Return seeds as an array, which has to fit into memory."""
    accepted = accepted_seeds(seeds, stream)
    check_fits("seeds", n_seeds(accepted), 8 * n_seeds(accepted))
    return seeds_array(accepted)


def accepted_seeds(seeds: Any, stream: str) -> Seeds:
    """Return seeds, checked, as a range or an array."""
    largest, seeds = LARGEST_SEED[stream], whole(seeds)
    if _is_integer(seeds):
        n = int(seeds)
        if not 1 <= n <= largest + 1:
            raise InvalidExperiment("seeds", n, f"a number of seeds from 1 to {largest + 1}")
        seeds = range(n)
    if isinstance(seeds, range):
        return _within(seeds, largest)
    if isinstance(seeds, list | tuple):
        return _from_list(seeds, largest)
    return _from_array(seeds, largest)


def _within(seeds: range, largest: int) -> range:
    """Return a range of seeds."""
    if not seeds:
        raise InvalidExperiment("seeds", seeds, "a range that is not empty")
    if min(seeds[0], seeds[-1]) < 0 or max(seeds[0], seeds[-1]) > largest:
        raise InvalidExperiment("seeds", seeds, f"a range within 0 to {largest}")
    return seeds


def n_seeds(seeds: Seeds) -> int:
    """Return how many seeds there are; len() ends at 2**63 - 1."""
    return (seeds[-1] - seeds[0]) // seeds.step + 1 if isinstance(seeds, range) else len(seeds)


def seeds_array(seeds: Seeds) -> NDArray[np.uint64]:
    """Return seeds as an array."""
    if not isinstance(seeds, range):
        return seeds
    array = np.arange(n_seeds(seeds), dtype=np.uint64)
    if seeds.step != 1:
        array *= np.uint64(seeds.step % 2**64)
    if seeds[0]:
        array += np.uint64(seeds[0])
    return array


def _from_list(seeds: list[Any] | tuple[Any, ...], largest: int) -> NDArray[np.uint64]:
    """Return the seeds of a list: NumPy would make floats of some large ones."""
    if not seeds:
        raise InvalidExperiment("seeds", seeds, _EXPECTED.format(largest))
    for k, seed in enumerate(seeds):
        if not _is_integer(seed) or not 0 <= int(seed) <= largest:
            raise InvalidExperiment(f"seeds[{k}]", seed, f"an integer from 0 to {largest}")
    return np.array([int(seed) for seed in seeds], dtype=np.uint64)


def _from_array(seeds: Any, largest: int) -> NDArray[np.uint64]:
    """Return the seeds of an array, or of what NumPy takes for one."""
    if seeds is None or isinstance(seeds, str | bytes):
        raise InvalidExperiment("seeds", seeds, _EXPECTED.format(largest))
    check_unmasked("seeds", seeds)
    try:
        array = np.asarray(seeds)
    except (ValueError, TypeError, OverflowError) as error:
        raise InvalidExperiment("seeds", seeds, _EXPECTED.format(largest)) from error
    if array.ndim != 1 or not array.size:
        raise InvalidExperiment("seeds", seeds, _EXPECTED.format(largest))
    if array.dtype.kind not in "iu":
        return _from_list(array.tolist(), largest)
    if array.min() < 0 or array.max() > largest:
        bad = array.min() if array.min() < 0 else array.max()
        raise InvalidExperiment("seeds", int(bad), f"integers from 0 to {largest}")
    return array.astype(np.uint64)


def check_each_once(field: str, seeds: NDArray[np.uint64]) -> None:
    """Raise if a seed occurs again: the same run twice would count as two independent ones."""
    distinct, counts = np.unique(seeds, return_counts=True)
    if len(distinct) < len(seeds):
        k = int(np.argmax(counts))
        expected = f"each seed once: it occurs {counts[k]:,} times, and the same run again is no other observation"
        raise InvalidExperiment(field, int(distinct[k]), expected)


def whole(value: Any) -> Any:
    """Return a number of seeds such as 1e5 as an integer; what is no whole float is left to other checks."""
    return int(value) if isinstance(value, float | np.floating) and value.is_integer() else value


def _is_integer(value: Any) -> bool:
    """Whether a value is an integer, and neither a bool nor a time."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool | np.timedelta64)


def checked_integer(field: str, value: Any, largest: int | None = None) -> int | None:
    """Return an optional integer, 1 or more."""
    if value is None:
        return None
    if not _is_integer(value) or int(value) < 1 or (largest is not None and int(value) > largest):
        limit = "" if largest is None else f" and at most {largest}"
        raise InvalidExperiment(field, value, f"None, or an integer at least 1{limit}")
    return int(value)


def checked_lanes(lanes: Any) -> int | None:
    """Return an optional number of lanes."""
    if lanes is None:
        return None
    choices = [2**k for k in range(MAX_LANES.bit_length())]
    if not (_is_integer(lanes) and int(lanes) in choices):
        raise InvalidExperiment("lanes", lanes, f"None, or one of {', '.join(map(str, choices))}")
    return int(lanes)


def checked_flag(field: str, value: Any, *, optional: bool = True) -> bool | None:
    """Return a bool, or None where that is an option."""
    if value is None and optional:
        return None
    if not isinstance(value, bool | np.bool_):
        raise InvalidExperiment(field, value, "True, False or None" if optional else "True or False")
    return bool(value)


def surely_fits(experiments: Sequence[Experiment], n: int, recording: Recording) -> bool:
    """Whether results and working memory of n seeds are so small that nobody needs to know how small.

    The bound is crude: each seed in a block of its own, with a few copies of parameters and units in every lane, two
    streams and its result variables.
    """
    if recording != NOTHING:
        return False
    numbers = 0
    for experiment in experiments:
        network = experiment.network
        units = len(network.layers) * (network.n_params + network.n_in)
        numbers += n * (2 * MAX_LANES + 1) * (16 * units + 2000)
    return 8 * numbers < SMALL_BYTES


def check_memory(
    experiments: Sequence[Experiment],
    n: int,
    recording: Recording,
    *,
    copies: int,
    working: int = 0,
) -> None:
    """Raise if results with so many copies of the parameters, and so many bytes beside them, exceed the memory."""
    size = sum(n * row_bytes(experiment, recording, copies) for experiment in experiments)
    check_fits("seeds", n, size + working)


def row_bytes(experiment: Experiment, recording: Recording, copies: int) -> int:
    """Return the bytes of one seed's results."""
    params = copies * experiment.n_params * np.dtype(experiment.dtype).itemsize
    return 8 + params + _metric_bytes(experiment.network, recording, tuple(variables(experiment, recording)))


@functools.lru_cache(maxsize=1024)  # networks, of configurations that may be many more
def _metric_bytes(network: Network, recording: Recording, names: tuple[str, ...]) -> int:
    """Return the bytes of one seed's result variables of some names."""
    lengths = {SEED: 1, **sizes(network, recording)}
    present = [VARIABLES[name] for name in names]
    return sum(math.prod(lengths[dim] for dim in each.dims) * np.dtype(each.dtype).itemsize for each in present)
