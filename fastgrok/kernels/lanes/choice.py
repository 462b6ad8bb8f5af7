"""A function chosen when a kernel runs, by a number."""

from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.core.extending import intrinsic
from numba.core.typing import signature


def choice_of(functions: Sequence[Any]) -> Any:
    """Return choose(kind, args): call the device function whose place is `kind`; they return values of one type.

    LLVM gets one switch; any other number is the last place.
    """
    distinct = list(dict.fromkeys(functions))

    @intrinsic
    def choose(typingctx: Any, kind: Any, args: Any) -> Any:
        called = [types.Dispatcher(each.dispatcher).get_call_type(typingctx, args.types, {}) for each in distinct]
        result = called[0].return_type
        if any(each.return_type != result for each in called):
            return None

        def codegen(context: Any, builder: Any, sig: Any, values: Any) -> Any:
            unpacked = [builder.extract_value(values[1], place) for place in range(len(args))]
            after, default = builder.append_basic_block(), distinct.index(functions[-1])
            blocks = [builder.append_basic_block() for _ in distinct]
            switch, results = builder.switch(values[0], blocks[default]), []
            for place, function in enumerate(functions):
                if distinct.index(function) != default:
                    switch.add_case(ir.IntType(64)(place), blocks[distinct.index(function)])
            for function, call, block in zip(distinct, called, blocks, strict=True):
                builder.position_at_end(block)
                compiled = context.get_function(types.Dispatcher(function.dispatcher), call)
                results.append((compiled(builder, unpacked), builder.block))
                builder.branch(after)
            builder.position_at_end(after)
            chosen = builder.phi(results[0][0].type)
            for value, block in results:
                chosen.add_incoming(value, block)
            return chosen

        return signature(result, types.intp, args), codegen

    return choose
