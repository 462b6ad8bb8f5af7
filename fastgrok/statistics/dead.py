"""Dead units, and what they mean for a seed."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import numpy as np

from fastgrok.errors import MISSING, InvalidExperiment
from fastgrok.spec.experiment import Experiment
from fastgrok.statistics.arguments import checked
from fastgrok.statistics.counts import Counts, dead_by_layer
from fastgrok.statistics.histogram import Split
from fastgrok.statistics.proportion import NO_ESTIMATE, Estimate, rate, relative_risk

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
    """Return how many seeds have how many dead units in a layer, and how many of these converged.

    Parameters
    ----------
    counts, confidence
        As in `fastgrok.statistics`.
    layer
        Which of its ReLU layers, from 1.
    when
        "initial" or "final": at initialisation, or after the last update.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> sum(row.n for row in dead_units(fg.run(exp, seeds=100).counts[0]))
    100
    """
    split = _layer(counts, layer, when)
    seeds, converged, rows = split.all, split.converged.by_value, []
    for dead, n in seeds.by_value.items():
        k = None if counts.has_criterion is False else converged.get(dead, 0)
        share = NO_ESTIMATE if k is None else rate(k, n, confidence)
        rows.append(DeadRow(dead, n, rate(n, seeds.n, confidence), k, share))
    return rows


@checked
def dead_risk(
    counts: Counts, layer: int = 1, when: When = "initial", confidence: float = 0.95, *, at_least: int = 1
) -> Estimate:
    """Return how many times as often a seed fails to converge if units of a layer are dead.

    (share of those that fail among seeds with `at_least` dead units or more) / (share among the others).

    Parameters
    ----------
    counts, layer, when, confidence
        As for `dead_units`.
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
    others = int(split.all.n_below(np.array(at_least)))
    failed_others = int(split.rest.n_below(np.array(at_least)))
    failed = split.rest.n - failed_others
    return relative_risk(failed, split.all.n - others, failed_others, others, confidence)


@checked
def by_live_units(columns: Mapping[str, Any], experiment: Experiment, layer: int = 1) -> dict[int, Counts]:
    """Count the seeds of one configuration apart by how many units of a layer are live at initialisation.

    Parameters
    ----------
    columns
        Result variables, one row a seed, as for `Counts.of`, with `dead_units_initial`.
    experiment
        The configuration.
    layer
        As for `dead_units`.

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
    layers = counts.dead_initial if when == "initial" else counts.dead_final
    _check_layer(layer, len(layers))
    return layers[layer - 1]


def _check_layer(layer: int, n: int) -> None:
    if isinstance(layer, bool) or not isinstance(layer, int | np.integer) or not 1 <= layer <= n:
        raise InvalidExperiment(
            "layer", layer, f"the number of a ReLU layer, 1 to {n}" if n else "no layer: none is ReLU"
        )
