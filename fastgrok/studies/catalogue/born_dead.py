"""How often a ReLU network is born dead, and what becomes of it."""

from collections.abc import Iterator

import numpy as np

import fastgrok as fg
from fastgrok.studies.measures import above, at_most, difference, equal, metric, share
from fastgrok.studies.study import Check, Runner, study

WIDTHS, DEPTHS = (1, 2, 4), (1, 2, 3, 5, 10)
TRAINED = (2, 3)  # width and depth


def _experiment(width: int, depth: int, data: fg.Dataset) -> fg.Experiment:
    """Return a ReLU network of two inputs and one linear output, with He's weights and zero biases."""
    return fg.Experiment(fg.mlp(2, *[width] * depth, 1), data, init=fg.HeNormal())


def _with_rai(exp: fg.Experiment) -> fg.Experiment:
    """Return the same with randomized asymmetric initialisation of weights and biases."""
    return exp.replace(init=fg.RAI(), bias_init="same")


@study(
    seeds=100_000,
    source='Lu, Shin, Su, Karniadakis, "Dying ReLU and Initialization", 2020: with D layers of N units, symmetric '
    "weights and zero biases, one nonzero example finds the network born dead with probability 1 - (1 - 2^-N)^D, "
    "several examples no more often; it stays dead; and their RAI makes this rarer and training succeed more often",
    protocol="""2-N-...-N-1, ReLU hidden, linear output, He's normal weights, zero biases; and RAI of weights and
    biases beside it. Once on the single example (1, -0.3), once on the four of XOR, where the bound is the same and
    for one layer the probability is 4^-N. Born dead: every unit of some layer has z <= 0 on every example. Then three
    layers of two units are trained on XOR: half squared error, one example an update, SGD with lr 0.1, until the loss
    is 0.01 (solved), 1,000 epochs at most.""",
)
def born_dead(runner: Runner) -> Iterator[Check]:
    """How often a deep narrow ReLU network is dead before it is trained, and whether it recovers."""
    single, xor = fg.Dataset([[1, -0.3]], [1], name="one example"), fg.datasets.xor()
    for width in WIDTHS:
        for depth in DEPTHS:
            case = f"width {width}, depth {depth}"
            expected = 1 - (1 - 2.0**-width) ** depth
            yield Check(case, "born dead on one example", share(_dead(runner, width, depth, single)), equal(expected))
            he, rai = (_dead(runner, width, depth, xor, rai=rai) for rai in (False, True))
            yield Check(case, "born dead on xor", share(he), at_most(expected))
            if depth == 1:
                yield Check(case, "born dead on xor", share(he), equal(4.0**-width))
            yield Check(case, "born dead on xor, RAI", share(rai))
            yield Check(case, "born dead on xor, less with RAI", difference(he, rai), above(0), "points")
    yield from _trained(runner)


def _dead(runner: Runner, width: int, depth: int, data: fg.Dataset, *, rai: bool = False) -> np.ndarray:
    """Return which seeds are born dead."""
    exp = _experiment(width, depth, data).replace(epochs=0)
    return metric(runner.run(_with_rai(exp) if rai else exp), "born_dead")


def _trained(runner: Runner) -> Iterator[Check]:
    """Train a network that is often born dead."""
    width, depth = TRAINED
    case = f"width {width}, depth {depth}, trained"
    exp = _experiment(width, depth, fg.datasets.xor())
    result = runner.run(exp)
    dead, solved = metric(result, "born_dead"), metric(result, "epochs_to_converge") > 0
    end = (metric(result, "dead_units_final") == width).any(axis=1)
    yield Check(case, "born dead: solved", share(solved[dead]), equal(0))
    yield Check(case, "born dead: dead at the end", share(end[dead]), equal(1))
    yield Check(case, "born alive: solved", share(solved[~dead]))
    yield Check(case, "born alive: dead at the end", share(end[~dead]))
    rai = metric(runner.run(_with_rai(exp)), "epochs_to_converge") > 0
    yield Check(case, "solved, RAI", share(rai))
    yield Check(case, "solved, more with RAI", difference(rai, solved), above(0), "points")
