"""Published results, run again: each study at a small size, and what makes a finding agree or not."""

import functools
import json
import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pytest

import fastgrok as fg
import fastgrok.api
from fastgrok.cli import main
from fastgrok.statistics import Counts, Estimate, plateaus
from fastgrok.studies import NAMES
from fastgrok.studies.catalogue import born_dead as born_dead_module
from fastgrok.studies.catalogue import init_range as init_range_module
from fastgrok.studies.catalogue import streetlights as streetlights_module
from fastgrok.studies.findings import CONFIDENCE
from fastgrok.studies.measures import (
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
LAWS = {"closed form", "bound", "geometric law", "cut-off formula", "1 / p", "p (1 - p)^2"}


@pytest.fixture(autouse=True)
def _general_drivers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few compilations serve all studies; the bits are the same."""
    monkeypatch.setattr(fastgrok.api, "run", functools.partial(fastgrok.api.run, specialize=False))


def study_of(*checks: Check) -> Study:
    """Return a study that finds these measures."""

    def made(runner: Runner) -> Iterator[Check]:
        """Nothing is run."""
        yield from checks

    return study(seeds=SMALL, source="a test", protocol="none")(made)


def counted(k: int, n: int) -> Measure:
    return share(np.arange(n) < k)


# The studies ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_study_agrees_with_its_laws_at_a_small_size(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(init_range_module, "SETTINGS", ((1, 0.9), (2, 0.9)))  # without momentum is one more driver
    result = getattr(fg.studies, name)(SMALL, progress=False)
    wrong = [(one.case, one.what) for one in result.disagreeing if one.by in LAWS or name == "streetlights"]
    assert wrong == []
    assert sum(finding.agrees is not None for finding in result.findings) >= 7
    for _, _, (value, low, high), *_ in result.findings:
        if value is not None and low is not None:
            assert low <= value
            assert high is None or value <= high
    assert json.loads(json.dumps(result.to_dict(), allow_nan=False))["seeds"] == SMALL
    assert repr(result).splitlines()[-1] == result.verdict


def test_a_wrong_digit_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = [*streetlights_module.ONE_ERROR[:2], "0.01638401", *streetlights_module.ONE_ERROR[3:]]
    monkeypatch.setattr(streetlights_module, "ONE_ERROR", wrong)
    result = fg.studies.streetlights(SMALL, progress=False)
    assert [finding.what for finding in result.disagreeing] == ["error, step 3"]
    assert result.verdict.endswith("1 contradicted (one streetlight: error, step 3)")


def test_a_network_that_is_not_as_the_closed_form_has_it_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights from -0.8 to 1 are not symmetric: fewer networks are born dead."""
    monkeypatch.setattr(born_dead_module, "WIDTHS", (2,))
    monkeypatch.setattr(born_dead_module, "DEPTHS", (1,))
    assert fg.studies.born_dead(20_000, progress=False).agrees
    symmetric = born_dead_module._experiment
    monkeypatch.setattr(
        born_dead_module, "_experiment", lambda *sizes: symmetric(*sizes).replace(init=fg.Uniform(-0.8, 1))
    )
    wrong = fg.studies.born_dead(20_000, progress=False).disagreeing
    assert {finding.what for finding in wrong} == {"born dead on one example", "born dead on xor"}
    assert not any(finding.open for finding in wrong)


def test_seeds_that_are_near_no_plateau_are_trained_for_longer() -> None:
    """With one epoch hardly a seed is at a plateau; those that are keep what they had."""
    exp = fg.Experiment(fg.mlp(2, 2, 1), fg.datasets.xor(), loss="squared_error", epochs=1)
    ends = Runner(100, False).run_to_plateaus(exp, 0.005, 2000)
    short, long = (fg.run(exp.replace(epochs=n), 100, progress=False).dataset.loss_final.values for n in (1, 2000))
    levels = np.array([plateau.loss for plateau in plateaus(exp.data, exp.loss)])
    near = (abs(short[:, None] - levels) <= 0.005).any(axis=1)
    assert 0 < near.sum() < 50
    final = ends.metrics["loss_final"]
    np.testing.assert_array_equal(final, np.where(near, short, long))
    np.testing.assert_array_equal(ends.on_plateau, (abs(final[:, None] - levels) <= 0.005).any(axis=1))


def test_an_interrupted_study_has_no_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fastgrok.api, "run", lambda *_, **__: SimpleNamespace(interrupted=True))
    with pytest.raises(KeyboardInterrupt):
        fg.studies.four_networks(SMALL)


# Names ------------------------------------------------------------------------------------------------------


def test_every_study_has_its_name_source_and_protocol() -> None:
    assert set(NAMES) <= set(dir(fg.studies))
    for name in NAMES:
        one = getattr(fg.studies, name)
        assert one is fg.studies.by_name(one.command) is fg.studies.by_name(name)
        assert one.name == name
        assert "_" not in one.command
        assert all(len(text) > 10 for text in (one.title, one.source, one.protocol))
        assert one.default_seeds >= 10_000
        assert one.command in repr(one)


@pytest.mark.parametrize("name", ["nope", "by_name", "", 3, None])
def test_an_unknown_study_is_refused(name: object) -> None:
    with pytest.raises(fg.InvalidExperiment, match="expected one of 'streetlights'"):
        fg.studies.by_name(name)  # type: ignore[arg-type]


@pytest.mark.parametrize("seeds", [0, -1, 99, 1.5, "many", True])
def test_seeds_that_will_not_do_are_refused_before_anything_runs(seeds: object) -> None:
    with pytest.raises(fg.InvalidExperiment, match="seeds = "):
        fg.studies.four_networks(seeds)


def test_fastgrok_loads_no_study_before_it_is_asked_for() -> None:
    code = "import sys, fastgrok; sys.exit(any(name.startswith('fastgrok.studies') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    with pytest.raises(AttributeError, match="no attribute 'nope'"):
        fg.studies.nope  # noqa: B018


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
