"""Dead units, and what they mean for a seed."""

import numpy as np
import pytest

import fastgrok as fg
from fastgrok.errors import InvalidExperiment
from fastgrok.statistics import Counts, by_live_units, dead_risk, dead_units, rate

XOR = fg.datasets.xor()

EXP = fg.Experiment(fg.mlp(2, 3, 1), XOR, bias_init="same", epochs=2000)


@pytest.fixture(scope="module")
def result() -> fg.Result:
    return fg.run(EXP, seeds=2000, progress=False)


def test_dead_units_are_counted_against_convergence(result: fg.Result) -> None:
    dataset = result.dataset
    met = dataset["epochs_to_converge"].to_numpy() >= 0
    for when in ("initial", "final"):
        dead = dataset[f"dead_units_{when}"].to_numpy()[:, 0]
        rows = dead_units(result.counts[0], when=when)
        assert [row.dead for row in rows] == np.unique(dead).tolist()
        for row in rows:
            n, k = int((dead == row.dead).sum()), int((met & (dead == row.dead)).sum())
            assert (row.n, row.converged) == (n, k)
            assert (row.share, row.rate) == (rate(n, 2000), rate(k, n))
    dead = dataset["dead_units_initial"].to_numpy()[:, 0]
    risks = [1 - met[chosen].mean() for chosen in (dead >= 2, dead < 2)]
    assert dead_risk(result.counts[0], at_least=2).value == pytest.approx(risks[0] / risks[1])


def test_dead_units_need_no_criterion_and_their_risk_does(result: fg.Result) -> None:
    one = fg.run(EXP.replace(stop=None, epochs=50), seeds=200).counts[0]
    rows = dead_units(one)
    assert sum(row.n for row in rows) == 200
    assert all(row.share.value == row.n / 200 and row.converged is row.rate.value is None for row in rows)
    with pytest.raises(InvalidExperiment, match="criteria is missing: expected Converged"):
        dead_risk(one)


def test_seeds_apart_by_live_units_add_up_to_all(result: fg.Result) -> None:
    parts = by_live_units(result.outputs[0].finished_metrics, EXP)
    assert list(parts) == [0, 1, 2, 3]
    assert sum(parts.values(), Counts.empty()) == result.counts[0]
    assert [part.n for part in parts.values()] == [row.n for row in dead_units(result.counts[0])][::-1]


@pytest.mark.parametrize("layer", [0, 2, True, 1.0])
def test_a_layer_that_is_not_there_is_rejected(result: fg.Result, layer: int) -> None:
    for call in (
        lambda: dead_units(result.counts[0], layer),
        lambda: by_live_units(result.outputs[0].finished_metrics, EXP, layer),
    ):
        with pytest.raises(InvalidExperiment, match="layer"):
            call()
    with pytest.raises(InvalidExperiment, match="'initial', 'final'"):
        dead_units(result.counts[0], when="now")  # type: ignore[arg-type]
