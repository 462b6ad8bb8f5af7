"""How seeds are divided among threads."""

from __future__ import annotations

import os
import signal
import threading
import time

import numpy as np
import pytest

import fastgrok as fg
from fastgrok.engine import program, training
from fastgrok.engine.training import even_share


def longest(n, share, threads):
    """Return the blocks of the thread that has most, where each takes the next share as it is done with one."""
    loads = [0] * threads
    for first in range(0, n, share):
        loads[loads.index(min(loads))] += min(share, n - first)
    return max(loads)


def test_a_share_leaves_no_thread_waiting_for_another():
    assert even_share(16, 3, 2) == 2
    assert even_share(16, 8, 2) == 8
    assert even_share(2048, 700, 2) == 512


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_the_longest_of_the_threads_is_as_short_as_any_share_of_that_size_makes_it(threads):
    for n in range(1, 70):
        for most in range(1, n + 1):
            share = even_share(n, most, threads)
            assert (most + 1) // 2 <= share <= most
            shortest = min(longest(n, other, threads) for other in range((most + 1) // 2, most + 1))
            assert longest(n, share, threads) <= shortest + share - 1


@pytest.mark.usefixtures("sigint")
def test_ctrl_c_ends_a_prediction_of_many_examples(monkeypatch):
    network, X = fg.mlp(2, 64, 64, 1), np.ones((2_000_000, 2))
    outputs, fill = [], program.predict

    def watched(rows, *args):
        rows.fill(np.nan)
        outputs.append(rows)
        threading.Timer(0.2, os.kill, [os.getpid(), signal.SIGINT]).start()
        fill(rows, *args)

    monkeypatch.setattr(program, "predict", watched)
    params = fg.initial_params(fg.Experiment(network, fg.datasets.xor()), 1)
    with pytest.raises(KeyboardInterrupt):
        fg.predict(network, params, X)
    assert np.isnan(outputs[0][0, -1])  # the kernel has not come so far


@pytest.mark.usefixtures("sigint")
def test_after_ctrl_c_no_rows_are_begun(monkeypatch):
    begun, most = [], 50
    monkeypatch.setattr(training, "MAX_LANES", 1)

    def task(rows, cancel):
        begun.append(rows)
        if len(begun) == 1:
            os.kill(os.getpid(), signal.SIGINT)
        for _ in range(1000):
            if cancel[0]:
                return
            time.sleep(0.01)

    with pytest.raises(KeyboardInterrupt):
        training._all_in_threads(task, most, 1e10, None)
    assert len(begun) <= training.cpu_count()
