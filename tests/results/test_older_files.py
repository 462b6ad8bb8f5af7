"""Files and stores of before examples that occur several times counted once."""

from pathlib import Path

import numpy as np
import pytest

import fastgrok as fg
from fastgrok.engine import metrics
from fastgrok.spec import recording

XOR = fg.datasets.xor()
THRICE = fg.Dataset(np.tile(XOR.X, (3, 1)), np.tile(XOR.y, (3, 1)))
EXP = fg.Experiment(fg.mlp(2, 4, 1), THRICE, epochs=300)


@pytest.mark.parametrize("name", ["a.parquet", "a.nc", "store"])
def test_plateaus_that_a_file_lacks_are_worked_out(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    axes = {"epochs": [250, 300]}
    wanted = fg.sweep(EXP, 50, axes, progress=False).dataset
    with monkeypatch.context() as patched:
        for module in (metrics, recording):
            patched.setattr(module, "has_known_plateaus", lambda data: data.n_examples <= 8)
        if name == "store":
            fg.sweep(EXP, 50, axes, progress=False, store=tmp_path / name)
        else:
            fg.sweep(EXP, 50, axes, progress=False).save(tmp_path / name)
    read = fg.load(tmp_path / name)
    dataset = read.dataset() if isinstance(read, fg.Store) else read.dataset
    assert np.isfinite(wanted["plateau"]).sum() > 10
    np.testing.assert_array_equal(dataset["plateau"], wanted["plateau"])
    np.testing.assert_array_equal(dataset["outcome"], wanted["outcome"])
