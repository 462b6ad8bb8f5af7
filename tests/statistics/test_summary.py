"""Outcomes, and the summary of a configuration."""

import numpy as np

import fastgrok as fg
from fastgrok.spec.variables import OUTCOMES, Outcome
from fastgrok.statistics.counts import Counts
from fastgrok.statistics.proportion import rate, wilson
from fastgrok.statistics.summary import summarise

EXP = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)


def columns(outcomes: list[Outcome], run: list[int], converge: list[int]) -> dict[str, np.ndarray]:
    return {
        "outcome": np.array(outcomes, np.int8),
        "epochs_run": np.array(run, np.int64),
        "epochs_to_converge": np.array(converge, np.int64),
    }


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


def test_summary_counts_every_seed_once() -> None:
    kinds = [Outcome.CONVERGED, Outcome.CONVERGED, Outcome.DEAD, Outcome.DIVERGED, Outcome.UNFINISHED]
    summary = summarise(Counts.of(columns(kinds, [10, 20, 100, 3, 100], [10, 20, -1, -1, -1]), EXP), 2.0)
    assert summary.outcomes == {"diverged": 1, "converged": 2, "dead": 1, "trapped": 0, "unfinished": 1}
    assert (summary.n, summary.converged, summary.rate) == (5, 2, 0.4)
    assert (summary.rate_low, summary.rate_high) == tuple(map(float, wilson(2, 5)))
    assert (summary.epochs_q25, summary.epochs_median) == (20, None)
    assert (summary.seed_epochs, summary.seed_epochs_per_second) == (233, 116.5)


def test_convergence_does_not_apply_without_a_criterion() -> None:
    summary = summarise(Counts.of(columns([Outcome.UNFINISHED], [100], [-1]), EXP.replace(stop=None)), 0.0)
    assert summary.converged is summary.rate is summary.epochs_median is summary.seed_epochs_per_second is None
