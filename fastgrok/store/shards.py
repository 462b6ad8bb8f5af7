"""The shards of a store: files of rows, the sidecars that commit them, and which are still to be made."""

from __future__ import annotations

import collections
import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from fastgrok.errors import InvalidExperiment, StoreError
from fastgrok.statistics.counts import Counts
from fastgrok.store.manifest import Specification, digest
from fastgrok.store.storage import Storage

_BAD = "bad"

FOLDER = "shards"
"""Where the shards are: a folder in it for each configuration."""


class Shard(NamedTuple):
    """The seeds from `first` to `stop - 1` of one configuration."""

    experiment_id: str  # the configuration
    first: int  # its first seed
    stop: int  # the seed after its last

    @property
    def rows_name(self) -> str:
        """The file of its rows."""
        return f"{FOLDER}/{self.experiment_id}/{self.first}-{self.stop}.parquet"

    @property
    def sidecar_name(self) -> str:
        """The file that says that they are whole."""
        return f"{FOLDER}/{self.experiment_id}/{self.first}-{self.stop}.json"

    @property
    def n_seeds(self) -> int:
        """How many seeds it has; fewer rows where only failures are kept."""
        return self.stop - self.first

    def seeds(self) -> np.ndarray:
        """Return its seeds."""
        return np.arange(self.first, self.stop, dtype=np.uint64)


class Sidecar(NamedTuple):
    """What is known of a shard without reading its rows. Written after them, it commits the shard."""

    shard: Shard  # which
    n_rows: int  # rows in the file
    n_bytes: int  # its size
    sha256: str  # of the file
    content: str  # SHA-256 of what the rows hold, whatever wrote the file
    counts: Counts  # what became of all its seeds
    seconds: float  # of one thread, that training them took
    versions: dict[str, str]  # of what made it

    def to_json(self) -> str:
        """Return everything as JSON, and the SHA-256 of that, by which a sidecar that has rotted is known."""
        plain = {**self._asdict(), "shard": self.shard._asdict(), "counts": self.counts.to_dict()}
        return json.dumps({**plain, "digest": digest(plain)}, separators=(",", ":"), allow_nan=False)

    @classmethod
    def from_json(cls, text: bytes) -> Sidecar:
        """Rebuild what `to_json` wrote."""
        try:
            plain = json.loads(text)
            if plain.pop("digest") != digest(plain):
                raise ValueError("its SHA-256 is another one")
            shard, counts = Shard(**plain.pop("shard")), Counts.from_dict(plain.pop("counts"))
            return cls(shard=shard, counts=counts, **plain)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InvalidExperiment("sidecar", text, f"what a sweep wrote ({error})") from error


def mark(problem: str) -> bytes:
    """Return the sidecar of a shard whose file is damaged: the reason, by which it is bad until it is made again."""
    return json.dumps({_BAD: problem}).encode()


def marked(text: bytes) -> str | None:
    """Return what `mark` was given, None if the text is something else."""
    try:
        plain = json.loads(text)
    except ValueError:
        return None
    problem = plain.get(_BAD) if isinstance(plain, dict) else None
    return problem if isinstance(problem, str) else None


def by_configuration(sidecars: Iterable[Sidecar]) -> dict[str, list[Sidecar]]:
    """Return sidecars by the ids of their experiments; an id without any has none."""
    groups: dict[str, list[Sidecar]] = collections.defaultdict(list)
    for sidecar in sidecars:
        groups[sidecar.shard.experiment_id].append(sidecar)
    return groups


def missing(specification: Specification, sidecars: Sequence[Sidecar]) -> list[Shard]:
    """Return the shards that are still to be made: what no shard covers, cut at the multiples of the shard size."""
    ends = {
        id_: sorted((sidecar.shard.first, sidecar.shard.stop) for sidecar in own)
        for id_, own in by_configuration(sidecars).items()
    }
    size, last = specification.shard_size, specification.seeds.stop
    shards = []
    for id_ in specification.by_id:
        first = specification.seeds.start
        for start, stop in [*ends.get(id_, []), (last, last)]:
            while first < min(start, last):
                end = min(start, last, (first // size + 1) * size)
                shards.append(Shard(id_, first, end))
                first = end
            first = max(first, stop)
    return shards


def part(shards: Sequence[Shard], specification: Specification, which: int, of: int) -> list[Shard]:
    """Return one of several equal parts of the work: always the same one, whatever has been done."""
    places = {id_: k for k, id_ in enumerate(specification.by_id)}
    size = specification.shard_size
    first = specification.seeds.start // size
    cells = (specification.seeds.stop - 1) // size - first + 1
    return [
        shard
        for shard in shards
        if (places[shard.experiment_id] * cells + shard.first // size - first) % of == which - 1
    ]


def commit(storage: Storage, sidecar: Sidecar, rows: bytes) -> None:
    """Write the rows of a shard, and then the sidecar that commits them."""
    if _is_committed(storage, sidecar):
        return
    text = sidecar.to_json().encode()
    storage.write(sidecar.shard.rows_name, rows)
    if not storage.create(sidecar.shard.sidecar_name, text):
        _is_committed(storage, sidecar)  # raises if what has been committed meanwhile is not the same
        storage.write(sidecar.shard.sidecar_name, text)


def _is_committed(storage: Storage, new: Sidecar) -> bool:
    """Whether a shard is committed; raise if its sidecar says that it holds something else."""
    old = _read_sidecar(storage, new.shard)
    if old is not None and (old.content, old.counts) != (new.content, new.counts):
        raise StoreError(
            f"{new.shard.rows_name} was trained twice and is not the same: by {json.dumps(old.versions)} and by "
            f"{json.dumps(new.versions)}. Please report this: the bits of a seed must not depend on who trains it"
        )
    return committed(storage, new.shard) is not None


def committed(storage: Storage, shard: Shard) -> Sidecar | None:
    """Return the sidecar of a shard whose rows are there."""
    sidecar = _read_sidecar(storage, shard)
    return sidecar if sidecar is not None and storage.size(shard.rows_name) == sidecar.n_bytes else None


def _read_sidecar(storage: Storage, shard: Shard) -> Sidecar | None:
    """Return the sidecar of a shard, None if there is none that can be read."""
    try:
        sidecar = Sidecar.from_json(storage.read(shard.sidecar_name))
        return sidecar if sidecar.shard == shard and sidecar.counts.n == shard.n_seeds else None
    except (InvalidExperiment, FileNotFoundError):
        return None
