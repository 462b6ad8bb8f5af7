"""Arguments by reference: a NamedTuple in memory, of which a function reads the fields that it needs.

Numba passes a tuple by value, field by field: an array takes seven numbers or more, and a workspace holds twenty
arrays. Every function that is given one would take two hundred arguments, and writing, reading and checking them was
half of what the drivers took to compile. When all is inlined, LLVM makes numbers of the memory again.
"""

import hashlib
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.datamodel import models
from numba.core.datamodel.registry import register_default
from numba.core.extending import intrinsic, lower_getattr_generic
from numba.core.typing import signature
from numba.core.typing.templates import AttributeTemplate, infer_getattr


class Reference(types.Type):
    """The Numba type of a NamedTuple in memory; one inside of another is in memory too."""

    def __init__(self, target: types.BaseNamedTuple) -> None:
        self.target = target
        digest = hashlib.sha256(target.name.encode()).hexdigest()[:16]  # the whole name has thousands of letters
        super().__init__(f"Reference({target.instance_class.__name__}, {digest})")


@register_default(Reference)
class _ReferenceModel(models.PrimitiveModel):
    def __init__(self, manager: Any, fe_type: Reference) -> None:
        super().__init__(manager, fe_type, manager[fe_type.target].get_data_type().as_pointer())


def _field(target: types.BaseNamedTuple, name: str) -> tuple[int, types.Type]:
    """Return the place and the type of a field."""
    place = target.fields.index(name)
    return place, target.types[place]


@infer_getattr
class _ReferenceField(AttributeTemplate):
    key = Reference

    def generic_resolve(self, reference: Any, name: str) -> Any:
        if name not in reference.target.fields:
            return None
        field = _field(reference.target, name)[1]
        return Reference(field) if isinstance(field, types.BaseNamedTuple) else field


@lower_getattr_generic(Reference)
def _read_field(context: Any, builder: Any, reference: Any, value: Any, name: str) -> Any:
    place, field = _field(reference.target, name)
    address = builder.gep(value, [ir.IntType(32)(0), ir.IntType(32)(place)], inbounds=True)
    if isinstance(field, types.BaseNamedTuple):
        return address
    return context.data_model_manager[field].load_from_data_pointer(builder, address)


@intrinsic
def by_reference(typingctx: Any, value: Any) -> Any:
    """by_reference(value): a NamedTuple put in memory, for as long as the function runs; None is None."""
    if isinstance(value, types.NoneType):
        return signature(value, value), lambda context, builder, sig, args: context.get_dummy_value()
    if not isinstance(value, types.BaseNamedTuple):
        return None

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        model = context.data_model_manager[value]
        slot = cgutils.alloca_once(builder, model.get_data_type())
        builder.store(model.as_data(builder, args[0]), slot)
        return slot

    return signature(Reference(value), value), codegen
