"""Values that the code of one experiment may fix.

`fixed("name", value)` is `value`, unless the code is bound to something else of that name: then LLVM sees constants.
So Numba compiles one driver for every network, and LLVM makes it what it would be had it been written for one. What
it is bound to are two globals of each name, declared here and defined when machine code is made (binding.py).
"""

import itertools
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.core.extending import intrinsic
from numba.core.typing import signature

from fastgrok.kernels.lanes.arguments import value_of
from fastgrok.kernels.lanes.binding import IS_BOUND, PREFIX
from fastgrok.kernels.lanes.references import Reference
from fastgrok.kernels.lanes.types import LaneView, ScalarView, SplatView, vector_type

_INDEX, _FLAG = ir.IntType(64), ir.IntType(1)


def _global(builder: Any, name: str, kind: Any) -> Any:
    """Return a constant that is defined elsewhere."""
    module = builder.module
    if name not in module.globals:
        declared = ir.GlobalVariable(module, kind, name)
        declared.linkage, declared.global_constant = "external", True
    return module.globals[name]


def _is_bound(builder: Any, name: str) -> Any:
    return builder.load(_global(builder, PREFIX + name + IS_BOUND, _FLAG))


def _bound_value(context: Any, builder: Any, name: str, kind: types.Type) -> Any:
    content = _global(builder, PREFIX + name, _INDEX)
    if isinstance(kind, ScalarView | SplatView):
        return builder.bitcast(content, context.get_value_type(kind))
    words = (builder.load(builder.gep(content, [_INDEX(k)])) for k in itertools.count())
    return value_of(context, builder, kind, words)


@intrinsic
def fixed(typingctx: Any, name: Any, value: Any) -> Any:
    """fixed("name", value): the value, or what the code is bound to: a number, a view of scalars, a NamedTuple."""
    if not isinstance(name, types.StringLiteral):
        return None
    given = types.unliteral(value)
    kind = given.target if isinstance(given, Reference) else given

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        own = args[1]
        if isinstance(given, Reference):
            own = context.data_model_manager[kind].load_from_data_pointer(builder, own)
        label = name.literal_value
        return builder.select(_is_bound(builder, label), _bound_value(context, builder, label, kind), own)

    return signature(kind, name, given), codegen


@intrinsic
def fixed_memory(typingctx: Any, name: Any, memory: Any) -> Any:
    """fixed_memory("name", memory): `memory`, or as many vectors on the stack as the code is bound to.

    LLVM may keep those in registers. They live as long as the function that the call stands in.
    """
    if not (isinstance(name, types.StringLiteral) and isinstance(memory, LaneView)):
        return None

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        label, n = name.literal_value, types.intp
        with builder.goto_entry_block():
            is_bound = _is_bound(builder, label)
            size = builder.select(is_bound, _bound_value(context, builder, label, n), _INDEX(0))
            stack = builder.alloca(vector_type(memory), size=size)
        return builder.select(is_bound, stack, args[1])

    return signature(memory, name, memory), codegen
