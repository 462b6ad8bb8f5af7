"""Memory: arrays as views of vectors and scalars, working space on the stack."""

import operator
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.extending import intrinsic, lower_builtin
from numba.core.typing import signature
from numba.core.typing.templates import AbstractTemplate, infer_global

from fastgrok.kernels.lanes.types import BITS, Lanes, LaneView, ScalarView, SplatView, splat, vector_type


class _ViewItem(AbstractTemplate):
    key = operator.getitem

    def generic(self, args: Any, kws: Any) -> Any:
        view, index = args
        if isinstance(view, LaneView | SplatView) and isinstance(index, types.Integer):
            return signature(Lanes(view.dtype, view.count), view, types.intp)
        if isinstance(view, ScalarView) and isinstance(index, types.Integer):
            return signature(view.dtype, view, types.intp)
        return None


class _SetViewItem(AbstractTemplate):
    key = operator.setitem

    def generic(self, args: Any, kws: Any) -> Any:
        view, index, _ = args
        if isinstance(view, LaneView) and isinstance(index, types.Integer):
            return signature(types.none, view, types.intp, Lanes(view.dtype, view.count))
        return None


infer_global(operator.getitem)(_ViewItem)
infer_global(operator.setitem)(_SetViewItem)


@lower_builtin(operator.getitem, LaneView, types.Integer)
def _load(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    return builder.load(builder.gep(args[0], [args[1]]), align=BITS[sig.args[0].dtype] // 8)


@lower_builtin(operator.setitem, LaneView, types.Integer, Lanes)
def _store(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    builder.store(args[2], builder.gep(args[0], [args[1]]), align=BITS[sig.args[0].dtype] // 8)
    return context.get_dummy_value()


@lower_builtin(operator.getitem, SplatView, types.Integer)
def _load_splat(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    return splat(builder, builder.load(builder.gep(args[0], [args[1]])), sig.args[0].count)


@lower_builtin(operator.getitem, ScalarView, types.Integer)
def _load_scalar(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    return builder.load(builder.gep(args[0], [args[1]]))


def _read_memory(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    data = context.make_array(sig.args[0])(context, builder, args[0]).data
    return builder.bitcast(data, context.get_value_type(sig.return_type))


@intrinsic
def lane_view(typingctx: Any, array: Any, count: Any) -> Any:
    """lane_view(array, count): the memory of a C-contiguous array, read as vectors of `count` lanes."""
    if not isinstance(count, types.IntegerLiteral):
        return None
    view = LaneView(array.dtype, count.literal_value)
    return signature(view, array, count), _read_memory


@intrinsic
def splat_view(typingctx: Any, array: Any, count: Any) -> Any:
    """splat_view(array, count): the memory of a C-contiguous array, each element read into `count` lanes."""
    if not isinstance(count, types.IntegerLiteral):
        return None
    view = SplatView(array.dtype, count.literal_value)
    return signature(view, array, count), _read_memory


@intrinsic
def scalar_view(typingctx: Any, array: Any) -> Any:
    """scalar_view(array): the memory of a C-contiguous array, read one element at a time."""
    view = ScalarView(array.dtype)
    return signature(view, array), _read_memory


@intrinsic
def peek(typingctx: Any, view: Any) -> Any:
    """peek(scalar_view): the first scalar, read from memory each time: another thread may write it."""
    if not isinstance(view, ScalarView):
        return None

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.load_atomic(args[0], "monotonic", align=8)

    return signature(view.dtype, view), codegen


@intrinsic
def working_view(typingctx: Any, memory: Any, length: Any) -> Any:
    """working_view(memory, length): `length` vectors on the stack, which LLVM may keep in registers.

    They are like those of `memory`, and live as long as the function that the call stands in.
    """
    if not (isinstance(memory, LaneView) and isinstance(length, types.IntegerLiteral)):
        return None

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return cgutils.alloca_once(builder, vector_type(memory), size=ir.IntType(64)(length.literal_value))

    return signature(memory, memory, length), codegen


@intrinsic
def beyond(typingctx: Any, view: Any, n: Any) -> Any:
    """beyond(view, n): the memory from the n-th element on."""
    if not isinstance(view, LaneView):
        return None
    return signature(view, view, types.intp), lambda context, builder, sig, args: builder.gep(args[0], [args[1]])


@intrinsic
def align_stack(typingctx: Any) -> Any:
    """align_stack(): have the kernel that this stands in keep its stack aligned to the widest vector.

    Vectors that do not fit in registers are spilled there; each that crosses a cache line costs two accesses.
    """

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        builder.function.attributes.alignstack = 64
        builder.function.attributes.add("nounwind")  # llvmlite prints no alignstack without another attribute
        return context.get_dummy_value()

    return signature(types.none), codegen


@intrinsic
def gather(typingctx: Any, view: Any, rows: Any, first: Any, stride: Any, column: Any) -> Any:
    """gather(view, rows, first, stride, column): in lane l, the scalar at rows[first + l] * stride + column."""
    if not (isinstance(view, SplatView) and isinstance(rows, ScalarView)):
        return None
    lanes = Lanes(view.dtype, view.count)

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        source, row_data, start, step, offset = args
        vector = ir.Constant(vector_type(lanes), ir.Undefined)
        for lane in range(lanes.count):
            row = builder.load(builder.gep(row_data, [builder.add(start, ir.IntType(64)(lane))]))
            scalar = builder.load(builder.gep(source, [builder.add(builder.mul(row, step), offset)]))
            vector = builder.insert_element(vector, scalar, ir.IntType(32)(lane))
        return vector

    return signature(lanes, view, rows, types.intp, types.intp, types.intp), codegen
