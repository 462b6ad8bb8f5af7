"""What a store is asked to hold, as store.json says it: an experiment, its axes, the seeds, what is kept of each."""

from __future__ import annotations

import hashlib
import json
import math
import operator
import re
import sys
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeInt,
    PlainSerializer,
    ValidationError,
    model_validator,
)

import fastgrok
from fastgrok.engine import arguments
from fastgrok.engine.kernel_params import flops_per_epoch
from fastgrok.engine.threads import cpu_count
from fastgrok.errors import MISSING, InvalidExperiment, StoreError, check_keys, checked_choice
from fastgrok.results.files import DAMAGE
from fastgrok.spec.axes import Axis, Configuration, axes_from_plain, axes_to_plain, checked_axes, grid
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.recording import Recording, checked_recording
from fastgrok.store.storage import Storage

STORE = "_store.json"
"""The file that says what a store holds. It never changes: where more is asked for, the next one says so, as
_store-2.json does. Readers of Parquet folders leave out what begins with an underscore."""

_LATER = re.compile(r"_store-([1-9][0-9]{0,8})\.json", re.ASCII)
"""The names of the files that say what it holds since it grew; the highest number counts."""

FORMER_STORE = "store.json"
"""Its name up to format 3."""

FORMAT = 4
"""Of the files of a store, as they are written. In format 2, of 0.1.0, each shard has one configuration; up to format
3 store.json and the sidecars are in the way of readers of Parquet folders, a seed with a small gradient is "stalled",
and one at a plateau "unfinished". Such a store is read, and not added to."""

_READ = (2, 3, 4)  # formats

ALL, FAILURES = "all", "failures"
"""Which rows are kept: those of every seed, or of the seeds that did not converge."""

KEPT = ("keep_params", "rows", "record_at", "track", "shard_size")
"""The fields that say what is kept of a seed, by the names of the arguments of `sweep`; how it is cut, last."""

_DIGEST = "sha256"
_SHARD_FLOPS = 6e10  # seconds of a thread; no measured rate, since machines must agree on how a sweep is cut
_SHARD_BYTES = 2**24  # of its rows in memory, of which there are three copies while a thread packs them
_SHARES = 4  # shards of a small sweep for each thread, so that all of them end together
_MOST_RUNS = 2**16  # of a shard

_Model = TypeVar("_Model", bound=BaseModel)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, arbitrary_types_allowed=True)


class _Axis(_Strict):
    path: str
    values: list[Any] = Field(min_length=1)


class _Seeds(_Strict):
    first: int = Field(ge=0)
    stop: int

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.stop <= self.first:
            raise ValueError("no seeds: `stop` must be greater than `first`")
        if self.stop > 2**64 or self.stop - self.first > sys.maxsize:
            raise ValueError("more seeds than there are")
        return self


def _validated(model: type[_Model], plain: Any, field: str) -> _Model:
    """Return a model of what JSON holds at a field; raise with the path of the first field that is wrong."""
    try:
        return model.model_validate(plain)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        cause = first.get("ctx", {}).get("error")
        if isinstance(cause, InvalidExperiment):
            raise cause from None
        path = ".".join([field, *map(str, first["loc"])]).lstrip(".")
        raise InvalidExperiment(path, first["input"], f"what a sweep writes ({first['msg']})") from None


def _read_axes(value: Any) -> Any:
    """Return the axes that JSON describes."""
    if not isinstance(value, list):
        return value
    plain = [_validated(_Axis, axis, f"axes.{k}") for k, axis in enumerate(value)]
    return tuple(axes_from_plain([axis.model_dump() for axis in plain]))


def _read_seeds(value: Any) -> Any:
    """Return the seeds that JSON describes."""
    if isinstance(value, range):
        return value
    seeds = _validated(_Seeds, value, "seeds")
    return range(seeds.first, seeds.stop)


_Experiment = Annotated[
    Experiment,
    BeforeValidator(lambda value: Experiment.from_dict(value) if isinstance(value, dict) else value),
    PlainSerializer(Experiment.to_dict),
]
_Axes = Annotated[tuple[Axis, ...], BeforeValidator(_read_axes), PlainSerializer(axes_to_plain)]
_SeedRange = Annotated[
    range,
    BeforeValidator(_read_seeds),
    PlainSerializer(lambda seeds: {"first": seeds.start, "stop": seeds.stop}),
]
_Epochs = Annotated[tuple[NonNegativeInt, ...], BeforeValidator(lambda at: tuple(at) if isinstance(at, list) else at)]


class Specification(_Strict):
    """Everything that fixes the contents of a store, and, field by field, what store.json says."""

    format: Literal[2, 3, 4] = 4
    fastgrok: str = fastgrok.__version__  # the version that trains: bits are promised within one version
    experiment: _Experiment  # what the axes vary
    axes: _Axes  # what varies; empty for one configuration
    seeds: _SeedRange  # the same ones for every configuration; step 1
    keep_params: bool  # whether trained parameters are kept
    rows: Literal["all", "failures"]  # failures: only the rows of the seeds that did not converge. All are counted
    record_at: _Epochs | None = None
    track: Literal["dead_units"] | None = None
    shard_size: int = Field(ge=1)  # training runs of a shard at most. No bit of a row depends on it
    size_chosen: bool = True  # whether the caller chose that; else it grows with the store

    @property
    def recording(self) -> Recording:
        """What is kept of each seed besides its end."""
        return Recording(self.record_at, self.track is not None)

    @cached_property
    def configurations(self) -> list[Configuration]:
        """The configurations, in the order of the product of the axes."""
        return grid(self.experiment, self.axes)

    @cached_property
    def by_id(self) -> dict[str, Configuration]:
        """The configurations by the ids of their experiments."""
        return {configuration.experiment.id: configuration for configuration in self.configurations}

    @property
    def n_runs(self) -> int:
        """Training runs: seeds times configurations."""
        return len(self.seeds) * len(self.configurations)

    def changed(self, **values: Any) -> Self:
        """Return the same configurations with other fields changed; none is validated again."""
        return self.model_copy(update=values)

    def with_axes(self, axes: tuple[Axis, ...]) -> Specification:
        """Return the same with other axes."""
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return Specification(**{**fields, "axes": axes})

    def checked(self) -> Self:
        """Return it, if no two of its configurations are the same experiment."""
        if len(self.by_id) < len(self.configurations):
            seen = self.by_id
            twice = next(each for each in self.configurations if seen[each.experiment.id] is not each)
            expected = "values that make experiments which differ from each other"
            raise InvalidExperiment("axes", ", ".join(f"{k}={v}" for k, v in twice.labels.items()), expected)
        return self

    def check_version(self) -> None:
        """Raise unless this version of fastgrok made it, and in this format."""
        self.check_format()
        if self.fastgrok != fastgrok.__version__:
            expected = f"a store made by fastgrok {fastgrok.__version__}, to add to it"
            raise InvalidExperiment("store", self.fastgrok, expected)

    def check_format(self) -> None:
        """Raise if it is of an earlier format: rows whose outcomes are by another test do not go with new ones."""
        if self.format != FORMAT:
            expected = (
                f"{FORMAT}, to add to it or to merge it: earlier ones, whose outcomes are by another test, are read "
                "alone; sweep into a new store"
            )
            raise InvalidExperiment("store: format", self.format, expected)

    def check_readable(self) -> None:
        """Raise unless JSON brings it back: some functions it does not."""
        try:
            self.from_json(self.to_json())
        except InvalidExperiment as error:
            expected = (
                "something that a store can read back from JSON, such as a scheme or arrays instead of a function"
            )
            raise InvalidExperiment(error.field.removeprefix(f"{STORE}: "), error.value, expected) from error

    def to_json(self) -> str:
        """Return everything as JSON, the version of fastgrok that makes it, and the SHA-256 of all that."""
        return written(self.model_dump())

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Rebuild what `to_json` wrote."""
        try:
            plain = json.loads(text)
        except (ValueError, RecursionError) as error:  # neither JSON nor UTF-8, or nested without end
            raise InvalidExperiment(STORE, text, f"JSON ({error})") from None
        if not isinstance(plain, dict):
            raise InvalidExperiment(STORE, plain, "what a sweep writes into it")
        if (format_ := plain.get("format", MISSING)) not in _READ:
            raise InvalidExperiment(f"{STORE}: format", format_, " or ".join(map(str, _READ)))
        recorded = plain.pop(_DIGEST, MISSING)
        if recorded != (expected := digest(plain)):
            raise InvalidExperiment(f"{STORE}: {_DIGEST}", recorded, f"{expected}, that of the fields beside it")
        try:
            if format_ < FORMAT:
                plain = {**plain, "size_chosen": True}
            check_keys("a store", plain, list(cls.model_fields))  # no default is filled in
            return _validated(cls, plain, "")
        except InvalidExperiment as error:
            raise InvalidExperiment(f"{STORE}: {error.field}", error.value, error.accepted) from None
        except DAMAGE as error:
            raise InvalidExperiment(STORE, text, f"what a sweep writes ({type(error).__name__}: {error})") from None


def written(plain: dict[str, Any]) -> str:
    """Return fields as JSON, and beside them the SHA-256 of what they hold, by which rot is known."""
    return json.dumps({**plain, _DIGEST: digest(plain)}, indent=1, allow_nan=False)


def digest(plain: dict[str, Any]) -> str:
    """Return the SHA-256 of the fields of a file, however JSON lays them out."""
    return digest_of_text(json.dumps(plain, separators=(",", ":")))


def digest_of_text(text: str) -> str:
    """Return the SHA-256 of the fields as JSON without white space."""
    return hashlib.sha256(text.encode()).hexdigest()


def manifest_name(storage: Storage) -> str | None:
    """Return the name of the file that says what a store holds now, None where there is none."""
    try:
        names = storage.listed()
    except NotADirectoryError:
        return None
    numbers = [int(match[1]) for match in map(_LATER.fullmatch, names) if match]
    if numbers:
        return f"_store-{max(numbers)}.json"
    return next((name for name in (STORE, FORMER_STORE) if name in names), None)


def read_specification(storage: Storage) -> Specification | None:
    """Return the specification of a store, None where there is no store."""
    try:
        name = manifest_name(storage)
        return None if name is None else _read(storage, name)
    except OSError as error:
        raise StoreError(f"{storage.root} cannot be read ({error})") from error


def _read(storage: Storage, name: str) -> Specification | None:
    """Return what one file says that a store holds, None if it is gone."""
    try:
        return Specification.from_json(storage.read(name))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"{storage.root}/{name} cannot be read ({error})") from error
    except InvalidExperiment as error:
        hint = "move it away, and the same sweep into this store writes it again and trains no shard twice"
        raise StoreError(f"{storage.root}/{name} is damaged ({error}): {hint}") from error


def replaced(storage: Storage, change: Callable[[Specification], Specification]) -> Specification:
    """Let a store hold what a function makes of what it holds, and return that.

    The new specification gets the next name, which only one of two processes can take; the other one begins again
    with what the first has written, so that neither loses what the other was told.
    """
    while (name := manifest_name(storage)) is not None and (newest := _read(storage, name)) is not None:
        wanted = change(newest)
        if wanted == newest:
            return newest
        match = _LATER.fullmatch(name)
        following = f"_store-{int(match[1]) + 1 if match else 2}.json"
        try:
            if storage.create(following, wanted.to_json().encode()):
                return wanted
        except OSError as error:
            message = f"{storage.root}/{following} could not be written: {error}. The store is as it was"
            raise StoreError(message) from error
    raise StoreError(f"{storage.root} holds no {STORE}: was the store removed?")


def specified(
    experiment: Experiment,
    seeds: Any,
    axes: Any,
    *,
    keep_params: Any = False,
    rows: Any = ALL,
    record_at: Any = None,
    track: Any = None,
    shard_size: Any = None,
) -> Specification:
    """Return what a sweep into a store is asked for, from its arguments."""
    checked_choice("rows", rows, (ALL, FAILURES))
    is_alone = axes is None or (isinstance(axes, Mapping) and not axes)
    size = arguments.checked_integer("shard_size", shard_size)
    requested = Specification(
        experiment=experiment,
        axes=() if is_alone else tuple(checked_axes(axes)),
        seeds=range(1),
        keep_params=bool(arguments.checked_flag("keep_params", keep_params, optional=False)),
        rows=rows,
        shard_size=size or 1,
    )
    experiments = [configuration.experiment for configuration in requested.configurations]
    recording = checked_recording(record_at, track, max(each.epochs for each in experiments))
    for stream in {each.stream for each in experiments}:
        in_a_row = _in_a_row(seeds, stream)
    for each in experiments if rows == FAILURES else ():
        if each.criteria is None:
            expected = "a criterion Converged(...) with rows='failures': without it all seeds are failures"
            raise InvalidExperiment("stop", each.stop, expected)
    requested = requested.checked().changed(seeds=in_a_row, record_at=recording.at, track=track)
    return requested.changed(shard_size=size or shard_size_of(requested), size_chosen=size is not None)


def _in_a_row(seeds: Any, stream: str) -> range:
    """Return seeds as a range of step 1."""
    largest, seeds = arguments.LARGEST_SEED[stream], arguments.whole(seeds)
    if isinstance(seeds, range) and seeds.step == 1 and seeds:
        if seeds.start < 0 or seeds.stop - 1 > largest:
            raise InvalidExperiment("seeds", seeds, f"a range within 0 to {largest}")
        if seeds.stop - seeds.start > sys.maxsize:
            raise InvalidExperiment("seeds", seeds, f"at most {sys.maxsize} seeds")
        return seeds
    try:
        n = 0 if isinstance(seeds, range) else operator.index(seeds)
    except TypeError:
        n = 0
    if isinstance(seeds, bool) or (n == 0 and not isinstance(seeds, int)):
        expected = "a number of seeds, or a range with step 1: a store holds seeds in a row"
        raise InvalidExperiment("seeds", seeds, expected)
    if not 1 <= n <= largest + 1:
        raise InvalidExperiment("seeds", seeds, f"a number of seeds from 1 to {largest + 1}")
    return _in_a_row(range(n), stream)


def shard_size_of(requested: Specification) -> int:
    """Return the runs of a shard where nobody chose them: seconds of work, bounded memory, shards for all threads."""
    experiments = [configuration.experiment for configuration in requested.configurations]
    flops = max(flops_per_epoch(experiment) * max(experiment.epochs, 1) for experiment in experiments)
    size = _SHARD_FLOPS / flops
    row = max(row_bytes(requested, experiment) for experiment in experiments)
    shares = math.ceil(requested.n_runs / (_SHARES * cpu_count()))
    return max(1, min(int(size), _SHARD_BYTES // row, _MOST_RUNS, max(shares, 64)))


def row_bytes(specification: Specification, experiment: Experiment) -> int:
    """Return the bytes of one seed in memory."""
    return arguments.row_bytes(experiment, specification.recording, int(specification.keep_params))
