"""The parts of floating-point numbers."""

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.core.extending import intrinsic
from numba.core.typing import signature

from fastgrok.kernels.lanes.types import BITS, Lanes, constant, mask_of, vector_type

_EXPONENT_BIAS = {types.float64: 1023, types.float32: 127}
_FRACTION_BITS = {types.float64: 52, types.float32: 23}


def _integers(lanes: Lanes, value: int) -> Any:
    vector = ir.VectorType(ir.IntType(BITS[lanes.dtype]), lanes.count)
    return ir.Constant(vector, [value] * lanes.count)


@intrinsic
def power_of_two(typingctx: Any, n: Any) -> Any:
    """power_of_two(n): 2**n for whole numbers n in the range of normal exponents."""
    if not isinstance(n, Lanes):
        return None
    fraction = _FRACTION_BITS[n.dtype]

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        # Adding 1.5 * 2**fraction leaves a whole number in the low bits, where the exponent field is made of it.
        magic = 1.5 * 2.0**fraction + _EXPONENT_BIAS[n.dtype]
        bits = builder.bitcast(builder.fadd(args[0], constant(n, magic)), _integers(n, 0).type)
        return builder.bitcast(builder.shl(bits, _integers(n, fraction)), vector_type(n))

    return signature(n, n), codegen


@intrinsic
def low_bits_as_exponent(typingctx: Any, x: Any) -> Any:
    """low_bits_as_exponent(x): the power of two whose exponent field, bias included, is in the lowest bits of x."""
    if not isinstance(x, Lanes):
        return None
    fraction = _FRACTION_BITS[x.dtype]

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        bits = builder.bitcast(args[0], _integers(x, 0).type)
        return builder.bitcast(builder.shl(bits, _integers(x, fraction)), vector_type(x))

    return signature(x, x), codegen


@intrinsic
def is_negative_zero(typingctx: Any, x: Any) -> Any:
    """is_negative_zero(x): true in the lanes where x is -0, which equals 0."""
    if not isinstance(x, Lanes):
        return None

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        bits = builder.bitcast(args[0], _integers(x, 0).type)
        return builder.icmp_unsigned("==", bits, _integers(x, 1 << (BITS[x.dtype] - 1)))

    return signature(mask_of(x), x), codegen


@intrinsic
def is_subnormal(typingctx: Any, x: Any) -> Any:
    """is_subnormal(x): true in the lanes where x is not 0 but smaller than every normal number."""
    if not isinstance(x, Lanes):
        return None
    fraction = _FRACTION_BITS[x.dtype]

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        bits = builder.bitcast(args[0], _integers(x, 0).type)
        size = builder.and_(bits, _integers(x, (1 << (BITS[x.dtype] - 1)) - 1))
        less = builder.sub(size, _integers(x, 1))  # than 0 is the largest
        return builder.icmp_unsigned("<", less, _integers(x, (1 << fraction) - 1))

    return signature(mask_of(x), x), codegen


@intrinsic
def units(typingctx: Any, x: Any) -> Any:
    """units(x): a subnormal |x| as a whole number of the smallest; no operand on the way is subnormal."""
    if not isinstance(x, Lanes):
        return None
    fraction = _FRACTION_BITS[x.dtype]

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        low = builder.and_(builder.bitcast(args[0], _integers(x, 0).type), _integers(x, (1 << fraction) - 1))
        base = _integers(x, (_EXPONENT_BIAS[x.dtype] + fraction) << fraction)
        return builder.fsub(builder.bitcast(builder.or_(low, base), vector_type(x)), constant(x, 2.0**fraction))

    return signature(x, x), codegen


@intrinsic
def fraction_alone(typingctx: Any, x: Any) -> Any:
    """fraction_alone(x): x without its sign and exponent, so that its fraction counts units of the smallest."""
    if not isinstance(x, Lanes):
        return None
    fraction = _FRACTION_BITS[x.dtype]

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        bits = builder.bitcast(args[0], _integers(x, 0).type)
        return builder.bitcast(builder.and_(bits, _integers(x, (1 << fraction) - 1)), vector_type(x))

    return signature(x, x), codegen


@intrinsic
def exponent(typingctx: Any, x: Any) -> Any:
    """exponent(x): the whole number n with 2**n <= x < 2**(n+1), for positive normal x."""
    if not isinstance(x, Lanes):
        return None
    fraction = _FRACTION_BITS[x.dtype]

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        # The biased exponent, put into the fraction of 2**fraction, makes a float without an integer conversion.
        shifted = builder.lshr(builder.bitcast(args[0], _integers(x, 0).type), _integers(x, fraction))
        base = _integers(x, (_EXPONENT_BIAS[x.dtype] + fraction) << fraction)
        number = builder.bitcast(builder.or_(shifted, base), vector_type(x))
        return builder.fsub(number, constant(x, 2.0**fraction + _EXPONENT_BIAS[x.dtype]))

    return signature(x, x), codegen


@intrinsic
def significand(typingctx: Any, x: Any) -> Any:
    """significand(x): x / 2**exponent(x), in [1, 2), for positive normal x."""
    if not isinstance(x, Lanes):
        return None
    fraction = _FRACTION_BITS[x.dtype]

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        bits = builder.bitcast(args[0], _integers(x, 0).type)
        low = builder.and_(bits, _integers(x, (1 << fraction) - 1))
        one = _integers(x, _EXPONENT_BIAS[x.dtype] << fraction)
        return builder.bitcast(builder.or_(low, one), vector_type(x))

    return signature(x, x), codegen
