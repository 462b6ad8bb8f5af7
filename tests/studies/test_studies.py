"""Published results, run again: each study at a small size."""

import json
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import fastgrok as fg
import fastgrok.api
from fastgrok.statistics import plateaus
from fastgrok.studies import NAMES
from fastgrok.studies.catalogue import born_dead as born_dead_module
from fastgrok.studies.catalogue import init_range as init_range_module
from fastgrok.studies.catalogue import streetlights as streetlights_module
from fastgrok.studies.catalogue.lottery_tickets import largest
from fastgrok.studies.study import Runner

SMALL = 200
LAWS = {"closed form", "bound", "geometric law", "cut-off formula", "1 / p", "p (1 - p)^2"}


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


def test_a_ticket_keeps_the_largest_weights_of_each_layer() -> None:
    weights = np.array([[[0.1, -0.9], [0.3, 0.2]], [[0.0, 0.0], [-0.5, 0.0]]])
    assert largest(weights, 0.5).tolist() == [[[False, True], [True, False]], [[False, False], [True, True]]]
    assert (largest(np.zeros((3, 5, 7)), 0.2).sum(axis=(1, 2)) == 7).all()


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
