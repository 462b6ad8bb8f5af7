"""The room as a whole: what it loads, documents, lists, and refuses."""

import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest

import fastgrok as fg
from fastgrok import statistics
from fastgrok.errors import InvalidExperiment
from fastgrok.statistics import Counts, PairedCounts, PooledCounts

ONE = Counts.of_epochs([2, 5, -1], until=9)

PAIR = PairedCounts.of([2, 5, -1], [3, -1, -1])


@pytest.mark.parametrize(
    ("call", "field", "expected"),
    [
        (lambda: statistics.best_cutoff([ONE]), "counts", "one Counts, such as result.counts[0]"),
        (lambda: statistics.expected_epochs(counts=[ONE]), "counts", "one Counts"),
        (lambda: statistics.survival_curve([ONE]), "counts", "one Counts"),
        (lambda: statistics.ratio_of_expected(ONE, [ONE], PAIR), "b", "one Counts"),
        (lambda: statistics.ratio_of_medians(ONE, ONE, PAIR.table), "paired", "a PairedCounts"),
        (lambda: statistics.paired_logrank(ONE, ONE, None), "paired", "a PairedCounts"),
        (lambda: statistics.logrank(ONE), "configurations", "a list, each one Counts"),
        (lambda: statistics.logrank([ONE]), "configurations", "counts of two"),
        (lambda: statistics.mcnemar((1, 2, 3, 4)), "table", "a Table"),
        (lambda: statistics.risk_difference(PAIR), "table", "a Table"),
        (lambda: PooledCounts.of_table((1, 2, 3, 4)), "table", "a Table"),
        (lambda: statistics.quantile(ONE, 0.5), "curve", "what survival_curve or kaplan_meier returns"),
        (lambda: statistics.summarise([ONE], 1.0), "counts", "one Counts"),
        (lambda: statistics.outcome_shares([ONE]), "counts", "one Counts"),
        (lambda: statistics.dead_units([ONE]), "counts", "one Counts"),
        (lambda: statistics.dead_risk([ONE]), "counts", "one Counts"),
        (lambda: statistics.plateau_shares([ONE], []), "counts", "one Counts"),
        (lambda: statistics.loss_clusters([ONE]), "counts", "one Counts"),
        (lambda: Counts.of({}, None), "experiment", "an Experiment"),
    ],
)
def test_what_is_not_counts_is_said_to_be_not(call: Callable[[], object], field: str, expected: str) -> None:
    with pytest.raises(InvalidExperiment) as caught:
        call()
    assert caught.value.field == field
    assert caught.value.accepted.startswith(expected)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: statistics.wilson(3.5, 10), "successes = 3.5: expected integers from 0 to n = 10"),
        (lambda: statistics.wilson(3, 10.0), "n = 10.0: expected integers, 1 or more"),
        (lambda: statistics.wilson([1, True], 10), "successes = [1, True]: "),
        (lambda: statistics.clopper_pearson(np.array([1.0]), 10), "successes = "),
        (lambda: statistics.wilson("3", 10), "successes = '3'"),
        (lambda: statistics.wilson(1, 2**64), "n = 18446744073709551616"),
        (lambda: statistics.rate(True, 10), "successes = True"),
        (lambda: statistics.rate(0, False), "n = False"),
        (lambda: statistics.rate([1], [2]), "successes = [1]: expected one integer"),
        (lambda: statistics.rate(11, 10), "successes = 11: expected integers from 0 to n = 10"),
        (lambda: statistics.relative_risk(1.5, 10, 1, 10), "cases_a = 1.5"),
        (lambda: statistics.relative_risk(1, 10, 1, True), "n_b = True"),
        (lambda: Counts.of_epochs([1.5], until=9), "epochs_to_converge = [1.5]"),
        (lambda: PairedCounts.of([1.5], [2]), "epochs_a = [1.5]"),
        (lambda: PooledCounts.of_sums([0.5], [1]), "difference = [0.5]"),
    ],
)
def test_counts_of_seeds_are_integers(call: Callable[[], object], message: str) -> None:
    with pytest.raises(InvalidExperiment) as caught:
        call()
    assert str(caught.value).startswith(message)


def test_the_package_lists_what_it_offers() -> None:
    assert dir(statistics) == sorted(statistics.__all__)


def test_statistics_load_neither_scipy_nor_pandas_before_they_are_used() -> None:
    code = "import sys, fastgrok; fastgrok.statistics.Counts, fastgrok.compare; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"scipy.stats", "scipy.special", "scipy.signal", "pandas"} & set(done.stdout.split())


def test_every_public_name_has_a_docstring_of_its_own() -> None:
    for name in fg.statistics.__all__:
        made = f"{name}("  # how the docstring begins that Python makes for a NamedTuple or a dataclass without one
        assert not (getattr(fg.statistics, name).__doc__ or made).startswith(made), name
    assert "statistics" in dir(fg)
