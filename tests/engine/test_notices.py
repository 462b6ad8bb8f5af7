"""What is being compiled now."""

import functools
import io
from typing import Any

import numpy as np
import pytest

import fastgrok as fg
from fastgrok.engine import driver, notices
from fastgrok.engine.notices import announce, compiling, compiling_line, shown, underway
from fastgrok.engine.program import Program
from fastgrok.kernels.jit import Kernel

EXP = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=5, order="per_seed")


def test_what_is_compiled_is_said_for_as_long_as_it_lasts() -> None:
    lasts = [True]
    announce("another", lambda: lasts[0])
    with compiling("one"), compiling("one"):
        assert underway() == ["another", "one"]
        lasts[0] = False
        assert underway() == ["one"]
    assert underway() == []


def test_what_could_not_be_compiled_is_said_no_more() -> None:
    with pytest.raises(RuntimeError), compiling("one"):
        raise RuntimeError
    assert underway() == []


class _NotCompiled:
    """A kernel that is not compiled yet."""

    is_loaded = False

    def __init__(self, on_disk: bool) -> None:
        self.is_cached = lambda: on_disk


@pytest.mark.parametrize("on_disk", [False, True])
def test_each_kernel_that_is_not_on_disk_is_said_while_it_is_compiled(monkeypatch, on_disk) -> None:
    exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=3)
    made = Program(exp, specialize=True, lanes=8, n_seeds=1)
    said: list[list[str]] = []
    made.evaluate = made.driver = _NotCompiled(on_disk)
    made._run_evaluate = made._run_driver = lambda *args: said.append(underway())
    made._initialise = type(
        "", (), {"kernels": [_NotCompiled(on_disk)], "__call__": lambda *args: said.append(underway())}
    )()
    made.compile(made.memory())
    others = ["the draws and the evaluation, float64"]
    every = [["the driver for 2-4-1, float64"], others, others]
    assert said == ([[], [], []] if on_disk else every)


def test_what_is_part_of_something_that_is_said_is_not_said_too() -> None:
    with compiling("all of it"), compiling("a part"):
        assert underway() == ["all of it"]
    with compiling("a part"):
        assert underway() == ["a part"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_line_appears_when_something_is_compiled_and_else_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr("sys.stderr", terminal := Terminal())
    with shown(None):
        pass
    assert terminal.getvalue() == ""
    with shown(False), compiling("something"):
        pass
    assert terminal.getvalue() == ""
    with shown(None), shown(None), compiling("predictions, float64"):
        assert "compiling predictions, float64 ..." in terminal.getvalue()
    mark = len(terminal.getvalue())
    with compiling("something"):
        pass
    assert len(terminal.getvalue()) == mark


class Closed(Terminal):
    closed = True

    def isatty(self) -> bool:
        raise ValueError("I/O operation on closed file")


@pytest.mark.parametrize("stderr", [None, Closed()])
@pytest.mark.parametrize("show", [None, True])
def test_without_a_stderr_nothing_is_shown(monkeypatch: pytest.MonkeyPatch, stderr: Any, show: bool | None) -> None:
    """As in a service, or a program with windows."""
    monkeypatch.setattr("sys.stderr", stderr)
    assert fg.run(EXP, 3, progress=show).n_finished == 3
    assert fg.initial_params(EXP, 3)[0].shape == (3, 2, 4)


def test_a_line_appears_for_what_a_thread_compiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr("sys.stderr", terminal := Terminal())
    lasts = True
    with shown(None):
        announce("another", lambda: lasts)
        assert "compiling another ..." in terminal.getvalue()
    lasts = False
    assert underway() == []


class Bar:
    """What was said when the line appeared."""

    def __init__(self, said: list[str]) -> None:
        self._said = said

    def start(self) -> None:
        self._said.append(compiling_line())

    def stop(self) -> None:
        pass


def compiled(**options: Any) -> fg.Trainer:
    """Compile the experiment for a loop."""
    return fg.compile(EXP, specialize=False, **options)


FLAT = [0.1] * EXP.n_params  # of one network
OF_TRAINER = {
    "initial_params": (lambda trainer: trainer.initial_params(3), "the draws"),
    "train": (lambda trainer: trainer.train(FLAT), "the general driver"),
    "loss": (lambda trainer: trainer.loss(FLAT), "losses and gradients"),
    "gradients": (lambda trainer: trainer.gradients(FLAT), "losses and gradients"),
    "loss_and_gradients": (lambda trainer: trainer.loss_and_gradients(FLAT), "losses and gradients"),
    "predict": (lambda trainer: trainer.predict(FLAT), "predictions"),
}
OTHERS = {
    "compile": (compiled, "the general driver"),
    "replay": (lambda **options: fg.replay(EXP, 3, **options), "the general driver"),
    "initial_params": (lambda: fg.initial_params(EXP, 3), "the draws"),
    "predict": (lambda: fg.predict(EXP.network, [np.ones(shape) for shape in SHAPES], EXP.data.X), "predictions"),
    "predict of a result": (lambda: result().predict(EXP.data.X), "predictions"),
    "sign_flow": (lambda: fg.explain.sign_flow(trace(), at=0), "what each unit does"),
}
SHAPES = EXP.network.param_shapes


@functools.cache
def result() -> fg.Result:
    return fg.run(EXP, 3, keep_params=True, progress=False)


@functools.cache
def trace() -> Any:
    return fg.replay(EXP, 3, progress=False)


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is said, where nothing is on disk, and few networks of any size have kernels of their own."""
    lines: list[str] = []
    monkeypatch.setattr(driver, "_LARGE_BYTES", 1)
    monkeypatch.setattr(notices, "make_bar", lambda: Bar(lines))
    monkeypatch.setattr(Kernel, "is_cached", lambda self: False)
    monkeypatch.setattr(Kernel, "is_loaded", False)
    return lines


@pytest.mark.parametrize("name", OF_TRAINER)
def test_each_call_of_a_trainer_says_what_it_compiles_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, said: list[str], name: str
) -> None:
    call, words = OF_TRAINER[name]
    call(compiled())
    assert said == []
    trainer, silent = compiled(), compiled(progress=False)
    monkeypatch.setattr("sys.stderr", Terminal())
    call(silent)
    assert said == []
    call(trainer)
    assert said[0].startswith(f"compiling {words}")


@pytest.mark.parametrize("name", OTHERS)
def test_whatever_else_compiles_says_so_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, said: list[str], name: str
) -> None:
    call, words = OTHERS[name]
    call()
    assert said == []
    monkeypatch.setattr("sys.stderr", Terminal())
    if name in ("compile", "replay"):
        call(progress=False)
        assert said == []
    call()
    assert said[0].startswith(f"compiling {words}")
