"""Where a mean's interval need not cover it says so: by simulation, with the truth of a million seeds."""

import numpy as np
import pytest

import fastgrok as fg
from benchmarks.coverage import cases
from fastgrok.statistics.paired_values import mean_difference
from fastgrok.statistics.skewness import NOTE, mean_doubtful
from fastgrok.statistics.two_sample_values import independent_mean_difference

RNG = np.random.default_rng(3)


def test_few_seeds_are_doubtful_and_many_are_where_a_few_outweigh_the_others() -> None:
    many = RNG.standard_normal(400)
    far = np.where(np.arange(400) < 3, 100.0, many)
    assert mean_doubtful(many[:99])
    assert mean_doubtful(many, many[:99])
    assert not mean_doubtful(many)
    assert not mean_doubtful(many, many[:100])
    assert mean_doubtful(far)
    assert mean_doubtful(many, far)
    assert not mean_doubtful(far, far)  # what is skewed alike is not in the difference
    assert not mean_doubtful(np.ones(400))
    assert not mean_doubtful(np.append(many, np.inf))  # of which there is no mean


@pytest.mark.parametrize("outcome", ["skewed losses", "losses on plateaus", "losses, 2 % on a plateau"])
@pytest.mark.parametrize("n", [100, 300])
def test_a_mean_is_covered_or_doubtful(outcome: str, n: int) -> None:
    rng, wanted, repeats = np.random.default_rng(30), cases.truth(outcome)[2], 600
    silent = 0
    for _ in range(repeats):
        a, b = cases.sample(outcome, n, rng)
        silent += not (cases.holds(mean_difference(a, b), wanted) or mean_doubtful(a - b))
    assert silent / repeats <= 0.05 + 3 * 0.0089


def test_of_seeds_of_their_own_a_mean_is_covered_or_doubtful() -> None:
    made, rng, repeats = cases.OUTCOMES["skewed losses"], np.random.default_rng(31), 600
    wanted, silent = float(np.exp(0.5) - np.exp(0.3 + 1.2**2 / 2)), 0
    for _ in range(repeats):
        a, b = made(rng.standard_normal(200)), made(0.3 + 1.2 * rng.standard_normal(150))
        silent += not (cases.holds(independent_mean_difference(a, b), wanted) or mean_doubtful(a, b))
    assert silent / repeats <= 0.05 + 3 * 0.0089


def test_a_comparison_says_so() -> None:
    exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=20, stop=None)
    result = fg.sweep(exp, 300, {"init": [fg.XavierNormal(), fg.HeNormal()]}, progress=False)
    few = fg.sweep(exp, 60, {"init": [fg.XavierNormal(), fg.HeNormal()]}, progress=False)
    assert NOTE in fg.compare(few, "init", of="loss").notes
    assert fg.compare(few, "init", of="loss").pairs["mean_doubtful"].tolist() == [True]
    assert NOTE not in fg.compare(result, "init", of="loss").notes
