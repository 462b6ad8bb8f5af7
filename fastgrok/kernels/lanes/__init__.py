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

from typing import Any

from fastgrok.kernels.later import later

_NAMES = {
    "arithmetic": "absolute both by_dtype copysign either fma lane_bits like lowest select sqrt",
    "bits": "exponent fraction_alone is_negative_zero is_subnormal low_bits_as_exponent power_of_two significand"
    " units",
    "constants": "fixed fixed_memory",
    "loops": "for_each repeat",
    "memory": "align_stack beyond gather lane_view peek scalar_view splat_view working_view",
    "outer": "Updates add_columns add_product most_columns most_rows product_before",
    "references": "by_reference",
    "tiles": "Ending MASKED Matrix RECTIFIED STEPPED STORED multiply_tile tile_shape",
}
_PLACES = {name: module for module, names in _NAMES.items() for name in names.split()}

__all__ = [*_PLACES]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return later(f"{__name__}.{_PLACES[name]}", name)
