"""Kolen and Pollack's range of initial weights."""

from collections.abc import Iterator

import numpy as np

import fastgrok as fg
from fastgrok.studies.measures import above, below, difference, metric, ratio, share
from fastgrok.studies.study import Check, Runner, study

RANGES = (0.5, 1, 2, 5, 10)
SETTINGS = tuple((lr, momentum) for lr in (0.5, 1, 2) for momentum in (0, 0.9))
EPOCHS = 10_000


@study(
    seeds=20_000,
    source='Kolen, Pollack, "Back propagation is sensitive to initial conditions", 1990: the share of networks that '
    "fail on XOR grows strongly with the range of the initial weights, and hardly depends on rate and momentum",
    protocol="""XOR, 2-2-1, sigmoid units, weights and biases U(-r, r), 1/2 squared error, one example an update in
    fixed order, SGD with momentum, float32. Fails: some output is 0.4 or more from its target after every one of
    10,000 epochs (the paper waits for 50,000; this keeps the study under a minute). "Hardly depends" is read as: at
    no range do two settings of rate and momentum differ by a quarter of what the range makes of difference from
    end to end, averaged over settings.""",
)
def init_range(runner: Runner) -> Iterator[Check]:
    """Does a wide initial range keep XOR from being learned, whatever the rate and the momentum?"""
    failed: dict[tuple[float, float, float], np.ndarray] = {}
    for lr, momentum in SETTINGS:
        case = f"lr {lr:g}, momentum {momentum:g}"
        for r in RANGES:
            result = runner.run(
                fg.Experiment(
                    fg.mlp(2, 2, 1, hidden="sigmoid", output="sigmoid"),
                    fg.datasets.xor(),
                    init=fg.Uniform(-r, r),
                    bias_init="same",
                    optimizer=fg.SGD(lr=lr, momentum=momentum),
                    epochs=EPOCHS,
                    stop=fg.Converged(max_error=0.4),
                    dtype="float32",
                )
            )
            failed[lr, momentum, r] = metric(result, "epochs_to_converge") < 0
            yield Check(case, f"fails, range {r:g}", share(failed[lr, momentum, r]))
        growth = difference(failed[lr, momentum, RANGES[-1]], failed[lr, momentum, RANGES[0]])
        yield Check(case, f"more with range {RANGES[-1]:g} than with {RANGES[0]:g}", growth, above(0), "points")
    yield from _settings(failed)


def _settings(failed: dict[tuple[float, float, float], np.ndarray]) -> Iterator[Check]:
    """Compare settings at each range: those that fail most often and least often."""
    least, most = (np.mean([failed[*setting, r] for setting in SETTINGS], axis=0) for r in (RANGES[0], RANGES[-1]))
    for r in RANGES:
        rows = sorted((failed[*setting, r] for setting in SETTINGS), key=np.mean)
        yield Check(
            f"range {r:g}",
            "spread over settings, of the range's effect",
            ratio(rows[-1] * 1.0 - rows[0], most - least),
            below(0.25, "source, as read"),
        )
