"""The weights notebook's two questions about schemes of initialisation."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

import fastgrok as fg
from fastgrok.studies.measures import above, difference, median, metric, share
from fastgrok.studies.study import Check, Runner, study

EPOCHS = 1000
WIDTHS = (2, 4, 8)
HIDDEN = ("relu", "sigmoid")


def _schemes() -> dict[str, Any]:
    """Return the schemes by name."""
    return {
        "uniform(-1, 1)": fg.Uniform(-1, 1),
        "uniform(-5, 5)": fg.Uniform(-5, 5),
        "xavier_uniform": fg.XavierUniform(),
        "xavier_normal": fg.XavierNormal(),
        "he_uniform": fg.HeUniform(),
        "he_normal": fg.HeNormal(),
        "torch_linear": fg.TorchLinear(),
    }


@study(
    seeds=10_000,
    source="Heaton, Applications of Deep Neural Networks, 3.5: fixed ranges such as -1 to 1 and -5 to 5 are common "
    "and among the least practical, some seeds cannot be trained; He et al. 2015: for ReLU, He is better than Xavier",
    protocol="""XOR, 2-N-1 with the source's training: linear output, mean squared error, full batch, Adam with lr
    0.01, until the loss is 0.01 (solved), 1,000 epochs at most. Biases are zero, and PyTorch's default draws them as
    the weights. Better and more practical are read as: solves XOR from more seeds, compared seed by seed; the
    ranges are compared with the scheme that the source explains, xavier_normal.""",
)
def init_schemes(runner: Runner) -> Iterator[Check]:
    """How consistently do schemes of initialisation give good weights on XOR, and how large is the advantage?"""
    for hidden in HIDDEN:
        for width in WIDTHS:
            case = f"{width} {hidden} units"
            epochs = {name: _epochs(runner, hidden, width, scheme) for name, scheme in _schemes().items()}
            for name in epochs:
                yield Check(case, f"{name}: solved", share(epochs[name] > 0))
                yield Check(
                    case,
                    f"{name}: median epochs",
                    median(fg.statistics.Counts.of_epochs(epochs[name], until=EPOCHS)),
                    unit="epochs",
                )
            yield from _compared(case, hidden, {name: epoch > 0 for name, epoch in epochs.items()})


def _epochs(runner: Runner, hidden: str, width: int, scheme: Any) -> np.ndarray:
    """Return the epochs to convergence from one scheme."""
    exp = fg.Experiment(
        fg.mlp(2, width, 1, hidden=hidden),
        fg.datasets.xor(),
        loss="squared_error",
        init=scheme,
        optimizer=fg.Adam(lr=0.01),
        batch_size="full",
        epochs=EPOCHS,
        stop=fg.Converged(loss=0.01),
    )
    return metric(runner.run(exp), "epochs_to_converge")


def _compared(case: str, hidden: str, solved: Mapping[str, np.ndarray]) -> Iterator[Check]:
    """Compare the schemes of which a source says that one is better."""
    worst = share(~np.logical_and.reduce(list(solved.values())))
    yield Check(case, "seeds that some scheme cannot train", worst, above(0))
    pairs = [("xavier_normal", "uniform(-1, 1)", "source"), ("xavier_normal", "uniform(-5, 5)", "source")]
    if hidden == "relu":
        pairs += [("he_normal", "xavier_normal", "He et al."), ("he_uniform", "xavier_uniform", "He et al.")]
    for better, worse, by in pairs:
        gain = difference(solved[better], solved[worse])
        yield Check(case, f"{better} more than {worse}", gain, above(0, by), "points")
