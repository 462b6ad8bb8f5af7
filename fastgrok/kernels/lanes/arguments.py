"""A kernel's arguments, made of the words that it is called with: see kernels/words.py."""

import itertools
from collections.abc import Iterator
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.extending import intrinsic
from numba.core.typing import signature

_INDEX = ir.IntType(64)


def arguments_of(wanted: tuple[types.Type, ...]) -> Any:
    """Return arguments(words): a tuple of these types; `words` is the address of the first."""
    whole = types.Tuple(wanted)

    @intrinsic
    def arguments(typingctx: Any, words: Any) -> Any:
        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            read = (builder.load(builder.gep(args[0], [_INDEX(k)])) for k in itertools.count())
            return value_of(context, builder, whole, read)

        return signature(whole, words), codegen

    return arguments


def value_of(context: Any, builder: Any, kind: types.Type, words: Iterator[Any]) -> Any:
    """Return a value of some type, made of the next words."""
    if isinstance(kind, types.BaseTuple):
        return context.make_tuple(builder, kind, [value_of(context, builder, each, words) for each in kind.types])
    if isinstance(kind, types.Array):
        return _array(context, builder, kind, words)
    if isinstance(kind, types.NoneType):
        return context.get_dummy_value()
    wanted = context.get_value_type(kind)
    word = next(words)
    if isinstance(kind, types.Float):
        return builder.bitcast(word, wanted)
    return word if wanted == _INDEX else builder.trunc(word, wanted)


def _array(context: Any, builder: Any, kind: types.Array, words: Iterator[Any]) -> Any:
    """Return a C-contiguous array; its memory is the caller's."""
    item = context.get_constant(types.intp, context.get_abi_sizeof(context.get_data_type(kind.dtype)))
    data = builder.inttoptr(next(words), context.get_data_type(kind.dtype).as_pointer())
    shape = [next(words) for _ in range(kind.ndim)]
    strides, size = [item], item
    for extent in reversed(shape[1:]):
        strides.insert(0, builder.mul(strides[0], extent))
    n_items = _INDEX(1)
    for extent in shape:
        n_items = builder.mul(n_items, extent)
    array = context.make_array(kind)(context, builder)
    nothing = cgutils.get_null_value(array.meminfo.type)
    array.meminfo, array.parent = nothing, cgutils.get_null_value(array.parent.type)
    array.nitems, array.itemsize, array.data = n_items, size, data
    array.shape, array.strides = (cgutils.pack_array(builder, each, ty=_INDEX) for each in (shape, strides))
    return array._getvalue()
