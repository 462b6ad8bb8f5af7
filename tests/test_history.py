"""asv's results are kept by commit, and the page shows them side by side."""

import json
import subprocess
from pathlib import Path

import pytest

from benchmarks.history import __main__ as command
from benchmarks.history import page

ROOT = Path(__file__).resolve().parents[1]
KEPT = {"commit": "abcdef0123", "date": "2026-11-30", "subject": "Kernels", "cpu": "a CPU", "threads": 2}
TIME = "throughput.General.time_run('2-4-1', 'float64', 1)"


def commit(name, **values):
    return KEPT | {"commit": name, "values": {key.replace("__", "."): value for key, value in values.items()}}


def test_times_of_training_are_shown_as_rates():
    assert page.shown(TIME, 0.0655360) == "100"
    assert page.shown("throughput.Regimes.time_run('adam')", 0.0655360) == "100"
    assert page.shown("throughput.Wide.time_run('64-32-10', 'float32', 32)", 0.001024) == "1"
    assert page.shown("calls.OneRun.time_run()", 0.000315) == "315"
    assert page.shown("memory.Memory.peakmem_reference()", 183e6) == "183"
    assert page.shown("answers.Answers.track_bits('2-2-1', 'float64', 'general')", 2770779040) == "2770779040"


def test_commits_stand_side_by_side_and_what_one_lacks_is_a_dash():
    old, new = commit("1" * 10), commit("2" * 10)
    old["values"] = {TIME: 0.0655360}
    new["values"] = {TIME: 0.0327680, "calls.OneRun.time_run()": 0.000315}
    text = page.history([old, new])
    assert "| `General.time_run('2-4-1', 'float64', 1)` | 100 | 200 |" in text
    assert "| `OneRun.time_run()` | – | 315 |" in text
    assert "| throughput | 2026-11-30 `1111111` | 2026-11-30 `2222222` |" in text


def test_page_is_what_is_kept():
    assert command.PAGE.read_text("utf-8") == page.history(command.everything_kept())


def test_asv_measures_a_commit_and_its_numbers_are_kept(tmp_path, monkeypatch):
    pytest.importorskip("asv")
    monkeypatch.setattr(command, "KEPT", tmp_path)
    file = command.run(ROOT, ["timeraw_reference_numba"], quick=True)
    kept = json.loads(file.read_text("utf-8"))
    head = subprocess.check_output(["git", "-C", str(ROOT), "rev-parse", "HEAD"], text=True).strip()
    assert kept["commit"] == head
    assert list(kept["values"]) == ["start.Import.timeraw_reference_numba()"]
    assert 0 < kept["values"]["start.Import.timeraw_reference_numba()"] < 60
