"""The types of lanes and of memory as Numba and LLVM see them."""

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.datamodel import models
from numba.core.datamodel.registry import register_default

ELEMENT = {
    types.float64: ir.DoubleType(),
    types.float32: ir.FloatType(),
    types.int64: ir.IntType(64),
    types.boolean: ir.IntType(1),
}
BITS = {types.float64: 64, types.float32: 32}


class Lanes(types.Type):
    """The Numba type of a vector of `count` values, one per network."""

    def __init__(self, dtype: types.Type, count: int) -> None:
        self.dtype, self.count = dtype, count
        super().__init__(f"Lanes({dtype}, {count})")


class LaneView(types.Type):
    """The Numba type of memory that holds vectors."""

    def __init__(self, dtype: types.Type, count: int) -> None:
        self.dtype, self.count = dtype, count
        super().__init__(f"LaneView({dtype}, {count})")


class SplatView(types.Type):
    """The Numba type of memory that holds scalars, each read into every lane."""

    def __init__(self, dtype: types.Type, count: int) -> None:
        self.dtype, self.count = dtype, count
        super().__init__(f"SplatView({dtype}, {count})")


class ScalarView(types.Type):
    """The Numba type of memory that holds scalars."""

    def __init__(self, dtype: types.Type) -> None:
        self.dtype = dtype
        super().__init__(f"ScalarView({dtype})")


def vector_type(lanes: Any) -> ir.VectorType:
    """Return the LLVM type of lanes, or of what a view holds."""
    return ir.VectorType(ELEMENT[lanes.dtype], lanes.count)


@register_default(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, fe_type: Lanes) -> None:
        super().__init__(manager, fe_type, vector_type(fe_type))


@register_default(LaneView)
class _LaneViewModel(models.PrimitiveModel):
    def __init__(self, manager: Any, fe_type: LaneView) -> None:
        super().__init__(manager, fe_type, vector_type(fe_type).as_pointer())


@register_default(SplatView)
@register_default(ScalarView)
class _ScalarModel(models.PrimitiveModel):
    def __init__(self, manager: Any, fe_type: SplatView | ScalarView) -> None:
        super().__init__(manager, fe_type, ELEMENT[fe_type.dtype].as_pointer())


def mask_of(lanes: Lanes) -> Lanes:
    """Return the type of a comparison of lanes."""
    return Lanes(types.boolean, lanes.count)


def splat(builder: Any, scalar: Any, count: int) -> Any:
    """Return the LLVM vector that holds `scalar` in each of `count` lanes."""
    vector = ir.VectorType(scalar.type, count)
    first = builder.insert_element(ir.Constant(vector, ir.Undefined), scalar, ir.IntType(32)(0))
    return builder.shuffle_vector(first, first, ir.Constant(ir.VectorType(ir.IntType(32), count), [0] * count))


def constant(lanes: Lanes, value: float) -> Any:
    """Return the LLVM vector of one number."""
    return ir.Constant(vector_type(lanes), [value] * lanes.count)


def llvm_function(builder: Any, name: str, lanes: Lanes, arity: int) -> Any:
    """Return the LLVM intrinsic `name` on vectors, such as llvm.fma.v8f64."""
    vector = vector_type(lanes)
    full_name = f"llvm.{name}.v{lanes.count}f{BITS[lanes.dtype]}"
    return cgutils.get_or_insert_function(builder.module, ir.FunctionType(vector, [vector] * arity), full_name)
