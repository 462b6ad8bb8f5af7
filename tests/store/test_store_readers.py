"""A store is a folder of Parquet files to those who know nothing of fastgrok, and one dataset to those who do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pytest
import xarray as xr
from swept import AXES, XOR, swept

import fastgrok as fg
from fastgrok.spec.variables import OUTCOMES
from fastgrok.store import Store

MIXED: dict[str, Any] = {"hidden": ["none", 2, (3, 2)], "lr": [0.1, 0.2]}
"""Networks whose rows have other columns: without ReLU layer, with one and with two."""


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = tmp_path_factory.mktemp("mixed") / "store"
    return fg.sweep(XOR, 12, MIXED, store=folder, progress=False, keep_params=True, shard_size=10)


def by_row(frame: pd.DataFrame) -> pd.DataFrame:
    """Return rows in the order of configurations and seeds."""
    return frame.sort_values(["experiment_id", "seed"], ignore_index=True)


def test_every_file_but_the_rows_begins_with_an_underscore(mixed: Store) -> None:
    files = [path for path in Path(mixed.path).rglob("*") if path.is_file()]
    assert {path.suffix for path in files if not path.name.startswith("_")} == {".parquet"}
    assert {path.suffix for path in files if path.name.startswith("_")} == {".json"}
    assert sum(path.suffix == ".parquet" for path in files) == mixed.status().n_shards > 6


def test_pandas_and_pyarrow_read_the_folder(mixed: Store) -> None:
    whole = pd.read_parquet(mixed.path)
    assert len(whole) == mixed.status().n_done == 72
    assert {"dead_units_final_1", "dead_units_final_2", "weight_norm_final_3", "params"} <= set(whole.columns)
    assert set(whole["outcome"].astype(str)) <= set(OUTCOMES)
    table = ds.dataset(mixed.path).to_table()
    assert pa.types.is_dictionary(table.schema.field("outcome").type)
    assert by_row(table.to_pandas()).equals(by_row(whole))
    arrow = by_row(mixed.arrow().to_table().to_pandas())
    for name in arrow:
        assert arrow[name].astype(str).tolist() == by_row(whole)[name].astype(str).tolist(), name


def test_every_file_has_the_same_columns(mixed: Store) -> None:
    """So that it makes no difference which one a reader looks at first."""
    schemas = {
        tuple(sorted((field.name, str(field.type)) for field in ds.dataset(path).schema))
        for path in Path(mixed.path).rglob("*.parquet")
    }
    assert len(schemas) == 1


def test_polars_reads_the_folder(mixed: Store) -> None:
    pl = pytest.importorskip("polars")
    scanned = pl.scan_parquet(f"{mixed.path}/**/*.parquet").collect()
    also = pl.scan_parquet(mixed.path, hidden_file_prefix="_").collect()
    assert scanned.height == also.height == 72
    assert set(scanned["outcome"].cast(pl.String)) <= set(OUTCOMES)
    counted = dict(scanned["outcome"].cast(pl.String).value_counts().iter_rows())
    assert sum(counts.outcomes[1] for counts in mixed.counts) == counted.get("converged", 0)


def test_duckdb_reads_the_folder(mixed: Store) -> None:
    duckdb = pytest.importorskip("duckdb")
    query = f"select outcome, count(*) from '{mixed.path}/**/*.parquet' group by outcome"
    found = dict(duckdb.sql(query).fetchall())
    assert sum(found.values()) == 72
    assert set(found) <= set(OUTCOMES)


def test_dask_reads_the_folder(mixed: Store) -> None:
    dataframe = pytest.importorskip("dask.dataframe")
    assert len(dataframe.read_parquet(mixed.path).compute()) == 72


@pytest.mark.parametrize("axes", [AXES, MIXED, {"lr": [0.1]}, None, [{"epochs": 9}, {"lr": 0.5}]])
def test_the_whole_grid_is_the_dataset_of_a_result(axes: Any, tmp_path: Path) -> None:
    options: dict[str, Any] = {"record_at": [0, 5], "track": "dead_units", "progress": False}
    store = fg.sweep(XOR, 9, axes, store=tmp_path / "a", shard_size=4, **options)
    result = fg.run(XOR, 9, **options) if axes is None else fg.sweep(XOR, 9, axes, **options)
    xr.testing.assert_identical(store.dataset().drop_attrs(), result.dataset.drop_attrs())
    some = store.dataset(seeds=range(3, 7))
    xr.testing.assert_identical(some.drop_attrs(), result.dataset.isel(seed=slice(3, 7)).drop_attrs())
    assert store.dataset().attrs["experiment_id"] == XOR.id


def test_what_a_grid_lacks_is_flagged(tmp_path: Path) -> None:
    store = swept(tmp_path / "a", 40, shard_size=40, part_of=(1, 2))
    grid = store.dataset()
    assert int(grid["finished"].sum()) == store.status().n_done == 80
    assert ((grid["outcome"] == -1) == ~grid["finished"]).all()
    assert np.isnan(grid["loss_final"].values[~grid["finished"].values]).all()


def test_of_failures_one_configuration_is_asked_for(tmp_path: Path) -> None:
    store = swept(tmp_path / "a", 9, rows="failures")
    with pytest.raises(fg.InvalidExperiment, match="config = None: expected one configuration: of rows='failures'"):
        store.dataset()
    assert store.dataset(0).sizes["seed"] <= 9


def test_a_merged_store_is_a_folder_as_well(tmp_path: Path) -> None:
    one = fg.sweep(XOR, 10, {"hidden": ["none", "2"]}, store=tmp_path / "one", progress=False, shard_size=100)
    two = fg.sweep(XOR, 10, {"hidden": ["2", "3x2"]}, store=tmp_path / "two", progress=False, shard_size=100)
    one.merge(two)
    assert len(pd.read_parquet(one.path)) == 30
    assert one.verify(sample=10).ok
    assert (one.dataset().sizes["hidden"], one.dataset().sizes["seed"]) == (3, 10)
