"""Seeds in clusters: against statsmodels' two-way clustered variance, and by simulation."""

import numpy as np
import pytest

from benchmarks.coverage import samples
from fastgrok.errors import InvalidExperiment
from fastgrok.statistics import PooledCounts, clustered_difference, clustered_rate, pooled_rate, wilson
from fastgrok.statistics.clusters import _variance

RNG = np.random.default_rng(9)
SEEDS, CLUSTERS = 200, 12
D = (RNG.random((CLUSTERS, SEEDS)) < RNG.random(SEEDS) * RNG.random((CLUSTERS, 1))).astype(int)


def counted(d: np.ndarray) -> tuple[PooledCounts, list[PooledCounts]]:
    ones = np.ones_like(d[0])
    return PooledCounts.of_sums(d.sum(axis=0), ones * len(d)), [PooledCounts.of_sums(row, ones) for row in d]


def test_the_variance_is_that_of_two_way_clustering() -> None:
    covariances = pytest.importorskip("statsmodels.stats.sandwich_covariance")
    from statsmodels.regression.linear_model import OLS

    fit = OLS(D.ravel(), np.ones(D.size)).fit()
    groups = [x.ravel() for x in np.broadcast_arrays(np.arange(SEEDS), np.arange(CLUSTERS)[:, None])]
    wanted = [np.asarray(v).item() for v in covariances.cov_cluster_2groups(fit, *groups)]  # both, and each alone
    seeds, clusters = counted(D)
    variance, _ = _variance(seeds, clusters, D.mean())
    assert variance / D.size**2 == pytest.approx(max(wanted), rel=2 / D.size)  # it takes a run for a cluster of n - 1
    assert clustered_rate(seeds, clusters).value == D.mean()


def test_clusters_that_all_do_alike_say_no_more_than_one() -> None:
    alike = np.tile(D[:1], (CLUSTERS, 1))
    rate, one = clustered_rate(*counted(alike)), wilson(int(D[0].sum()), SEEDS)
    # a variance with n - 1 is worth 199 seeds, of which Student's t is 0.6 % wider than a normal one
    np.testing.assert_allclose(rate[1:], one, atol=1e-3)
    np.testing.assert_allclose(pooled_rate(counted(alike)[0])[1:], one, atol=3e-4)


def test_seeds_that_all_do_alike_say_no_more_than_the_clusters_do() -> None:
    alike = np.tile(np.array([[0], [1], [1], [0], [1]]), (1, SEEDS))
    value, low, high = clustered_rate(*counted(alike))
    assert value == pytest.approx(0.6)
    assert low < 0.2  # type: ignore[operator]
    assert high > 0.9  # type: ignore[operator]
    np.testing.assert_allclose(pooled_rate(counted(alike)[0])[1:], wilson(120, 200))  # holds for these five


def test_a_difference_turns_with_the_sides() -> None:
    d = D - np.roll(D, 1, axis=1)
    (value, low, high), p = clustered_difference(*counted(d))
    turned, again = clustered_difference(*counted(-d))
    np.testing.assert_allclose(turned, (-value, -high, -low))  # type: ignore[operator]
    assert (p, p > 0.05) == (again, low < 0 < high)  # type: ignore[operator]
    with pytest.raises(InvalidExperiment, match="clusters = 2: expected 3 or more"):
        clustered_difference(*counted(d[:2]))


@pytest.mark.parametrize("clusters", [5, 10])
def test_intervals_cover_for_other_clusters(clusters: int) -> None:
    found = samples.clusters(200, clusters, 400)  # docs/comparing.md has more
    assert found.difference >= 0.95 - 3 * 0.011
    assert found.rate >= 0.95 - 3 * 0.011
    assert found.seeds_alone < 0.9  # what an interval over seeds is not
