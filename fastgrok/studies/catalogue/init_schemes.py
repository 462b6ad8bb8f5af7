"""The weights notebook's two questions about schemes of initialisation."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

import fastgrok as fg
from fastgrok.studies.measures import above, difference, mean, median, metric, share
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
    the weights. Better and more practical are read as: solves XOR from more seeds, compared seed by seed. The range
    -5 to 5 is compared, at every width, with the scheme that the source explains, xavier_normal; the range -1 to 1
    has nearly the variances of Xavier here (the same, 1/3, in the first layer of four units), so that nothing is
    expected of it. He is compared with Xavier in the mean over the widths: with two units it is half a point.""",
)
def init_schemes(runner: Runner) -> Iterator[Check]:
    """How consistently do schemes of initialisation give good weights on XOR, and how large is the advantage?"""
    for hidden in HIDDEN:
        solved = {}
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
            solved[width] = {name: epoch > 0 for name, epoch in epochs.items()}
            yield from _ranges(case, solved[width])
        if hidden == "relu":
            yield from _he(list(solved.values()))


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


def _ranges(case: str, solved: Mapping[str, np.ndarray]) -> Iterator[Check]:
    """Compare the fixed ranges, which a source calls least practical, with the scheme that it explains."""
    worst = share(~np.logical_and.reduce(list(solved.values())))
    yield Check(case, "seeds that some scheme cannot train", worst, above(0))
    for name, expected in (("uniform(-1, 1)", None), ("uniform(-5, 5)", above(0))):
        gain = difference(solved["xavier_normal"], solved[name])
        yield Check(case, f"xavier_normal more than {name}", gain, expected, "points")


def _he(solved: Sequence[Mapping[str, np.ndarray]]) -> Iterator[Check]:
    """Compare the schemes of He and Xavier in the mean over the widths, seed by seed."""
    for better, worse in (("he_normal", "xavier_normal"), ("he_uniform", "xavier_uniform")):
        gain = mean(np.mean([each[better] * 1.0 - each[worse] for each in solved], axis=0))
        case = f"{', '.join(map(str, WIDTHS))} relu units"
        yield Check(case, f"{better} more than {worse}", gain, above(0, "He et al."), "points")
