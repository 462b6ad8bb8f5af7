"""Numbers that people report of small networks, trained again."""

from collections.abc import Iterator
from typing import Any

import numpy as np

import fastgrok as fg
from fastgrok.spec.variables import Outcome
from fastgrok.studies.measures import Expectation, difference, metric, share
from fastgrok.studies.study import Check, Runner, study

_XOR = fg.datasets.xor()
_SIGMOIDS: dict[str, Any] = {"hidden": "sigmoid", "output": "sigmoid"}
_TORCH = {2: (0.308, 0.207), 4: (0.769, 0.631), 8: (0.985, 0.950)}  # by width: PyTorch's biases, and zeros
_HE_LESS_XAVIER = {0.01: 0.050, 0.03: 0.041, 0.1: 0.021, 0.2: -0.027, 0.3: -0.009, 0.5: -0.014}  # by learning rate
_RULES: dict[str, tuple[float, dict[str, Any]]] = {
    "online": (0.96, {"optimizer": fg.SGD(1, momentum=0.7)}),
    "full batch": (0.99, {"optimizer": fg.SGD(1, momentum=0.7), "batch_size": "full"}),
    "Rprop": (0.80, {"optimizer": fg.Rprop(), "batch_size": "full"}),
}


def _about(value: float, within: float) -> Expectation:
    """Expect a number that was reported, give or take."""
    return Expectation(value - within, value + within, by="reported")


def _solves(runner: Runner, experiment: fg.Experiment) -> np.ndarray:
    """Return which seeds meet the criteria."""
    return metric(runner.run(experiment), "epochs_to_converge") > 0


@study(
    seeds=20_000,
    source="figures that users and papers report: XOR with PyTorch's initialisation, sigmoids on XOR, a line that "
    "ReLUs do not learn",
    protocol="""Each as it was reported; what a source leaves open is said here. XOR, ReLU 2-N-1: SGD 0.1, single
    examples, 2,000 epochs, loss 0.01; He against Xavier: normal, zero biases, 20,000 epochs. Sigmoids 2-2-1: U(-1, 1)
    for biases too, half the squared error, SGD 0.5, single examples, 2,000 epochs, every output on its target's side.
    Sigmoids 2-3-1: the same start, squared error, rate 1 and momentum 0.7, 2,000 epochs, loss 0.01; the sources name
    no criterion, and counted few runs, so that 3 points either way agree. y = 2x - 1 at x = -1, 0, 1, 2, 3, 4:
    1-4-2-1 with ReLUs throughout, Xavier's uniform, Adam 0.001, full batch, 500 epochs. Encoders have a study of
    their own.""",
)
def reported(runner: Runner) -> Iterator[Check]:
    """Do figures that people report of their own networks come out the same?"""
    for width, (drawn, zeros) in _TORCH.items():
        exp = fg.Experiment(fg.mlp(2, width, 1), _XOR, init=fg.TorchLinear(), epochs=2000)
        case = f"XOR, ReLU 2-{width}-1, PyTorch's initialisation"
        yield Check(case, "solved", share(_solves(runner, exp)), _about(drawn, 0.0005))
        solved = share(_solves(runner, exp.replace(bias_init=fg.Zeros())))
        yield Check(case, "solved, with zero biases", solved, _about(zeros, 0.0005))
    yield from _rates(runner)
    yield from _sigmoids(runner)
    yield from _line(runner)


def _rates(runner: Runner) -> Iterator[Check]:
    """Yield the checks of He's initialisation against Xavier's by learning rate."""
    for lr, more in _HE_LESS_XAVIER.items():
        exp = fg.Experiment(fg.mlp(2, 4, 1), _XOR, optimizer=fg.SGD(lr), epochs=20_000)
        he, xavier = (_solves(runner, exp.replace(init=init)) for init in (fg.HeNormal(), fg.XavierNormal()))
        case = f"XOR, ReLU 2-4-1, rate {lr:g}"
        yield Check(case, "solved, He less Xavier", difference(he, xavier), _about(more, 0.0005), "points")


def _sigmoids(runner: Runner) -> Iterator[Check]:
    """Yield the checks of sigmoids on XOR."""
    start: dict[str, Any] = {"init": fg.Uniform(-1, 1), "bias_init": "same", "epochs": 2000}
    exp = fg.Experiment(
        fg.mlp(2, 2, 1, **_SIGMOIDS), _XOR, optimizer=fg.SGD(0.5), stop=fg.Converged(accuracy=1), **start
    )
    yield Check("XOR, sigmoids 2-2-1", "solved", share(_solves(runner, exp)), _about(0.765, 0.005))
    net = fg.mlp(2, 3, 1, **_SIGMOIDS)
    for rule, (value, fields) in _RULES.items():
        exp = fg.Experiment(net, _XOR, loss="squared_error", stop=fg.Converged(loss=0.01), **start, **fields)
        yield Check(f"XOR, sigmoids 2-3-1, {rule}", "solved", share(_solves(runner, exp)), _about(value, 0.03))


def _line(runner: Runner) -> Iterator[Check]:
    """Yield the checks of a line that ReLUs are to learn."""
    x = np.arange(-1.0, 5.0)[:, None]
    exp = fg.Experiment(
        fg.mlp(1, 4, 2, 1, output="relu"),
        fg.Dataset(x, 2 * x - 1, "line"),
        loss="squared_error",
        init=fg.XavierUniform(),
        optimizer=fg.Adam(0.001),
        batch_size="full",
        epochs=500,
        stop=None,
    )
    dead = metric(runner.run(exp), "outcome") == Outcome.DEAD
    yield Check("y = 2x - 1, ReLU 1-4-2-1", "dead", share(dead), _about(0.65, 0.005))
