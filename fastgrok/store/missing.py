"""What is still to be made of a store, as arithmetic: a sweep may have more shards than any list holds."""

import collections
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from fastgrok.store.groups import grouped
from fastgrok.store.manifest import Specification
from fastgrok.store.shards import Piece, Shard, by_configuration


class Gap(NamedTuple):
    """Seeds that configurations of one group lack."""

    experiment_ids: tuple[str, ...]
    first: int
    stop: int  # the seed after the last
    offset: int  # from the place of a shard among the multiples of the shard size to its number in the store


@dataclass(frozen=True)
class Missing:
    """The shards that are still to be made, or one of several equal parts of them."""

    gaps: Sequence[Gap]
    size: int  # shards end at the multiples of it
    which: int = 1
    of: int = 1

    def part(self, which: int, of: int) -> "Missing":
        """Return one of several equal parts of the work: always the same one, whatever has been done."""
        return Missing(self.gaps, self.size, which, of)

    def __iter__(self) -> Iterator[Shard]:
        for gap in self.gaps:
            for k in self._places(gap):
                yield Shard(gap.experiment_ids, max(gap.first, k * self.size), min(gap.stop, (k + 1) * self.size))

    def _places(self, gap: Gap) -> range:
        """Return the places of the shards of a gap among the multiples of the shard size."""
        first = gap.first // self.size
        return range(
            first + (self.which - 1 - gap.offset - first) % self.of, (gap.stop - 1) // self.size + 1, self.of
        )

    @property
    def n_shards(self) -> int:
        """How many they are."""
        return sum(len(self._places(gap)) for gap in self.gaps)

    @property
    def n_runs(self) -> int:
        """How many training runs they hold."""
        return sum(self.n_seeds.values())

    @property
    def n_seeds(self) -> dict[str, int]:
        """How many seeds of each configuration they hold."""
        n_seeds: dict[str, int] = collections.Counter()
        for gap in self.gaps:
            if places := self._places(gap):
                before = max(gap.first - places[0] * self.size, 0)
                after = max((places[-1] + 1) * self.size - gap.stop, 0)
                for id_ in gap.experiment_ids:
                    n_seeds[id_] += len(places) * self.size - before - after
        return n_seeds


def missing(specification: Specification, pieces: Iterable[Piece], wanted: Specification | None = None) -> Missing:
    """Return the shards that are still to be made of a store, or of the part of it that is wanted.

    What no piece covers is cut at the multiples of the shard size; configurations of a group that lack the same seeds
    get one shard.
    """
    known, groups = by_configuration(pieces), grouped(specification)
    size, wanted = specification.shard_size, wanted or specification
    members = collections.Counter(groups.values())
    lacking: dict[tuple[int, int, int], list[str]] = {}
    for id_ in wanted.by_id:
        for gap in _gaps(known.get(id_, ()), wanted.seeds.start, wanted.seeds.stop):
            # The seeds of a group of several make one shard, or two.
            for first, stop in [gap] if members[groups[id_]] == 1 else _cut(*gap, size):
                lacking.setdefault((groups[id_], first, stop), []).append(id_)
    cells, begin = _n_cells(specification), specification.seeds.start // size
    gaps = [Gap(tuple(ids), first, stop, group * cells - begin) for (group, first, stop), ids in lacking.items()]
    return Missing(gaps, size)


def _cut(first: int, stop: int, size: int) -> Iterator[tuple[int, int]]:
    """Yield the ends of shards of some seeds."""
    while first < stop:
        end = min(stop, (first // size + 1) * size)
        yield first, end
        first = end


def _gaps(pieces: Iterable[Piece], first: int, last: int) -> Iterator[tuple[int, int]]:
    """Yield the ends of what disjoint pieces leave out between two seeds."""
    for start, stop in [*sorted(piece.shard[1:] for piece in pieces), (last, last)]:
        if first < min(start, last):
            yield first, min(start, last)
        first = max(first, stop)


def n_shards(specification: Specification) -> int:
    """Return how many shards a store has that is made at once."""
    return _n_cells(specification) * len(set(grouped(specification).values()))


def _n_cells(specification: Specification) -> int:
    """Return into how many pieces the seeds of a configuration are cut."""
    seeds, size = specification.seeds, specification.shard_size
    return (seeds.stop - 1) // size - seeds.start // size + 1
