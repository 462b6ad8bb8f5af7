"""Loops that are written out wherever their length is a constant of LLVM's."""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.core.extending import intrinsic
from numba.core.typing import signature

from fastgrok.kernels.lanes.binding import OVER

_INDEX = ir.IntType(64)


@intrinsic
def repeat(typingctx: Any, function: Any, start: Any, end: Any, carried: Any, arguments: Any) -> Any:
    """repeat(function, start, end, carried, arguments): carried = function(k, carried, *arguments), k an example.

    LLVM writes the loop out, however long, where examples are constants.
    """
    kind = types.unliteral(carried)
    called = _signature(typingctx, function, (types.intp, kind, *arguments.types))
    if called is None or called.return_type != kind:
        return None

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        call, (_, first, last, value, others) = context.get_function(function, called), args
        return _emit(
            builder, "example", (first, last), value, lambda k, now: call(builder, [k, now, *_parts(builder, others)])
        )

    return signature(kind, function, types.intp, types.intp, kind, arguments), codegen


@intrinsic
def for_each(typingctx: Any, what: Any, function: Any, n: Any, arguments: Any) -> Any:
    """for_each(what, function, n, arguments): function(k, *arguments) for each k below n.

    what: "layer", of which LLVM writes each out where layers are fixed, so that it is one of one kind; or
    "parameter", where parameters are in registers, from which an index would keep them.
    """
    called = _signature(typingctx, function, (types.intp, *arguments.types))
    if called is None or not isinstance(what, types.StringLiteral):
        return None

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        call, (_, _, last, others) = context.get_function(function, called), args
        nothing = context.get_dummy_value()

        def body(k: Any, _: Any) -> Any:
            call(builder, [k, *_parts(builder, others)])
            return nothing

        return _emit(builder, what.literal_value, (_INDEX(0), last), nothing, body)

    return signature(types.none, what, function, types.intp, arguments), codegen


def _signature(typingctx: Any, function: Any, args: tuple[types.Type, ...]) -> Any:
    """Return the signature of a device function on these types, None of anything else."""
    return function.get_call_type(typingctx, args, {}) if isinstance(function, types.Dispatcher) else None


def _parts(builder: Any, whole: Any) -> list[Any]:
    return [builder.extract_value(whole, place) for place in range(len(whole.type.elements))]


def _emit(builder: Any, what: str, ends: tuple[Any, Any], value: Any, body: Callable[[Any, Any], Any]) -> Any:
    """Emit value = body(k, value) for each k from the first end, below the other, and return the last value."""
    first, last = ends
    before, inside, after = builder.block, builder.append_basic_block(), builder.append_basic_block()
    builder.cbranch(builder.icmp_signed("<", first, last), inside, after)
    builder.position_at_end(inside)
    k, now = builder.phi(_INDEX), builder.phi(value.type)
    made, following = body(k, now), builder.add(k, _INDEX(1))
    end = builder.block
    branch = builder.cbranch(builder.icmp_signed("<", following, last), inside, after)
    branch.set_metadata("llvm.loop", _identity(builder.module, what))
    builder.position_at_end(after)
    result = builder.phi(value.type)
    for phi, begun, gone_on in ((k, first, following), (now, value, made), (result, value, made)):
        phi.add_incoming(begun, before)
        phi.add_incoming(gone_on, end)
    return result


def _identity(module: Any, what: str) -> Any:
    """Return the metadata of one loop: LLVM tells loops apart by a node whose first operand is itself."""
    mark = module.add_metadata([ir.MetaDataString(module, OVER + what)])
    node = ir.MDValue(module, [mark], name=str(len(module.metadata)))
    node.operands = (node, mark)
    return node
