"""A store of data whose examples occur several times grows and is verified; plateaus are of distinct examples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import fastgrok as fg
from fastgrok.engine import metrics
from fastgrok.spec import recording

XOR = fg.datasets.xor()
THRICE = fg.Dataset(np.tile(XOR.X, (3, 1)), np.tile(XOR.y, (3, 1)))
EXP = fg.Experiment(fg.mlp(2, 3, 1), THRICE, epochs=300)


def swept(folder: Path, seeds: int, rates: list[float]) -> fg.Store:
    return fg.sweep(EXP, seeds, {"lr": rates}, store=folder, progress=False, shard_size=25)


def test_it_grows_and_is_verified(tmp_path: Path) -> None:
    swept(tmp_path / "a", 25, [0.1])
    grown = swept(tmp_path / "a", 50, [0.1, 0.2])
    found = grown.verify(sample=30)
    assert (found.ok, found.n_shards, found.n_rows) == (True, 4, 30)
    whole = fg.sweep(EXP, 50, {"lr": [0.1, 0.2]}, progress=False).dataset
    assert np.isfinite(whole["plateau"]).sum() > 5
    np.testing.assert_array_equal(grown.dataset()["plateau"], whole["plateau"])


def test_one_of_before_that_lacks_plateaus_grows_and_is_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        for module in (metrics, recording):
            patched.setattr(module, "has_known_plateaus", lambda data: data.n_examples <= 8)
        assert "plateau" not in swept(tmp_path / "a", 25, [0.1]).arrow().schema.names
    assert fg.open_store(tmp_path / "a").verify(sample=10).ok
    grown = swept(tmp_path / "a", 50, [0.1])
    assert grown.verify(sample=20).ok
    whole = fg.sweep(EXP, 50, {"lr": [0.1]}, progress=False).dataset
    np.testing.assert_array_equal(grown.dataset()["plateau"], whole["plateau"])
    (tmp_path / "a" / "_store.json").unlink()
    (tmp_path / "a" / "_store-2.json").unlink()
    assert swept(tmp_path / "a", 50, [0.1]).status().n_done == 50
