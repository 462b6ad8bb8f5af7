"""Shards of one store in another."""

import hashlib
from collections.abc import Mapping, Sequence

from fastgrok.errors import StoreError
from fastgrok.store.manifest import Specification
from fastgrok.store.rows import Reader
from fastgrok.store.shards import (
    Piece,
    Shard,
    Sidecar,
    by_configuration,
    by_shard,
    check_same_rows,
    checked_rows,
    commit,
)
from fastgrok.store.storage import Storage
from fastgrok.store.tables import parquet, widened


def copy(
    source: Storage, target: Storage, specification: Specification, pieces: Sequence[Piece], held: Sequence[Piece]
) -> None:
    """Commit pieces of one store to another that holds some by now: shards as they are, or what is new of them.

    specification: of the target
    """
    known = by_configuration(held)
    reader = Reader(source)
    for shard, own in by_shard(pieces).items():
        new = [piece for piece in own if not _is_held(piece, known)]
        try:
            if len(new) == len(shard.experiment_ids):
                commit(target, new[0].sidecar, checked_rows(source, new[0].sidecar))
            elif new:
                commit(target, *_cut_out(reader, new, specification))
        except OSError as error:
            message = f"{shard.rows_name} of {source.root} could not be copied: {error}. What was before is whole"
            raise StoreError(message) from error


def check_rows(source: Storage, pieces: Sequence[Piece]) -> None:
    """Raise unless the rows of all shards are what was written."""
    for own in by_shard(pieces).values():
        checked_rows(source, own[0].sidecar)


def _is_held(piece: Piece, known: Mapping[str, Sequence[Piece]]) -> bool:
    """Whether a store has the seeds of a piece in one of its own; raise if their rows are not the same."""
    for own in known.get(piece.experiment_id, ()):
        if own.shard[1:] == piece.shard[1:]:
            check_same_rows(own, piece)
            return True
    return False


def _cut_out(reader: Reader, pieces: Sequence[Piece], specification: Specification) -> tuple[Sidecar, bytes]:
    """Return some configurations of a shard as a shard of their own."""
    import pyarrow as pa

    old = pieces[0].sidecar
    data = parquet(widened(pa.concat_tables([reader.read(piece) for piece in pieces]), specification))
    shard = Shard(tuple(piece.experiment_id for piece in pieces), old.shard.first, old.shard.stop)
    sha256, parts = hashlib.sha256(data).hexdigest(), tuple(piece.part for piece in pieces)
    return Sidecar(shard, len(data), sha256, old.versions, parts), data
