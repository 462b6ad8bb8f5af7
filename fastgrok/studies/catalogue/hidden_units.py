"""XOR by the number of hidden units."""

from collections.abc import Iterator

import fastgrok as fg
from fastgrok.statistics.text import plural
from fastgrok.studies.measures import above, difference, equal, median, share
from fastgrok.studies.study import Check, Runner, study

WIDTHS = (1, 2, 3, 4, 6, 8)
TOLERANCE = 0.01
EPOCHS, LONGER = 1000, 20_000


@study(
    seeds=100_000,
    source="the four losses at which ReLU, sigmoid and cross-entropy end on XOR; one ReLU unit cannot solve it "
    "(closed forms); that more units help is common knowledge",
    protocol="""XOR, 2-N-1 with biases, ReLU hidden, sigmoid output, cross-entropy, weights U(-1, 1), zero biases,
    full batch, SGD with lr 1, until the loss is 0.005 (solved), 1,000 epochs at most; seeds whose loss is then
    within 0.01 of none of the four losses have 20,000 epochs. The others count as ended where they are: of 18,450 of
    them that were trained on, 2 moved on. The four are 0, (1/2) ln 2, (3/4) H(1/3) and ln 2, where H is the binary
    entropy. With zero biases a unit is dead on XOR where both its weights are negative: N units
    with probability 4^-N.""",
)
def hidden_units(runner: Runner) -> Iterator[Check]:
    """How often and how fast XOR is solved by N hidden units, and where the rest end."""
    fewer = None
    for width in WIDTHS:
        case = plural(width, "unit")
        exp = fg.Experiment(
            fg.mlp(2, width, 1, output="sigmoid"),
            fg.datasets.xor(),
            loss="binary_cross_entropy",
            optimizer=fg.SGD(lr=1),
            batch_size="full",
            epochs=EPOCHS,
            stop=fg.Converged(loss=0.005),
        )
        end = runner.run_to_plateaus(exp, TOLERANCE, LONGER)
        epochs = end.metrics["epochs_to_converge"]
        solved = epochs > 0
        counts = fg.statistics.Counts.of_epochs(epochs, until=LONGER)  # who is trapped will be so at that epoch too
        yield Check(case, "solved", share(solved), equal(0) if width == 1 else None)
        if fewer is not None:
            gain = difference(solved, fewer)
            yield Check(case, "solved, more than by fewer", gain, above(0, "common lore"), "points")
        yield Check(case, "median epochs", median(counts), unit="epochs")
        yield Check(case, "born dead", share(end.metrics["born_dead"]), equal(4.0**-width))
        for name, seeds in end.at.items():
            yield Check(case, f"final loss at {name}", share(seeds))
        yield Check(case, "final loss at one of the four", share(end.on_plateau), equal(1))
        fewer = solved
