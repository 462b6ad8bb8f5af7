"""The SIMD lane type: one value each for L networks in one vector, and the operations on it.

A kernel that adds two `Lanes` adds L numbers, one of each network; no operation mixes lanes but `lane_bits`,
which steers loops. This package alone writes LLVM code.

Types
-----
Lanes(dtype, count)
    ``<count x dtype>``: a value. The result of a comparison is a `Lanes` of booleans.
LaneView(dtype, count)
    Memory that holds vectors; ``view[i]`` reads and writes the i-th. Bounds are not checked.
SplatView(dtype, count)
    Memory that holds scalars; ``view[i]`` reads the i-th into every lane.
ScalarView(dtype)
    Memory that holds scalars; ``view[i]`` reads the i-th. An array without a reference count.
"""

from fastgrok.kernels.lanes.arithmetic import (
    absolute,
    both,
    by_dtype,
    copysign,
    either,
    fma,
    lane_bits,
    like,
    lowest,
    select,
    sqrt,
)
from fastgrok.kernels.lanes.bits import (
    exponent,
    fraction_alone,
    is_negative_zero,
    is_subnormal,
    low_bits_as_exponent,
    power_of_two,
    significand,
    units,
)
from fastgrok.kernels.lanes.fixed import fixed, fixed_memory
from fastgrok.kernels.lanes.loops import for_each_parameter, repeat
from fastgrok.kernels.lanes.memory import (
    align_stack,
    beyond,
    gather,
    lane_view,
    peek,
    scalar_view,
    splat_view,
    working_view,
)
from fastgrok.kernels.lanes.references import by_reference
from fastgrok.kernels.lanes.tiles import Matrix, Step, multiply_tile, tile_shape
from fastgrok.kernels.lanes.types import Lanes, LaneView, ScalarView, SplatView

__all__ = [
    "LaneView",
    "Lanes",
    "Matrix",
    "ScalarView",
    "SplatView",
    "Step",
    "absolute",
    "align_stack",
    "beyond",
    "both",
    "by_dtype",
    "by_reference",
    "copysign",
    "either",
    "exponent",
    "fixed",
    "fixed_memory",
    "fma",
    "for_each_parameter",
    "fraction_alone",
    "gather",
    "is_negative_zero",
    "is_subnormal",
    "lane_bits",
    "lane_view",
    "like",
    "low_bits_as_exponent",
    "lowest",
    "multiply_tile",
    "peek",
    "power_of_two",
    "repeat",
    "scalar_view",
    "select",
    "significand",
    "splat_view",
    "sqrt",
    "tile_shape",
    "units",
    "working_view",
]
