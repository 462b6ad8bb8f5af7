"""The correlation post's four networks on XOR."""

from collections.abc import Iterator

import fastgrok as fg
from fastgrok.studies.measures import above, at_least, at_most, difference, equal, share
from fastgrok.studies.study import Check, Endings, Runner, study

TOLERANCE = 0.005
EPOCHS, LONGER = 2000, 40_000


@study(
    seeds=100_000,
    source="notes on chapter 6 of Grokking Deep Learning with one plot for each network; the plateaus "
    "and the bounds without ReLU are closed forms",
    protocol="""XOR, 2-4-1 with biases, weights U(-1, 1), zero biases, mean squared error, one example an update in
    fixed order, SGD with lr 0.1, 2,000 epochs or until the loss is 0.001; seeds that are then within 0.005 of none of
    the four plateaus 0, 1/8, 1/6, 1/4 have 40,000 epochs. The others count as ended where they are: of 6,197 of them
    with ReLU that were trained on, 12 moved on, all with a sigmoid output. The source states neither the width nor
    the rate nor the draws: these are ours. Solved: all four examples on the right side of 1/2 at the end. The source
    asks whether ReLU learns XOR "easily": read as most seeds do.""",
)
def four_networks(runner: Runner) -> Iterator[Check]:
    """XOR with and without a ReLU between, and with and without a sigmoid at the end."""
    for output in ("linear", "sigmoid"):
        linear, relu = _run(runner, "linear", output), _run(runner, "relu", output)
        accuracy, solved = linear.metrics["accuracy_final"], relu.metrics["accuracy_final"] == 1
        case = f"linear hidden, {output} output"
        yield Check(case, "solved", share(accuracy == 1), equal(0))
        yield Check(case, "most examples right in any seed", accuracy.max(), at_most(0.75))
        yield Check(case, "least final loss of any seed", linear.metrics["loss_final"].min(), at_least(0.25), "")
        yield Check(case, "loss stays near 1/4", share(linear.at["0.25"]), equal(1, "source"))
        case = f"relu hidden, {output} output"
        yield Check(case, "solved", share(solved), above(0.5, "source, as read"))
        yield Check(case, "solved, more than without ReLU", difference(solved, accuracy == 1), above(0), "points")
        for loss, seeds in relu.at.items():
            yield Check(case, f"final loss at {loss}", share(seeds))
        yield Check(case, "final loss at one of the four", share(relu.on_plateau), equal(1))


def _run(runner: Runner, hidden: str, output: str) -> Endings:
    """Train one of the four."""
    exp = fg.Experiment(
        fg.mlp(2, 4, 1, hidden=hidden, output=output),
        fg.datasets.xor(),
        loss="squared_error",
        optimizer=fg.SGD(lr=0.1),
        epochs=EPOCHS,
        stop=fg.Converged(loss=0.001),
    )
    return runner.run_to_plateaus(exp, TOLERANCE, LONGER)
