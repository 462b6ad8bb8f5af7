"""A configuration in one row: how many seeds converged, how fast, and what became of the rest."""

from typing import Any, NamedTuple

from fastgrok.spec.variables import OUTCOMES
from fastgrok.statistics.arguments import checked
from fastgrok.statistics.counts import Counts
from fastgrok.statistics.proportion import NO_ESTIMATE, Estimate, Method, rate
from fastgrok.statistics.spread import Spread, spreads
from fastgrok.statistics.survival import quantiles, survival_curve

CONFIDENCE = 0.95
"""Confidence of every interval in a summary."""


@checked
def outcome_shares(counts: Counts, confidence: float = 0.95, method: Method = "wilson") -> dict[str, Estimate]:
    """Return the share of seeds with each outcome.

    Parameters
    ----------
    counts, confidence
        As in `fastgrok.statistics`.
    method
        As for `rate`.

    Examples
    --------
    >>> shares = outcome_shares(Counts.of_epochs([2, 5, -1, -1], until=9))
    >>> shares["converged"].value, shares["diverged"].value
    (0.5, 0.0)
    """
    return {name: rate(n, counts.n, confidence, method) for name, n in zip(OUTCOMES, counts.outcomes, strict=True)}


class Summary(NamedTuple):
    """What became of the seeds of one configuration.

    Parameters
    ----------
    n
        Seeds that were trained; 0 for a configuration that an interrupted sweep did not come to.
    converged
        Seeds that met every criterion after some epoch; None where there is no criterion (`stop=None`).
    rate, rate_low, rate_high
        Their share and its 95 % Wilson interval; None without seeds.
    epochs_q25, epochs_median, epochs_q75
        Epochs by which a quarter, half, three quarters of all seeds had converged; None: not reached.
    outcomes
        Seeds of each outcome.
    seed_epochs
        Epochs run, all seeds together.
    seconds
        Time that training took. Configurations of a store that were trained together have equal shares of it: it
        tells nothing of the differences between them.
    seed_epochs_per_second
        Their quotient; None if it took no time.
    continuous
        How final loss and accuracy scatter over all seeds, of training and, where there are any, of validation data.
    """

    n: int
    converged: int | None
    rate: float | None
    rate_low: float | None
    rate_high: float | None
    epochs_q25: int | None
    epochs_median: int | None
    epochs_q75: int | None
    outcomes: dict[str, int]
    seed_epochs: int
    seconds: float
    seed_epochs_per_second: float | None
    continuous: dict[str, Spread]

    def to_dict(self) -> dict[str, Any]:
        """Return the fields in one row: outcomes as `n_<outcome>`, and `loss_final_median`, `..._median_low`, ..."""
        row: dict[str, Any] = {}
        for name, value in self._asdict().items():
            if name == "outcomes":
                row |= {f"n_{key}": count for key, count in value.items()}
            elif name == "continuous":
                row |= {f"{key}_{end}": x for key, each in value.items() for end, x in each.to_dict().items()}
            else:
                row[name] = value
        return row

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON has them, the continuous outcomes each with its numbers by their names."""
        return {**self._asdict(), "continuous": {name: each.to_dict() for name, each in self.continuous.items()}}


@checked
def summarise(counts: Counts, seconds: float) -> Summary:
    """Summarise one configuration.

    Parameters
    ----------
    counts
        As in `fastgrok.statistics`.
    seconds
        Time that training took.

    Notes
    -----
    A seed that converged and went on (`keep_training`) counts as converged even if it diverged later: its
    outcome is "diverged", and its `epochs_to_converge` stands. With `restart` epochs are those of all attempts.

    Examples
    --------
    >>> summary = summarise(Counts.of_epochs([2, 5, -1], until=9), 0.5)
    >>> summary.converged, summary.epochs_median, summary.seed_epochs_per_second
    (2, 5, 32.0)
    """
    converged, share = None, NO_ESTIMATE
    quarters: list[int | None] = [None] * 3
    if counts.has_criterion is not False:
        converged = counts.n_converged
        if counts.n:
            share = rate(converged, counts.n, CONFIDENCE)
            quarters = quantiles(survival_curve(counts), [0.25, 0.5, 0.75])
    q25, median, q75 = quarters
    outcomes = dict(zip(OUTCOMES, counts.outcomes, strict=True))
    speed = counts.seed_epochs / seconds if seconds > 0 else None
    epochs, scatter = counts.seed_epochs, spreads(counts, CONFIDENCE)
    return Summary(counts.n, converged, *share, q25, median, q75, outcomes, epochs, seconds, speed, scatter)
