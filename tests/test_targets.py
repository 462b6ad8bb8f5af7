"""The table of DESIGN §7: each figure comes from a process of its own, and one that fails is said and not fatal."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.peers.works import SIGMOID_64
from benchmarks.targets import __main__ as command
from benchmarks.targets import measures, registry, tables, versions, worker
from benchmarks.targets.measures import Sizes
from benchmarks.targets.registry import BY_NAME, TARGETS, Target, chosen

ROOT = Path(__file__).resolve().parents[1]
TINY = Sizes(seeds=16, epochs=2, repeats=1)
RUN = "one seed, one epoch, through `fg.run`"


def line(target, **said):
    return tables.Line(target, said, {"now": "abc", "before": "def"}, 1.0)


def test_a_name_asks_for_one_target():
    assert len(BY_NAME) == len(TARGETS)


def test_words_choose_targets():
    assert chosen(None) == TARGETS
    assert [target.name for target in chosen("fg.run`,no such word")] == [
        "third call of `fg.run`, empty cache, over the fastest driver",
        RUN,
    ]


def test_ratio_of_a_way_to_itself_is_one_after_its_losses_were_checked():
    measure = measures.faster(registry.GENERAL, [registry.GENERAL], SIGMOID_64)
    assert measure(Sizes(512, 50, 5)) == pytest.approx(1, rel=0.9)


def test_peer_that_is_not_installed_is_no_figure():
    absent = dataclasses.replace(registry.GENERAL, requires="no_such_library")
    with pytest.raises(measures.NotMeasured, match="no_such_library is not installed"):
        measures.faster(registry.GENERAL, [absent], SIGMOID_64)(TINY)


def test_worker_answers_with_what_went_wrong(monkeypatch):
    def fails(_):
        raise RuntimeError("no such luck\nand more of it")

    monkeypatch.setitem(BY_NAME, "broken", Target("broken", 1, "x", fails))
    assert worker.answer("broken", TINY) == {"failed": "RuntimeError: no such luck"}
    assert worker.answer("unknown", TINY) == {"failed": "KeyError: 'unknown'"}


def test_version_is_measured_in_its_own_process_and_outlives_one_that_dies():
    with versions.Version(ROOT, TINY) as version:
        assert version.ask("unknown", 100) == {"failed": "KeyError: 'unknown'"}
        versions._kill(version._process)
        version._process.wait()
        assert "failed" in version.ask(RUN, 100)
        assert version.ask(RUN, 100)["measured"] > 0


def test_figure_that_takes_too_long_is_said():
    with versions.Version(ROOT, TINY) as version:
        version.ask("unknown", 100)
        assert "no answer within 0 s" in version.ask("`fastgrok sweep xor --seeds 1000`, empty cache", 0.01)["failed"]


def test_table_has_both_versions_and_what_failed():
    at_most = Target("seconds", 3, "s", lambda _: 0.0, at_least=False)
    lines = [
        line(TARGETS[0], now={"measured": 1.6}, before={"measured": 0.9}),
        line(at_most, now={"measured": 4.0}, before={"failed": "TypeError: it did not exist"}),
        line(BY_NAME[RUN], now={"failed": "killed"}),
    ]
    environment = {"date": "today", "cpu": "a CPU", "threads": 2, "versions": {"g++": "12"}, "command": "python"}
    page = tables.report(environment, lines)
    assert "| against C++ by hand, g++, float64 | 0.9x | 1.6x | ≥ 1.5x | yes |" in page
    assert "| seconds | – | 4 s | ≤ 3 s | no |" in page
    assert f"| {RUN} | – | – | ≤ 300 µs | not measured |" in page
    assert "- seconds, before: TypeError: it did not exist" in page
    assert "Before: commit def." in page
    assert page.endswith("Reached: 1 of 3.")
    assert json.loads(json.dumps(lines[1].as_json()))["before"] == {"failed": "TypeError: it did not exist"}


def test_document_has_the_place_that_is_written():
    text = command.PAGE.read_text("utf-8")
    assert "<!-- targets:begin -->" in text
    assert "<!-- targets:end -->" in text


def test_what_is_no_checkout_is_refused(tmp_path):
    arguments = [sys.executable, "-m", "benchmarks.targets", "--before", str(tmp_path)]
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "no checkout of fastgrok" in done.stderr
