"""A function chosen when a kernel runs, by a number."""

from collections.abc import Mapping
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.extending import intrinsic
from numba.core.typing import signature

from fastgrok.kernels.kinds import name_of


def choice_of(what: str, functions: Mapping[int, str], returns: int | None) -> Any:
    """Return choose(kind, args): call the function of a number, of which `functions` has what stands for it.

    It returns the type of the argument at the place `returns`, or nothing. The functions are declared by a name and
    linked in later. LLVM gets one switch; any number that is not there is the last.
    """
    places: dict[str, list[int]] = {}
    for place, stem in functions.items():
        places.setdefault(stem, []).append(place)
    *_, last = functions.values()

    @intrinsic
    def choose(typingctx: Any, kind: Any, args: Any) -> Any:
        result = types.none if returns is None else args.types[returns]

        def codegen(context: Any, builder: Any, sig: Any, values: Any) -> Any:
            unpacked = [builder.extract_value(values[1], place) for place in range(len(args))]
            blocks = {stem: builder.append_basic_block() for stem in places}
            after, results = builder.append_basic_block(), []
            switch = builder.switch(values[0], blocks[last])
            for stem, block in blocks.items():
                for place in places[stem] if stem != last else ():
                    switch.add_case(ir.IntType(64)(place), block)
                builder.position_at_end(block)
                name = name_of(what, places[stem], stem, (result, *args.types))
                results.append((_call(context, builder, name, result, args.types, unpacked), builder.block))
                builder.branch(after)
            builder.position_at_end(after)
            chosen = builder.phi(results[0][0].type)
            for value, block in results:
                chosen.add_incoming(value, block)
            return chosen

        return signature(result, types.intp, args), codegen

    return choose


def _call(context: Any, builder: Any, name: str, result: Any, args: Any, values: Any) -> Any:
    """Call a function that is defined elsewhere, the way that Numba's functions are called."""
    kind = context.call_conv.get_function_type(result, args)
    function = cgutils.get_or_insert_function(builder.module, kind, name)
    status, value = context.call_conv.call_function(builder, function, result, args, values)
    with cgutils.if_unlikely(builder, status.is_error):
        context.call_conv.return_status_propagate(builder, status)
    return value
