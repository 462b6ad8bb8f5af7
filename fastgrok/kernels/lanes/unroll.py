"""Loops written out: a call for each index, with the index as a constant."""

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.core.extending import intrinsic
from numba.core.typing import signature


@intrinsic
def unrolled(typingctx: Any, function: Any, count: Any, carried: Any, arguments: Any) -> Any:
    """unrolled(function, count, carried, arguments): carried = function(k, carried, *arguments) for k below count.

    `function` is a device function, looked at once; LLVM gets `count` calls, each with k as a constant.
    """
    if not (isinstance(function, types.Dispatcher) and isinstance(count, types.IntegerLiteral)):
        return None
    called = function.get_call_type(typingctx, (types.intp, carried, *arguments.types), {})
    if called.return_type != carried:
        return None

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        call, value = context.get_function(function, called), args[2]
        values = [builder.extract_value(args[3], place) for place in range(len(arguments))]
        for k in range(count.literal_value):
            value = call(builder, [ir.Constant(ir.IntType(64), k), value, *values])
        return value

    return signature(carried, function, count, carried, arguments), codegen
