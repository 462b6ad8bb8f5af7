"""Whether a store still holds what was committed, and whether training gives the same bits again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastgrok.engine.arguments import ExecutionOptions
from fastgrok.engine.notices import shown
from fastgrok.engine.training import train
from fastgrok.errors import InvalidExperiment, StoreError
from fastgrok.kernels.environment import in_default_environment
from fastgrok.results.files import OUTCOME
from fastgrok.results.hashes import table_hash
from fastgrok.spec.variables import SEED
from fastgrok.store.contradictions import contradiction
from fastgrok.store.manifest import FORMAT, Specification
from fastgrok.store.missing import missing
from fastgrok.store.rows import Reader, reading, table_of
from fastgrok.store.shards import SIDECAR, Piece, Sidecar, by_shard, mark
from fastgrok.store.storage import Storage
from fastgrok.store.survey import names, needed, survey
from fastgrok.store.tables import rows_table

if TYPE_CHECKING:
    import pyarrow as pa
    import xarray as xr


class Verification(NamedTuple):
    """What `Store.verify` found."""

    n_shards: int  # shards whose files are what was committed
    n_missing: int  # shards that are still to be made, those with problems included
    bad: list[str]  # what is wrong with the files of other shards
    unmarked: list[str]  # of these what could not be marked, so that `resume` would not make it again
    n_rows: int  # rows that were trained again
    different: list[str]  # those that came out with other bits: seeds of configurations. None should
    removed: list[str]  # temporary files of writers that are gone
    uncommitted: list[str]  # files of rows without a sidecar, of shards that are made again
    strays: list[str]  # files that no shard of this store is made of, or needed for. They are left alone

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong; what is missing is no error."""
        return not (self.bad or self.different)


@in_default_environment
def verify(storage: Storage, specification: Specification, sample: Any, seed: Any) -> Verification:
    """Check a store: see `Store.verify`."""
    _check_integer("sample", sample, "")
    if seed is not None:
        _check_integer("seed", seed, "None, or ")
    removed = storage.remove_abandoned()
    found = survey(storage, specification)
    uncommitted = _without_sidecar(storage)
    bad, unmarked, whole = list(found.problems), [], []
    for own in by_shard(found.pieces).values():
        problem, is_marked = _checked(storage, specification, own)
        if problem is None:
            whole += own
        else:
            bad.append(problem)
            unmarked += [] if is_marked else [problem]
    with shown(None):
        different, n_rows = _trained_again(storage, specification, whole, sample, np.random.default_rng(seed))
    still = set(_without_sidecar(storage))
    uncommitted = [name for name in uncommitted if name in still]  # the others were in flight
    is_needed = needed(uncommitted, specification, whole)
    return Verification(
        n_shards=len(by_shard(whole)),
        n_missing=missing(specification, whole).n_shards,
        bad=bad,
        unmarked=unmarked,
        n_rows=n_rows,
        different=different,
        removed=removed,
        uncommitted=[name for name in uncommitted if name in is_needed],
        strays=found.strays
        + [f"{name} has no sidecar and is not needed" for name in uncommitted if name not in is_needed],
    )


def _check_integer(field: str, value: Any, beside: str) -> None:
    """Raise unless a value is an integer that is not negative."""
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 0:
        raise InvalidExperiment(field, value, f"{beside}an integer of 0 or more")


def _checked(storage: Storage, specification: Specification, own: Sequence[Piece]) -> tuple[str | None, bool]:
    """Return what is wrong with the rows of a shard, and whether its sidecar is marked, by which `resume` knows."""
    sidecar = own[0].sidecar
    rows = sidecar.shard.rows_name
    there = (name for name in sidecar.shard.sidecar_names if storage.size(name) is not None)
    name = next(there, sidecar.shard.sidecar_name)
    try:
        problem = _problem(storage, specification, own, storage.read(rows))
        if problem is None:
            return None, True
        if Sidecar.from_json(storage.read(name)) != sidecar:
            return f"{rows} is being written anew: verify it again", False
    except (OSError, InvalidExperiment) as error:  # the disk or the network may find it again
        return f"{rows} cannot be read ({error}): if that stays so, remove {name}, and it is made again", False
    try:
        storage.write(name, mark(problem))
    except OSError as error:
        hint = "make the store writable and verify it again, or resume makes nothing of it"
        return f"{problem}, and {name} cannot be marked ({error}): {hint}", False
    return problem, True


def _problem(storage: Storage, specification: Specification, own: Sequence[Piece], data: bytes) -> str | None:
    """Return what is wrong with the file of a shard."""
    sidecar = own[0].sidecar
    if hashlib.sha256(data).hexdigest() != sidecar.sha256:
        return f"{sidecar.shard.rows_name} is not what was written: its SHA-256 is another one"
    try:
        table = table_of(storage, sidecar, data)
        with reading(storage, sidecar.shard):
            problems = (contradiction(specification, piece, piece.rows_of(table)) for piece in own)
            found = next(filter(None, problems), None)
    except StoreError as error:
        return str(error)
    return found and f"{sidecar.shard.rows_name} has other rows than its sidecar says: {found}"


def _without_sidecar(storage: Storage) -> list[str]:
    """Return the files of rows that have no sidecar beside them; those are listed first that are written first."""
    rows = names(storage, ".parquet")
    sidecars = {name.replace(f"/{SIDECAR}", "/").removesuffix(".json") for name in names(storage, ".json")}
    return [name for name in rows if name.removesuffix(".parquet") not in sidecars]


def _trained_again(
    storage: Storage, specification: Specification, pieces: Sequence[Piece], sample: int, rng: np.random.Generator
) -> tuple[list[str], int]:
    """Train rows chosen at random again; return those that differ, and how many were trained."""
    filled = [piece for piece in pieces if piece.part.n_rows]
    if not filled or not sample:
        return [], 0
    weights = np.array([piece.part.n_rows for piece in filled], float)
    chosen = rng.choice(len(filled), size=sample, p=weights / weights.sum())
    different, n_rows, reader = [], 0, Reader(storage)
    kept: dict[str, Any] = {"keep_params": specification.keep_params, "recording": specification.recording}
    for index, n in zip(*np.unique(chosen, return_counts=True), strict=True):
        piece = filled[index]
        table, configuration = reader.read(piece), specification.by_id[piece.experiment_id]
        rows = sorted(rng.choice(len(table), size=min(int(n), len(table)), replace=False).tolist())
        for row in rows:
            seeds = table[SEED][row : row + 1].to_numpy()
            output = train(configuration.experiment, seeds, ExecutionOptions(threads=1), **kept)
            if output.interrupted:
                raise KeyboardInterrupt
            retrained, _ = rows_table(specification, [configuration], [output], seeds)
            stored = _compared(table.slice(row, 1), specification)
            if table_hash(retrained.select(stored.column_names)) != table_hash(stored):
                different.append(f"seed {seeds[0]} of experiment {piece.experiment_id}")
        n_rows += len(rows)
    return different, n_rows


_TOLD = (OUTCOME, "plateau")  # what earlier formats tell by another test


def _compared(table: pa.Table, specification: Specification) -> pa.Table:
    """Return the columns that training gives again: of earlier formats not `_TOLD`."""
    told = () if specification.format == FORMAT else _TOLD
    return table.drop_columns([name for name in told if name in table.column_names])


def check_same(trace: xr.Dataset, rows: xr.Dataset, root: str, format_: int = FORMAT) -> None:
    """Raise unless the replay of a seed came to what its row says, bit for bit."""
    for row in (rows.isel({SEED: k}) for k in range(rows.sizes[SEED])):
        both = [str(name) for name in row.data_vars if name in trace and (name not in _TOLD or format_ == FORMAT)]
        different = [name for name in both if not _same(row[name], trace[name])]
        if different:
            seed, names = f"seed {int(row[SEED])} of {root}", ", ".join(different)
            message = f"{seed} comes out with other bits than were stored, in {names}"
            raise StoreError(f"{message}: `fastgrok verify {root}` says more")


def _same(stored: xr.DataArray, replayed: xr.DataArray) -> bool:
    return bool(np.array_equal(stored, replayed, equal_nan=stored.dtype.kind == "f"))
