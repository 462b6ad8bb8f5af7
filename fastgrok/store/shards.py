"""The shards of a store: files of rows, and the sidecars that commit them."""

from __future__ import annotations

import collections
import hashlib
import json
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastgrok.errors import InvalidExperiment, StoreError
from fastgrok.results.files import DAMAGE
from fastgrok.statistics.counts import Counts
from fastgrok.statistics.histogram import packed
from fastgrok.store.manifest import digest, digest_of_text
from fastgrok.store.storage import Storage

if TYPE_CHECKING:
    import pyarrow as pa

_BAD = "bad"

FOLDER = "shards"
"""Where the shards are: a folder in it for each configuration, and for each group of them that share shards."""

GROUP = "group-"
"""How the name of the folder of a group begins; that of a configuration is the id of its experiment."""


SIDECAR = "_"
"""How the name of a sidecar begins."""


class Shard(NamedTuple):
    """The seeds from `first` to `stop - 1` of one configuration, or of several, whose rows are one file."""

    experiment_ids: tuple[str, ...]  # the configurations, in the order of their rows
    first: int  # the first seed of each
    stop: int  # the seed after their last

    @property
    def rows_name(self) -> str:
        """The file of its rows."""
        return f"{self._folder}/{self.first}-{self.stop}.parquet"

    @property
    def sidecar_name(self) -> str:
        """The file that says that they are whole; readers of Parquet folders leave out what begins so."""
        return f"{self._folder}/{SIDECAR}{self.first}-{self.stop}.json"

    @property
    def sidecar_names(self) -> tuple[str, str]:
        """The name of that file, and the one that it has up to format 3."""
        return self.sidecar_name, f"{self._folder}/{self.first}-{self.stop}.json"

    @property
    def _folder(self) -> str:
        ids = self.experiment_ids
        folder = ids[0] if len(ids) == 1 else GROUP + hashlib.sha256(" ".join(ids).encode()).hexdigest()[:16]
        return f"{FOLDER}/{folder}"

    @property
    def n_seeds(self) -> int:
        """How many seeds each of its configurations has; fewer rows where only failures are kept."""
        return self.stop - self.first

    @property
    def n_runs(self) -> int:
        """How many training runs it holds."""
        return self.n_seeds * len(self.experiment_ids)

    def seeds(self) -> np.ndarray:
        """Return the seeds of each of its configurations."""
        return np.arange(self.first, self.stop, dtype=np.uint64)


class Part(NamedTuple):
    """What is known of the rows of one configuration in a shard."""

    n_rows: int  # rows in the file
    content: str  # SHA-256 of what the rows hold, whatever wrote the file
    counts: Counts  # what became of all its seeds
    seconds: float  # of one thread, that training them took
    drivers: dict[str, int] | None = None  # how many seeds each driver trained; 0.1.0 did not say


class Sidecar(NamedTuple):
    """What is known of a shard without reading its rows. Written after them, it commits the shard."""

    shard: Shard  # which
    n_bytes: int  # the size of the file of its rows
    sha256: str  # of that file
    versions: dict[str, str]  # of what made it
    parts: tuple[Part, ...]  # one for each configuration

    def to_json(self) -> str:
        """Return everything as JSON, and the SHA-256 of that, by which a sidecar that has rotted is known."""
        parts = [{**part._asdict(), "counts": part.counts.to_dict(packed)} for part in self.parts]
        plain = {**self._asdict(), "shard": self.shard._asdict(), "parts": parts}
        text = json.dumps(plain, separators=(",", ":"), allow_nan=False)
        return f'{text[:-1]},"digest":"{digest_of_text(text)}"}}'

    @classmethod
    def from_json(cls, text: bytes) -> Sidecar:
        """Rebuild what `to_json` wrote, here or in 0.1.0."""
        try:
            plain = json.loads(text)
            if plain.pop("digest") != digest(plain):
                raise ValueError("its SHA-256 is another one")
            if "parts" not in plain:
                plain = _of_one(plain)
            shard, parts = plain.pop("shard"), plain.pop("parts")
            return cls(
                shard=Shard(tuple(shard.pop("experiment_ids")), **shard),
                parts=tuple(Part(counts=Counts.from_dict(part.pop("counts")), **part) for part in parts),
                **plain,
            ).checked()
        except DAMAGE as error:
            raise InvalidExperiment("sidecar", text, f"what a sweep wrote ({error})") from error

    def checked(self) -> Sidecar:
        """Return it, if every field is of its type, and there is a part for each configuration."""
        ids, first, stop = self.shard
        numbers = [first, stop, self.n_bytes, *(part.n_rows for part in self.parts)]
        drivers = [item for part in self.parts if part.drivers is not None for item in part.drivers.items()]
        texts = [*ids, self.sha256, *(part.content for part in self.parts), *(name for name, _ in drivers)]
        texts += [text for item in self.versions.items() for text in item]
        if len(self.parts) != len(ids) or not ids:
            raise ValueError("it has not a part for each configuration")
        if not all(type(n) is int and 0 <= n <= 2**64 for n in [*numbers, *(n for _, n in drivers)]) or first >= stop:
            raise ValueError("seeds, rows, bytes and drivers are whole numbers of 0 or more")
        if not all(isinstance(text, str) for text in texts):
            raise ValueError("ids, hashes and versions are texts")
        if not all(isinstance(part.seconds, int | float) and 0 <= part.seconds < math.inf for part in self.parts):
            raise ValueError("seconds are a number of 0 or more")
        return self

    def pieces(self) -> list[Piece]:
        """Return its configurations one by one."""
        return [Piece(self, place) for place in range(len(self.parts))]


def _of_one(plain: dict[str, Any]) -> dict[str, Any]:
    """Return what a sidecar of format 2, of one configuration, says as one of format 3 would."""
    shard = plain.pop("shard")
    part = {name: plain.pop(name) for name in Part._fields if name in plain}
    return {**plain, "shard": {"experiment_ids": [shard.pop("experiment_id")], **shard}, "parts": [part]}


class Piece(NamedTuple):
    """One configuration in a shard that is committed."""

    sidecar: Sidecar
    place: int  # of the configuration among those of the shard

    @property
    def shard(self) -> Shard:
        """The shard, whose first and last seeds are those of the piece."""
        return self.sidecar.shard

    @property
    def experiment_id(self) -> str:
        """The configuration."""
        return self.shard.experiment_ids[self.place]

    @property
    def part(self) -> Part:
        """What is known of its rows."""
        return self.sidecar.parts[self.place]

    def rows_of(self, table: pa.Table) -> pa.Table:
        """Return its rows of all those of the shard."""
        first = sum(part.n_rows for part in self.sidecar.parts[: self.place])
        return table.slice(first, self.part.n_rows)


def mark(problem: str) -> bytes:
    """Return the sidecar of a shard whose file is damaged: the reason, by which it is bad until it is made again."""
    return json.dumps({_BAD: problem}).encode()


def marked(text: bytes) -> str | None:
    """Return what `mark` was given, None if the text is something else."""
    try:
        plain = json.loads(text)
    except (ValueError, RecursionError):
        return None
    problem = plain.get(_BAD) if isinstance(plain, dict) else None
    return problem if isinstance(problem, str) else None


def by_configuration(pieces: Iterable[Piece]) -> dict[str, list[Piece]]:
    """Return pieces by the ids of their experiments; an id without any has none."""
    groups: dict[str, list[Piece]] = collections.defaultdict(list)
    for piece in pieces:
        groups[piece.experiment_id].append(piece)
    return groups


def by_shard(pieces: Iterable[Piece]) -> dict[Shard, list[Piece]]:
    """Return pieces by their shards."""
    groups: dict[Shard, list[Piece]] = {}
    for piece in pieces:
        groups.setdefault(piece.shard, []).append(piece)
    return groups


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
    if old is not None:
        for before, again in zip(old.pieces(), new.pieces(), strict=True):
            check_same_rows(before, again)
    return committed(storage, new.shard) is not None


def checked_rows(storage: Storage, sidecar: Sidecar) -> bytes:
    """Return the file of a shard's rows; raise unless it is what was written."""
    name = f"{storage.root}/{sidecar.shard.rows_name}"
    try:
        data = storage.read(sidecar.shard.rows_name)
    except OSError as error:
        raise StoreError(f"{name} cannot be read ({error}): `fastgrok verify {storage.root}` says more") from error
    if hashlib.sha256(data).hexdigest() != sidecar.sha256:
        commands = (
            f"`fastgrok verify {storage.root}` marks it as bad, and `fastgrok resume {storage.root}` makes it again"
        )
        raise StoreError(f"{name} is not what was written, its SHA-256 is another one: {commands}")
    return data


def check_same_rows(old: Piece, new: Piece) -> None:
    """Raise unless the same seeds of a configuration came out with the same bits twice."""
    if old.part.content != new.part.content or not old.part.counts.agrees(new.part.counts):
        raise StoreError(
            f"{new.shard.rows_name} was trained twice and is not the same: by {json.dumps(old.sidecar.versions)} and "
            f"by {json.dumps(new.sidecar.versions)}. Please report this: the bits of a seed must not depend on who "
            "trains it"
        )


def committed(storage: Storage, shard: Shard) -> Sidecar | None:
    """Return the sidecar of a shard whose rows are there."""
    sidecar = _read_sidecar(storage, shard)
    return sidecar if sidecar is not None and storage.size(shard.rows_name) == sidecar.n_bytes else None


def _read_sidecar(storage: Storage, shard: Shard) -> Sidecar | None:
    """Return the sidecar of a shard, None if there is none that can be read."""
    try:
        sidecar = Sidecar.from_json(storage.read(shard.sidecar_name))
    except (InvalidExperiment, FileNotFoundError):
        return None
    counted = all(part.counts.n == shard.n_seeds for part in sidecar.parts)
    return sidecar if sidecar.shard == shard and counted else None
