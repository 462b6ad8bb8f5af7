"""A deep narrow ReLU network that is to learn |x| (Lu et al.)."""

from collections.abc import Iterator
from typing import Any

import numpy as np

import fastgrok as fg
from fastgrok.spec.losses import Loss
from fastgrok.spec.variables import Outcome
from fastgrok.studies.measures import above, at_most, below, difference, equal, mean, metric, share
from fastgrok.studies.study import Check, Runner, study

WIDTH, HIDDEN = 2, 9  # ten layers with weights
_ROOT = float(np.sqrt(3))


def _experiment(loss: Loss, hidden: int = HIDDEN) -> fg.Experiment:
    """Return a network of width 2 on 64 points of |x| from -sqrt(3) to sqrt(3)."""
    x = np.linspace(-_ROOT, _ROOT, 64)[:, None]
    fields: dict[str, Any] = {"batch_size": "full", "epochs": 2000, "stop": None}
    return fg.Experiment(
        fg.mlp(1, *[WIDTH] * hidden, 1),
        fg.Dataset(x, np.abs(x), "|x|"),
        loss=loss,
        init=fg.HeNormal(),
        optimizer=fg.Adam(0.001),
        **fields,
    )


@study(
    seeds=10_000,
    source='Lu, Su, Karniadakis, "Collapse of Deep and Narrow Neural Nets", 2018, and Lu, Shin, Su, Karniadakis, '
    '"Dying ReLU and Initialization", 2019: |x| needs one layer of two ReLUs, and a ReLU network of ten '
    "layers of width 2 most often ends as a constant, the mean of the targets with the squared error and "
    "their median with the absolute one; since it is dead from the start, or near it; asymmetric "
    "initialisation helps",
    protocol="""1-2-...-2-1 of nine hidden layers, He's normal weights, zero biases, 64 points from -sqrt(3) to
    sqrt(3), Adam 0.001, full batch, 2,000 epochs. Collapsed: the outputs' range over the points is below 0.001.
    Born dead at most with probability 1 - (1 - 2^-2)^8: the first layer of one input is never dead, and each
    later one is with probability 2^-2 where but one side of 0 is left. With one hidden layer none is born dead.
    Mean and median of |x| are both sqrt(3) / 2: each loss has it as its centre.""",
)
def absolute_value(runner: Runner) -> Iterator[Check]:
    """How often does a deep narrow network end as a constant?"""
    exp, collapsed = _experiment("squared_error"), {}
    medians = (np.quantile(exp.data.y, 0.5, method=method) for method in ("lower", "higher"))
    centres: dict[Loss, tuple[float, ...]] = {
        "squared_error": (float(exp.data.y.mean()),) * 2,
        "absolute_error": tuple(map(float, medians)),  # what lies between them is a median, too
    }
    for loss, (low, high) in centres.items():
        case = f"ten layers, {loss.replace('_', ' ')}"
        result = runner.run(_experiment(loss), measures={"span": _span, "level": _level})
        flat = result.dataset["span"].values < 1e-3
        collapsed[loss] = flat
        yield Check(case, "collapsed", share(flat), above(0.5, "most often"))
        dead = metric(result, "outcome") == Outcome.DEAD
        yield Check(case, "collapsed, of those that end dead", share(flat[dead]), equal(1.0, "closed form"))
        levels = result.dataset["level"].values[dead]
        yield Check(
            case,
            "level of the dead: distance from its centre",
            mean(np.abs(levels - np.clip(levels, low, high))),
            below(0.01),
            "",
        )
    born = metric(runner.run(exp.replace(epochs=0)), "born_dead")
    yield Check("ten layers", "born dead", share(born), at_most(1 - (1 - 2.0**-WIDTH) ** (HIDDEN - 1)))
    flat = collapsed["squared_error"]
    yield Check("ten layers", "born dead: collapsed", share(flat[born]), equal(1.0))
    rai = runner.run(exp.replace(init=fg.RAI(), bias_init="same"), measures={"span": _span})
    less = difference(flat, rai.dataset["span"].values < 1e-3)
    yield Check("ten layers", "collapsed, less with RAI", less, above(0), "points")
    one = runner.run(_experiment("squared_error", 1).replace(epochs=0))
    yield Check("one hidden layer", "born dead", share(metric(one, "born_dead")), equal(0.0))


def _span(outputs: np.ndarray) -> np.ndarray:
    """Return the range of each network's outputs."""
    return np.asarray(np.ptp(outputs, axis=(1, 2)))


def _level(outputs: np.ndarray) -> np.ndarray:
    """Return the mean of each network's outputs."""
    return np.asarray(outputs.mean(axis=(1, 2)))
