"""The arguments of a kernel as words of 64 bits, one after the other: what compiled code is called with.

An array is its address and its shape, a number is one word, a NamedTuple is its fields, None is nothing. The kernel
makes the same of the words as there was (lanes/arguments.py); `form` says what it has to be compiled for.
"""

import ctypes
import struct
from typing import Any, NamedTuple

import numpy as np

_FLOAT, _SIGNED = struct.Struct("d"), struct.Struct("q")
_WORD = 2**64
_INTEGERS = {int, bool, np.int64, np.uint64, np.bool_}
_SMALL = 2**14  # numbers in the arrays of an argument that is kept


def form(value: Any) -> Any:
    """Return the type of an argument, as something to compare and to hash: what compiled code takes for granted."""
    if isinstance(value, tuple):
        return (type(value).__qualname__, *map(form, value))
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.ndim
    return type(value).__name__


def flat(value: Any) -> list[int]:
    """Return the words of an argument."""
    words: list[int] = []
    _append((value,), words)
    return words


def _append(values: tuple[Any, ...], words: list[int]) -> int:
    """Append the words of some values, and return how many numbers their arrays have."""
    n = 0
    for value in values:
        kind = type(value)
        if kind is np.ndarray:
            if not value.flags.c_contiguous:
                raise TypeError(f"kernels take C-contiguous arrays, and got one with strides {value.strides}")
            words.append(_address(value))
            words.extend(value.shape)
            n += value.size
        elif isinstance(value, tuple):
            n += _append(value, words)
        elif kind is float or kind is np.float64:
            words.append(_SIGNED.unpack(_FLOAT.pack(value))[0])
        elif kind in _INTEGERS:
            number = int(value)
            words.append(number if number < _WORD // 2 else number - _WORD)
        elif value is not None:
            raise TypeError(f"kernels take arrays, numbers, None and NamedTuples of them, and got {kind.__name__}")
    return n


def _address(array: np.ndarray) -> int:
    """Return where an array's memory begins; asking NumPy takes five times as long, but it knows of every array."""
    try:
        return ctypes.addressof(ctypes.c_char.from_buffer(array.data))
    except (TypeError, ValueError):  # read-only, or empty
        return int(array.ctypes.data)


class Kept(NamedTuple):
    """An argument with its words, for calls in which it is the same object again."""

    value: Any
    words: list[int]


NOTHING = Kept(None, [])


def kept(value: Any, before: Kept) -> Kept:
    """Return an argument with its words, found again where it is the one of the call before.

    A large one is not kept: that would keep memory which its owner is done with.
    """
    if value is before.value:
        return before
    words: list[int] = []
    return Kept(value if _append((value,), words) <= _SMALL else None, words)
