"""The share of seeds with each outcome."""

from fastgrok.spec.variables import OUTCOMES
from fastgrok.statistics.arguments import checked
from fastgrok.statistics.counts import Counts
from fastgrok.statistics.proportion import Estimate, Method, rate


@checked
def outcome_shares(counts: Counts, confidence: float = 0.95, method: Method = "wilson") -> dict[str, Estimate]:
    """
    Return the share of seeds with each outcome.

    Parameters
    ----------
    counts
        Of one configuration.
    confidence
        The probability that an interval covers a share, between 0 and 1.
    method
        "wilson" or "clopper_pearson".

    Raises
    ------
    InvalidExperiment
        If the counts are something else, such as a list of them.

    Examples
    --------
    >>> shares = outcome_shares(Counts.of_epochs([2, 5, -1, -1], until=9))
    >>> shares["converged"].value, shares["diverged"].value
    (0.5, 0.0)
    """
    return {name: rate(n, counts.n, confidence, method) for name, n in zip(OUTCOMES, counts.outcomes, strict=True)}
