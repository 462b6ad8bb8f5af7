"""What makes a finding agree or not, and what `fastgrok study` prints of it."""

import json
from collections.abc import Iterator

import numpy as np
import pytest

import fastgrok as fg
import fastgrok.api
from fastgrok.cli import main
from fastgrok.statistics import Counts, Estimate
from fastgrok.studies import NAMES
from fastgrok.studies.findings import CONFIDENCE, estimate_text, number
from fastgrok.studies.measures import (
    Expectation,
    Measure,
    above,
    at_least,
    at_most,
    below,
    difference,
    equal,
    estimated,
    mean,
    median,
    normal,
    printed,
    ratio,
    share,
)
from fastgrok.studies.study import Check, Runner, Study, simultaneous, study

SMALL = 200


def study_of(*checks: Check) -> Study:
    """Return a study that finds these measures."""

    def made(runner: Runner) -> Iterator[Check]:
        """Nothing is run."""
        yield from checks

    return study(seeds=SMALL, source="a test", protocol="none")(made)


def counted(k: int, n: int) -> Measure:
    return share(np.arange(n) < k)


# Agreement --------------------------------------------------------------------------------------------------


def test_a_wrong_expectation_is_reported_as_contradicted() -> None:
    half = counted(50_000, 100_000)
    result = study_of(
        Check("coin", "heads", half, equal(0.5)),
        Check("coin", "edges", half, equal(0.51)),
        Check("coin", "tails", half, above(0.5)),
        Check("coin", "sides", np.float64(2), equal(2), ""),
        Check("coin", "weight", 3),
    )()
    assert [finding.agrees for finding in result.findings] == [True, False, False, True, None]
    assert [finding.open for finding in result.findings] == [False, False, True, False, False]
    assert not result.agrees
    expected = "2 of 4 findings agree with what was expected; 1 contradicted (coin: edges); "
    assert result.verdict == expected + "1 not decided by so many seeds (coin: tails)"
    assert [line.split()[-1] for line in repr(result).splitlines()[6:9]] == ["yes", "NO", "open"]


@pytest.mark.parametrize(
    ("expected", "agreeing", "contradicting"),
    [
        (equal(1), (0.9, 1.1), (1.1, 1.2)),
        (at_most(1), (0.9, 1.1), (1.01, 1.2)),
        (at_least(1), (0.9, 1.1), (0.8, 0.99)),
        (above(1), (1.01, 1.1), (0.9, 1.1)),
        (below(1), (0.9, 0.99), (0.9, 1.1)),
        (estimated(normal(1, 0.1), "other seeds"), (1.1, 1.3), (1.2, 1.3)),  # 0.804 to 1.196
        (printed("1.5"), (1.500000004, 1.500000004), (1.500000006, 1.500000006)),
        (printed("1.5e-05"), (1.500000004e-05,) * 2, (1.500000006e-05,) * 2),
    ],
)
def test_when_an_observation_agrees(expected, agreeing, contradicting) -> None:  # type: ignore[no-untyped-def]
    assert expected.agrees(Estimate(np.mean(agreeing), *agreeing), 0.95) is True
    assert expected.agrees(Estimate(np.mean(contradicting), *contradicting), 0.95) is False
    numpys = Estimate(*np.array([np.mean(contradicting), *contradicting]))
    assert expected.agrees(numpys, 0.95) is False  # not NumPy's False, which is another object


def test_a_wide_interval_does_not_show_a_difference_nor_contradict_one() -> None:
    observed = Estimate(0.1, -0.1, 0.3)
    assert not above(0).agrees(observed, 0.95)
    assert at_least(0).agrees(observed, 0.95)


def test_all_intervals_of_a_study_hold_together() -> None:
    """Bonferroni over every interval; an estimated expectation has one, an exact number none."""
    checks = [
        Check("", "", counted(1, 2)),
        Check("", "", counted(1, 2), estimated(normal(0.5, 0.1), "")),
        Check("", "", 1, equal(1)),
    ]
    assert simultaneous(checks) == pytest.approx(1 - 0.01 / 3)
    assert study_of(*checks)().confidence == simultaneous(checks)
    assert simultaneous([Check("", "", 1)]) == CONFIDENCE


def test_true_closed_forms_are_seldom_contradicted() -> None:
    """2,000 studies of 20 true probabilities: at most about 1 % have a finding that does not agree."""
    rng = np.random.default_rng(0)
    p = np.linspace(0.02, 0.98, 20)
    each = simultaneous([Check("", "", counted(1, 2))] * len(p))
    wrong = 0
    for counts in rng.binomial(10_000, p, (2000, len(p))).tolist():
        found = (counted(k, 10_000)(each) for k in counts)
        wrong += not all(equal(x).agrees(estimate, each) for x, estimate in zip(p, found, strict=True))
    assert 3 <= wrong <= 30  # 20 at most are expected: Clopper and Pearson cover more


# Measures ---------------------------------------------------------------------------------------------------


def test_measures_are_estimates_with_intervals() -> None:
    assert share([True, False, True])(0.95) == pytest.approx((2 / 3, 0.094299, 0.991596), abs=1e-6)
    assert difference([True, True, False, True], [True, False, False, True])(0.95).value == 0.25
    assert normal(3, 1)(0.95) == pytest.approx((3, 1.040036, 4.959964), abs=1e-6)
    assert mean([1, 3])(0.95).value == 2
    assert ratio([2, 4, 6], [True, True, False])(0.95).value == 6


def test_numbers_have_the_decimals_of_their_interval() -> None:
    assert estimate_text(Estimate(0.2512, 0.2471, 0.2554), "%") == "25.12 % [24.71, 25.54]"
    assert estimate_text(Estimate(3, 3, 3), "") == "3"
    assert [number(0.125, "%"), number(1234.5, "epochs"), number(None, "")] == ["12.5", "1234.5", "open"]


def test_an_expectation_says_between_which_numbers_one_agrees() -> None:
    about = [printed("0.01638401"), Expectation(0.755, 0.765), at_most(0.9), above(0.5), equal(0.25)]
    checks = [Check("", "", 0.5, each, unit) for each, unit in zip(about, ["", "%", "%", "%", "epochs"], strict=True)]
    said = [finding.cells()[3] for finding in study_of(*checks)().findings]
    assert said == ["0.01638401", "75.5 to 76.5 %", "<= 90 %", "> 50 %", "0.25"]


def coverage(measure_of, truth: float, draws: int = 2000) -> float:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(1)
    measures: list[Measure] = [measure_of(rng) for _ in range(draws)]
    inside = [low <= truth <= high for _, low, high in (measure(0.95) for measure in measures)]
    return float(np.mean(inside))


@pytest.mark.parametrize(
    ("measure_of", "truth"),
    [
        (lambda rng: mean(rng.exponential(2, 400)), 2.0),
        (lambda rng: difference(rng.random((1, 400)) < 0.6, rng.random(400) < 0.5), 0.1),
        (lambda rng: _ratio(rng), 5 / 3),
    ],
    ids=["mean", "difference", "ratio"],
)
def test_intervals_cover(measure_of, truth: float) -> None:  # type: ignore[no-untyped-def]
    assert 0.935 <= coverage(measure_of, truth) <= 0.965


def _ratio(rng: np.random.Generator) -> Measure:
    """Return a ratio whose two sides depend on each other."""
    good = rng.random(400) < 0.6
    return ratio(np.where(good, 2 * rng.random(400), 1), good)


def test_a_median_is_not_reached_where_few_converge() -> None:
    never = median(Counts.of_epochs([3] * 10 + [-1] * 90, until=9))
    finding = study_of(Check("", "", never, unit="epochs"))().findings[0]
    assert finding.cells()[4] == "not reached"
    half = median(Counts.of_epochs([3] * 55 + [-1] * 45, until=9))
    assert study_of(Check("", "", half, unit="epochs"))().findings[0].cells()[4] == "3 [3, open]"
    nobody = median(Counts.of_epochs([-1] * 9, until=9))
    assert nobody(0.95).value is None


def test_nothing_counted_allows_every_share() -> None:
    assert tuple(share([])(0.95))[1:] == (0, 1)
    finding = study_of(Check("", "", share([]), equal(0.3)))().findings[0]
    assert finding.agrees
    assert finding.to_dict()["observed"] == {"value": None, "low": 0.0, "high": 1.0}


# The command line -------------------------------------------------------------------------------------------


def printed_by(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as left:
        main(["study", *arguments])
    out, err = capsys.readouterr()
    return int(left.value.code or 0), out, err


def test_the_command_lists_the_studies(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = printed_by(["list"], capsys)
    assert status == 0
    assert [line.split()[0] for line in out.splitlines()[1:]] == [name.replace("_", "-") for name in NAMES]
    status, out, _ = printed_by(["list", "--json"], capsys)
    assert [one["name"] for one in json.loads(out)] == [name.replace("_", "-") for name in NAMES]


def test_the_command_runs_a_study(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = printed_by(["born-dead", "--seeds", "150"], capsys)
    assert (status, err) == (0, "")
    assert out.splitlines()[0] == f"born-dead: {fg.studies.born_dead.title}"
    assert "findings agree with what was expected" in out.splitlines()[-1]
    status, out, _ = printed_by(["born_dead", "--seeds", "150", "--json"], capsys)
    document = json.loads(out)
    assert (status, document["name"], document["seeds"]) == (0, "born_dead", 150)
    assert {"case", "what", "expected", "observed", "agrees"} <= document["findings"][0].keys()


def test_disagreement_is_no_failure_of_the_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = study_of(Check("coin", "heads", counted(5000, 10_000), equal(0.6)))
    monkeypatch.setattr(fg.studies, "by_name", lambda name: wrong)
    status, out, _ = printed_by(["coin"], capsys)
    assert status == 0
    assert out.splitlines()[-1].endswith("1 contradicted (coin: heads)")


@pytest.mark.parametrize("arguments", [["nope"], ["born-dead", "--seeds", "5"], ["born-dead", "--seeds", "x"], []])
def test_the_command_refuses_in_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = printed_by(arguments, capsys)
    assert (status, out) == (2, "")
    assert err.startswith("fastgrok: error: ")
    assert err.count("\n") == 1


def test_example_of_study():
    assert fg.studies.streetlights.command == "streetlights"
