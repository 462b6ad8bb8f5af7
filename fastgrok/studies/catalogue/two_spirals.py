"""Two spirals that a network is to tell apart (Lang and Witbrock 1988), without their connections across layers."""

from collections.abc import Iterator
from typing import Any

import numpy as np

import fastgrok as fg
from fastgrok.studies.measures import above, below, equal, mean, metric, share
from fastgrok.studies.study import Check, Runner, study

EPOCHS = 300
_DEEP, _SHALLOW = (2, 5, 5, 5, 1), (2, 20, 1)  # 81 parameters each


def spirals() -> fg.Dataset:
    """Return Wieland's points: 97 on each of two spirals that turn three times around the origin."""
    step = np.arange(97)
    angle, radius = step * np.pi / 16, 6.5 * (104 - step) / 104
    one = np.column_stack([radius * np.sin(angle), radius * np.cos(angle)])
    return fg.Dataset(np.concatenate([one, -one]), np.repeat([1.0, 0.0], 97), "two spirals")


def _experiment(sizes: tuple[int, ...], optimizer: fg.SGD | fg.Rprop) -> fg.Experiment:
    fields: dict[str, Any] = {"bias_init": "same", "batch_size": "full", "epochs": EPOCHS, "dtype": "float32"}
    return fg.Experiment(
        fg.mlp(*sizes, hidden="sigmoid", output="sigmoid"),
        spirals(),
        loss="binary_cross_entropy",
        init=fg.Uniform(-1, 1),
        optimizer=optimizer,
        stop=fg.Converged(max_error=0.4),
        **fields,
    )


@study(
    seeds=10_000,
    source='Lang, Witbrock, "Learning to Tell Two Spirals Apart", 1988: a task of Wieland that is "hard for a '
    'network to learn due to its extreme non-linearity", and back-propagation "generally slows down by an order of '
    'magnitude every time a layer is added", since the error signal is attenuated, unless every layer is connected '
    "to all that follow",
    protocol="""Wieland's 194 points; sigmoids, weights and biases from U(-1, 1), cross-entropy, full batch, 300
    epochs, solved when every output is within 0.4 of its target. PLAIN networks, each layer connected to the
    next one alone: what the source says is hard, not what it made of it. One hidden layer of 20, and
    2-5-5-5-1, 81 parameters each, by gradient descent (rate 0.1) and by Rprop. Of Rprop the source says nothing:
    it goes by the signs of gradients, however attenuated. Seen with 1,000 seeds: with it the deeper
    network is better by a point.""",
)
def two_spirals(runner: Runner) -> Iterator[Check]:
    """Can plain networks tell two spirals apart, and do more layers make it harder?"""
    data, shallow, deep = spirals(), "2-20-1", "2-5-5-5-1"
    yield Check("data", "points", float(len(data.X)), equal(194), "")
    for name, sizes in ((shallow, _SHALLOW), (deep, _DEEP)):
        yield Check("data", f"parameters of {name}", float(fg.mlp(*sizes).n_params), equal(81), "")
    for rule, optimizer, harder in (("descent", fg.SGD(0.1), above(0)), ("Rprop", fg.Rprop(0.01), None)):
        accuracy = {}
        for name, sizes in ((shallow, _SHALLOW), (deep, _DEEP)):
            result = runner.run(_experiment(sizes, optimizer))
            accuracy[name] = metric(result, "accuracy_final")
            yield Check(f"{name}, {rule}", "solved", share(metric(result, "epochs_to_converge") > 0), below(0.01))
            yield Check(f"{name}, {rule}", "accuracy", mean(accuracy[name]))
        more = mean(accuracy[shallow] - accuracy[deep])
        yield Check(rule, f"accuracy, {shallow} more than {deep}", more, harder, "points")
