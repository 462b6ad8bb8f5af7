"""A published result, run again: what is run, what was expected, and whether what is seen agrees."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from fastgrok import api
from fastgrok.engine import arguments
from fastgrok.errors import InvalidExperiment
from fastgrok.spec.experiment import Experiment
from fastgrok.statistics.proportion import Estimate
from fastgrok.studies.expectations import Expectation
from fastgrok.studies.findings import CONFIDENCE, Finding, StudyResult
from fastgrok.studies.measures import Measure

FEWEST_SEEDS = 100
"""Seeds of a study, at least: standard errors from fewer are not worth printing."""


class Check(NamedTuple):
    """One number of a study, before it is known how many intervals must hold together."""

    case: str  # what was run
    what: str  # what was measured of it
    observed: float | Measure  # the measurement; a plain number if no seed decides it
    expected: Expectation | None = None  # what the source leads to expect; None for a number that is only told
    unit: str = "%"  # "%" for a share, "points" for a difference of shares, "epochs", or "" for a plain number


class Runner(NamedTuple):
    """Trains what a study asks for, all of it or nothing: half a study has no findings."""

    n_seeds: int  # seeds of each configuration
    progress: bool | None = None  # as for `fg.run`

    def run(self, experiment: Experiment, seeds: Any = None, **options: Any) -> api.Result:
        """Train one experiment."""
        if seeds is None and "params" not in options:
            seeds = self.n_seeds
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="interrupted: ", category=UserWarning)
            result = api.run(experiment, seeds, progress=self.progress, **options)
        if result.interrupted:
            raise KeyboardInterrupt
        return result


@dataclass(frozen=True, repr=False)
class Study:
    """
    A published result that can be run again: call it.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.studies.streetlights.command
    'streetlights'
    """

    name: str  # its name in Python
    title: str  # what it asks, in a line
    source: str  # what it runs again
    protocol: str  # what exactly is run, and how the source's words are read
    default_seeds: int  # seeds of each configuration, if no number is asked for
    checks: Callable[[Runner], Iterator[Check]]  # runs it: yields what it measures

    @property
    def command(self) -> str:
        """Its name on the command line, with hyphens."""
        return self.name.replace("_", "-")

    def __call__(self, seeds: int | None = None, *, progress: bool | None = None) -> StudyResult:
        """Run the study."""
        n = arguments.checked_integer("seeds", self.default_seeds if seeds is None else seeds) or 0
        if n < FEWEST_SEEDS:
            raise InvalidExperiment("seeds", n, f"a number of seeds, {FEWEST_SEEDS} or more")
        start = time.perf_counter()
        checks = list(self.checks(Runner(n, progress)))
        seconds = time.perf_counter() - start
        each = simultaneous(checks)
        findings = tuple(settled(check, each) for check in checks)
        return StudyResult(self.name, self.title, self.source, self.protocol, n, findings, each, seconds)

    def __repr__(self) -> str:
        return f"<fastgrok study {self.command}: {self.title}>"


def simultaneous(checks: Sequence[Check], confidence: float = CONFIDENCE) -> float:
    """
    Return the confidence of each interval, such that all of them hold together with the one that is asked for.

    1 - (1 - confidence) / m for m intervals: Bonferroni's inequality, whatever their dependence.
    """
    m = sum(callable(check.observed) for check in checks)
    m += sum(check.expected is not None and check.expected.measured is not None for check in checks)
    return 1 - (1 - confidence) / max(m, 1)


def settled(check: Check, confidence: float) -> Finding:
    """Give a check its interval, and say whether it agrees."""
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

    def made(checks: Callable[[Runner], Iterator[Check]]) -> Study:
        title = (checks.__doc__ or "").strip().partition("\n")[0]
        return Study(checks.__name__, title, source, " ".join(protocol.split()), seeds, checks)

    return made
