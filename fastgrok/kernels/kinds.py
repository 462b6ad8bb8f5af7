"""The names of what a kernel chooses among by a number: kinds of layers, losses and distributions.

A kernel's LLVM code declares such functions (lanes/choice.py) and is made without them. Each is compiled alone, once
for the types that it is called with, kept on disk (jit.py), and linked into the kernels that are bound to its kind
(lanes/binding.py).
"""

import pickle
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

PREFIX = "kind."
"""Of the names by which kernels declare them, and of what a binding says of them."""


def name_of(what: str, places: Sequence[int], stem: str, types: Sequence[Any]) -> str:
    """Return the name of a function, whose files have a stem, for Numba's types of its result and its arguments.

    It tells another process what to compile.
    """
    packed = zlib.compress(pickle.dumps(tuple(types))).hex()
    return f"{PREFIX}{what}.{'_'.join(map(str, places))}.{stem}.{packed}"


def stem_and_types(name: str) -> tuple[str, tuple[Any, ...]]:
    """Return the stem and the types that a name was made of."""
    *_, stem, packed = name.split(".")
    return stem, pickle.loads(zlib.decompress(bytes.fromhex(packed)))


def is_wanted(name: str, bound_to: Mapping[str, Sequence[int]]) -> bool:
    """Whether a kernel has this function, being bound to some kinds: all of them where nothing says which."""
    _, what, places, _, _ = name.split(".")
    wanted = bound_to.get(PREFIX + what)
    return wanted is None or any(int(place) in wanted for place in places.split("_"))
