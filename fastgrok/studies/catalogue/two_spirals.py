"""Two spirals that a network is to tell apart (Lang and Witbrock 1988), without their connections across layers."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

import fastgrok as fg
from fastgrok.studies.measures import above, below, equal, mean, metric, share
from fastgrok.studies.study import Check, Runner, study

EPOCHS = 500
_DEEP, _SHALLOW = (2, 5, 5, 5, 1), (2, 20, 1)  # 81 parameters each


def spirals() -> fg.Dataset:
    """Return Wieland's points: 97 on each of two spirals that turn three times around the origin."""
    step = np.arange(97)
    angle, radius = step * np.pi / 16, 6.5 * (104 - step) / 104
    one = np.column_stack([radius * np.sin(angle), radius * np.cos(angle)])
    return fg.Dataset(np.concatenate([one, -one]), np.repeat([1.0, 0.0], 97), "two spirals")


def _experiment(sizes: tuple[int, ...], hidden: str, optimizer: Any) -> fg.Experiment:
    fields: dict[str, Any] = {"bias_init": "same", "batch_size": "full", "epochs": EPOCHS, "dtype": "float32"}
    return fg.Experiment(
        fg.mlp(*sizes, hidden=hidden, output="sigmoid"),
        spirals(),
        loss="binary_cross_entropy",
        init=fg.Uniform(-1, 1),
        optimizer=optimizer,
        stop=fg.Converged(max_error=0.4),
        **fields,
    )


@study(
    seeds=10_000,
    source='Lang, Witbrock, "Learning to Tell Two Spirals Apart", 1988: a task of Wieland that is hard for a '
    "network, being so far from linear, and harder the deeper it is, unless every layer is connected to all "
    "that follow; with these 2-5-5-5-1 took about 20,000 epochs (as Fahlman and Lebiere report it, 1990)",
    protocol="""Wieland's 194 points; sigmoids, weights and biases from U(-1, 1), cross-entropy, full batch, 500
    epochs, solved when every output is within 0.4 of its target. PLAIN networks, each layer connected to the
    next one alone: not the original's. A single unit; one hidden layer of 20, and 2-5-5-5-1, 81 parameters
    each, by gradient descent (rate 0.1) and by Rprop; and 2-5-5-5-1 of tanh by Rprop.""",
)
def two_spirals(runner: Runner) -> Iterator[Check]:
    """Can plain networks tell two spirals apart in 500 epochs?"""
    data, shallow, deep = spirals(), "2-20-1", "2-5-5-5-1"
    yield Check("data", "points", float(len(data.X)), equal(194), "")
    yield Check("data", "parameters of 2-5-5-5-1", float(fg.mlp(*_DEEP).n_params), equal(81), "")
    accuracy, _ = _run(runner, (2, 1), "sigmoid", fg.Rprop(0.01))
    yield Check("one unit", "accuracy", mean(accuracy), below(0.6))
    by_descent, by_rprop = {}, {}
    for name, sizes in ((shallow, _SHALLOW), (deep, _DEEP)):
        by_descent[name], solved = _run(runner, sizes, "sigmoid", fg.SGD(0.1))
        yield Check(f"{name}, descent", "solved", share(solved), below(0.01))
        yield Check(f"{name}, descent", "accuracy", mean(by_descent[name]))
        by_rprop[name], solved = _run(runner, sizes, "sigmoid", fg.Rprop(0.01))
        yield Check(f"{name}, Rprop", "solved", share(solved))
        more = mean(by_rprop[name] - by_descent[name])
        yield Check(f"{name}, Rprop", "accuracy, more than by descent", more, above(0), "points")
    harder = mean(by_rprop[shallow] - by_rprop[deep])
    yield Check("Rprop", f"accuracy, {shallow} more than {deep}", harder, above(0, "deeper is harder"), "points")
    tanh, solved = _run(runner, _DEEP, "tanh", fg.Rprop(0.01))
    yield Check(f"{deep} of tanh, Rprop", "solved", share(solved))
    more = mean(tanh - by_rprop[deep])
    yield Check(f"{deep} of tanh, Rprop", "accuracy, more than of sigmoids", more, above(0, "steeper"), "points")


def _run(
    runner: Runner, sizes: tuple[int, ...], hidden: str, optimizer: Any
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the accuracy of each seed, and whether it solved the task."""
    result = runner.run(_experiment(sizes, hidden, optimizer))
    return metric(result, "accuracy_final"), metric(result, "epochs_to_converge") > 0
