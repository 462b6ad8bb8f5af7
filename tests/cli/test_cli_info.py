"""`fastgrok info`."""

import json
from pathlib import Path

import pytest
from commands import Outcome

import fastgrok as fg
import fastgrok.api


def test_info_says_what_runs_here(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FASTGROK_CACHE_DIR", str(tmp_path / "kernels"))
    facts = json.loads(Outcome(["info", "--json"], capsys).out)
    assert facts["versions"]["fastgrok"] == fg.__version__
    assert facts["vector_bits"] in (128, 256, 512)
    assert facts["lanes"]["specialised"]["float32"] == 2 * facts["lanes"]["specialised"]["float64"]
    assert facts["cache"] == {"directory": str(tmp_path / "kernels"), "kernels": 0, "bytes": 0, "writable": True}
    assert str(tmp_path / "kernels") in Outcome(["info"], capsys).out
