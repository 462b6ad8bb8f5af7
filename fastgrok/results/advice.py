"""What is said where nothing, or nearly nothing, converged: what seeds came to, and what would help."""

from collections.abc import Sequence

import numpy as np

from fastgrok.datasets import Dataset
from fastgrok.datasets.scaling import LARGE
from fastgrok.errors import one_line
from fastgrok.results.table import Row
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.layers import Activation
from fastgrok.spec.words import word_of_path
from fastgrok.statistics.attainable import attainable, out_of_reach
from fastgrok.statistics.spread import Spread
from fastgrok.statistics.summary import Summary
from fastgrok.statistics.text import number, plain_percent, plural, quantity_of

NEARLY_NOTHING = 0.01
"""Up to this share of seeds that converged there is advice."""

_FEW_BATCHES = 4  # of one class, one after the other: from so many on the order matters
_MOST = 0.5  # of the seeds: what so many of them have in common is what is said


def advice(row: Row) -> tuple[str, ...]:
    """Return what is said of a configuration: nothing, or what its seeds came to and why.

    Examples
    --------
    >>> import fastgrok as fg
    >>> data = fg.Dataset([[0], [0]], [0, 1])
    >>> exp = fg.Experiment(fg.mlp(1, 1), data, stop=fg.Converged(max_error=0.1), epochs=10)
    >>> advice(fg.run(exp, 100).rows()[0])[1]
    'max_error 0.1 cannot be met: it is at least 0.5, since 2 examples have inputs that occur with other targets.'
    """
    summary, experiment = row.summary, row.configuration.experiment
    converged = summary.outcomes["converged"] if summary.converged is None else summary.converged
    if not summary.n or converged > NEARLY_NOTHING * summary.n:
        return ()
    reached = ("loss", "accuracy") if attainable(experiment.data, experiment.loss).is_classes else ("loss",)
    why = _reason(experiment, summary)
    return (_came_to(summary, converged, reached), *([why] if why else []))


def advice_on(rows: Sequence[Row]) -> tuple[str, ...]:
    """Return what is said of several configurations: of how many, and of the first of them why; () of a part."""
    if any(row.requested not in (None, row.summary.n) for row in rows):
        return ()
    if len(rows) == 1:
        return advice(rows[0])
    told = [(row, lines) for row in rows if (lines := advice(row))]
    if not told:
        return ()
    row, lines = told[0]
    labels = ", ".join(f"{word_of_path(path)}={one_line(label)}" for path, label in row.configuration.labels.items())
    which = f"Nothing, or nearly nothing, converged in {len(told)} of {plural(len(rows), 'configuration')}"
    return (f"{which}. The first, {labels}: {lines[0]}", *lines[1:])


def _came_to(summary: Summary, converged: int, reached: Sequence[str]) -> str:
    """Say how many seeds converged, what the others are, and what some outcomes came to."""
    rest = {name: count for name, count in summary.outcomes.items() if count and name != "converged"}
    others = ", ".join(f"{plain_percent(count / summary.n)} {name}" for name, count in rest.items())
    what = "solved, without criteria" if summary.converged is None else "converged"
    found = {name: summary.continuous.get(f"{name}_final") for name in reached}
    ends = "; ".join(f"{name} {_ends(name, each)}" for name, each in found.items() if each is not None and each.n)
    return f"{converged:,} of {plural(summary.n, 'seed')} {what} ({others}); {ends}."


def _ends(name: str, found: Spread) -> str:
    """Return the median and the best of a continuous outcome."""
    digits = 2 if name == "loss" else 3
    median, best = (quantity_of(x, digits, "not finite") for x in (found.median.value, found.best))
    return f"{median} in the median, {best} at best"


def _reason(experiment: Experiment, summary: Summary) -> str:
    """Return the first reason that applies, and what would help; "" for none."""
    criteria, data = experiment.criteria, experiment.data
    beyond = None if criteria is None else out_of_reach(criteria, data, experiment.loss)
    if beyond is not None:
        return beyond
    shares = {name: count / summary.n for name, count in summary.outcomes.items()}
    unscaled = _joined(*(f"{note}." for note in (data.unscaled_note, _large_targets(data)) if note is not None))
    lr = number(experiment.optimizer.lr)
    if shares["diverged"] >= _MOST:
        return _joined(unscaled, f"A learning rate below {lr} is what helps most often.")
    if shares["dead"] >= _MOST:
        other = f"a learning rate below {lr}, other initial weights, a wider layer or LeakyReLU"
        return unscaled or f"Most are dead, a whole layer of ReLUs: try {other}."
    if unscaled:
        return unscaled
    if _is_solved_short_of(experiment, summary):
        return "Half the seeds and more classify every example that they can: the criterion asks for more than that."
    if not any(isinstance(layer, Activation) for layer in experiment.network.layers[:-1]):
        return "Without an activation between its layers the network is linear in its inputs, however long it trains."
    mean = summary.seed_epochs / summary.n
    if mean < experiment.epochs and (ended := _stopping_rules(experiment, number(mean))) is not None:
        return ended
    if _are_sorted(experiment):
        return "Examples come sorted by class, and in this order are trained on: --order per_seed shuffles them."
    if shares["unfinished"] >= _MOST:
        return f"Most were still learning after {plural(experiment.epochs, 'epoch')}: more epochs, or a larger rate."
    return "A longer run will not help: try another initialisation, a wider network or another learning rate."


def _stopping_rules(experiment: Experiment, epochs: str) -> str | None:
    """Say that stopping rules ended seeds after so many epochs, and what may help; None: there are none."""
    early, rest = experiment.early_stopping, experiment.stationary
    when = f"ended seeds after {epochs} epochs in the mean"
    if early is not None and rest is not None:  # which of them ended how many was not counted
        return f"EarlyStopping or Stationary {when}. A longer patience, or another network, rate or start."
    if early is not None:
        better = f"the {early.monitor} loss no longer improved"
        return f"EarlyStopping {when}: {better}. A longer patience, or another network or rate."
    if rest is not None:
        norm = f"a gradient of norm {number(rest.gradient_norm)} or less"
        return f"Stationary {when}, at {norm}: another network or start."
    return None


def _large_targets(data: Dataset) -> str | None:
    """Return a sentence where targets are numbers so large that training suffers from it; None where they are not."""
    scatter = float(data.y.std(axis=0).max())
    if scatter < LARGE:
        return None
    return f"targets have a standard deviation of {scatter:.3g}: divided by it they need no tiny learning rate"


def _are_sorted(experiment: Experiment) -> bool:
    """Whether batches see one class after the other: the examples of each stand together, and stay in this order."""
    y, rows = experiment.data.y, experiment.batch_rows
    n_classes = len(np.unique(y, axis=0))
    n_runs = 1 + int(np.any(y[1:] != y[:-1], axis=1).sum())
    return experiment.order == "fixed" and n_runs == n_classes > 1 and rows * n_classes <= len(y) / _FEW_BATCHES


def _joined(*sentences: str) -> str:
    return " ".join(filter(None, sentences))


def _is_solved_short_of(experiment: Experiment, summary: Summary) -> bool:
    """Whether half the seeds are as accurate as can be, and yet do not meet the criteria."""
    best, found = attainable(experiment.data, experiment.loss), summary.continuous.get("accuracy_final")
    if not best.is_classes or found is None or found.median.value is None:
        return False
    return found.median.value >= best.n_correct / experiment.data.n_examples
