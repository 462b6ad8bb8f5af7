"""What a seed starts with: against lifelines' Cox model, and on seeds that were trained."""

import sys

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t

import fastgrok as fg
from benchmarks.coverage import samples
from fastgrok.errors import InvalidExperiment
from fastgrok.statistics import Estimate, starting_effects, starts

EXP = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=300)


@pytest.fixture(scope="module")
def result() -> fg.Result:
    return fg.run(EXP, 400, progress=False)


def test_the_ratios_and_their_intervals_are_those_of_lifelines(result: fg.Result) -> None:
    lifelines = pytest.importorskip("lifelines")
    columns = result.outputs[0].finished_metrics
    found = starting_effects(columns, EXP)
    x = np.column_stack(list(starts(columns, EXP).values()))
    frame = pd.DataFrame((x - x.mean(axis=0)) / x.std(axis=0), columns=list("abc"))
    met = columns["epochs_to_converge"] > 0
    frame["time"], frame["met"] = np.where(met, columns["epochs_to_converge"], 300), met.astype(int)
    fit = lifelines.CoxPHFitter().fit(frame, "time", "met", robust=True)
    ratios = np.array([effect.hazard_ratio for effect in found.effects], float)
    np.testing.assert_allclose(np.log(ratios[:, 0]), fit.params_, rtol=1e-3, atol=1e-4)
    model = lifelines.CoxPHFitter().fit(frame, "time", "met", robust=False)
    errors = np.log(ratios[:, 2] / ratios[:, 1]) / 2 / t.ppf(0.975, int(met.sum()) - 3)
    larger = np.maximum(fit.standard_errors_, model.standard_errors_)
    np.testing.assert_allclose(errors, larger, rtol=0.02)  # the two treat ties a little differently
    assert (found.n, found.converged) == (400, int(met.sum()))
    names = ["loss_initial", "weight_norm_initial", "live_units_initial_1"]
    assert [effect.name for effect in found.effects] == names
    live = found.effects[2]
    assert live.hazard_ratio.low > 1  # type: ignore[operator]
    assert live.p_value < 1e-3  # type: ignore[operator]


def test_rows_of_a_file_say_the_same(result: fg.Result, tmp_path: pytest.TempPathFactory) -> None:
    path = f"{tmp_path}/xor.parquet"
    result.save(path)
    frame, columns = pd.read_parquet(path), result.outputs[0].finished_metrics
    for name, values in starts(frame, EXP).items():
        np.testing.assert_allclose(values, starts(columns, EXP)[name], rtol=1e-15)
    assert starting_effects(frame, EXP) == starting_effects(columns, EXP)


def test_what_is_the_same_for_every_seed_has_no_ratio_and_one_s_own_covariates_do(result: fg.Result) -> None:
    columns = result.outputs[0].finished_metrics
    x = np.random.default_rng(0).standard_normal(400)
    one, none = starting_effects(columns, EXP, {"noise": x, "constant": np.ones(400)}, 0.9).effects
    assert one.p_value is not None  # of 90 % an interval leaves 1 out where p < 0.1, as of noise now and then
    assert (one.hazard_ratio.low < 1 < one.hazard_ratio.high) == (one.p_value > 0.1)  # type: ignore[operator]
    assert (none.hazard_ratio, none.p_value, none.deviation) == (Estimate(None, None, None), None, 0)


def test_a_seed_that_diverged_stays_at_risk_to_the_end() -> None:
    rng = np.random.default_rng(1)
    x, met = rng.standard_normal(200), rng.random(200) < 0.6
    columns = {
        "epochs_to_converge": np.where(met, rng.integers(1, 300, 200), -1),
        "epochs_run": np.where(met, 300, 3),
        "outcome": np.where(met, 1, 0),
    }
    to_the_end = columns | {"epochs_run": np.full(200, 300), "outcome": np.where(met, 1, 4)}
    assert starting_effects(columns, EXP, {"x": x}) == starting_effects(to_the_end, EXP, {"x": x})


def test_a_seed_that_comes_twice_is_no_other_observation(result: fg.Result) -> None:
    columns = dict(result.outputs[0].finished_metrics) | {"seed": np.repeat(np.arange(200), 2)}
    with pytest.raises(InvalidExperiment, match=r"columns\['seed'\] = 0: expected each seed once"):
        starting_effects(columns, EXP)


@pytest.mark.parametrize(
    ("covariates", "message"),
    [
        ({"x": np.arange(3)}, "400 finite numbers"),
        ([np.arange(400)], "covariates = .*: expected columns by their names"),
        ({"x": np.full(400, np.nan)}, "400 finite numbers"),
        ({"x": ["a"] * 400}, "400 finite numbers"),
        ({f"x{k}": np.arange(400) + k for k in range(90)}, "ten seeds that converge for each of 90"),
        ({"x": np.arange(400.0), "y": 2 * np.arange(400.0)}, "none of which follows from the others"),
    ],
)
def test_bad_covariates_are_named(result: fg.Result, covariates: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(InvalidExperiment, match=message):
        starting_effects(result.outputs[0].finished_metrics, EXP, covariates)


def test_without_a_criterion_or_the_library_it_says_so(result: fg.Result, monkeypatch: pytest.MonkeyPatch) -> None:
    columns = result.outputs[0].finished_metrics
    with pytest.raises(InvalidExperiment, match="a criterion"):
        starting_effects(columns, EXP.replace(stop=None))
    monkeypatch.setitem(sys.modules, "statsmodels.duration.hazard_regression", None)
    with pytest.raises(InvalidExperiment, match=r'pip install "fastgrok\[survival\]"'):
        starting_effects(columns, EXP)


@pytest.mark.parametrize("n", [50, 200])
def test_the_ratios_cover(n: int) -> None:
    found = samples.effects(n, 200)  # docs/comparing.md has more
    assert min(found) >= 0.95 - 3 * 0.0154
