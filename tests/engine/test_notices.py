"""What is being compiled now."""

import pytest

import fastgrok as fg
from fastgrok.engine.notices import announce, compiling, underway
from fastgrok.engine.program import Program


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
