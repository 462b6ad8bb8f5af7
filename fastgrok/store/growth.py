"""How a store is created, grows, and gets a lost store.json back; a sweep that does not fit it is refused."""

import contextlib
from collections.abc import Sequence
from typing import Any

import fastgrok
from fastgrok.errors import InvalidExperiment, StoreError, joined, short_repr
from fastgrok.results.files import BAD_PATH, PARAMS
from fastgrok.spec.axes import Axis, checked_axes
from fastgrok.spec.paths import children
from fastgrok.store.contradictions import other_columns
from fastgrok.store.limits import check_growth
from fastgrok.store.manifest import (
    ALL,
    FAILURES,
    KEPT,
    STORE,
    Specification,
    manifest_name,
    read_specification,
    replaced,
    shard_size_of,
)
from fastgrok.store.rows import schema_of
from fastgrok.store.shards import Piece, checked_rows
from fastgrok.store.storage import Storage
from fastgrok.store.survey import names, survey


def create_or_grow(storage: Storage, path: str, requested: Specification, shard_size: int | None) -> Specification:
    """Create a store, or let one grow that holds less than is asked for, and return its specification.

    Where shards have lost their store.json it is written again, and those of the configurations that are asked for
    count as before.
    """
    requested.check_readable()
    try:
        first = first_specification(storage, requested) if manifest_name(storage) is None else None
        if first is not None:
            check_growth(storage, None, first)
            if storage.create(STORE, first.to_json().encode()):
                return first
    except OSError as error:
        if error.errno not in BAD_PATH:
            raise StoreError(f"{path}/{STORE} could not be written: {error}") from error
        expected = f"a directory that can be written to ({error.strerror or error})"
        raise InvalidExperiment("store", path, expected) from error
    return grow(storage, sized(requested, opened(storage, path), shard_size))


def opened(storage: Storage, path: str) -> Specification:
    """Return the specification of a store; raise where there is no store."""
    specification = read_specification(storage)
    if specification is None:
        again = f"; its shards are there: the same sweep into it writes {STORE} again" * has_shards(storage)
        raise InvalidExperiment("store", path, f"a directory that holds {STORE}{again}")
    return specification


def planned(storage: Storage, requested: Specification, shard_size: int | None) -> Specification:
    """Return what `create_or_grow` would return, or refuse it as that would, and write nothing."""
    held = read_specification(storage)
    if held is None:
        wanted = first_specification(storage, requested)
    else:
        wanted = grown(held, sized(requested, held, shard_size))
    if wanted != held:
        check_growth(storage, held, wanted)
    return wanted


def sized(requested: Specification, held: Specification, shard_size: int | None) -> Specification:
    """Return what is asked for, in shards of the size that the store has, unless the caller chose one."""
    own = {"shard_size": held.shard_size, "size_chosen": False}
    return requested.changed(**own) if shard_size is None else requested


def first_specification(storage: Storage, requested: Specification) -> Specification:
    """Return the specification for a directory without store.json."""
    if not storage.listed() or manifest_name(storage) is not None:  # another process has just made it
        return requested
    if not has_shards(storage):
        raise InvalidExperiment("store", storage.root, "a store, or a directory that is empty or not there")
    return recovered(storage, requested)


def grow(storage: Storage, requested: Specification) -> Specification:
    """Let a store hold what is asked for as well, and return its new specification."""

    def more(held: Specification) -> Specification:
        wanted = grown(held, requested)
        if wanted != held:
            check_growth(storage, held, wanted)
        return wanted

    return replaced(storage, more)


def still_holding(storage: Storage, specification: Specification, requested: Specification) -> Specification:
    """Return what a store holds after work on it: the same as before, unless somebody wrote another specification.

    If that has less, as after `shrink`, the store holds again what was asked for and is made now.
    """
    with contextlib.suppress(OSError):  # which `grow` meets again, and explains
        name = manifest_name(storage)
        if name is not None and storage.read(name) == specification.to_json().encode():
            return specification
    return grow(storage, requested)


def grown(held: Specification, requested: Specification) -> Specification:
    """Return the specification with more seeds and more values on its axes; raise if anything else differs."""
    held.check_version()
    requested.check_format()
    for name in KEPT if requested.size_chosen else KEPT[:-1]:
        if (value := getattr(held, name)) != (other := getattr(requested, name)):
            raise _differs(name, value, other)
    paths = [axis.path for axis in held.axes]
    if paths != (others := [axis.path for axis in requested.axes]):
        raise _other_axes(paths, others)
    requested = _with_biases_as_held(held, requested)
    same_axes = requested.with_axes(held.axes)
    first, other = held.configurations[0].experiment, same_axes.configurations[0].experiment
    if (difference := _difference(first, other)) is not None:
        raise _differs(*difference)
    if max(held.seeds.start, requested.seeds.start) > min(held.seeds.stop, requested.seeds.stop):
        expected = f"seeds that overlap or follow those in the store, {held.seeds.start}:{held.seeds.stop}"
        raise InvalidExperiment("seeds", f"{requested.seeds.start}:{requested.seeds.stop}", expected)
    seeds = range(min(held.seeds.start, requested.seeds.start), max(held.seeds.stop, requested.seeds.stop))
    made = held.with_axes(_merged_axes(held.axes, requested.axes)).changed(seeds=seeds)
    if made != held:
        made = made.changed(size_chosen=True) if requested.size_chosen else _with_larger_shards(made, held)
    for id_, configuration in requested.by_id.items():
        if id_ not in made.by_id:
            raise _differs("experiment", held.experiment, configuration.experiment)
    return made.checked()


def _with_larger_shards(made: Specification, held: Specification) -> Specification:
    """Return what has grown in larger shards, unless somebody chose their size; those that are there stay.

    The store says the size, so that all machines that add to it agree: it changes with what it holds, and only then.
    """
    if held.size_chosen:
        return made
    return made.changed(shard_size=max(held.shard_size, shard_size_of(made)))


def _with_biases_as_held(held: Specification, requested: Specification) -> Specification:
    """Return what is asked for with biases said as in the store, which may name the scheme that the default means."""
    said = held.experiment.bias_init
    if requested.experiment.bias_init == said:
        return requested
    fields = {name: getattr(requested, name) for name in type(requested).model_fields}
    restated = Specification(**{**fields, "experiment": requested.experiment.replace(bias_init=said)})
    return restated if restated.by_id.keys() == requested.by_id.keys() else requested


def _differs(field: str, held: Any, requested: Any) -> InvalidExperiment:
    """Return the error for a field that has another value in the store."""
    expected = f"{short_repr(held)}, as in the store; another store for another sweep"
    return InvalidExperiment(field, requested, expected)


def _other_axes(held: Sequence[str], requested: Sequence[str]) -> InvalidExperiment:
    """Return the error for other axes: rows have a column for each, so that none can be added or left out later."""
    texts = [", ".join(paths) or "none" for paths in (held, requested)]
    new = [path for path in requested if path not in held]
    fixed = [path for path in held if path not in requested]
    expected = f"{short_repr(texts[0])}, as in the store"
    if new and not fixed:
        expected += f": it was made with one {' and one '.join(new)}; another store, with all axes from the start"
    elif fixed and not new:
        expected += f": say what is wanted of {' and '.join(fixed)} as an axis, too, if only one value"
    else:
        return _differs("axes", *texts)
    return InvalidExperiment("axes", texts[1], expected)


def _difference(held: Any, requested: Any, path: str = "") -> tuple[str, Any, Any] | None:
    """Return the first field that differs, as deep as both have the same fields, with what it is in each."""
    if held == requested:
        return None
    if type(held) is type(requested) and not (isinstance(held, tuple) and len(held) != len(requested)):
        for (step, mine), (_, other) in zip(children(held), children(requested), strict=True):
            if (inner := _difference(mine, other, joined(path, step) if path else step)) is not None:
                return inner
    return path, held, requested


def _merged_axes(held: Sequence[Axis], requested: Sequence[Axis]) -> tuple[Axis, ...]:
    """Return axes with the values of both, those of the store first."""
    values = {
        mine.path: [*mine.values, *(value for value in other.values if value not in mine.values)]
        for mine, other in zip(held, requested, strict=True)
    }
    axes = checked_axes(values) if values else []
    for mine, other, both in zip(held, requested, axes, strict=True):
        if both.labels[: len(mine.labels)] != mine.labels or len(set(map(type, both.labels))) > 1:
            kind = type(mine.labels[0]).__name__
            raise InvalidExperiment(f"axes[{mine.path!r}]", other.values, f"values that are {kind}, as in the store")
    return tuple(axes)


def has_shards(storage: Storage) -> bool:
    """Whether shards are where a store has them."""
    return bool(names(storage, ".json"))


def recovered(storage: Storage, requested: Specification) -> Specification:
    """Return the specification for shards without store.json: what is asked for, with all of their seeds."""
    pieces = survey(storage, requested).pieces
    if not pieces:
        expected = f"the directory of this sweep: it has lost {STORE}, and none of its shards is of this experiment"
        raise InvalidExperiment("store", storage.root, expected)
    _check_rows(pieces, requested)
    seen: set[str] = set()
    for piece in pieces:
        if piece.experiment_id not in seen:
            seen.update(piece.shard.experiment_ids)  # of one shard all have the same columns
            columns = schema_of(storage, piece.sidecar, checked_rows(storage, piece.sidecar))
            _check_columns(columns.names, piece, requested)
    first, stop = min(piece.shard.first for piece in pieces), max(piece.shard.stop for piece in pieces)
    return grown(requested.changed(seeds=range(first, stop)), requested)


def _check_rows(pieces: Sequence[Piece], requested: Specification) -> None:
    """Raise unless the shards were made by this version, with these rows."""
    for piece in pieces:
        if (version := piece.sidecar.versions.get("fastgrok")) != fastgrok.__version__:
            expected = f"shards made by fastgrok {fastgrok.__version__}, and {piece.shard.rows_name} was not"
            raise InvalidExperiment("store", version, expected)
        counts, n_rows = piece.part.counts, piece.part.n_rows
        kept = {ALL: counts.n, FAILURES: counts.n - counts.n_converged}
        if kept[requested.rows] != n_rows:
            made = next((name for name in kept if kept[name] == n_rows), "?")
            raise _otherwise("rows", requested.rows, made, piece)


def _check_columns(columns: Sequence[str], piece: Piece, requested: Specification) -> None:
    """Raise unless a shard has the columns that it would be given now."""
    if (PARAMS in columns) != requested.keep_params:
        raise _otherwise("keep_params", requested.keep_params, not requested.keep_params, piece)
    if other := other_columns(requested, requested.by_id[piece.experiment_id], columns):
        expected = f"axes, record_at and track as they were when {piece.shard.rows_name} was made"
        raise InvalidExperiment("columns", ", ".join(other), expected)


def _otherwise(field: str, value: Any, made: Any, piece: Piece) -> InvalidExperiment:
    """Return the error for a shard that was made with another value."""
    return InvalidExperiment(field, value, f"{made!r}, as {piece.shard.rows_name} was made")
