"""A published result, run again: its training runs, its measures, and the decision whether they agree."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok import api
from fastgrok.engine import arguments
from fastgrok.errors import InvalidExperiment
from fastgrok.spec.experiment import Experiment
from fastgrok.statistics.plateaus import Plateau, plateaus
from fastgrok.statistics.proportion import Estimate
from fastgrok.studies.findings import CONFIDENCE, Finding, StudyResult
from fastgrok.studies.measures import Expectation, Measure, metric

FEWEST_SEEDS = 100
"""Seeds of a study, at least: standard errors from fewer are not worth printing."""


class Check(NamedTuple):
    """One number of a study, before it is known how many intervals must hold together."""

    case: str  # what was run
    what: str  # what was measured of it
    observed: float | Measure  # the measurement; a plain number if no seed decides it
    expected: Expectation | None = None  # of the source; None for a number without one
    unit: str = "%"  # "%" for a share, "points" for a difference of shares, "epochs", or "" for a plain number


class Runner(NamedTuple):
    """Trains the networks of a study, all of them or none: half a study has no findings."""

    n_seeds: int  # seeds of each configuration
    progress: bool | None = None  # as for `fg.run`

    def run(self, experiment: Experiment, seeds: Any = None, **options: Any) -> api.Result:
        """Train one experiment."""
        seeds = self.n_seeds if seeds is None else seeds
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="interrupted: ", category=UserWarning)
            result = api.run(experiment, seeds, progress=self.progress, **options)
        if result.interrupted:
            raise KeyboardInterrupt
        return result

    def run_to_plateaus(self, experiment: Experiment, tolerance: float, longer: int) -> Endings:
        """Train every seed, and those that end near no plateau again for `longer` epochs.

        A seed near a plateau is taken to have ended there. A few only pass it slowly: at most 0.4 % of those in the
        studies that use it moved on when they were trained on, and each protocol says how many.
        """
        known = plateaus(experiment.data, experiment.loss)
        names = ("loss_final", "accuracy_final", "epochs_to_converge", "born_dead")
        result = self.run(experiment)
        metrics = {name: metric(result, name).copy() for name in names}
        late = np.flatnonzero(~Endings.near(known, tolerance, metrics).on_plateau)
        if late.size:
            again = self.run(experiment.replace(epochs=longer), late)
            for name in names:
                metrics[name][late] = metric(again, name)
        return Endings.near(known, tolerance, metrics)


class Endings(NamedTuple):
    """The result variables of every seed, and the plateau at which it ended."""

    metrics: Mapping[str, NDArray[Any]]  # (n_seeds,) each
    at: Mapping[str, NDArray[np.bool_]]  # for the loss of each plateau, the seeds that ended there, (n_seeds,)

    @classmethod
    def near(cls, known: Sequence[Plateau], tolerance: float, metrics: Mapping[str, NDArray[Any]]) -> Endings:
        """Assign each seed to the plateaus from whose loss its own differs by no more than a tolerance."""
        losses = metrics["loss_final"]
        return cls(metrics, {f"{plateau.loss:.4g}": abs(losses - plateau.loss) <= tolerance for plateau in known})

    @property
    def on_plateau(self) -> NDArray[np.bool_]:
        """The seeds that ended at one of the plateaus, (n_seeds,)."""
        return sum(self.at.values(), np.zeros(len(self.metrics["loss_final"]), dtype=bool))


@dataclass(frozen=True, repr=False)
class Study:
    """A published result that can be run again: call it."""

    name: str  # its name in Python
    title: str  # its question, in a line
    source: str  # the publication
    protocol: str  # the training runs in full, and how the source's words are read
    default_seeds: int  # seeds of each configuration, unless the caller says how many
    checks: Callable[[Runner], Iterator[Check]]  # runs it and yields the numbers

    @property
    def command(self) -> str:
        """Its name on the command line, with hyphens."""
        return self.name.replace("_", "-")

    def __call__(self, seeds: int | None = None, *, progress: bool | None = None) -> StudyResult:
        """Run the study."""
        n = arguments.checked_integer("seeds", self.default_seeds if seeds is None else arguments.whole(seeds)) or 0
        if n < FEWEST_SEEDS:
            raise InvalidExperiment("seeds", n, f"a number of seeds, {FEWEST_SEEDS} or more")
        start = time.perf_counter()
        checks = list(self.checks(Runner(n, progress)))
        seconds = time.perf_counter() - start
        each = simultaneous(checks)
        findings = tuple(_finding(check, each) for check in checks)
        return StudyResult(self.name, self.title, self.source, self.protocol, n, findings, each, seconds)

    def __repr__(self) -> str:
        return f"<fastgrok study {self.command}: {self.title}>"


def simultaneous(checks: Sequence[Check], confidence: float = CONFIDENCE) -> float:
    """Return the confidence of each interval, such that all of them hold together with `confidence`.

    1 - (1 - confidence) / m for m intervals: Bonferroni's inequality, whatever their dependence.
    """
    m = sum(callable(check.observed) for check in checks)
    m += sum(check.expected is not None and check.expected.measured is not None for check in checks)
    return 1 - (1 - confidence) / max(m, 1)


def _finding(check: Check, confidence: float) -> Finding:
    """Return the number of a check with its interval, and whether it agrees."""
    observed, expected = _estimate(check.observed, confidence), check.expected
    if expected is None:
        return Finding(check.case, check.what, observed, check.unit)
    allowed, agrees = expected.at(confidence), expected.agrees(observed, confidence)
    is_open = not agrees and expected._replace(shown=False).agrees(observed, confidence)
    return Finding(
        check.case, check.what, observed, check.unit, allowed, expected.shown, expected.by, agrees, is_open
    )


def _estimate(observed: float | Measure, confidence: float) -> Estimate:
    """Return a measurement with its interval; a plain number is its own."""
    if callable(observed):
        return observed(confidence)
    return Estimate(*3 * [float(observed)])


def study(*, seeds: int, source: str, protocol: str) -> Callable[[Callable[[Runner], Iterator[Check]]], Study]:
    """Make a study of the function that runs it; its name is the function's, its title the docstring's first line."""

    def decorate(checks: Callable[[Runner], Iterator[Check]]) -> Study:
        title = (checks.__doc__ or "").strip().partition("\n")[0]
        return Study(checks.__name__, title, source, " ".join(protocol.split()), seeds, checks)

    return decorate
