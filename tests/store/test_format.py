"""A store of format 2 that 0.1.0 wrote opens, verifies, and holds what training gives now, but for the outcomes.

Its outcomes are by another test, so that nothing is added to it.

It was made by `fg.sweep(EXP, 8, {"init": [fg.XavierNormal(), fg.HeNormal()]}, store=..., keep_params=True,
record_at=[0, 500], shard_size=8)`.
"""

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest

import fastgrok as fg
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
    for old, new in zip(store.counts, result.counts, strict=True):  # it counted no accuracies
        assert old.outcomes != new.outcomes
        assert old.agrees(dataclasses.replace(new, outcomes=old.outcomes))
    for k, output in enumerate(result.outputs):
        rows = store.dataset(k)
        for name, column in output.finished_metrics.items():
            if name != "outcome":
                np.testing.assert_array_equal(rows[name], column)
        before, now = (np.asarray(each["outcome"]) for each in (rows, output.finished_metrics))
        assert set(zip(before[before != now], now[before != now], strict=True)) == {(4, 3)}  # unfinished, trapped
        for ours, theirs in zip(result.params[k], store.params(k)[1], strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_it_verifies(store: Store) -> None:
    verification = store.verify(sample=10)
    assert verification.ok
    assert verification.n_rows
    assert not verification.strays


REFUSED = (
    "store.json: format = 2: expected 4, to add to it: earlier ones tell outcomes by another test; train into a "
)


@pytest.mark.parametrize("seeds", [8, 12])
def test_nothing_is_added_to_it(store: Store, seeds: int) -> None:
    axes = {"init": [*INITS, fg.Zeros()]}
    with pytest.raises(fg.InvalidExperiment) as caught:
        fg.sweep(EXP, seeds, axes, store=store.path, progress=False, **KEPT)
    assert str(caught.value) == REFUSED + "new store"
    assert store.status().n_runs == 16


def test_what_is_missing_of_it_is_not_made(store: Store) -> None:
    (lost,) = Path(store.path).glob(f"shards/{store.configurations[0].experiment.id}/*.json")
    lost.unlink()
    with pytest.raises(fg.InvalidExperiment, match="format = 2: expected 4"):
        store.resume(progress=False)
    assert store.status().n_done == 8


def test_it_is_not_merged_with_a_store_of_today(store: Store, tmp_path: Path) -> None:
    new = fg.sweep(EXP, 8, {"init": INITS}, store=tmp_path / "new", progress=False, **KEPT)
    for one, other in ((store, new), (new, store)):
        with pytest.raises(fg.InvalidExperiment, match="format = 2: expected 4"):
            one.merge(other)
    assert new.verify(sample=5).ok


def test_a_seed_of_it_is_replayed(store: Store) -> None:
    row = store.dataset(0).isel(seed=0)
    assert store.replay(0, int(row["seed"]))["loss_final"] == row["loss_final"]


def test_stalled_seeds_of_before_are_read_as_trapped() -> None:
    plain = fg.statistics.Counts.of_epochs([1, -1], until=9).to_dict()
    plain["outcomes"] = {"diverged": 0, "converged": 1, "dead": 0, "stalled": 1, "unfinished": 0}
    assert fg.statistics.Counts.from_dict(plain).outcomes == (0, 1, 0, 1, 0)
