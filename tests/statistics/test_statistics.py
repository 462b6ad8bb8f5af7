"""Statistics of seeds: proportions with their intervals, outcomes, the summary of a configuration."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import fastgrok as fg
from fastgrok.errors import InvalidExperiment
from fastgrok.spec.variables import OUTCOMES, Outcome
from fastgrok.statistics.counts import Counts
from fastgrok.statistics.proportion import clopper_pearson, rate, wilson
from fastgrok.statistics.summary import summarise

EXP = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)


@given(st.integers(1, 10**6), st.data(), st.sampled_from([0.5, 0.9, 0.95, 0.999]))
def test_wilson_is_scipys(n: int, data: st.DataObject, confidence: float) -> None:
    k = data.draw(st.integers(0, n))
    theirs = stats.binomtest(k, n).proportion_ci(confidence, method="wilson")
    np.testing.assert_allclose(wilson(k, n, confidence), theirs, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("n", [1, 2, 3, 1000, 10**9, 10**15])
def test_wilson_is_exact_at_its_edges(n: int) -> None:
    none, every = wilson(0, n), wilson(n, n)
    assert none.low == 0
    assert every.high == 1
    assert 0 < none.high < 1
    assert 0 < every.low < 1


def test_wilson_of_arrays_is_that_of_each_number() -> None:
    low, high = wilson([[0, 1], [5, 10]], 10)
    assert low.shape == high.shape == (2, 2)
    assert (low[1, 0], high[1, 0]) == wilson(5, 10)


@given(st.integers(1, 10**6), st.data(), st.sampled_from([0.5, 0.9, 0.95, 0.999]))
def test_clopper_pearson_is_scipys(n: int, data: st.DataObject, confidence: float) -> None:
    k = data.draw(st.integers(0, n))
    theirs = stats.binomtest(k, n).proportion_ci(confidence, method="exact")
    # theirs are roots, sought to an absolute 1e-12
    np.testing.assert_allclose(clopper_pearson(k, n, confidence), theirs, rtol=1e-8, atol=1e-11)


def test_a_rate_has_the_interval_that_is_asked_for() -> None:
    assert rate(3, 10) == (0.3, *map(float, wilson(3, 10)))
    assert rate(3, 10, method="clopper_pearson") == (0.3, *map(float, clopper_pearson(3, 10)))
    assert rate(0, 0) == (None, 0, 1)
    with pytest.raises(InvalidExperiment, match="'wilson', 'clopper_pearson'"):
        rate(3, 10, method="wald")  # type: ignore[arg-type]


def test_every_outcome_has_its_share() -> None:
    kinds = [Outcome.CONVERGED, Outcome.DEAD, Outcome.DEAD, Outcome.UNFINISHED]
    counts = Counts.of(columns(kinds, [10, 100, 100, 100], [10, -1, -1, -1]), EXP)
    shares = fg.statistics.outcome_shares(counts)
    assert list(shares) == list(OUTCOMES)
    assert {name: share.value for name, share in shares.items() if share.value} == {
        "converged": 0.25,
        "dead": 0.5,
        "unfinished": 0.25,
    }
    assert shares["dead"] == rate(2, 4)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ((1, 0), "n"),
        ((2, 1), "successes"),
        ((-1, 5), "successes"),
        ((1, 5, 1.0), "confidence"),
        ((np.nan, 5), "successes"),
    ],
)
def test_wilson_rejects_what_is_no_proportion(arguments: tuple[float, ...], field: str) -> None:
    with pytest.raises(InvalidExperiment) as caught:
        wilson(*arguments)
    assert caught.value.field == field


def columns(outcomes: list[Outcome], run: list[int], converge: list[int]) -> dict[str, np.ndarray]:
    return {
        "outcome": np.array(outcomes, np.int8),
        "epochs_run": np.array(run, np.int64),
        "epochs_to_converge": np.array(converge, np.int64),
    }


def test_summary_counts_every_seed_once() -> None:
    kinds = [Outcome.CONVERGED, Outcome.CONVERGED, Outcome.DEAD, Outcome.DIVERGED, Outcome.UNFINISHED]
    summary = summarise(Counts.of(columns(kinds, [10, 20, 100, 3, 100], [10, 20, -1, -1, -1]), EXP), 2.0)
    assert summary.outcomes == {"diverged": 1, "converged": 2, "dead": 1, "stalled": 0, "unfinished": 1}
    assert (summary.n, summary.converged, summary.rate) == (5, 2, 0.4)
    assert (summary.rate_low, summary.rate_high) == tuple(map(float, wilson(2, 5)))
    assert (summary.epochs_q25, summary.epochs_median) == (20, None)
    assert (summary.seed_epochs, summary.seed_epochs_per_second) == (233, 116.5)


def test_convergence_does_not_apply_without_a_criterion() -> None:
    summary = summarise(Counts.of(columns([Outcome.UNFINISHED], [100], [-1]), EXP.replace(stop=None)), 0.0)
    assert summary.converged is summary.rate is summary.epochs_median is summary.seed_epochs_per_second is None


def test_statistics_load_neither_scipy_nor_pandas_before_they_are_used() -> None:
    code = "import sys, fastgrok; fastgrok.statistics.Counts, fastgrok.compare; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"scipy.stats", "scipy.special", "scipy.signal", "pandas"} & set(done.stdout.split())


def test_every_public_name_has_a_docstring_of_its_own() -> None:
    for name in fg.statistics.__all__:
        made = f"{name}("  # how the docstring begins that Python makes for a NamedTuple or a dataclass without one
        assert not (getattr(fg.statistics, name).__doc__ or made).startswith(made), name
    assert "statistics" in dir(fg)
