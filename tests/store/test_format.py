"""A store of format 2 that 0.1.0 wrote opens, verifies, grows, and holds what training gives now.

It was made by `fg.sweep(EXP, 8, {"init": [fg.XavierNormal(), fg.HeNormal()]}, store=..., keep_params=True,
record_at=[0, 500], shard_size=8)`.
"""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import fastgrok as fg
from fastgrok.statistics import Histogram
from fastgrok.store import Store

WRITTEN = Path(__file__).parent / "data" / "format2"
CONTENT_HASH = "f856253adb18d4dcdba5938e4f4a9e2e4b09fa56e6a734f3a1070d111a54be30"  # as 0.1.0 gave it
STOP, RATE = fg.Converged(accuracy=1.0), fg.SGD(lr=0.2)
EXP = fg.Experiment(fg.mlp(2, 3, 1), fg.datasets.xor(), epochs=500, optimizer=RATE, stop=STOP)
INITS = [fg.XavierNormal(), fg.HeNormal()]
KEPT = {"keep_params": True, "record_at": [0, 500]}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return fg.open_store(shutil.copytree(WRITTEN, tmp_path / "store"))


def test_it_opens_with_its_counts(store: Store) -> None:
    assert store.status().n_done == store.status().n_runs == 16
    assert store.summary()["converged"].tolist() == [2, 4]
    assert store.summary()["n_unfinished"].tolist() == [5, 3]
    assert store.content_hash() == CONTENT_HASH


def test_its_rows_are_those_that_training_gives_now(store: Store) -> None:
    result = fg.sweep(EXP, 8, {"init": INITS}, progress=False, **KEPT)
    assert all(a.agrees(b) for a, b in zip(store.counts, result.counts, strict=True))  # it counted no accuracies
    for k, output in enumerate(result.outputs):
        rows = store.dataset(k)
        for name, column in output.finished_metrics.items():
            np.testing.assert_array_equal(rows[name], column)
        for ours, theirs in zip(result.params[k], store.params(k)[1], strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_it_verifies(store: Store) -> None:
    verification = store.verify(sample=10)
    assert verification.ok
    assert verification.n_rows
    assert not verification.strays


def test_it_grows_by_seeds_and_by_a_value(store: Store) -> None:
    axes = {"init": [*INITS, fg.Zeros()]}
    grown = fg.sweep(EXP, 12, axes, store=store.path, progress=False, **KEPT)
    assert grown.status().n_done == 36
    assert grown.verify(sample=5).ok
    whole = fg.sweep(EXP, 12, axes, progress=False, **KEPT).counts
    uncounted = Histogram.of([])  # accuracies were not counted of the seeds that were there
    assert [n.accuracies.n for n in grown.counts] == [4, 4, 12]
    of_old = [dataclasses.replace(each, accuracies=uncounted) for each in grown.counts]
    assert of_old == [dataclasses.replace(each, accuracies=uncounted) for each in whole]


def format_of(store: Store) -> int:
    return int(json.loads((Path(store.path) / "store.json").read_text())["format"])


def test_it_is_of_format_3_once_something_is_added(store: Store) -> None:
    """Then 0.1.0, which knows no shards of several configurations, refuses it."""
    store.summary(), store.dataset(0), store.verify(sample=1)
    assert format_of(store) == store.specification.format == 2
    (lost,) = Path(store.path).glob(f"shards/{store.configurations[0].experiment.id}/*.json")
    lost.unlink()
    assert store.resume(progress=False).content_hash() == CONTENT_HASH
    assert format_of(store) == 3
    assert fg.open_store(store.path).verify(sample=10).ok


def test_it_is_merged_with_a_store_of_shared_shards(store: Store, tmp_path: Path) -> None:
    axes = {"init": [*INITS, fg.Zeros(), fg.Uniform(-1, 1)]}
    new = fg.sweep(EXP, 8, axes, store=tmp_path / "new", shard_size=64, progress=False, **KEPT)
    assert new.status().n_shards == 1
    merged = store.merge(new)
    assert all(a.agrees(b) for a, b in zip(merged.counts, new.counts, strict=True))
    assert merged.content_hash() == new.content_hash()
    assert merged.arrow().count_rows() == 32
    assert format_of(merged) == 3
