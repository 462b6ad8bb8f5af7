"""Dead units, and what they mean for a seed."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import numpy as np

from fastgrok.errors import MISSING, InvalidExperiment, one_of
from fastgrok.spec.experiment import Experiment
from fastgrok.statistics.arguments import checked, integers
from fastgrok.statistics.counts import Counts, dead_by_layer
from fastgrok.statistics.proportion import Estimate, normal_quantile, rate
from fastgrok.statistics.split import Split

When = Literal["initial", "final"]
"""When units were counted: at initialisation, or after the last update."""


class DeadRow(NamedTuple):
    """Seeds with the same number of dead units in a layer."""

    dead: int  # dead units
    n: int  # seeds
    share: Estimate  # of all seeds of which the layer was counted
    converged: int | None  # how many of them converged; None where there is no criterion
    rate: Estimate  # their share


@checked
def dead_units(counts: Counts, layer: int = 1, when: When = "initial", confidence: float = 0.95) -> list[DeadRow]:
    """
    Return how many seeds have how many dead units in a layer, and how many of these converged.

    Parameters
    ----------
    counts
        Of one configuration.
    layer
        Which of its ReLU layers, from 1.
    when
        "initial" or "final".
    confidence
        The probability that an interval covers, between 0 and 1.

    Raises
    ------
    InvalidExperiment
        If there is no such layer.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> sum(row.n for row in dead_units(fg.run(exp, seeds=100).counts[0]))
    100
    """
    split = _layer(counts, layer, when)
    everyone = split.all
    met = dict(zip(split.converged.values.tolist(), split.converged.counts.tolist(), strict=True))
    rows = []
    for dead, n in zip(everyone.values.tolist(), everyone.counts.tolist(), strict=True):
        share = rate(n, everyone.n, confidence)
        if counts.has_criterion is False:
            rows.append(DeadRow(dead, n, share, None, Estimate(None, None, None)))
            continue
        k = met.get(dead, 0)
        rows.append(DeadRow(dead, n, share, k, rate(k, n, confidence)))
    return rows


@checked
def dead_risk(
    counts: Counts, layer: int = 1, when: When = "initial", confidence: float = 0.95, *, at_least: int = 1
) -> Estimate:
    """
    Return how many times as often a seed fails to converge if units of a layer are dead.

    (share of those that fail among seeds with `at_least` dead units or more) / (share among the others).

    Parameters
    ----------
    counts
        Of one configuration.
    layer
        Which of its ReLU layers, from 1.
    when
        "initial" or "final".
    confidence
        The probability that the interval covers the ratio, between 0 and 1.
    at_least
        From how many dead units on a seed counts as exposed; all units of the layer: as dead.

    Raises
    ------
    InvalidExperiment
        If there is no such layer, or no criterion.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 2, 1), fg.datasets.xor(), epochs=1000)
    >>> dead_risk(fg.run(exp, seeds=1000).counts[0]).low > 1
    True
    """
    counts.check_criterion()
    split = _layer(counts, layer, when)
    failed, met = ((h.counts[h.values >= at_least].sum(), h.n) for h in (split.rest, split.converged))
    exposed = int(failed[0] + met[0])
    return relative_risk(
        int(failed[0]), exposed, failed[1] - int(failed[0]), failed[1] + met[1] - exposed, confidence
    )


def relative_risk(cases_a: int, n_a: int, cases_b: int, n_b: int, confidence: float = 0.95) -> Estimate:
    """
    Return the ratio of two independent proportions, (cases_a / n_a) / (cases_b / n_b).

    The interval is exp(log r -+ z sqrt(1/(cases_a + 1/2) - 1/(n_a + 1/2) + 1/(cases_b + 1/2) - 1/(n_b + 1/2))), with
    r = (cases_a + 1/2) (n_b + 1/2) / ((n_a + 1/2) (cases_b + 1/2)).

    Parameters
    ----------
    cases_a
        How many of n_a.
    n_a
        Seeds of one kind. With none of a kind there is nothing to estimate: None.
    cases_b
        How many of n_b.
    n_b
        Seeds of the other kind.
    confidence
        The probability that the interval covers the ratio, between 0 and 1.

    Raises
    ------
    InvalidExperiment
        If there are more cases than seeds, or a number is no integer.

    Notes
    -----
    Walter, "The distribution of Levin's measure of attributable risk", 1975: the halves leave a finite interval where
    there is no case; without them it is that of Katz and others, 1978. No case among b: the ratio is None, and
    its interval open above.

    Examples
    --------
    >>> [round(x, 3) for x in relative_risk(30, 100, 10, 100)]
    [3.0, 1.525, 5.534]
    """
    z = normal_quantile(confidence)
    for cases, n, name in ((cases_a, n_a, "cases_a"), (cases_b, n_b, "cases_b")):
        if integers(name, cases, "an integer") > integers(name.replace("cases", "n"), n, "an integer") or cases < 0:
            raise InvalidExperiment(name, cases, f"an integer from 0 to {n}")
    if not n_a or not n_b or not (cases_a or cases_b):
        return Estimate(None, None, None)
    a, all_a, b, all_b = (x + 0.5 for x in (cases_a, n_a, cases_b, n_b))
    middle, spread = np.log(a * all_b / (all_a * b)), z * np.sqrt(1 / a - 1 / all_a + 1 / b - 1 / all_b)
    low, high = float(np.exp(middle - spread)), float(np.exp(middle + spread))
    if not cases_b:
        return Estimate(None, low, None)
    value = (cases_a / n_a) / (cases_b / n_b)
    return Estimate(value, min(low, value), max(high, value))


@checked
def by_live_units(columns: Mapping[str, Any], experiment: Experiment, layer: int = 1) -> dict[int, Counts]:
    """
    Count the seeds of one configuration apart by how many units of a layer are live at initialisation.

    Parameters
    ----------
    columns
        Result variables, one row a seed, as for `Counts.of`, with `dead_units_initial`.
    experiment
        The configuration.
    layer
        Which of its ReLU layers, from 1.

    Returns
    -------
    Live units -> counts, ascending. All statistics of counts apply: `survival_curve`, `rate`, ... Those of parts
    add up key by key.

    Raises
    ------
    InvalidExperiment
        If there is no such layer, or a column is missing.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 2, 1), fg.datasets.xor(), epochs=100)
    >>> list(by_live_units(fg.run(exp, seeds=100).outputs[0].finished_metrics, exp))
    [0, 1, 2]
    """
    sizes = experiment.network.relu_widths
    _check_layer(layer, len(sizes))
    dead = dead_by_layer(columns, "dead_units_initial", experiment)
    if dead is None:
        raise InvalidExperiment("columns['dead_units_initial']", MISSING, "the dead units of each layer and seed")
    live = sizes[layer - 1] - dead[:, layer - 1]
    return {
        count: Counts.of({name: np.asarray(column)[live == count] for name, column in columns.items()}, experiment)
        for count in np.unique(live).tolist()
    }


def _layer(counts: Counts, layer: int, when: When) -> Split:
    """Return what was counted of a layer."""
    if when not in ("initial", "final"):
        raise InvalidExperiment("when", when, one_of(("initial", "final")))
    layers = counts.dead_initial if when == "initial" else counts.dead_final
    _check_layer(layer, len(layers))
    return layers[layer - 1]


def _check_layer(layer: int, n: int) -> None:
    if isinstance(layer, bool) or not isinstance(layer, int | np.integer) or not 1 <= layer <= n:
        raise InvalidExperiment(
            "layer", layer, f"the number of a ReLU layer, 1 to {n}" if n else "no layer: none is ReLU"
        )
