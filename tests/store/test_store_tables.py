"""The table of a shard: rows that stand together are joined, what repeats is hashed once, no column has nulls."""

import hashlib
import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from swept import XOR, swept

import fastgrok as fg
from fastgrok.engine.alike import train_each
from fastgrok.engine.arguments import ExecutionOptions
from fastgrok.engine.training import joined_metrics, train
from fastgrok.results.hashes import table_hash, table_hashes
from fastgrok.spec.axes import Configuration
from fastgrok.spec.recording import NOTHING
from fastgrok.store.manifest import Specification, specified
from fastgrok.store.rows import Reader
from fastgrok.store.tables import parquet, rows_table

SEEDS = np.arange(12, dtype=np.uint64)
ALONE = ExecutionOptions(1, specialize=False)
AXES = {"network": [fg.mlp(2, 3, 1), fg.mlp(2, 4, 1)], "optimizer.lr": [0.1, 0.2, 0.4]}


@pytest.fixture(scope="module")
def specification() -> Specification:
    return specified(XOR, len(SEEDS), AXES)


def assert_same(found: pa.Table, expected: pa.Table) -> None:
    """Compare tables, of which some numbers are NaN."""
    assert found.schema.equals(expected.schema, check_metadata=True)
    assert found.to_pandas().equals(expected.to_pandas())


def tables_of(specification: Specification, configurations: list[Configuration]) -> tuple[pa.Table, pa.Table]:
    """Return the rows of configurations that were trained together, and those of each trained alone."""
    experiments = [each.experiment for each in configurations]
    together = list(train_each(experiments, SEEDS, ALONE, keep_params=False, recording=NOTHING))
    apart = [train(each, SEEDS, ALONE) for each in experiments]
    found = [rows_table(specification, configurations, outputs, SEEDS) for outputs in (together, apart)]
    assert found[0][1] == found[1][1] == [len(SEEDS)] * len(configurations)
    return found[0][0], found[1][0]


def test_rows_of_those_trained_together_are_those_of_each_alone(specification: Specification) -> None:
    together, apart = tables_of(specification, specification.configurations)
    assert_same(together, apart)
    assert together["network"].to_pylist() == [
        label for label in ("2-3-1 relu/linear", "2-4-1 relu/linear") for _ in range(36)
    ]


def test_only_rows_that_follow_each_other_are_joined(specification: Specification) -> None:
    experiments = [each.experiment for each in specification.configurations]
    outputs = list(train_each(experiments, SEEDS, ALONE, keep_params=False, recording=NOTHING))
    assert [len(each["outcome"]) for each in joined_metrics(outputs)] == [36, 36]
    outputs = [outputs[k] for k in (0, 1, 3, 5, 4, 2)]
    pieces = joined_metrics(outputs)
    assert [len(each["outcome"]) for each in pieces] == [24, 12, 12, 12, 12]
    for name, values in pieces[0].items():
        np.testing.assert_array_equal(np.concatenate([outputs[k].metrics[name] for k in (0, 1)]), values)


def test_hashes_of_parts_are_those_of_each_part(specification: Specification) -> None:
    table, _ = tables_of(specification, specification.configurations)
    repeated = pa.concat_tables([table.slice(0, 12), table.slice(0, 12), table.slice(12, 30), table.slice(0, 0)])
    lengths = [12, 12, 30, 0, 0]
    starts = np.cumsum([0, *lengths]).tolist()
    parts = [repeated.slice(start, length) for start, length in zip(starts, lengths, strict=False)]
    assert table_hashes(repeated, lengths) == [table_hash(part) for part in parts]
    seeds = hashlib.sha256(SEEDS.tobytes()).hexdigest()
    assert table_hash(pa.table({"seed": pa.array(SEEDS)})) == hashlib.sha256(f"seed:{seeds};".encode()).hexdigest()


def test_columns_have_no_nulls_on_disk_and_may_have_them_where_they_are_read(tmp_path: Path) -> None:
    store = swept(tmp_path / "a", 10, {"network": AXES["network"]}, shard_size=10)
    for piece in store._survey().pieces:
        on_disk = pq.read_schema(Path(store.path, piece.shard.rows_name))
        assert not any(field.nullable for field in on_disk)
        assert all(field.nullable for field in Reader(store._storage).read(piece).schema)
    assert all(field.nullable for field in store.arrow().schema)


def test_a_table_is_what_its_parquet_file_holds(specification: Specification) -> None:
    table, _ = tables_of(specification, random.Random(0).sample(specification.configurations, 4))
    assert_same(pq.read_table(pa.BufferReader(parquet(table))), table)
