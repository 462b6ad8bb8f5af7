"""Loops that are written out wherever their length is a constant of LLVM's."""

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.core.extending import intrinsic
from numba.core.typing import signature

from fastgrok.kernels.lanes.binding import OF_PARAMETERS, WRITTEN_OUT

_INDEX = ir.IntType(64)


@intrinsic
def for_each_parameter(typingctx: Any, function: Any, n: Any, arguments: Any) -> Any:
    """for_each_parameter(function, n, arguments): function(p, *arguments) for each p below n.

    LLVM writes it out wherever parameters are in registers, which an index keeps them from.
    """
    if not isinstance(function, types.Dispatcher):
        return None
    called = function.get_call_type(typingctx, (types.intp, *arguments.types), {})

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        call, (_, last, others) = context.get_function(function, called), args
        before, body, after = builder.block, builder.append_basic_block(), builder.append_basic_block()
        builder.cbranch(builder.icmp_signed("<", _INDEX(0), last), body, after)
        builder.position_at_end(body)
        p = builder.phi(_INDEX)
        call(builder, [p, *(builder.extract_value(others, place) for place in range(len(arguments)))])
        following = builder.add(p, _INDEX(1))
        branch = builder.cbranch(builder.icmp_signed("<", following, last), body, after)
        branch.set_metadata("llvm.loop", _identity(builder.module, OF_PARAMETERS))
        p.add_incoming(_INDEX(0), before)
        p.add_incoming(following, builder.block)
        builder.position_at_end(after)
        return context.get_dummy_value()

    return signature(types.none, function, types.intp, arguments), codegen


@intrinsic
def repeat(typingctx: Any, function: Any, start: Any, end: Any, carried: Any, arguments: Any) -> Any:
    """repeat(function, start, end, carried, arguments): carried = function(k, carried, *arguments) for each k.

    LLVM writes the loop out, however long, if it comes to know its length and is not told otherwise.
    """
    if not isinstance(function, types.Dispatcher):
        return None
    kind = types.unliteral(carried)
    called = function.get_call_type(typingctx, (types.intp, kind, *arguments.types), {})
    if called.return_type != kind:
        return None

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        call, (_, first, last, value, others) = context.get_function(function, called), args
        before, body, after = builder.block, builder.append_basic_block(), builder.append_basic_block()
        builder.cbranch(builder.icmp_signed("<", first, last), body, after)
        builder.position_at_end(body)
        k, now = builder.phi(_INDEX), builder.phi(value.type)
        unpacked = [builder.extract_value(others, place) for place in range(len(arguments))]
        made, following = call(builder, [k, now, *unpacked]), builder.add(k, _INDEX(1))
        end_of_body = builder.block
        branch = builder.cbranch(builder.icmp_signed("<", following, last), body, after)
        branch.set_metadata("llvm.loop", _identity(builder.module))
        for phi, begun, gone_on in ((k, first, following), (now, value, made)):
            phi.add_incoming(begun, before)
            phi.add_incoming(gone_on, end_of_body)
        builder.position_at_end(after)
        result = builder.phi(value.type)
        result.add_incoming(value, before)
        result.add_incoming(made, end_of_body)
        return result

    return signature(kind, function, types.intp, types.intp, kind, arguments), codegen


def _identity(module: Any, *more: str) -> Any:
    """Return the metadata of one loop: LLVM tells loops apart by a node whose first operand is itself."""
    requests = [module.add_metadata([ir.MetaDataString(module, each)]) for each in (WRITTEN_OUT, *more)]
    node = ir.MDValue(module, requests, name=str(len(module.metadata)))
    node.operands = (node, *requests)
    return node
