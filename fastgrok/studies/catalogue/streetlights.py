"""The streetlights of Grokking Deep Learning, chapter 6, number by number."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

import fastgrok as fg
from fastgrok.studies.measures import Expectation, metric, printed, share
from fastgrok.studies.study import Check, Runner, study

START = [np.array([[[0.5], [0.48], [-0.7]]])]
SEED = 1
ONE_ERROR = [
    "0.04", "0.0256", "0.016384", "0.01048576", "0.00671089", "0.00429497", "0.00274878", "0.00175922", "0.0011259",
    "0.00072058", "0.00046117", "0.00029515", "0.00018889", "0.00012089", "7.73712525e-05", "4.95176016e-05",
    "3.1691265e-05", "2.02824096e-05", "1.29807421e-05",
]  # fmt: skip
ONE_PREDICTION = [-0.2, -0.16, -0.128, -0.1024, -0.08192]
ALL_ERRORS = [
    "2.65612311", "0.96287018", "0.55091659", "0.36445837", "0.25167687", "0.17797575", "0.12864461", "0.09511037",
    "0.07194564", "0.05564915", "0.04394764", "0.03535797", "0.028907", "0.02395166", "0.02006311", "0.01695209",
    "0.01442082", "0.01233174", "0.01058739", "0.00911723",
]  # fmt: skip
NOTEBOOK_ERRORS = {0: "0", 10: "0.07710452", 20: "0.03764561", 30: "0.00240581", 40: "9.22274338e-06"}
NOTEBOOK_WEIGHTS = ["-0.5910955", "1.13962134", "-0.94522481", "1.11202675"]
CHAPTER_ERRORS = {
    10: 0.6342311598444467,
    20: 0.35838407676317513,
    30: 0.0830183113303298,
    40: 0.006467054957103705,
    50: 0.0003292669000750734,
    60: 1.5055622665134859e-05,
}


@study(
    seeds=10_000,
    source="notes and notebook on chapter 6 of Grokking Deep Learning, and that chapter's own run",
    protocol="""Errors are squared, of each example before its update; one example an update, in the order given, no
    biases. One streetlight and all six: linear, from weights 0.5, 0.48, -0.7, alpha 0.1. Deep: 3-4-1, ReLU hidden,
    weights as np.random.seed(1) draws them; in the notebook delta is twice the error and alpha 0.1, in the chapter
    delta is the error and alpha 0.2. An observation agrees if it would have been printed as the source prints it, the
    chapter's numbers and the predictions to 10 digits. The deep networks are run from many seeds as well.""",
)
def streetlights(runner: Runner) -> Iterator[Check]:
    """The linear and the deep streetlight networks, number by number."""
    light = _book(fg.mlp(3, 1, bias=False), fg.Dataset([[1, 0, 1]], [0]), 0.1).replace(epochs=len(ONE_ERROR))
    predictions, errors = _before_updates(light, params=START)
    case = "one streetlight"
    yield from _each(case, "error, step", range(1, 1 + len(ONE_ERROR)), errors[:, 0], map(printed, ONE_ERROR))
    yield from _each(case, "prediction, step", range(1, 6), predictions[:5, 0], map(_to_digits, ONE_PREDICTION))
    lights = light.replace(data=fg.datasets.streetlights(), epochs=len(ALL_ERRORS))
    _, errors = _before_updates(lights, params=START)
    sums = errors.sum(axis=1)
    yield from _each("six streetlights", "summed error, epoch", range(1, 21), sums, map(printed, ALL_ERRORS))
    yield from _notebook(runner)
    yield from _chapter(runner)


def _notebook(runner: Runner) -> Iterator[Check]:
    """Run the notebook's deep network: delta is twice the error."""
    case = "deep, notebook"
    exp = _book(fg.mlp(3, 4, 1, bias=False), fg.datasets.deep_streetlights(), 0.1, "squared_error")
    _, errors = _before_updates(exp.replace(epochs=1 + max(NOTEBOOK_ERRORS)))
    last = errors[list(NOTEBOOK_ERRORS), -1]
    yield from _each(case, "last error, epoch", NOTEBOOK_ERRORS, last, map(printed, NOTEBOOK_ERRORS.values()))
    trained = runner.run(exp.replace(epochs=100), [SEED], keep_params=True).params[1].ravel()
    yield from _each(case, "output weight", range(1, 5), trained, map(printed, NOTEBOOK_WEIGHTS))
    yield from _many_seeds(runner, case, exp.replace(epochs=100))


def _chapter(runner: Runner) -> Iterator[Check]:
    """Run the chapter's deep network: delta is the error."""
    case = "deep, chapter 6"
    exp = _book(fg.mlp(3, 4, 1, bias=False), fg.datasets.deep_streetlights(), 0.2)
    _, errors = _before_updates(exp.replace(epochs=max(CHAPTER_ERRORS)))
    sums = errors.sum(axis=1)[np.array(list(CHAPTER_ERRORS)) - 1]
    yield from _each(case, "summed error, epoch", CHAPTER_ERRORS, sums, map(_to_digits, CHAPTER_ERRORS.values()))
    yield from _many_seeds(runner, case, exp.replace(epochs=60))


def _many_seeds(runner: Runner, case: str, exp: fg.Experiment) -> Iterator[Check]:
    """Measure the share of the seeds that do as well as the source's."""
    loss = metric(runner.run(exp), "loss_final")
    source = metric(runner.run(exp, [SEED]), "loss_final")[0]
    yield Check(case, "seeds that end with no more loss", share(loss <= source))


def _book(network: fg.Network, data: fg.Dataset, alpha: float, loss: Any = "half_squared_error") -> fg.Experiment:
    """Return an experiment as in the book: delta is the error, or twice it for "squared_error"."""
    fixed: dict[str, Any] = {"stop": None, "stream": "numpy_legacy"}
    return fg.Experiment(network, data, loss=loss, optimizer=fg.SGD(lr=alpha), **fixed)


def _before_updates(exp: fg.Experiment, **start: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the output and the squared error of each example before its update, (epochs, n_examples) each."""
    trace, targets = fg.replay(exp, SEED, every="step", **start), exp.data.y[:, 0]
    before = trace[f"activation_{len(exp.network.linears)}"].values[:-1, :, 0]  # (n_steps, n_examples)
    outputs = before.reshape(-1, len(targets), len(targets)).diagonal(axis1=1, axis2=2)
    return outputs, (outputs - targets) ** 2


def _to_digits(value: float) -> Expectation:
    """Expect a number to ten digits."""
    half = 1e-10 * abs(value)
    return Expectation(value - half, value + half)


def _each(case: str, name: str, numbers: Any, observed: NDArray[Any], expected: Any) -> Iterator[Check]:
    """Yield a check for each number of a list."""
    for number, value, expectation in zip(numbers, observed, expected, strict=True):
        yield Check(case, f"{name} {number}", value, expectation, "")
