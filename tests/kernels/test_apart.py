"""Work that Ctrl-C must not cut in two."""

import functools
import signal
import threading
from typing import Any

import pytest

from fastgrok.kernels.apart import apart


def test_what_a_function_returns_and_raises_comes_back() -> None:
    assert apart(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        apart(lambda: 1 // 0)


def test_the_main_thread_has_another_one_work_which_others_do_themselves() -> None:
    assert apart(threading.current_thread) is not threading.current_thread()
    seen: list[Any] = []
    other = threading.Thread(target=lambda: seen.append(apart(threading.current_thread)))
    other.start()
    other.join()
    assert seen == [other]


def test_where_there_are_no_more_threads_the_main_one_works(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(self: Any) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    assert apart(threading.current_thread) is threading.main_thread()


def test_ctrl_c_is_raised_at_once_and_the_work_goes_on() -> None:
    begun, goes_on, ended = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        goes_on.wait(30)
        ended.set()

    def press() -> None:
        begun.wait(30)
        signal.raise_signal(signal.SIGINT)

    presser = threading.Thread(target=press)
    presser.start()
    with pytest.raises(KeyboardInterrupt):
        apart(work)
    assert not ended.is_set()
    goes_on.set()
    assert ended.wait(30)
    presser.join()


def test_an_exception_in_a_finaliser_of_the_work_is_not_ctrl_c(capfd: pytest.CaptureFixture[str]) -> None:
    """Objects that a compiler leaves are finalised all the time; there Python prints what is raised, and goes on."""

    class Left:
        def __del__(self) -> None:
            sum(range(200))

    def work(is_over: threading.Event) -> None:
        while not is_over.is_set():
            Left()

    for delay in (0.02, 0.05, 0.1, 0.2):
        is_over = threading.Event()
        threading.Timer(delay, signal.raise_signal, (signal.SIGINT,)).start()
        with pytest.raises(KeyboardInterrupt):
            apart(functools.partial(work, is_over))
        is_over.set()
    assert "ignored" not in capfd.readouterr().err
