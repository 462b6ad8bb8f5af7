"""The progress bar, as it is written to a terminal."""

import io
import time

import pytest

from fastgrok.engine.notices import compiling
from fastgrok.results.progress import progress_bar


def test_the_bar_says_what_is_compiled_while_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.StringIO()
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr("sys.stderr", terminal)
    said = "compiling the driver for 2-4-1, float64 ..."

    def written_since(mark: int, text: str) -> bool:
        deadline = time.monotonic() + 30
        while text not in terminal.getvalue()[mark:] and time.monotonic() < deadline:
            time.sleep(0.02)
        return text in terminal.getvalue()[mark:]

    with progress_bar(100, True) as advance:
        assert advance is not None
        with compiling("the driver for 2-4-1, float64"):
            assert written_since(0, said)
        time.sleep(0.3)  # a refresh that had begun
        mark = len(terminal.getvalue())
        advance(30)
        assert written_since(mark, "30/100")
        assert said not in terminal.getvalue()[mark:]


def test_without_a_bar_nothing_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar(100, False) as advance, compiling("something"):
        assert advance is None
    assert capsys.readouterr().err == ""
