"""What is said where all seeds have more in common than an experiment."""

from pathlib import Path

import numpy as np
import pytest

import fastgrok as fg
from fastgrok.cli import main

EXP = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=5)
ONE_RUN = "depends on the seed: all seeds are the same run"
SHUFFLES = 'with order="shared" all seeds have the same shuffles: intervals hold for one order_seed'


def test_a_run_that_does_not_depend_on_the_seed_says_so() -> None:
    assert f"nothing here {ONE_RUN}" in repr(fg.run(EXP.replace(init="zeros"), 5))
    assert f"nothing here {ONE_RUN}" in repr(fg.run(EXP.replace(init=fg.FromArrays([[1] * 4] * 2, [[1]] * 4)), 5))
    for drawn in ({}, {"init": "zeros", "order": "per_seed"}, {"init": lambda rng, *fans: rng.random(fans)}):
        assert ONE_RUN not in repr(fg.run(EXP.replace(**drawn), 5))
    own = fg.run(EXP.replace(init="zeros"), params=fg.initial_params(EXP, 5))
    assert ONE_RUN not in repr(own)
    masks = [np.random.default_rng(0).random((5, *shape)) < 0.5 for shape in EXP.network.param_shapes]
    assert ONE_RUN not in repr(fg.run(EXP.replace(init="ones"), 5, masks=masks))


def test_in_a_sweep_it_says_of_how_many_configurations() -> None:
    swept = fg.sweep(EXP, 20, {"init": ["zeros", "he_normal"]}, progress=False)
    assert f"in 1 configuration nothing {ONE_RUN}" in repr(swept)
    assert f"in 1 configuration nothing {ONE_RUN}" in repr(fg.compare(swept, "init", of="loss"))


def test_a_shared_order_is_said_to_be_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert SHUFFLES in repr(fg.run(EXP.replace(order="shared"), 5))
    assert "shuffles" not in repr(fg.run(EXP, 5))
    with pytest.raises(SystemExit) as left:
        main(["sweep", "xor", "--order", "shared", "--epochs", "5", "--seeds", "5"])
    assert left.value.code == 0
    assert SHUFFLES in capsys.readouterr().err  # in a pipe the table is alone
