"""What comes before the first result: imports, compilation, loading, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

from .work import experiment, train

_EMPTY_CACHE = """
import os, tempfile
folder = tempfile.TemporaryDirectory()
os.environ["FASTGROK_CACHE_DIR"] = folder.name
"""
_READY = """
import fastgrok as fg
exp = fg.Experiment(fg.mlp(2, 4, 1, hidden="relu"), fg.datasets.xor(), optimizer=fg.SGD(lr=0.1), epochs=400)
run = fg.run
"""
_DRIVERS = {"general": False, "specialised": True}
_COMBINATIONS = {
    "adam": "optimizer=fg.Adam()",
    "full batch": "batch_size='full'",
    "restart": "stop=fg.Converged(loss=0.01), restart=fg.Restart(after=100)",
    "float32": "dtype='float32'",
}


class Import:
    """Import alone; Numba's own is there to be subtracted."""

    number = 1
    repeat = (1, 5, 10.0)

    def timeraw_import(self) -> str:
        return "import fastgrok"

    def timeraw_import_and_reach_run(self) -> str:
        return "import fastgrok; fastgrok.Experiment, fastgrok.run"

    def timeraw_reference_numba(self) -> str:
        return "import numba"


class FirstRun:
    """The first call of `run` in a process, everything imported: its kernels are compiled, or loaded."""

    params = tuple(_DRIVERS)
    param_names = ("driver",)
    number = 1
    repeat = (1, 3, 20.0)
    timeout = 120

    def setup(self, driver: str) -> None:
        """Fill the disk cache."""
        train(experiment("2-4-1"), 1, specialize=_DRIVERS[driver])

    def _statement(self, driver: str) -> str:
        return f"run(exp, 1, specialize={_DRIVERS[driver]}, progress=False)"

    def timeraw_cold_compile(self, driver: str) -> tuple[str, str]:
        return self._statement(driver), _EMPTY_CACHE + _READY

    def timeraw_cached_load(self, driver: str) -> tuple[str, str]:
        return self._statement(driver), _READY


class NewCombination:
    """The first run of a combination that nothing on disk was compiled for, everything imported."""

    params = tuple(_COMBINATIONS)
    param_names = ("combination",)
    number = 1
    repeat = (1, 3, 20.0)
    timeout = 120

    def timeraw_from_an_empty_cache(self, combination: str) -> tuple[str, str]:
        changed = f"exp = exp.replace({_COMBINATIONS[combination]})"
        return "run(exp, 1, progress=False)", _EMPTY_CACHE + _READY + changed


class Command:
    """`fastgrok sweep xor --seeds 1000`, the whole process, with a warm and with an empty cache."""

    params = ("warm", "empty")
    param_names = ("cache",)
    number = 1
    repeat = (1, 3, 20.0)
    warmup_time = 0
    timeout = 120

    def setup(self, cache: str) -> None:
        """Fill the cache, where it is to be warm."""
        self.environment = dict(os.environ)
        if cache == "warm":
            self._run()

    def time_sweep(self, cache: str) -> None:
        if cache == "warm":
            self._run()
            return
        with tempfile.TemporaryDirectory() as folder:
            self.environment["FASTGROK_CACHE_DIR"] = folder
            self._run()

    def _run(self) -> None:
        command = [sys.executable, "-m", "fastgrok", "sweep", "xor", "--seeds", "1000"]
        subprocess.run(command, env=self.environment, check=True, stdin=subprocess.DEVNULL, capture_output=True)
