"""The machine's fused-multiply-add peak: independent chains on the widest vector registers."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable

import llvmlite.binding as llvm
import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from benchmarks.peers.timing import best_seconds

# An FMA takes 4 cycles and two start per cycle, so 8 chains would do; 12 leave slack and fit in 16 registers
# together with the two constants.
CHAINS = 12

_ELEMENTS = {
    "float64": (types.float64, ir.DoubleType(), "f64", 8),
    "float32": (types.float32, ir.FloatType(), "f32", 4),
}


def register_bytes() -> int:
    """Return the width of the widest vector register of this CPU."""
    features = llvm.get_host_cpu_features()
    if features.get("avx512f"):
        return 64
    return 32 if features.get("avx") else 16


def lane_count(dtype: str) -> int:
    """Return how many numbers one register holds."""
    return register_bytes() // _ELEMENTS[dtype][3]


def _splat(builder, scalar, vector):
    """Return a vector with the scalar in every lane."""
    index = ir.IntType(32)
    undefined = ir.Constant(vector, ir.Undefined)
    first = builder.insert_element(undefined, scalar, index(0))
    return builder.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(index, vector.count), None))


def _emit_loop(builder, fma, count, factor, addend, starts):
    """Emit `count` rounds of chain = chain * factor + addend for each start; return the ends."""
    before, loop = builder.block, builder.append_basic_block("chains")
    after = builder.append_basic_block("chains.end")
    builder.branch(loop)
    builder.position_at_end(loop)
    i = builder.phi(count.type)
    chains = [builder.phi(start.type) for start in starts]
    ends = [builder.call(fma, [chain, factor, addend]) for chain in chains]
    following = builder.add(i, count.type(1))
    for phi, first, last in zip([i, *chains], [count.type(0), *starts], [following, *ends], strict=True):
        phi.add_incoming(first, before)
        phi.add_incoming(last, loop)
    builder.cbranch(builder.icmp_signed("<", following, count), loop, after)
    builder.position_at_end(after)
    return ends


@functools.cache
def compiled(dtype: str) -> Callable:
    """Return `kernel(rounds, factor, addend)`: CHAINS vector FMAs a round; what it returns needs them all."""
    scalar, element, suffix, _ = _ELEMENTS[dtype]
    lanes = lane_count(dtype)
    vector = ir.VectorType(element, lanes)

    @intrinsic
    def chains(typingctx, rounds, factor, addend):
        def codegen(context, builder, signature, arguments):
            count, factor, addend = arguments
            kind = ir.FunctionType(vector, [vector] * 3)
            fma = cgutils.get_or_insert_function(builder.module, kind, f"llvm.fma.v{lanes}{suffix}")
            factor, addend = (_splat(builder, v, vector) for v in (factor, addend))
            starts = [builder.fadd(factor, vector([float(k)] * lanes)) for k in range(CHAINS)]
            ends = _emit_loop(builder, fma, count, factor, addend, starts)
            total = functools.reduce(builder.fadd, ends)
            return functools.reduce(
                builder.fadd, [builder.extract_element(total, ir.IntType(32)(k)) for k in range(lanes)]
            )

        return scalar(types.int64, scalar, scalar), codegen

    @numba.njit(nogil=True)
    def kernel(rounds, factor, addend):
        return chains(rounds, factor, addend)

    number = np.dtype(dtype).type
    kernel(1, number(0.5), number(0.5))
    return kernel


def peak_run(dtype: str, threads: int, rounds: int) -> tuple[Callable[[], None], float]:
    """Return something to time, and the operations in it, a multiply-add counting 2."""
    kernel, number = compiled(dtype), np.dtype(dtype).type
    # factor 0.999 and addend 0.001 have the fixed point 1: neither overflow nor denormals
    arguments = (rounds, number(0.999), number(0.001))

    def run() -> None:
        workers = [threading.Thread(target=kernel, args=arguments) for _ in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    return run, 2.0 * CHAINS * lane_count(dtype) * rounds * threads


def peak_gflops(dtype: str, threads: int, repeats: int = 5, rounds: int = 4_000_000) -> float:
    """Return the best of several runs in GFLOP/s."""
    run, flops = peak_run(dtype, threads, rounds)
    (seconds,) = best_seconds([run], repeats)
    return flops / seconds / 1e9


def peaks(repeats: int = 5) -> dict[tuple[str, int], float]:
    """Return the peak for both dtypes on one and two threads."""
    return {(dtype, n): peak_gflops(dtype, n, repeats) for dtype in _ELEMENTS for n in (1, 2)}
