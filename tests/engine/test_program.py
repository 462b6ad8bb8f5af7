"""Programs that are kept for the experiments that they were made for."""

import os
import threading
from multiprocessing import get_context
from typing import Any

import numpy as np
import pytest

import fastgrok as fg
from fastgrok.engine import program, training
from fastgrok.engine.program import Program

EXP = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=20)
OPTIONS = {"specialize": False, "lanes": 32, "n_seeds": 1}
SEEDS = np.arange(3, dtype=np.uint64)


def test_a_program_is_made_once_for_an_experiment_and_cancelled_for_one_run():
    first, second = Program.kept(EXP, **OPTIONS), Program.kept(EXP, **OPTIONS)
    assert first is not second
    assert first.driver is second.driver
    assert first._kernel_params is second._kernel_params
    first.cancel()
    assert first.cancelled
    assert not second.cancelled
    assert not Program.kept(EXP, **OPTIONS).cancelled


def test_another_experiment_has_another_program():
    slower = EXP.replace(optimizer=fg.SGD(0.01))
    assert Program.kept(slower, **OPTIONS)._kernel_params is not Program.kept(EXP, **OPTIONS)._kernel_params
    assert Program.kept(EXP, **OPTIONS | {"lanes": 16}).lanes == 16


def test_a_large_program_is_not_kept():
    data = fg.Dataset(np.zeros((50_000, 2)), np.zeros(50_000))
    large = EXP.replace(data=data)
    assert Program.kept(large, **OPTIONS)._kernel_params is not Program.kept(large, **OPTIONS)._kernel_params


@pytest.mark.parametrize("stop", [None, fg.Converged(loss=0.1)])
def test_memory_that_is_used_again_changes_no_bit(stop):
    """Adam's moments, the restarts and the order of one run are forgotten in the next."""
    fields = {"optimizer": fg.Adam(0.05), "batch_size": 3, "order": "per_seed", "stop": stop}
    exp = EXP.replace(restart=None if stop is None else fg.Restart(5), **fields)
    runs = [fg.run(exp, [5, 1, 9], keep_params=True, record_at=[1, 7], track="dead_units") for _ in range(3)]
    apart = fg.run(exp.replace(), [5, 1, 9], keep_params=True, record_at=[1, 7], track="dead_units", chunk_size=1)
    for run in runs:
        assert run.dataset.equals(apart.dataset)
        for ours, theirs in zip(run.params, apart.params, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_several_threads_run_one_experiment_at_once():
    expected = fg.run(EXP, 3, keep_params=True)
    results = []

    def work() -> None:
        results.extend(fg.run(EXP, 3, keep_params=True) for _ in range(20))

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(results) == 80
    for result in results:
        assert result.dataset.equals(expected.dataset)


def _runs(states: Any) -> None:
    states.put(fg.run(EXP.replace(epochs=21), 3).n_finished)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_process_that_is_forked_while_a_thread_makes_a_program_trains():
    context = get_context("fork")
    states = context.SimpleQueue()
    child = context.Process(target=_runs, args=(states,))
    with program._kept_lock:
        child.start()
    child.join(60)
    if child.exitcode is None:
        child.kill()
        child.join()
    assert child.exitcode == 0
    assert states.get() == 3
    fg.run(EXP.replace(epochs=21), 3)  # the parent's is its own


def test_little_work_is_done_in_the_calling_thread(monkeypatch):
    where = []
    train = Program.train

    def watched(self, *args):
        where.append(threading.current_thread())
        return train(self, *args)

    monkeypatch.setattr(Program, "train", watched)
    fg.run(EXP, 3)
    assert where == [threading.current_thread()]
    fg.run(EXP, 3, threads=2)
    assert threading.current_thread() not in where[1:]


def test_ctrl_c_in_little_work_leaves_nothing(monkeypatch):
    def interrupted(self, *args):
        raise KeyboardInterrupt

    monkeypatch.setattr(Program, "train", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fg.run(EXP, 3)
    with pytest.raises(KeyboardInterrupt):
        training.train(EXP, SEEDS)
