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


def test_its_whole_grid_is_that_of_a_result(store: Store) -> None:
    grid = store.dataset()
    result = fg.sweep(EXP, 8, {"init": INITS}, progress=False, **KEPT).dataset
    other = ["outcome", "plateau", "accuracy_final"]  # by another test, or not there

    def alike(dataset):
        return dataset.drop_attrs().drop_vars(other, errors="ignore")

    assert alike(grid).equals(alike(result))


def test_it_is_not_added_to_and_says_so_in_a_line(store: Store, tmp_path: Path) -> None:
    """Whoever wrote it knows neither where sidecars are now nor what outcomes are called."""
    files = {file: file.read_bytes() for file in Path(store.path).rglob("*") if file.is_file()}
    new = fg.sweep(EXP, 8, {"init": [*INITS, fg.Zeros()]}, store=tmp_path / "new", progress=False, **KEPT)
    for add in (
        lambda: fg.sweep(EXP, 12, {"init": INITS}, store=store.path, progress=False, **KEPT),
        lambda: store.resume(progress=False),
        lambda: store.merge(new),
        lambda: new.merge(store),
    ):
        with pytest.raises(fg.InvalidExperiment, match="store: format = 2: expected 4, to add to it") as raised:
            add()
        assert len(str(raised.value).splitlines()) == 1
    assert {file: file.read_bytes() for file in Path(store.path).rglob("*") if file.is_file()} == files


def test_what_is_damaged_in_it_is_told(store: Store) -> None:
    rows, sidecar = (min(Path(store.path).glob(f"shards/*/*.{suffix}")) for suffix in ("parquet", "json"))
    rows.write_bytes(bytes(rows.stat().st_size))
    assert len(store.verify(sample=0).bad) == 1
    assert b"bad" in sidecar.read_bytes()  # marked where it is
    assert not (sidecar.parent / f"_{sidecar.name}").exists()
    assert len(fg.open_store(store.path).status().problems) == 1


def test_a_seed_of_it_is_replayed(store: Store) -> None:
    row = store.dataset(0).isel(seed=0)
    assert store.replay(0, int(row["seed"]))["loss_final"] == row["loss_final"]


def test_stalled_seeds_of_before_are_read_as_trapped() -> None:
    plain = fg.statistics.Counts.of_epochs([1, -1], until=9).to_dict()
    plain["outcomes"] = {"diverged": 0, "converged": 1, "dead": 0, "stalled": 1, "unfinished": 0}
    assert fg.statistics.Counts.from_dict(plain).outcomes == (0, 1, 0, 1, 0)
