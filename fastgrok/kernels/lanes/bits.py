"""The parts of floating-point numbers."""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.core.extending import intrinsic
from numba.core.typing import signature

from fastgrok.kernels.lanes.types import BITS, Lanes, constant, mask_of, vector_type

_EXPONENT_BIAS = {types.float64: 1023, types.float32: 127}
_FRACTION_BITS = {types.float64: 52, types.float32: 23}


class _Bits:
    """The bits of a vector while code on them is written: whole numbers of as many bits."""

    def __init__(self, builder: Any, lanes: Lanes, value: Any) -> None:
        self.builder, self.lanes, self.value = builder, lanes, value
        self.fraction, self.bias = _FRACTION_BITS[lanes.dtype], _EXPONENT_BIAS[lanes.dtype]
        self.all = self.of(value)

    def of(self, value: Any) -> Any:
        """Return the bits of a vector of floats."""
        return self.builder.bitcast(value, self.number(0).type)

    def number(self, value: int) -> Any:
        """Return a whole number, in every lane."""
        vector = ir.VectorType(ir.IntType(BITS[self.lanes.dtype]), self.lanes.count)
        return ir.Constant(vector, [value] * self.lanes.count)

    def floats(self, bits: Any) -> Any:
        """Return the floats that have these bits."""
        return self.builder.bitcast(bits, vector_type(self.lanes))

    def low(self) -> Any:
        """Return the bits of the fraction."""
        return self.builder.and_(self.all, self.number((1 << self.fraction) - 1))

    def counted(self, bits: Any, offset: int) -> Any:
        """Return a whole number below 2**fraction as a float, less an offset: no conversion, no subnormal."""
        base = self.number((self.bias + self.fraction) << self.fraction)
        number = self.floats(self.builder.or_(bits, base))
        return self.builder.fsub(number, constant(self.lanes, 2.0**self.fraction + offset))


def _operation(result: Callable[[Lanes], types.Type]) -> Callable[[Callable[[_Bits], Any]], Any]:
    """Make an intrinsic on lanes, which gives a type that follows from theirs, of a function that writes its code."""

    def decorate(emit: Callable[[_Bits], Any]) -> Any:
        def operation(typingctx: Any, x: Any) -> Any:
            if not isinstance(x, Lanes):
                return None

            def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
                return emit(_Bits(builder, x, args[0]))

            return signature(result(x), x), codegen

        operation.__name__, operation.__doc__ = emit.__name__, emit.__doc__
        return intrinsic(operation)

    return decorate


def _same(lanes: Lanes) -> Lanes:
    return lanes


@_operation(_same)
def power_of_two(n: _Bits) -> Any:
    """power_of_two(n): 2**n for whole numbers n in the range of normal exponents."""
    # Adding 1.5 * 2**fraction leaves a whole number in the low bits, where the exponent field is made of it.
    total = n.builder.fadd(n.value, constant(n.lanes, 1.5 * 2.0**n.fraction + n.bias))
    return n.floats(n.builder.shl(n.of(total), n.number(n.fraction)))


@_operation(_same)
def low_bits_as_exponent(x: _Bits) -> Any:
    """low_bits_as_exponent(x): the power of two whose exponent field, bias included, is in the lowest bits of x."""
    return x.floats(x.builder.shl(x.all, x.number(x.fraction)))


@_operation(mask_of)
def is_negative_zero(x: _Bits) -> Any:
    """is_negative_zero(x): true in the lanes where x is -0, which equals 0."""
    return x.builder.icmp_unsigned("==", x.all, x.number(1 << (BITS[x.lanes.dtype] - 1)))


@_operation(mask_of)
def is_subnormal(x: _Bits) -> Any:
    """is_subnormal(x): true in the lanes where x is not 0 but smaller than every normal number."""
    size = x.builder.and_(x.all, x.number((1 << (BITS[x.lanes.dtype] - 1)) - 1))
    less = x.builder.sub(size, x.number(1))  # than 0 is the largest
    return x.builder.icmp_unsigned("<", less, x.number((1 << x.fraction) - 1))


@_operation(_same)
def units(x: _Bits) -> Any:
    """units(x): a subnormal |x| as a whole number of the smallest; no operand on the way is subnormal."""
    return x.counted(x.low(), 0)


@_operation(_same)
def fraction_alone(x: _Bits) -> Any:
    """fraction_alone(x): x without its sign and exponent, so that its fraction counts units of the smallest."""
    return x.floats(x.low())


@_operation(_same)
def exponent(x: _Bits) -> Any:
    """exponent(x): the whole number n with 2**n <= x < 2**(n+1), for positive normal x."""
    return x.counted(x.builder.lshr(x.all, x.number(x.fraction)), x.bias)


@_operation(_same)
def significand(x: _Bits) -> Any:
    """significand(x): x / 2**exponent(x), in [1, 2), for positive normal x."""
    return x.floats(x.builder.or_(x.low(), x.number(x.bias << x.fraction)))
