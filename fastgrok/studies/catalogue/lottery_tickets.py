"""Lottery tickets: weights that are large at the end, alone, from their start again."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

import fastgrok as fg
from fastgrok.studies.measures import above, at_least, below, difference, mean, metric, share
from fastgrok.studies.study import Check, Runner, study

HIDDEN = 16
KEPT = (0.5, 0.25, 0.125)
MODERATE = 0.5
SHUFFLING_SEED = 0


def _experiment() -> fg.Experiment:
    """Return the training of the whole network."""
    return fg.Experiment(
        fg.mlp(2, HIDDEN, 1, output="sigmoid"),
        fg.datasets.xor(),
        loss="binary_cross_entropy",
        init=fg.XavierNormal(),
        optimizer=fg.SGD(lr=0.5),
        batch_size="full",
        epochs=2000,
        stop=fg.Converged(loss=0.05),
    )


def largest(values: NDArray[np.floating], share_kept: float) -> NDArray[np.bool_]:
    """Return which weights of each network and layer are among its largest, (n_seeds, fan_in, fan_out)."""
    flat = np.abs(values).reshape(len(values), -1)
    rank = flat.argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
    n_cut = flat.shape[1] - round(share_kept * flat.shape[1])
    return np.asarray(rank >= n_cut).reshape(values.shape)


@study(
    seeds=20_000,
    source="Frankle and Carbin, 'The Lottery Ticket Hypothesis: Finding Sparse, Trainable Neural Networks', 2019: "
    "the weights that are largest after training, with the start that they had, learn at least as fast and as well "
    "as the whole network; with another start, or as many weights at random, they learn worse and more slowly",
    protocol="""XOR, 2-16-1 with biases, ReLU hidden, sigmoid output, cross-entropy, full batch, SGD with lr 0.5,
    weights by Xavier's normal distribution, zero biases, until the loss is 0.05 or 2,000 epochs are over. Of each
    seed's own trained network the largest 50, 25 and 12.5 % of the weights of each layer are kept (one shot, biases
    all), set back to what they started with, and trained again: a ticket. Beside it as many weights of each layer at
    random with the same start, and the ticket's masks with the start of another seed. The source prunes networks of
    266,000 weights and more, in several rounds, on MNIST and CIFAR-10; of 48 weights it claims nothing. That tickets
    do as well and are faster it says of a moderate share, which is taken to be 50 %; the smaller ones have no
    expectation there. Seen with 4,000 seeds: tickets are far better than both others at every size, and as good as
    the whole network at 50 %, but never faster.""",
)
def lottery_tickets(runner: Runner) -> Iterator[Check]:
    """Do the weights that turn out large learn XOR without the others?"""
    exp, rng = _experiment(), np.random.default_rng(SHUFFLING_SEED)
    start = fg.initial_params(exp, runner.n_seeds)
    whole = runner.run(exp, params=start, keep_params=True)
    assert whole.params is not None
    dense = metric(whole, "epochs_to_converge") > 0
    yield Check("all weights", "solved", share(dense))
    yield Check("all weights", "mean epochs of those solved", mean(_epochs(whole)[dense]), unit="epochs")
    other = [np.roll(array, 1, axis=0) for array in start]
    for kept in KEPT:
        case = f"{100 * kept:g} %"
        tickets = [largest(array, kept) if array.ndim == 3 else None for array in whole.params]
        random = [largest(rng.random(array.shape), kept) if array.ndim == 3 else None for array in start]
        found = {
            "ticket": runner.run(exp, params=start, masks=tickets),
            "random": runner.run(exp, params=start, masks=random),
            "other start": runner.run(exp, params=other, masks=tickets),
        }
        solved = {name: metric(result, "epochs_to_converge") > 0 for name, result in found.items()}
        for name in found:
            yield Check(case, f"{name}: solved", share(solved[name]))
        for name in ("random", "other start"):
            gain = difference(solved["ticket"], solved[name])
            yield Check(case, f"ticket solved, more than {name}", gain, above(0), "points")
        as_well, faster = (at_least(0, "source"), below(0)) if kept == MODERATE else (None, None)
        gain = difference(solved["ticket"], dense)
        yield Check(case, "ticket solved, more than all weights", gain, as_well, "points")
        more = mean((_epochs(found["ticket"]) - _epochs(whole))[solved["ticket"] & dense])
        yield Check(case, "epochs of a ticket, more than of all weights", more, faster, "epochs")


def _epochs(result: fg.Result) -> NDArray[np.float64]:
    """Return the epochs that each seed ran."""
    return metric(result, "epochs_run").astype(np.float64)
