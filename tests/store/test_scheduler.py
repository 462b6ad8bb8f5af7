"""A sweep is straight down from its caller to the kernel."""

import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import fastgrok as fg
from fastgrok.engine import program
from fastgrok.kernels import jit
from fastgrok.kernels.lanes import environment
from fastgrok.store import scheduler

PACKAGE = str(Path(fg.__file__).parent)
MOST = 10


def frames() -> list[str]:
    """Return fastgrok's functions on the stack, the switch of the floating-point environment aside."""
    own = [frame for frame in traceback.extract_stack() if frame.filename.startswith(PACKAGE)]
    return [frame.name for frame in own if frame.filename != environment.__file__]


def test_a_sweep_into_a_store_is_ten_frames_from_its_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, list[str]] = {}
    submit, make_driver, find = ThreadPoolExecutor.submit, program.make_driver, jit._entry_point

    def submitted(pool: ThreadPoolExecutor, task: Any, *args: Any) -> Any:
        if task is scheduler.make_shard:
            seen["caller"] = frames()
        return submit(pool, task, *args)

    class Spy:
        """A driver that says from where it is called."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self.driver = make_driver(*args, **kwargs)
            self.overloads = [None]  # as if it were compiled, which another way leads to

        def __call__(self, *args: Any) -> Any:
            seen["worker"] = frames()
            return self.driver(*args)

    monkeypatch.setattr(ThreadPoolExecutor, "submit", submitted)
    monkeypatch.setattr(program, "make_driver", Spy)
    monkeypatch.setattr(
        jit, "_entry_point", lambda kernel, args: kernel if isinstance(kernel, Spy) else find(kernel, args)
    )
    exp = fg.Experiment(fg.mlp(2, 3, 1), fg.datasets.xor(), epochs=10)
    fg.run(exp, 4, specialize=False)  # compiles what else there is
    fg.sweep(exp, 4, store=tmp_path / "store", specialize=False, progress=False)
    assert seen["caller"][1] == "sweep"
    assert seen["worker"][0] == "make_shard"
    assert len(seen["caller"]) + len(seen["worker"]) <= MOST, seen
