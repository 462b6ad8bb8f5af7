"""The findings of a study: expectation beside observation, and whether they agree."""

import textwrap
from typing import Any, NamedTuple

from fastgrok.statistics import text
from fastgrok.statistics.proportion import Estimate
from fastgrok.statistics.tables import Cells, aligned
from fastgrok.statistics.text import NOT_REACHED, decimals_of, duration, with_interval

CONFIDENCE = 0.99
"""That all intervals of a study hold together. So high because a study is also a test: a closed form that is true
would otherwise be doubted in one run of twenty."""

_WIDTH = 100
_PRINTED = 1e-6  # how wide at most, of the number, are the ends of one that was printed
_FACTORS = {"%": 100.0, "points": 100.0}


class Finding(NamedTuple):
    """One number, what was expected of it, and whether it agrees."""

    case: str  # what was run
    what: str  # what was measured of it
    observed: Estimate  # the number with its interval; both ends are the number itself where no seed decides it
    unit: str = ""
    expected: Estimate | None = None  # the numbers that the source allows
    shown: bool = False  # whether the whole interval must lie within them; else it must meet them
    by: str = ""  # where the expectation comes from
    agrees: bool | None = None  # None without an expectation
    open: bool = False  # whether more seeds might still show it

    def to_dict(self) -> dict[str, Any]:
        """Return plain values; an end that is open is None."""
        expected = None if self.expected is None else self.expected._asdict()
        return {**self._asdict(), "observed": self.observed._asdict(), "expected": expected}

    def cells(self) -> list[str]:
        """Return a line of the table."""
        verdict = "open" if self.open else {None: "", True: "yes", False: "NO"}[self.agrees]
        return [self.case, self.what, self.by, self._expected(), estimate_text(self.observed, self.unit), verdict]

    def _expected(self) -> str:
        """Return the expectation as text."""
        if self.expected is None:
            return ""
        value, low, high = self.expected
        if value is None and low is not None and high is not None:
            return _within(low, high, self.unit) + suffix(self.unit)
        if value is None:
            sign, end = ("<", high) if low is None else (">", low)
            return f"{sign}{'' if self.shown else '='} {number(end, self.unit)}{suffix(self.unit)}"
        return estimate_text(self.expected, self.unit)


class StudyResult(NamedTuple):
    """The findings of a study, with its protocol."""

    name: str  # the study's name
    title: str  # its question
    source: str  # the publication
    protocol: str  # the training runs in full
    seeds: int  # seeds of each configuration
    findings: tuple[Finding, ...]  # one for each number
    confidence: float  # of each interval: all of them hold together with a confidence of 99 %
    seconds: float  # time that it took

    @property
    def disagreeing(self) -> list[Finding]:
        """The findings that do not agree with what was expected."""
        return [finding for finding in self.findings if finding.agrees is False]

    @property
    def agrees(self) -> bool:
        """Whether every finding agrees that something was expected of."""
        return not self.disagreeing

    @property
    def verdict(self) -> str:
        """One line: whether the findings agree, and which do not."""
        n = sum(finding.agrees is not None for finding in self.findings)
        if self.agrees:
            return f"all {n} findings agree with what was expected"
        parts = [f"{n - len(self.disagreeing)} of {n} findings agree with what was expected"]
        for is_open, words in ((False, "contradicted"), (True, "not decided by so many seeds")):
            names = [f"{finding.case}: {finding.what}" for finding in self.disagreeing if finding.open == is_open]
            parts += [f"{len(names)} {words} ({', '.join(names)})"] * bool(names)
        return "; ".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        fields = self._asdict()
        findings = [finding.to_dict() for finding in fields.pop("findings")]
        return {**fields, "simultaneous_confidence": CONFIDENCE, "agrees": self.agrees, "findings": findings}

    def __repr__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> list[str]:
        """Return what is printed: title, source, protocol, table, confidence, verdict."""
        header = ["case", "finding", "by", "expected", "observed", "agrees"]
        table = Cells(header, _without_repeats([finding.cells() for finding in self.findings]), 3)
        about = textwrap.wrap(f"Source: {self.source}", _WIDTH) + textwrap.wrap(f"Run: {self.protocol}", _WIDTH)
        title = f"{self.name.replace('_', '-')}: {self.title}"
        return [title, *about, "", *aligned(table), "", *textwrap.wrap(self._intervals(), _WIDTH), self.verdict]

    def _intervals(self) -> str:
        """Describe the intervals."""
        random = any(finding.observed.low != finding.observed.high for finding in self.findings)
        seeds = f"{self.seeds:,} seeds a configuration, {duration(self.seconds)}."
        if not random:
            return seeds
        return (
            f"{seeds} Intervals: all of them hold together with {100 * CONFIDENCE:g} % confidence (Bonferroni: "
            f"{100 * self.confidence:.6g} % each)."
        )


def _within(low: float, high: float, unit: str) -> str:
    """Return a number that was printed to many digits, and else the ends between which numbers agree."""
    if high - low <= _PRINTED * abs(high):
        return number((low + high) / 2, unit)
    return " to ".join(text.number(_FACTORS.get(unit, 1.0) * end, 4) for end in (low, high))


def _without_repeats(lines: list[list[str]]) -> list[list[str]]:
    """Leave the case out where it is that of the line above."""
    return [["" if k and line[0] == lines[k - 1][0] else line[0], *line[1:]] for k, line in enumerate(lines)]


def estimate_text(estimate: Estimate, unit: str) -> str:
    """Return a number with its interval, to a tenth of the interval's width or finer."""
    value, low, high = estimate
    if value is None:
        return NOT_REACHED if unit == "epochs" else "none"
    if low == high:
        return number(value, unit) + suffix(unit)
    factor = _FACTORS.get(unit, 1.0)
    decimals = 0 if low is None or high is None else decimals_of(factor * (high - low) / 10, most=9)
    scaled = (None if x is None else factor * x for x in estimate)
    return with_interval(Estimate(*scaled), decimals, suffix(unit))


def number(value: float | None, unit: str) -> str:
    """Return a number in its unit."""
    return "open" if value is None else text.number(_FACTORS.get(unit, 1.0) * value, 6 if unit in _FACTORS else 9)


def suffix(unit: str) -> str:
    """Return the sign of a unit with the space before it; "epochs" are in the name of the finding."""
    return f" {unit}" if unit in _FACTORS else ""
