"""The progress bar, as it is written to a terminal."""

import io
import time

import pytest

from fastgrok.engine.notices import compiling, progress_bar


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


def test_a_bar_appears_after_two_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    now = 100.0
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr("sys.stderr", terminal := Terminal())
    monkeypatch.setattr("fastgrok.engine.notices.time.monotonic", lambda: now)
    with progress_bar(100, None, "networks") as advance:
        assert advance is not None
        advance(30)
        now = 101.9
        advance(30)
        assert terminal.getvalue() == ""
        now = 102.1
        advance(30)
        assert "networks" in terminal.getvalue()


def test_without_a_bar_nothing_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar(100, False) as advance, compiling("something"):
        assert advance is None
    assert capsys.readouterr().err == ""
