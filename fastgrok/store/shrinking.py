"""The way back from a plan that asks for too much: what is done stays, and the rest is no longer planned."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastgrok.errors import InvalidExperiment
from fastgrok.spec.axes import Axis, checked_axes
from fastgrok.store.growth import grow
from fastgrok.store.manifest import Specification, replaced, shard_size_of
from fastgrok.store.storage import Storage
from fastgrok.store.survey import place_of, survey

_Place = tuple[Sequence[str], int, int]  # configurations, the first of their seeds, and that after the last


def shrink(storage: Storage) -> Specification:
    """Let a store plan no more than the seeds and values of which shards are there, and return what it holds then."""
    plans: list[Specification] = []

    def less(held: Specification) -> Specification:
        plans.append(held)
        return _shrunk(held, _done(storage, held), storage.root)

    made = replaced(storage, less)
    # What others committed after that look, and before they could see the new plan, is part of it again.
    late = _shrunk(plans[-1], _done(storage, plans[-1]), storage.root)
    return made if late == made else grow(storage, late)


def _done(storage: Storage, specification: Specification) -> list[_Place]:
    """Return what the shards of a store hold; those that are damaged, too, since they are to be made again."""
    found = survey(storage, specification)
    damaged = [place_of(name, specification) for name in found.bad]
    whole = [([piece.experiment_id], piece.shard.first, piece.shard.stop) for piece in found.pieces]
    seeds = specification.seeds
    return [each for each in [*whole, *damaged] if each and each[1] < seeds.stop and each[2] > seeds.start]


def _shrunk(held: Specification, done: Sequence[_Place], root: str) -> Specification:
    """Return the least plan that has all that is done."""
    held.check_version()
    if not done:
        raise InvalidExperiment("store", root, "a store of which something is done; this one can be removed")
    seeds = range(min(first for _, first, _ in done), max(stop for _, _, stop in done))
    ids = {id_ for several, _, _ in done for id_ in several}
    labels = [held.by_id[id_].labels for id_ in ids]
    axes = _with_labels(held.axes, {axis.path: {each[axis.path] for each in labels} for axis in held.axes})
    made = held.changed(seeds=range(max(seeds.start, held.seeds.start), min(seeds.stop, held.seeds.stop)))
    made = made if axes == held.axes else made.with_axes(axes)
    return made if held.size_chosen or made == held else made.changed(shard_size=shard_size_of(made))


def _with_labels(axes: Sequence[Axis], labels: Mapping[str, set[Any]]) -> tuple[Axis, ...]:
    """Return axes with those values alone that have these labels; all of one whose values would get other labels."""
    kept = {axis.path: [k for k, label in enumerate(axis.labels) if label in labels[axis.path]] for axis in axes}
    less = checked_axes({axis.path: [axis.values[k] for k in kept[axis.path]] for axis in axes}) if axes else []
    both = zip(axes, less, strict=True)
    return tuple(new if _labelled_alike(new, axis, kept[axis.path]) else axis for axis, new in both)


def _labelled_alike(new: Axis, axis: Axis, kept: Sequence[int]) -> bool:
    """Whether values have the labels, and labels of the type, that they had among all of the axis."""
    before = [axis.labels[k] for k in kept]
    return [*new.labels] == before and {*map(type, new.labels)} == {*map(type, before)}
