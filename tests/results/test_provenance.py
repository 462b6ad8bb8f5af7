"""Where a result comes from."""

import pytest

import fastgrok as fg
from fastgrok.api import run
from fastgrok.results.result import Result

EXP = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=60)


LARGE = [2**64 - 1, 2**63, 5, 6]


AXES = {"network": [fg.mlp(2, 1), fg.mlp(2, 4, 1), fg.mlp(2, 3, 4, 1)], "optimizer.lr": [0.01, 0.1]}


@pytest.fixture(scope="module")
def single() -> Result:
    return run(EXP, LARGE)


def test_provenance_brings_the_experiment_back(single: Result) -> None:
    attrs = single.dataset.attrs
    assert fg.Experiment.from_json(attrs["experiment_json"]) == EXP
    assert attrs["experiment_id"] == EXP.id
    wanted = {
        "fastgrok_version",
        "numpy_version",
        "numba_version",
        "python_version",
        "cpu",
        "time",
        "drivers",
        "seconds",
    }
    assert wanted <= attrs.keys()
