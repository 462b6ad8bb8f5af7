"""A version of fastgrok in a process of its own, which measures what it is asked."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from benchmarks.targets.measures import Sizes

ROOT = Path(__file__).resolve().parents[2]


def commit(checkout: Path) -> str:
    """Return the commit of a checkout, with a plus if files were changed; a dash where git does not know."""
    git = ["git", "-C", str(checkout)]
    asked = (["rev-parse", "--short", "HEAD"], ["status", "--porcelain", "--untracked-files=no", "fastgrok"])
    head, changes = (subprocess.run([*git, *a], capture_output=True, text=True, check=False) for a in asked)
    return "–" if head.returncode else head.stdout.strip() + ("+" if changes.stdout else "")


def _kill(process: subprocess.Popen[str]) -> None:
    """Kill a process and what it has started."""
    if not hasattr(os, "killpg"):
        process.kill()
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


class Version:
    """The fastgrok of a checkout, as it is now: copied, so that what happens to the checkout changes nothing."""

    def __init__(self, checkout: Path, sizes: Sizes) -> None:
        self.commit = commit(checkout)
        self._sizes = sizes
        self._folder = tempfile.TemporaryDirectory()
        self._packages = Path(self._folder.name, "packages").resolve()
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(checkout / "fastgrok", self._packages / "fastgrok", ignore=ignored)
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Version:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()
        self._folder.cleanup()

    def _start(self) -> subprocess.Popen[str]:
        """Start the process, this checkout's benchmarks with that fastgrok, and a kernel cache of its own."""
        paths = [str(self._packages), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(paths),
            "FASTGROK_CACHE_DIR": str(Path(self._folder.name, "kernels")),
        }
        command = [sys.executable, "-m", "benchmarks.targets.worker", *map(str, self._sizes)]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        process = subprocess.Popen(command, env=environment, cwd=self._folder.name, start_new_session=True, **pipes)
        if (used := Path(process.stdout.readline().strip())) != self._packages:  # type: ignore[union-attr]
            process.kill()
            raise RuntimeError(f"the worker imports fastgrok from {used}, not from {self._packages}")
        return process

    def _end(self) -> None:
        if self._process is None:
            return
        _kill(self._process)
        self._process.communicate()
        self._process = None

    def ask(self, name: str, seconds: float) -> dict[str, Any]:
        """Return what a target's figure is, or why it is none: `{"measured": ...}` or `{"failed": ...}`."""
        try:
            self._process = self._process or self._start()
            timer = threading.Timer(seconds, _kill, [self._process])
            timer.start()
            try:
                print(name, file=self._process.stdin, flush=True)
                said = self._process.stdout.readline()  # type: ignore[union-attr]
            finally:
                timer.cancel()
        except (OSError, RuntimeError) as error:
            self._end()
            return {"failed": str(error)}
        if not said:
            self._end()
            return {"failed": f"no answer within {seconds:.0f} s, or the process died"}
        return json.loads(said)
