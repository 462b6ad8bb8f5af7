"""Deep linear networks learn the modes of the data one after the other (Saxe, McClelland, Ganguli 2014)."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

import fastgrok as fg
from fastgrok.studies.measures import Expectation, above, mean, metric, share
from fastgrok.studies.study import Check, Runner, study

LR, EPOCHS, START = 0.01, 3000, 0.001
_FEATURES = np.array(  # of canary, salmon, oak, rose: grow; move, roots; one of their own each
    [[1, 1, 0, 1, 0, 0, 0], [1, 1, 0, 0, 1, 0, 0], [1, 0, 1, 0, 0, 1, 0], [1, 0, 1, 0, 0, 0, 1]]
)
_ITEMS = 2 * np.eye(4)  # so that X^T X / 4 is the identity
_EVERY = 10  # epochs at which strengths are recorded
_HALF = 0.5  # of its final strength, by which a mode counts as learned


def modes() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the inputs' sides of the modes (4, 4), their strengths (4,), the outputs' sides (4, 7)."""
    return np.linalg.svd(_ITEMS.T @ _FEATURES / 4, full_matrices=False)


def _experiment() -> fg.Experiment:
    fields: dict[str, Any] = {"batch_size": "full", "epochs": EPOCHS, "stop": None}
    net = fg.mlp(4, 4, 7, hidden="linear", bias=False)
    return fg.Experiment(net, fg.Dataset(_ITEMS, _FEATURES, "items"), optimizer=fg.SGD(LR), **fields)


def closed_form(strength: float, start: float, end: float) -> float:
    """Return the epochs from one strength of a mode to another: (tau / 2 s) ln[u_f (s - u_0) / (u_0 (s - u_f))]."""
    return float(np.log(end * (strength - start) / (start * (strength - end))) / (2 * strength * LR))


@study(
    seeds=10_000,
    source='Saxe, McClelland, Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep linear neural '
    'networks", 2014: a mode of strength s grows from u_0 to u_f in (tau / 2 s) ln[u_f (s - u_0) / (u_0 (s - '
    "u_f))] epochs, stage by stage, stronger ones first; and from small random weights nearly so",
    protocol="""Four items with seven features: all grow, two move, two have roots, each has one of its own;
    modes of strength 1.32, 0.87, 0.5, 0.5. 4-4-7, linear, no biases, half the squared error, full batch, rate
    0.01, so that tau is 100 epochs, 3,000 epochs. Once from weights that are aligned with the modes, each at
    0.001, turned at random between the layers for each seed; once from weights of N(0, 0.01). A mode is learned
    at half its strength, looked at every 10 epochs; epochs agree within 2 % and 10.""",
)
def linear_modes(runner: Runner) -> Iterator[Check]:
    """Does each mode of the data grow at the time that the closed form says?"""
    exp, (_, strengths, _) = _experiment(), modes()
    record = list(range(0, EPOCHS + 1, _EVERY))
    aligned = runner.run(exp, params=_aligned(runner.n_seeds), measures={"u": _strengths}, record_at=record)
    epochs = _learned(aligned.dataset["u"].values, strengths, record)
    for k, strength in enumerate(strengths):
        expected = closed_form(strength, START, _HALF * strength)
        near = Expectation(0.98 * expected - _EVERY, 1.02 * expected + _EVERY, by="closed form")
        yield Check("aligned", f"mode {k + 1} learned", mean(epochs[:, k]), near, "epochs")
    rising = aligned.dataset["u"].values[:, record.index(400)].mean(axis=0)
    for k in (0, 2):
        grown = closed_form(strengths[k], START, float(rising[k]))
        near = Expectation(0.98 * 400, 1.02 * 400, by="closed form")
        yield Check("aligned", f"epochs to what mode {k + 1} is after 400", grown, near, "epochs")
    random = runner.run(exp.replace(init=fg.Normal(0, 0.01)), measures={"u": _strengths}, record_at=record)
    epochs = _learned(random.dataset["u"].values, strengths, record)
    yield Check("random", "all modes learned", share((epochs < EPOCHS).all(axis=1)), above(0.99))
    yield Check("random", "mode 1 before mode 2", share(epochs[:, 0] < epochs[:, 1]), above(0.99))
    yield Check("random", "mode 2 before mode 3", share(epochs[:, 1] < epochs[:, 2]), above(0.9))
    final = metric(random, "loss_final")
    yield Check("random", "loss in the end below 0.01", share(final < 0.01), above(0.99))


def _strengths(params: list[np.ndarray]) -> np.ndarray:
    """Return the strength of each mode in each network, (n, 4)."""
    inputs, _, outputs = modes()
    return np.asarray(np.einsum("ik,nih,nho,ko->nk", inputs, params[0], params[1], outputs, optimize=True))


def _aligned(n: int) -> list[NDArray[np.float64]]:
    """Return weights whose product has each mode at `START`, the units between turned at random."""
    inputs, _, outputs = modes()
    turns = np.linalg.qr(np.random.default_rng(0).standard_normal((n, 4, 4)))[0]
    size = np.sqrt(START)
    return [size * inputs @ turns, size * turns.swapaxes(1, 2) @ outputs]


def _learned(u: NDArray[np.float64], strengths: NDArray[np.float64], epochs: list[int]) -> NDArray[np.float64]:
    """Return the first recorded epoch at which each mode is half of what it will be, (n, 4); the last: never."""
    reached = u >= _HALF * strengths  # (n, n_epochs, 4)
    first = np.where(reached.any(axis=1), reached.argmax(axis=1), len(epochs) - 1)
    return np.array(epochs, np.float64)[first]
