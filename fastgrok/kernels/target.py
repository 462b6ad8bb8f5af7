"""The CPU that kernels are compiled for."""

import functools
import os
import re

import llvmlite.binding as llvm

from fastgrok.errors import InvalidExperiment

_FEATURE = re.compile(r"[+-][a-z0-9][a-z0-9._-]*")


@functools.cache
def description() -> tuple[str, str, str]:
    """Return LLVM's triple, the CPU's name and its features: what compiled code depends on.

    The CPU is this one, or that of ``$NUMBA_CPU_NAME`` with ``$NUMBA_CPU_FEATURES``, as for all code of Numba.
    """
    name, chosen = (os.environ.get(f"NUMBA_CPU_{what}") for what in ("NAME", "FEATURES"))
    try:
        here = llvm.get_host_cpu_features()
    except RuntimeError:  # LLVM cannot tell, as on some systems
        here = llvm.FeatureMap()
    features = here.flatten() if chosen is None else _checked(chosen, here)
    return llvm.get_process_triple(), name or llvm.get_host_cpu_name(), features


def _checked(features: str, here: dict[str, bool]) -> str:
    """Return features that this CPU has: LLVM ends a process where one has no sign, the CPU where it lacks one."""
    field = "NUMBA_CPU_FEATURES"
    for feature in filter(None, features.split(",")):
        if not _FEATURE.fullmatch(feature):
            raise InvalidExperiment(field, features, "names of LLVM's with + or -, such as '-avx512f,+avx2'")
        if feature[0] == "+" and here.get(feature[1:]) is False:
            raise InvalidExperiment(field, features, f"features of this CPU, which has no {feature[1:]}")
    return ",".join(filter(None, features.split(",")))


DEFERRED = 3
"""Updates that weights may be behind where no first-level cache holds them: see nn/deferred.py."""

_HALVES = {"znver4"}  # CPUs that take a vector register of 64 bytes in two halves


@functools.cache
def operation_bytes() -> int:
    """Return the bytes that an arithmetic unit takes at once: half of the widest register on some CPUs."""
    _, name, _ = description()
    return min(vector_bytes(), 32) if name in _HALVES else vector_bytes()


@functools.cache
def register_count() -> int:
    """Return how many vector registers there are: 16 on x86-64 without AVX-512, else 32."""
    triple, _, _ = description()
    return 16 if triple.startswith("x86_64") and vector_bytes() < 64 else 32


@functools.cache
def vector_bytes() -> int:
    """Return the bytes of the widest vector register: 64 with AVX-512, 32 with AVX, else 16."""
    _, name, features = description()
    supported = features.split(",")
    if "+avx512f" in supported or "avx512" in name:
        return 64
    return 32 if "+avx" in supported or name in ("haswell", "x86-64-v3") else 16
