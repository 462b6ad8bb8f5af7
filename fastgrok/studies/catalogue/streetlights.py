"""The streetlights of Grokking Deep Learning, chapter 6, number by number."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

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
    linear = _book(fg.mlp(3, 1, bias=False), fg.Dataset([[1, 0, 1]], [0]), 0.1)
    errors, _ = _errors(runner, linear, START, len(ONE_ERROR))
    steps = range(1, 1 + len(ONE_ERROR))
    yield from _each("one streetlight", "error, step", steps, errors[:, 0], map(printed, ONE_ERROR))
    yield from _each(
        "one streetlight",
        "prediction, step",
        range(1, 6),
        _predictions(runner, linear),
        map(_to_digits, ONE_PREDICTION),
    )
    linear = linear.replace(data=fg.datasets.streetlights())
    errors, _ = _errors(runner, linear, START, len(ALL_ERRORS))
    yield from _each(
        "six streetlights", "summed error, epoch", range(1, 21), errors.sum(axis=1), map(printed, ALL_ERRORS)
    )
    yield from _notebook(runner)
    yield from _chapter(runner)


def _notebook(runner: Runner) -> Iterator[Check]:
    """Run the notebook's deep network: delta is twice the error."""
    exp = _book(fg.mlp(3, 4, 1, bias=False), fg.datasets.deep_streetlights(), 0.1, "squared_error")
    start = fg.initial_params(exp, [SEED])
    errors, _ = _errors(runner, exp, start, 1 + max(NOTEBOOK_ERRORS))
    last = errors[list(NOTEBOOK_ERRORS), -1]
    yield from _each(
        "deep, notebook", "last error, epoch", NOTEBOOK_ERRORS, last, map(printed, NOTEBOOK_ERRORS.values())
    )
    trained = runner.run(exp.replace(epochs=100), [SEED], keep_params=True).params[1].ravel()
    yield from _each("deep, notebook", "output weight", range(1, 5), trained, map(printed, NOTEBOOK_WEIGHTS))
    yield from _many_seeds(runner, "deep, notebook", exp.replace(epochs=100))


def _chapter(runner: Runner) -> Iterator[Check]:
    """Run the chapter's deep network: delta is the error."""
    exp = _book(fg.mlp(3, 4, 1, bias=False), fg.datasets.deep_streetlights(), 0.2)
    errors, _ = _errors(runner, exp, fg.initial_params(exp, [SEED]), max(CHAPTER_ERRORS))
    sums = errors.sum(axis=1)[np.array(list(CHAPTER_ERRORS)) - 1]
    expected = map(_to_digits, CHAPTER_ERRORS.values())
    yield from _each("deep, chapter 6", "summed error, epoch", CHAPTER_ERRORS, sums, expected)
    yield from _many_seeds(runner, "deep, chapter 6", exp.replace(epochs=60))


def _many_seeds(runner: Runner, case: str, exp: fg.Experiment) -> Iterator[Check]:
    """Say what share of the seeds does as well as the source's one."""
    loss = metric(runner.run(exp), "loss_final")
    ours = metric(runner.run(exp, [SEED]), "loss_final")[0]
    yield Check(case, "seeds that end with no more loss", share(loss <= ours))


def _book(network: fg.Network, data: fg.Dataset, alpha: float, loss: Any = "half_squared_error") -> fg.Experiment:
    """Return one epoch as in the book: delta is the error, or twice it for "squared_error"."""
    fixed: dict[str, Any] = {"epochs": 1, "stop": None, "stream": "numpy_legacy"}
    return fg.Experiment(network, data, loss=loss, optimizer=fg.SGD(lr=alpha), **fixed)


def _errors(runner: Runner, exp: fg.Experiment, params: list[Any], epochs: int) -> tuple[Any, list[Any]]:
    """Return each example's squared error before its update, (epochs, n_examples), and the parameters at the end."""
    data = exp.data
    examples = [exp.replace(data=fg.Dataset([x], [y])) for x, y in zip(data.X, data.y, strict=True)]
    errors = np.empty((epochs, len(examples)))
    for epoch in range(epochs):
        for k, one in enumerate(examples):
            outputs = fg.predict(exp.network, params, one.data.X)
            errors[epoch, k] = ((outputs[0] - one.data.y) ** 2).sum()
            params = runner.run(one, params=params, keep_params=True).params
    return errors, params


def _predictions(runner: Runner, exp: fg.Experiment) -> list[float]:
    """Return the prediction before each of the first steps."""
    after = [runner.run(exp.replace(epochs=k), params=START, keep_params=True) for k in range(len(ONE_PREDICTION))]
    return [float(result.predict(exp.data.X)[0, 0, 0]) for result in after]


def _to_digits(value: float) -> Expectation:
    """Expect a number to ten digits."""
    half = 1e-10 * abs(value)
    return Expectation(value - half, value + half)


def _each(case: str, what: str, places: Any, observed: Sequence[float], expected: Any) -> Iterator[Check]:
    """Yield a check for each number of a list."""
    for place, value, expectation in zip(places, observed, expected, strict=True):
        yield Check(case, f"{what} {place}", value, expectation, "")
