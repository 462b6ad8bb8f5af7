"""The CPU that Numba compiles for."""

import functools

from numba.core.registry import cpu_target


def description() -> tuple[str, str, str]:
    """Return LLVM's triple, the CPU's name and its features: what compiled code depends on."""
    triple, name, features = cpu_target.target_context.codegen().magic_tuple()
    return triple, name, features


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
