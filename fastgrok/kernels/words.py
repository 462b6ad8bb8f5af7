"""The arguments of a kernel as words of 64 bits, one after the other: what compiled code is called with.

An array is its address and its shape, a number is one word, a NamedTuple is its fields, None is nothing. The kernel
makes the same of the words as there was (lanes/arguments.py); `form` says what it has to be compiled for.
"""

import ctypes
import struct
from typing import Any

import numpy as np

_FLOAT = struct.Struct("d").pack
_WORDS = [struct.Struct(f"{n}q").pack for n in range(8)]  # of as many words
_UNSIGNED = struct.Struct("Q").pack
_SIGNED_KINDS = {int, bool, np.int64, np.bool_}
_SMALL = 2**14  # numbers in the arrays of an argument that is kept
_at: Any = ctypes.c_char.from_buffer
_addressof = ctypes.addressof


def form(value: Any) -> Any:
    """Return the type of an argument, as something to compare and to hash: what compiled code takes for granted."""
    if isinstance(value, tuple):
        return (type(value).__qualname__, *map(form, value))
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.ndim
    return type(value).__name__


def flat(*values: Any) -> bytes:
    """Return the words of some arguments."""
    parts: list[bytes] = []
    _append(values, parts)
    return b"".join(parts)


def flat_again(values: tuple[Any, ...], known: dict[int, tuple[Any, bytes]]) -> bytes:
    """Return the words of arguments, those of a NamedTuple that is the one of the call before as they were then.

    known: what there was at each place. Large ones are not kept: that would keep memory which its owner is done with.
    """
    parts: list[bytes] = []
    for place, value in enumerate(values):
        if type(value) is np.ndarray:
            parts.append(_array(value))
            continue
        if not isinstance(value, tuple):
            _append((value,), parts)
            continue
        before = known.get(place)
        if before is None or before[0] is not value:
            own: list[bytes] = []
            is_small = _append(value, own) <= _SMALL
            before = value, b"".join(own)
            if is_small:
                known[place] = before
        parts.append(before[1])
    return b"".join(parts)


def _append(values: tuple[Any, ...], parts: list[bytes]) -> int:
    """Append the words of some values, and return how many numbers their arrays have."""
    n = 0
    for value in values:
        kind = type(value)
        if kind is np.ndarray:
            parts.append(_array(value))
            n += value.size
        elif value is None:
            continue
        elif isinstance(value, tuple):
            n += _append(value, parts)
        elif kind is float or kind is np.float64:
            parts.append(_FLOAT(value))
        elif kind in _SIGNED_KINDS:
            parts.append(_WORDS[1](int(value)))
        elif kind is np.uint64:
            parts.append(_UNSIGNED(int(value)))
        else:
            raise TypeError(f"kernels take arrays, numbers, None and NamedTuples of them, and got {kind.__name__}")
    return n


def _array(array: np.ndarray) -> bytes:
    """Return the words of an array; of an empty one there is no address that anybody would look at.

    To ask NumPy for the address takes five times as long, but it knows it of arrays that are read-only, too.
    """
    if not array.flags.c_contiguous:
        raise TypeError(f"kernels take C-contiguous arrays, and got one with strides {array.strides}")
    shape = array.shape
    if 0 in shape:
        address = 0
    else:
        try:
            address = _addressof(_at(array))
        except TypeError:
            address = array.ctypes.data
    return _WORDS[len(shape) + 1](address, *shape)
