"""Two values of an axis over several strata: a seed with all of its strata is one observation."""

import itertools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastgrok.errors import InvalidExperiment
from fastgrok.statistics import PairedCounts, PooledCounts, mcnemar, risk_difference


def pooled(a: np.ndarray, b: np.ndarray, finished: np.ndarray | bool = True) -> PooledCounts:
    """Count seeds by whether they converge with a and with b, (n_strata, n_seeds)."""
    trained = np.broadcast_to(finished, a.shape)
    return PooledCounts.of_sums(((a.astype(int) - b) * trained).sum(axis=0), trained.sum(axis=0))


@settings(deadline=None)  # scipy is imported
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=30), st.integers(1, 3))
def test_one_stratum_pooled_is_the_paired_difference(seeds: list[tuple[bool, bool]], strata: int) -> None:
    a, b = np.array(seeds).T
    table = PairedCounts.of(np.where(a, 5, -1), np.where(b, 7, -1)).table
    assert pooled(a[None], b[None]) == PooledCounts.of_table(table)
    np.testing.assert_allclose(pooled(a[None], b[None]).difference(), risk_difference(table))
    repeated = pooled(np.tile(a, (strata, 1)), np.tile(b, (strata, 1)))  # says no more than once
    assert repeated.difference().value == pytest.approx(risk_difference(table).value)
    assert repeated.p_value() == PooledCounts.of_table(table).p_value() == pytest.approx(mcnemar(table), rel=1e-12)


@given(st.lists(st.tuples(*[st.booleans()] * 6), min_size=2, max_size=30), st.integers(0, 30))
def test_pooled_parts_add_up_to_the_whole(seeds: list[tuple[bool, ...]], cut: int) -> None:
    x = np.array(seeds).T.reshape(3, 2, -1)
    whole = pooled(*x)
    assert pooled(*x[..., :cut]) + pooled(*x[..., cut:]) == whole
    assert (whole.pairs, whole.seeds) == (x[2].sum(), x[2].any(axis=0).sum())
    assert PooledCounts.from_dict(json.loads(json.dumps(whole.to_dict()))) == whole
    with pytest.raises(InvalidExperiment):
        PooledCounts.from_dict(whole.to_dict() | {"pairs": None})


@settings(deadline=None)
@given(st.lists(st.integers(-3, 3), min_size=1, max_size=9))
def test_the_pooled_p_value_counts_all_signs(differences: list[int]) -> None:
    d = np.array(differences)
    sums = np.array(list(itertools.product([1, -1], repeat=len(d)))) @ d
    wanted = np.mean(abs(sums) >= abs(d.sum()))
    assert PooledCounts.of_sums(d, np.full(len(d), 3)).p_value() == pytest.approx(wanted, rel=1e-12)


def test_a_seed_cannot_differ_in_more_strata_than_it_was_trained_in() -> None:
    for difference, pairs in (([2], [1]), ([1, 1], [1])):
        with pytest.raises(InvalidExperiment, match="pairs"):
            PooledCounts.of_sums(difference, pairs)
