"""The machine code of the hot loop: vector multiply-adds on the widest registers, and no calls.

Compiled for a named CPU in a process of its own, and not run: any x86-64 can do this.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import fastgrok

COMPILE = """
import numpy as np
import fastgrok as fg
from fastgrok.engine.draws import state_words, tensors
from fastgrok.engine.driver import lane_count, make_driver
from fastgrok.engine.kernel_params import make_kernel_params
from fastgrok.engine.workspace import make_outputs, make_workspace, training_data, validation_data
from fastgrok.kernels.machine import machine
exp = fg.Experiment(fg.mlp(*{sizes!r}), fg.datasets.xor(), stop=None, dtype={dtype!r})
lanes = lane_count(exp, specialize=True)
train = make_driver(exp, lanes, specialize=True)
outputs = make_outputs(exp, np.zeros((lanes, exp.n_params), exp.dtype))
states = np.zeros((lanes, state_words(exp)), np.uint64)
arguments = (
    outputs, states, make_workspace(exp, lanes), training_data(exp), validation_data(exp),
    tensors(exp), make_kernel_params(exp), np.zeros(1, np.int64),
)
print(machine().emit_assembly(train.module(arguments)))
"""


def loops(assembly: str) -> list[list[str]]:
    """Every stretch of code that a jump at its end leads back to the start of."""
    lines = assembly.splitlines()
    labels = {match[1]: k for k, line in enumerate(lines) if (match := re.match(r"(\.LBB\S+):", line))}
    jumps = ((k, match[1]) for k, line in enumerate(lines) if (match := re.match(r"\s+j\w+\s+(\.LBB\S+)", line)))
    return [lines[labels[label] : k + 1] for k, label in jumps if labels.get(label, len(lines)) < k]


def instructions(loop: list[str]) -> list[str]:
    return [line.strip() for line in loop if re.match(r"\s+[a-z]", line)]


def is_fma(instruction: str) -> bool:
    return re.match(r"vfn?m(add|sub)", instruction) is not None


def assembly(cpu, directory, **of):
    """Compile for a CPU. Without the features Numba takes the host's, and haswell would have AVX-512."""
    environment = os.environ | {
        "NUMBA_CPU_NAME": cpu,
        "NUMBA_CPU_FEATURES": "",
        "FASTGROK_CACHE_DIR": str(directory),
        "PYTHONPATH": str(Path(fastgrok.__file__).parents[1]),
    }
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", COMPILE.format(**of)],
        env=environment, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("cpu", "register", "dtype", "registers"),
    [
        ("skylake-avx512", "zmm", "float64", 4),
        ("skylake-avx512", "zmm", "float32", 4),
        ("haswell", "ymm", "float64", 2),
    ],
)
def test_the_hot_loop_is_vector_fma_on_the_widest_registers_without_calls(cpu, register, dtype, registers, tmp_path):
    code = assembly(cpu, tmp_path, dtype=dtype, sizes=(2, 4, 1))
    hot = [loop for loop in map(instructions, loops(code)) if sum(map(is_fma, loop)) > 10]
    assert hot
    inner = min(hot, key=len)
    fmas = [instruction for instruction in inner if is_fma(instruction)]
    suffix = {"float64": "pd", "float32": "ps"}[dtype]
    wide = rf"vfn?m(add|sub)\d+{suffix}\s.*%{register}\d+( {{%k\d}}( {{z}})?)?$"  # a mask is a ReLU's select
    assert [instruction for instruction in fmas if not re.match(wide, instruction)] == []
    # 2-4-1 on four examples whose inputs need no products: 4 forward, and backward 4 deltas and 4 weights.
    assert len(fmas) == registers * 4 * 12, Counter(instruction.split()[0] for instruction in inner)
    assert not [instruction for instruction in inner if instruction.startswith("call")]


def test_a_driver_of_many_layers_has_no_other_kinds_of_layers(tmp_path):
    """ReLU layers divide nothing: what does is a sigmoid or a tanh, of which a layer would have to be chosen."""
    code = assembly("skylake-avx512", tmp_path, dtype="float64", sizes=(2, 4, 4, 4, 1))
    assert "vmaxpd" in code
    assert "vdivpd" not in code
