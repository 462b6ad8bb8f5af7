"""What rows contradict of what a store says of them: seeds, labels, columns, content, counts."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

import numpy as np

from fastgrok.engine.training import TrainingOutput
from fastgrok.results.arrays import outcome_codes
from fastgrok.results.files import OUTCOME, PARAMS
from fastgrok.results.hashes import hashed_columns, table_hash
from fastgrok.spec.axes import Configuration
from fastgrok.spec.variables import SEED
from fastgrok.statistics.counts import Counts
from fastgrok.store.manifest import ALL, FORMAT, Specification
from fastgrok.store.shards import Piece
from fastgrok.store.tables import rows_table

if TYPE_CHECKING:
    import pyarrow as pa


def contradiction(specification: Specification, piece: Piece, rows: pa.Table) -> str | None:
    """Return the first thing that is wrong with the rows of one configuration in a shard."""
    return next(_contradictions(specification, piece, rows), None)


def _contradictions(specification: Specification, piece: Piece, rows: pa.Table) -> Iterator[str]:
    """Yield what is wrong with rows, what is quickly seen first."""
    configuration, (_, first, stop) = specification.by_id[piece.experiment_id], piece.shard
    if specification.format == FORMAT and (other := other_columns(specification, configuration, rows.column_names)):
        yield f"columns {', '.join(other)}: the store has another record_at, track or keep_params"
        return
    for name, label in {"experiment_id": piece.experiment_id, **configuration.labels}.items():
        if others := [value for value in rows[name].unique().to_pylist() if value != label]:
            yield f"{name} {others[0]!r} and not {label!r}"
    seeds = rows[SEED].to_numpy()
    if specification.rows == ALL and not np.array_equal(seeds, piece.shard.seeds()):
        yield f"not the seeds from {first} to {stop - 1}, each once and in order"
    if len(seeds) and not (first <= int(seeds[0]) and int(seeds[-1]) < stop and (seeds[1:] > seeds[:-1]).all()):
        yield f"not seeds from {first} to {stop - 1}, in order"
    if table_hash(rows) != piece.part.content:
        yield "the SHA-256 of what they hold is another one"
    if not _counted(specification, piece, rows):
        yield "they come to other counts"


def _counted(specification: Specification, piece: Piece, rows: pa.Table) -> bool:
    """Whether the counts of a sidecar are those of the rows, as far as these are kept."""
    columns = {name: rows[name].to_numpy() for name in hashed_columns(rows) if name not in (OUTCOME, PARAMS)}
    columns[OUTCOME] = outcome_codes(rows[OUTCOME])
    counts, said = Counts.of(columns, specification.by_id[piece.experiment_id].experiment), piece.part.counts
    if specification.rows == ALL:
        return counts.agrees(said)
    fewer = all(mine <= whole for mine, whole in zip(counts.outcomes, said.outcomes, strict=True))
    return fewer and not counts.n_converged and (counts.never, counts.censored) == (said.never, said.censored)


def other_columns(specification: Specification, configuration: Configuration, names: Collection[str]) -> list[str]:
    """Return the columns that rows of a configuration have and should not, or lack."""
    blank = TrainingOutput.blank(configuration.experiment, specification.recording, 0)
    table = rows_table(specification, [configuration], [blank], np.empty(0, np.uint64))[0]
    expected = {*table.column_names, *[PARAMS] * specification.keep_params}
    return sorted((expected ^ {*names}) - ({"plateau"} - {*names}))  # older rows lack plateaus: see `fill_plateau`
