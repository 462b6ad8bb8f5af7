"""Values: a + b, a < b, fma(a, b, c), select(mask, a, b)."""

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.core.extending import intrinsic, lower_builtin
from numba.core.typing import signature
from numba.core.typing.templates import AbstractTemplate, infer_global

from fastgrok.kernels.lanes.types import Lanes, llvm_function, mask_of, splat


def _operator(function: Callable, result: Callable[[Lanes], Lanes], mask: bool, emit: Callable) -> None:
    """Give `function` a meaning on Lanes of equal type: masks only, or numbers only."""

    class Template(AbstractTemplate):
        key = function

        def generic(self, args: Any, kws: Any) -> Any:
            first = args[0]
            if isinstance(first, Lanes) and all(a == first for a in args) and (first.dtype is types.boolean) == mask:
                return signature(result(first), *args)
            return None

    infer_global(function)(Template)
    arity = 1 if function in (operator.neg, operator.invert) else 2
    lower_builtin(function, *[Lanes] * arity)(lambda context, builder, sig, args: emit(builder, *args))


_operator(operator.add, lambda t: t, False, lambda b, x, y: b.fadd(x, y))
_operator(operator.sub, lambda t: t, False, lambda b, x, y: b.fsub(x, y))
_operator(operator.mul, lambda t: t, False, lambda b, x, y: b.fmul(x, y))
_operator(operator.truediv, lambda t: t, False, lambda b, x, y: b.fdiv(x, y))
_operator(operator.neg, lambda t: t, False, lambda b, x: b.fneg(x))
_operator(operator.lt, mask_of, False, lambda b, x, y: b.fcmp_ordered("<", x, y))
_operator(operator.le, mask_of, False, lambda b, x, y: b.fcmp_ordered("<=", x, y))
_operator(operator.gt, mask_of, False, lambda b, x, y: b.fcmp_ordered(">", x, y))
_operator(operator.ge, mask_of, False, lambda b, x, y: b.fcmp_ordered(">=", x, y))
_operator(operator.eq, mask_of, False, lambda b, x, y: b.fcmp_ordered("==", x, y))


@intrinsic
def both(typingctx: Any, a: Any, b: Any) -> Any:
    """both(mask, mask): true in the lanes where both are."""
    return signature(a, a, b), lambda context, builder, sig, args: builder.and_(*args)


@intrinsic
def either(typingctx: Any, a: Any, b: Any) -> Any:
    """either(mask, mask): true in the lanes where one is."""
    return signature(a, a, b), lambda context, builder, sig, args: builder.or_(*args)


@intrinsic
def like(typingctx: Any, lanes: Any, value: Any) -> Any:
    """like(lanes, value): a number in every lane, rounded once to the lanes' dtype."""
    if not isinstance(lanes, Lanes) or not isinstance(value, types.Number):
        return None

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return splat(builder, context.cast(builder, args[1], value, lanes.dtype), lanes.count)

    return signature(lanes, lanes, value), codegen


@intrinsic
def by_dtype(typingctx: Any, lanes: Any, double: Any, single: Any) -> Any:
    """by_dtype(lanes, double, single): a constant of the lanes' type, written once for each dtype."""
    if not isinstance(lanes, Lanes):
        return None

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        position = 1 if lanes.dtype is types.float64 else 2
        scalar = context.cast(builder, args[position], sig.args[position], lanes.dtype)
        return splat(builder, scalar, lanes.count)

    return signature(lanes, lanes, double, single), codegen


@intrinsic
def fma(typingctx: Any, a: Any, b: Any, c: Any) -> Any:
    """fma(a, b, c): a*b + c, rounded once."""
    if not (isinstance(a, Lanes) and a == b == c):
        return None

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.call(llvm_function(builder, "fma", a, 3), args)

    return signature(a, a, b, c), codegen


def _unary(name: str) -> Callable:
    def typer(typingctx: Any, a: Any) -> Any:
        if not isinstance(a, Lanes):
            return None

        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            return builder.call(llvm_function(builder, name, a, 1), args)

        return signature(a, a), codegen

    return typer


@intrinsic
def sqrt(typingctx: Any, a: Any) -> Any:
    """sqrt(a): the square root, correctly rounded."""
    return _unary("sqrt")(typingctx, a)


@intrinsic
def absolute(typingctx: Any, a: Any) -> Any:
    """absolute(a): a without its sign."""
    return _unary("fabs")(typingctx, a)


@intrinsic
def copysign(typingctx: Any, a: Any, b: Any) -> Any:
    """copysign(a, b): the size of a with the sign of b."""
    if not (isinstance(a, Lanes) and a == b):
        return None

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.call(llvm_function(builder, "copysign", a, 2), args)

    return signature(a, a, b), codegen


@intrinsic
def select(typingctx: Any, mask: Any, a: Any, b: Any) -> Any:
    """select(mask, a, b): a in the lanes where mask is true, b in the others."""
    if not (isinstance(mask, Lanes) and isinstance(a, Lanes) and a == b):
        return None
    return signature(a, mask, a, b), lambda context, builder, sig, args: builder.select(*args)


@intrinsic
def lowest(typingctx: Any, bits: Any) -> Any:
    """lowest(bits): the place of the lowest bit that is set in an int64 that is not 0."""
    if bits != types.int64:
        return None
    return signature(bits, bits), lambda context, builder, sig, args: builder.cttz(args[0], ir.IntType(1)(1))


@intrinsic
def lane_bits(typingctx: Any, mask: Any) -> Any:
    """lane_bits(mask): an int64 whose bit l is lane l; at most 64 lanes."""
    if not (isinstance(mask, Lanes) and mask.dtype is types.boolean and mask.count <= 64):
        return None

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        bits = builder.bitcast(args[0], ir.IntType(mask.count))
        return bits if mask.count == 64 else builder.zext(bits, ir.IntType(64))

    return signature(types.int64, mask), codegen
