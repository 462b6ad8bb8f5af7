"""How a command ends: exit statuses, and SIGTERM where work is kept."""

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any

FAILED = 1
"""Exit status: a file cannot be read or written, or something is wrong with a store."""

INVALID = 2
"""Exit status: what was typed cannot be done."""

INTERRUPTED, TERMINATED = 130, 143
"""Exit statuses: ended by Ctrl-C; ended by SIGTERM."""


@contextlib.contextmanager
def terminable(command: str) -> Iterator[list[int]]:
    """Let SIGTERM end the work on a store as Ctrl-C does, and say which command goes on; the list has the signal."""
    received: list[int] = []

    def handle(number: int, frame: Any) -> None:
        received.append(number)
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():  # which Python gives all signals to
        yield received
        return
    before = signal.signal(signal.SIGTERM, handle)
    try:
        yield received
    except KeyboardInterrupt:
        print(f"fastgrok: interrupted; go on with: {command}", file=sys.stderr)
        raise SystemExit(TERMINATED if received else INTERRUPTED) from None
    finally:
        signal.signal(signal.SIGTERM, before)
