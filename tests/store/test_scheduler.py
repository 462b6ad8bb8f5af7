"""A sweep is straight down from its caller to the kernel."""

import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import fastgrok as fg
from fastgrok.engine.driver import lane_count, make_driver
from fastgrok.kernels import environment, jit
from fastgrok.store import scheduler

PACKAGE = str(Path(fg.__file__).parent)
MOST = 10


def frames() -> list[str]:
    """Return fastgrok's functions on the stack, the switch of the floating-point environment aside."""
    own = [frame for frame in traceback.extract_stack() if frame.filename.startswith(PACKAGE)]
    return [frame.name for frame in own if frame.filename != environment.__file__]


def test_a_sweep_into_a_store_is_ten_frames_from_its_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, list[str]] = {}
    exp = fg.Experiment(fg.mlp(2, 3, 1), fg.datasets.xor(), epochs=10)
    submit, run = ThreadPoolExecutor.submit, jit._run
    driver = make_driver(exp, lane_count(exp, specialize=False, n_seeds=4), specialize=False)

    def submitted(pool: ThreadPoolExecutor, task: Any, *args: Any) -> Any:
        if task is scheduler.make_shard:
            seen["caller"] = frames()
        return submit(pool, task, *args)

    def ran(code: Any, words: bytes) -> None:
        if code in driver._loaded.values():
            seen["worker"] = frames()
        run(code, words)

    monkeypatch.setattr(ThreadPoolExecutor, "submit", submitted)
    monkeypatch.setattr(jit, "_run", ran)
    fg.run(exp, 4, specialize=False)  # compiles what there is
    fg.sweep(exp, 4, store=tmp_path / "store", specialize=False, progress=False)
    assert seen["caller"][1] == "sweep"
    assert seen["worker"][0] == "make_shard"
    assert len(seen["caller"]) + len(seen["worker"]) <= MOST, seen
