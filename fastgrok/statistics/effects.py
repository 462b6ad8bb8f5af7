"""What a seed starts with, and how soon it converges: a proportional hazards model, fitted by statsmodels."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgrok.errors import MISSING, InvalidExperiment
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.network import relu_layers
from fastgrok.spec.variables import Outcome
from fastgrok.statistics.arguments import checked, integers
from fastgrok.statistics.counts import check_seeds_once, dead_by_layer, needed_column, outcome_codes
from fastgrok.statistics.proportion import NO_ESTIMATE, Estimate, normal_quantile

_LEAST = 10  # events for each covariate: with fewer, coefficients run away


class Effect(NamedTuple):
    """How one number that a seed starts with goes together with how soon it converges.

    Parameters
    ----------
    name
        The covariate.
    deviation
        Its standard deviation over seeds, which is the step that the ratio is of.
    hazard_ratio
        By what the rate of converging at any epoch is multiplied where the covariate is one standard deviation
        larger and the others are what they are: above 1, sooner. None: it is the same for every seed.
    p_value
        The probability of a ratio as far from 1 if it is 1; None likewise.
    """

    name: str
    deviation: float
    hazard_ratio: Estimate
    p_value: float | None


class Effects(NamedTuple):
    """What seeds start with, and how soon they converge.

    Parameters
    ----------
    n, converged
        Seeds, and those that converge.
    effects
        One for each covariate.
    """

    n: int
    converged: int
    effects: tuple[Effect, ...]


@checked
def starting_effects(
    columns: Mapping[str, Any],
    experiment: Experiment,
    covariates: Mapping[str, ArrayLike] | None = None,
    confidence: float = 0.95,
) -> Effects:
    """Fit how soon seeds of one configuration converge to what they start with.

    Cox's model: at every epoch the rate of converging is h(epoch) exp(b_1 x_1 + b_2 x_2 + ...).

    Parameters
    ----------
    columns
        Result variables, one row a seed, as for `Counts.of`.
    experiment
        The configuration, with a criterion.
    covariates
        Name -> a number for each seed. None: those of `starts`: initial loss, norm of the weights, live units.
    confidence
        As in `fastgrok.statistics`.

    Raises
    ------
    InvalidExperiment
        If statsmodels is not installed, there is no criterion, a seed comes twice, fewer than ten seeds converge for
        each covariate, or one covariate follows from the others.

    Notes
    -----
    Cox, "Regression models and life-tables", 1972, with Efron's rule for the many seeds that converge at one epoch,
    by `PHReg` of statsmodels. A seed that can no longer converge stays at risk for ever, as in `survival_curve`. The
    rates need not be proportional: then a ratio is a mean over epochs, and its interval, from the robust variance of
    Lin and Wei (1989), still holds for that. Of few seeds that variance is too small: of 30 and 50 the interval
    covered 88 and 92 %. The larger of it and that of the model is taken, with Student's t of the seeds that converge
    less the covariates: 94.8 % or more of 30, 50 and 200. It says what goes together, not what would change;
    `dead_risk` is the plain relative risk of one of these. With `restart` it is what the last attempt starts with.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=500)
    >>> found = starting_effects(fg.run(exp, seeds=300).outputs[0].finished_metrics, exp)
    >>> found.effects[2].name, found.effects[2].hazard_ratio.low > 1
    ('live_units_initial_1', True)
    """
    normal_quantile(confidence)
    if experiment.criteria is None:
        raise InvalidExperiment("stop", experiment.stop, "a criterion Converged(...), to say who meets it")
    check_seeds_once(columns)
    epochs, met = _times(columns, experiment)
    given = starts(columns, experiment) if covariates is None else covariates
    values = {name: _numbers(name, value, len(epochs)) for name, value in given.items()}
    deviations = {name: float(value.std()) for name, value in values.items()}
    varied = [name for name, deviation in deviations.items() if deviation > 0]
    if int(met.sum()) < _LEAST * max(len(varied), 1):
        expected = f"ten seeds that converge for each of {len(varied)} covariates, and there are {int(met.sum())}"
        raise InvalidExperiment("covariates", varied, expected)
    scaled = {name: (values[name] - values[name].mean()) / deviations[name] for name in varied}
    found = _fitted(scaled, epochs, met, confidence) if varied else {}
    effects = (Effect(name, deviations[name], *found.get(name, (NO_ESTIMATE, None))) for name in values)
    return Effects(len(epochs), int(met.sum()), tuple(effects))


@checked
def starts(columns: Mapping[str, Any], experiment: Experiment) -> dict[str, NDArray[np.float64]]:
    """Return what each seed starts with: loss, norm of all weights, live units of each ReLU layer.

    Parameters
    ----------
    columns, experiment
        As for `starting_effects`.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=10)
    >>> list(starts(fg.run(exp, seeds=5).outputs[0].finished_metrics, exp))
    ['loss_initial', 'weight_norm_initial', 'live_units_initial_1']
    """
    found = {"loss_initial": np.asarray(needed_column(columns, "loss_initial"), np.float64)}
    n_layers = len(experiment.network.linears)
    if "weight_norm_initial" in columns:
        norms = np.asarray(columns["weight_norm_initial"], np.float64)
    else:
        layers = [f"weight_norm_initial_{k + 1}" for k in range(n_layers)]
        norms = np.column_stack([np.asarray(needed_column(columns, layer), np.float64) for layer in layers])
    found["weight_norm_initial"] = np.sqrt(np.square(norms).sum(axis=1))
    dead = dead_by_layer(columns, "dead_units_initial", experiment)
    if dead is not None:
        widths = experiment.network.relu_widths
        for k, layer in enumerate(relu_layers(experiment.network)):
            found[layer.column("live_units_initial")] = widths[k] - dead[:, k].astype(np.float64)
    return found


def _times(columns: Mapping[str, Any], experiment: Experiment) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the epoch at which each seed converged or was last seen, and whether it converged."""
    epochs, last = (integers(name, needed_column(columns, name)) for name in ("epochs_to_converge", "epochs_run"))
    met = epochs >= 0
    never = (outcome_codes(needed_column(columns, "outcome")) == Outcome.DIVERGED) | (last < experiment.epochs)
    if "stopped_early" in columns:
        never |= np.asarray(columns["stopped_early"], bool)
    return np.where(met, epochs, np.where(never, max(experiment.epochs, 1), last)), met


def _numbers(name: str, value: ArrayLike, n: int) -> NDArray[np.float64]:
    """Return the numbers of a covariate."""
    try:
        numbers = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        numbers = np.array(np.nan)
    if numbers.shape != (n,) or not np.isfinite(numbers).all():
        raise InvalidExperiment(f"covariates[{name!r}]", value, f"{n} finite numbers, one for each seed")
    return numbers


def _fitted(
    scaled: Mapping[str, NDArray[np.float64]], epochs: NDArray[np.int64], met: NDArray[np.bool_], confidence: float
) -> dict[str, tuple[Estimate, float]]:
    """Return the hazard ratio of each covariate, and its p-value."""
    try:
        from statsmodels.duration.hazard_regression import PHReg
    except ImportError as error:
        raise InvalidExperiment("statsmodels", MISSING, 'statsmodels: pip install "fastgrok[survival]"') from error
    from scipy.stats import t

    x = np.column_stack(list(scaled.values()))
    if np.linalg.matrix_rank(x) < x.shape[1]:
        expected = "numbers none of which follows from the others"
        raise InvalidExperiment("covariates", list(scaled), expected)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where it does not converge the interval is as wide as that says
        model = PHReg(epochs.astype(np.float64), x, status=met.astype(np.int64), ties="efron")
        fit = model.fit(groups=np.arange(len(epochs)), disp=0)  # a seed is a group: the robust variance
    of_model = np.diag(np.linalg.pinv(-model.hessian(fit.params), hermitian=True))
    errors, df = np.sqrt(np.maximum(np.square(fit.bse), of_model)), int(met.sum()) - x.shape[1]
    far, p_values = float(t.ppf(0.5 + confidence / 2, df)), 2 * t.sf(abs(fit.params) / errors, df)
    numbers = zip(fit.params.tolist(), errors.tolist(), p_values.tolist(), strict=True)
    ratios = ((Estimate(*(_exp(b + k * error) for k in (0, -far, far))), p) for b, error, p in numbers)
    return dict(zip(scaled, ratios, strict=True))


def _exp(x: float) -> float | None:
    """Return the exponential, None where it is not finite: the interval is open."""
    return math.exp(x) if x < 700 else None
