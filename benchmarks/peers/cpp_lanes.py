"""C++ written by hand (`xor_lanes.cpp`), by each compiler that is there, with as many lanes as are fastest."""

from __future__ import annotations

import ctypes
import dataclasses
import functools
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.peers.peer import THREADS, Peer, Run
from benchmarks.peers.timing import fastest
from benchmarks.peers.works import RELU_32, RELU_64, SIGMOID_64, Params, Work

SOURCE = Path(__file__).with_name("xor_lanes.cpp")
COMPILERS = ("g++", "clang++")
FLAGS = ("-std=c++17", "-O3", "-march=native", "-ffp-contract=fast", "-shared", "-fPIC", "-pthread", "-Wno-psabi")
LANES = (8, 16, 32)
TRIAL_EPOCHS = 100

_REALS = {"float64": ("double", ctypes.c_double), "float32": ("float", ctypes.c_float)}
_KINDS = {"relu": "Relu", "sigmoid": "Sigmoid"}


@functools.cache
def library(compiler: str, work: Work, known_data: bool) -> ctypes.CDLL:
    """Compile the source for one network and dtype, and load it; raise RuntimeError with what the compiler said."""
    real, _ = _REALS[work.dtype]
    data = "KnownData" if known_data else "GivenData"
    defined = (f"-DREAL={real}", f"-DKIND={_KINDS[work.hidden]}", f"-DDATA={data}")
    with tempfile.TemporaryDirectory() as folder:
        built = Path(folder, "lanes.so")
        command = [compiler, *FLAGS, *defined, str(SOURCE), "-o", str(built)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} ended with status {done.returncode}:\n{done.stderr}")
        return ctypes.CDLL(str(built))


@dataclass(frozen=True)
class Training:
    """A `Run` of one library with so many lanes."""

    library: ctypes.CDLL
    work: Work
    params: Params
    epochs: int
    lanes: int

    def __call__(self) -> np.ndarray:
        losses = np.empty(len(self.params[0]), self.work.dtype)
        arrays = [losses, *self.params, *self.work.examples()]
        _, real = _REALS[self.work.dtype]
        pointers = [array.ctypes.data_as(ctypes.c_void_p) for array in arrays]
        sizes = ctypes.c_int64(len(losses)), ctypes.c_int64(self.epochs), ctypes.c_int(THREADS)
        getattr(self.library, f"train_{self.lanes}")(*pointers, real(self.work.learning_rate), *sizes)
        return losses

    @property
    def detail(self) -> str:
        return f"{self.lanes} lanes"


def prepare(work: Work, params: Params, epochs: int, *, compiler: str, known_data: bool = False) -> Run:
    """Compile, and choose the lanes by a few epochs of each."""
    code = library(compiler, work, known_data)
    params = tuple(np.ascontiguousarray(p) for p in params)
    trials = [Training(code, work, params, min(epochs, TRIAL_EPOCHS), lanes) for lanes in LANES]
    return dataclasses.replace(fastest(trials, len(params[0])), epochs=epochs)


def _peer(compiler: str, known_data: bool) -> Peer:
    return Peer(
        f"C++ by hand, {compiler}, data known {'when compiled' if known_data else 'when run'}",
        "cpp",
        (RELU_64, RELU_32) if known_data else (RELU_64, RELU_32, SIGMOID_64),
        functools.partial(prepare, compiler=compiler, known_data=known_data),
        program=compiler,
    )


GIVEN = {compiler: _peer(compiler, False) for compiler in COMPILERS}
KNOWN = {compiler: _peer(compiler, True) for compiler in COMPILERS}
PEERS = (*GIVEN.values(), *KNOWN.values())
