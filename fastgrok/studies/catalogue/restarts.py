"""The weights notebook's network, restarted until it has learned XOR."""

from collections.abc import Iterator
from functools import partial

import numpy as np

import fastgrok as fg
from fastgrok.studies.measures import Measure, at_least, equal, estimated, mean, metric, normal, share
from fastgrok.studies.study import Check, Runner, study

AFTER = 1000
ATTEMPTS = 100
SOURCE_NEEDED = 3
N_ATTEMPTS = 6  # each with a line of its own


def _experiment() -> fg.Experiment:
    """Return one attempt."""
    return fg.Experiment(
        fg.mlp(2, 2, 1, hidden="sigmoid"),
        fg.datasets.xor(),
        loss="squared_error",
        init=fg.TorchLinear(),
        optimizer=fg.Adam(lr=0.01),
        batch_size="full",
        epochs=AFTER,
        stop=fg.Converged(loss=0.01),
    )


@study(
    seeds=100_000,
    source="a network that learns XOR with a new start every 1,000 epochs, and needed 3 attempts; "
    "independent attempts give a geometric law, and its mean time",
    protocol="""XOR, 2-2-1, sigmoid hidden, linear output, mean squared error, full batch, Adam with lr 0.01,
    PyTorch's default initialisation, until the loss is 0.01; new parameters after 1,000 epochs without that, and
    Adam's moments begin anew as well (the source's go on). What is expected comes from first attempts of as many
    other seeds: p is the share that succeeds, T their epochs; the geometric law says that every attempt succeeds with
    p, and the mean time is E[min(T, 1000)] / p.""",
)
def restarts(runner: Runner) -> Iterator[Check]:
    """Is the number of attempts geometric, and is three of them usual?"""
    n = runner.n_seeds
    first = metric(runner.run(_experiment(), range(n, 2 * n)), "epochs_to_converge")
    counts = fg.statistics.Counts.of_epochs(first, until=AFTER)
    p = share(first > 0)
    yield Check("first attempts, other seeds", "succeed", p)
    result = runner.run(_experiment().replace(epochs=ATTEMPTS * AFTER, restart=fg.Restart(after=AFTER)))
    attempts, epochs = metric(result, "restarts") + 1, metric(result, "epochs_run")
    done = metric(result, "epochs_to_converge") > 0
    case = "with restarts"
    yield Check(case, f"solved within {ATTEMPTS} attempts", share(done), equal(1, "geometric law"))
    for k in range(1, N_ATTEMPTS + 1):
        comes, succeeds = attempts >= k, (attempts == k) & done
        law = estimated(p, "geometric law")
        yield Check(case, f"attempt {k} succeeds, if it comes to it", share(succeeds[comes]), law)
    yield Check(case, "mean attempts", mean(attempts), estimated(_inverse(counts.n_converged / n, n), "1 / p"), "")
    formula = estimated(partial(fg.statistics.expected_epochs, counts, AFTER), "cut-off formula")
    yield Check(case, "mean epochs", mean(epochs), formula, "epochs")
    k = SOURCE_NEEDED
    law = estimated(_exactly(k, counts.n_converged / n, n), "p (1 - p)^2")
    yield Check(case, f"needs {k} attempts, as the source", share(attempts == k), law)
    unusual = at_least(0.05, "not unusual: 5 %")
    yield Check(case, f"needs {k} attempts or more", share(attempts >= k), unusual)


def _inverse(p: float, n: int) -> Measure:
    """Return the mean number of attempts, where p was estimated from n of them."""
    return normal(1 / p, float(np.sqrt(p * (1 - p) / n)) / p**2)


def _exactly(k: int, p: float, n: int) -> Measure:
    """Return the probability that attempt k is the first to succeed, where p was estimated from n attempts."""
    slope = (1 - p) ** (k - 2) * (1 - k * p)
    return normal(p * (1 - p) ** (k - 1), abs(slope) * float(np.sqrt(p * (1 - p) / n)))
