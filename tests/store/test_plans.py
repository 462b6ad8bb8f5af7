"""Plans are arithmetic: what cannot be done is refused before it is written, and there is a way back."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from swept import AXES, XOR, swept

import fastgrok as fg
from fastgrok.cli import main
from fastgrok.store import Store, shrinking
from fastgrok.store import store as store_module
from fastgrok.store.limits import MOST_SHARDS
from fastgrok.store.storage import Storage, open_storage

HUGE = 10**15
SECONDS = 20  # of CPU time that nothing here may take


def manifests(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("_store*")}


@pytest.fixture
def ruined(tmp_path: Path) -> Store:
    """A store of 100 seeds whose plan is for 10**15, as versions before wrote it."""
    small = swept(tmp_path / "a", 100, shard_size=40)
    huge = small.specification.changed(seeds=range(HUGE))
    (tmp_path / "a" / "_store-2.json").write_text(huge.to_json())
    return fg.open_store(small.path)


@pytest.mark.parametrize(
    ("seeds", "axes", "options", "message"),
    [
        (
            HUGE,
            AXES,
            {},
            r"seeds = 1000000000000000: expected fewer, or a larger shard_size: [0-9,]+ shards",
        ),
        (10**9, [{"lr": k / 1000} for k in range(1, 1001)], {}, "shards are more than the 1,000,000"),
        (10**12, None, {"shard_size": 10**9, "exp": XOR.replace(epochs=10**9)}, "more than a thousand years"),
        (2 * 10**10, None, {}, "GB of rows, and more, do not fit into the 1.0 GB that are free at "),
    ],
)
@pytest.mark.parametrize("is_new", [True, False])
def test_what_cannot_be_done_is_refused_before_it_is_written(
    seeds: int,
    axes: Any,
    options: dict[str, Any],
    message: str,
    is_new: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Storage, "free_bytes", lambda self: 10**9)
    if not is_new:
        swept(tmp_path / "a", 3, axes, part_of=(10**6, 10**6), **options)  # nothing of it yet
    before, start = manifests(tmp_path / "a"), time.process_time()
    with pytest.raises(fg.InvalidExperiment, match=message):
        swept(tmp_path / "a", seeds, axes, **options)
    assert time.process_time() - start < SECONDS
    assert manifests(tmp_path / "a") == before
    assert (tmp_path / "a").exists() is not is_new


def test_a_store_elsewhere_is_refused_by_its_shards_alone() -> None:
    assert open_storage("memory://plans").free_bytes() is None
    with pytest.raises(fg.InvalidExperiment, match="shards are more"):
        swept("memory://plans", HUGE)  # type: ignore[arg-type]


@pytest.mark.parametrize("store", [None, "a"])
def test_an_axis_without_end_is_refused(store: str | None, tmp_path: Path) -> None:
    where = {} if store is None else {"store": tmp_path / store}
    for values in (range(1, 10**30), range(1, 10**7), range(10**30, 1, -1)):
        for axes in ({"epochs": values}, {"lr": values, "init": ["he_normal"]}):
            with pytest.raises(fg.InvalidExperiment, match="expected at most 100,000 configurations"):
                fg.sweep(XOR, 3, axes, progress=False, **where)  # type: ignore[call-overload]
    with pytest.raises(fg.InvalidExperiment, match="a list of one value or more"):
        fg.sweep(XOR, 3, {"epochs": range(1, 1)}, progress=False, **where)  # type: ignore[call-overload]


def test_a_typo_on_the_command_line_leaves_the_store_as_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["sweep", "xor", "--hidden", "3", "--epochs", "60", "--out", str(tmp_path / "a"), "--quiet"]
    with pytest.raises(SystemExit) as left:
        main([*words, "--seeds", "100"])
    before = manifests(tmp_path / "a")
    with pytest.raises(SystemExit) as left:
        main([*words, "--seeds", "1e15"])
    assert left.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("fastgrok: error: --seeds = 1000000000000000: expected fewer, or a larger --shard-size: ")
    assert said.count("\n") == 1
    assert manifests(tmp_path / "a") == before
    with pytest.raises(SystemExit) as left:
        main([*words, "--seeds", "1e15", "--dry-run"])
    assert left.value.code == 2
    assert capsys.readouterr().err == said


def test_a_store_with_a_plan_without_end_is_read_and_made_as_far_as_it_is_asked_for(ruined: Store) -> None:
    start = time.process_time()
    status = ruined.status()
    assert (status.n_done, status.n_runs) == (400, 4 * HUGE)
    assert status.n_missing == 4 * (HUGE // 40 - 2)  # of each configuration one ends at 100, within a multiple of 40
    assert ruined.summary()["n"].tolist() == [100] * 4
    assert "400 of 4,000,000,000,000,000 runs are there" in repr(ruined)
    assert fg.compare(ruined, "init").table["n"].tolist() == [100] * 4
    assert ruined.verify(sample=2).ok
    assert ruined.dataset(0).sizes["seed"] == 100
    assert swept(Path(ruined.path), 100).status().n_done == 400  # the sweep of before
    assert swept(Path(ruined.path), 120).status().n_done == 480  # and a little more
    assert ruined.dataset(seeds=range(110, 120)).sizes["seed"] == 10
    with pytest.raises(fg.InvalidExperiment, match=f"or `fastgrok shrink {ruined.path}`"):
        ruined.resume(progress=False)
    with pytest.raises(fg.InvalidExperiment, match="seeds"):
        ruined.dataset()  # more than memory holds
    assert time.process_time() - start < 3 * SECONDS


def test_the_way_back_is_to_shrink_the_plan_to_what_is_done(
    ruined: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    content, rows = ruined.content_hash(), sorted(Path(ruined.path).rglob("*.parquet"))
    with pytest.raises(SystemExit) as left:
        main(["shrink", ruined.path])
    assert left.value.code == 0
    assert capsys.readouterr().out.splitlines() == [
        "planned before: 4 configurations x seeds 0 to 999,999,999,999,999",
        "now: 4 configurations x seeds 0 to 99",
    ]
    back = fg.open_store(ruined.path)
    assert back.status().n_done == back.status().n_runs == 400
    assert (back.content_hash(), sorted(Path(back.path).rglob("*.parquet"))) == (content, rows)
    assert back.verify(sample=5).ok
    assert back.shrink().specification == back.specification
    assert len(manifests(Path(back.path))) == 3  # no fourth
    assert swept(Path(back.path), 130).status().n_done == 520


def test_values_of_axes_of_which_nothing_is_done_are_left_out(tmp_path: Path) -> None:
    store = swept(tmp_path / "a", 20, shard_size=20)
    more = {"init": [*AXES["init"], fg.Uniform(-1, 1)], "optimizer.lr": [*AXES["optimizer.lr"], 0.5]}
    asked = swept(tmp_path / "a", 20, more, part_of=(10**6, 10**6))
    assert (len(asked.configurations), asked.status().n_done) == (9, 80)
    assert store.shrink().configurations == swept(tmp_path / "b", 20, shard_size=20).configurations
    assert fg.open_store(store.path).status().n_missing == 0
    with pytest.raises(fg.InvalidExperiment, match="a store of which something is done"):
        swept(tmp_path / "c", 20, part_of=(10**6, 10**6)).shrink()


def test_values_that_would_get_other_labels_stay(tmp_path: Path) -> None:
    """Since rows have a column of labels: 3 is a text beside none, and would be a number alone."""
    fg.sweep(XOR, 10, {"hidden": [3, "none"], "lr": [0.1]}, store=tmp_path / "a", progress=False, part_of=(1, 2))
    store = fg.open_store(tmp_path / "a")
    assert store.status().n_done == 10
    more = {"hidden": [3, "none", 4], "lr": [0.1, 0.2]}
    grown = fg.sweep(XOR, 10, more, store=tmp_path / "a", progress=False, part_of=(10**6, 10**6))
    assert [axis.labels for axis in store.shrink().axes] == [grown.axes[0].labels, (0.1,)]
    assert store.verify(sample=3).ok


def test_what_is_damaged_stays_planned_and_is_made_again(tmp_path: Path) -> None:
    store = swept(tmp_path / "a", 60, {"optimizer.lr": [0.1, 0.2]}, shard_size=20)
    id_ = store.configurations[1].experiment.id
    for first in (0, 20):
        for path in (tmp_path / "a" / "shards").glob(f"*/{first}-*.parquet"):
            path.write_bytes(b"")
    for path in (tmp_path / "a" / "shards").glob("*/*40-60*"):
        path.unlink()
    assert id_ in store.shrink().specification.by_id
    assert store.specification.seeds == range(40)
    assert store.resume(progress=False).status().n_done == 80


def test_what_another_commits_while_the_plan_shrinks_is_part_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = swept(tmp_path / "a", 60, {"optimizer.lr": [0.1]}, shard_size=20, part_of=(1, 3))
    look, between = shrinking._done, [lambda: swept(tmp_path / "a", 40, {"optimizer.lr": [0.1]})]

    def looked(*args: Any) -> Any:
        seen = look(*args)
        while between:
            between.pop()()
        return seen

    monkeypatch.setattr(shrinking, "_done", looked)
    assert store.shrink().specification.seeds == range(40)
    assert fg.open_store(store.path).status().n_done == 40


def test_what_was_made_while_another_shrank_the_plan_is_part_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    swept(tmp_path / "a", 20, {"optimizer.lr": [0.1]}, shard_size=20)
    complete = store_module.complete

    def shrunk_before(root: str, *args: Any) -> bool:
        assert fg.open_store(root).shrink().specification.seeds == range(20)
        return complete(root, *args)

    monkeypatch.setattr(store_module, "complete", shrunk_before)
    store = swept(tmp_path / "a", 80, {"optimizer.lr": [0.1]})
    assert store.specification == fg.open_store(tmp_path / "a").specification
    assert store.status().n_done == store.status().n_runs == 80


def test_most_shards_are_enough_for_a_thousand_million_seeds(tmp_path: Path) -> None:
    requested = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=1000)
    from fastgrok.store.manifest import specified
    from fastgrok.store.missing import n_shards

    assert n_shards(specified(requested, 10**9, None)) < MOST_SHARDS / 10
    text = json.dumps(specified(requested, HUGE, None).to_json())
    assert len(text) < 10_000
