"""Chunks of rows in a pool of threads."""

import os
import threading

import numpy as np
import pytest

from fastgrok.engine.threads import cpu_count, in_threads


@pytest.mark.parametrize(("n", "size", "threads"), [(10, 3, 2), (1, 5, 1), (7, 7, 3), (40, 1, 4)])
def test_every_row_is_worked_on_once_and_counted(n, size, threads):
    seen, counted = np.zeros(n, int), []

    def task(rows: slice) -> None:
        seen[rows] += 1

    assert not in_threads(task, n, size, threads, cancel=lambda: None, advance=counted.append)
    assert (seen == 1).all()
    assert sum(counted) == n


def test_one_thread_beside_the_main_one_works_where_it_is():
    workers = []

    def work() -> None:
        def task(rows: slice) -> None:
            workers.append(threading.current_thread())

        in_threads(task, 4, 2, 1, cancel=lambda: None, advance=None)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert workers == [thread, thread]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_what_goes_wrong_in_a_chunk_cancels_the_others(error):
    """Ctrl-C ends the work early and says so; whatever else is raised."""
    cancelled = threading.Event()

    def task(rows: slice) -> None:
        if rows.start == 0:
            raise error
        assert cancelled.wait(30)

    def run() -> bool:
        return in_threads(task, 3, 1, 2, cancel=cancelled.set, advance=None)

    if error is KeyboardInterrupt:
        assert run()
    else:
        with pytest.raises(error):
            run()
    assert cancelled.is_set()


def test_the_cpus_are_those_of_this_process():
    assert 1 <= cpu_count() <= (os.cpu_count() or 1)


def test_little_work_is_done_where_it_is_and_ctrl_c_is_raised():
    workers, counted = [], []

    def task(rows: slice) -> None:
        workers.append((threading.current_thread(), rows))
        if len(workers) > 1:
            raise KeyboardInterrupt

    def run() -> bool:
        return in_threads(task, 5, 2, 2, cancel=lambda: None, advance=counted.append, at_once=True)

    assert not run()
    assert workers == [(threading.current_thread(), slice(0, 5))]
    assert counted == [5]
    with pytest.raises(KeyboardInterrupt):
        run()
