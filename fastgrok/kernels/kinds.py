"""What a kernel chooses among by a number: kinds of layers, losses and distributions, each compiled by itself.

A kernel's LLVM code declares such functions (lanes/choice.py) and is made without them. Each is made once for the
types that it is called with, kept on disk, and linked into the kernels that are bound to its kind (lanes/binding.py).
"""

import pickle
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from fastgrok.kernels.cache import KernelFiles, identity

PREFIX = "kind."
"""Of the names by which kernels declare them, and of what a binding says of them."""


class Kind(NamedTuple):
    """A function for some types, as a kernel declares it."""

    function: Any  # a Device
    files: KernelFiles
    types: tuple[Any, ...]  # Numba's: of what it returns, then of its arguments

    @property
    def form(self) -> tuple[str, ...]:
        """What stands for the types in the name of its file."""
        return tuple(map(str, self.types))


_known: dict[str, tuple[Any, KernelFiles]] = {}


def make_known(function: Any) -> str:
    """Keep a device function to be found by name, and return what stands for it there."""
    files = KernelFiles("kind", (identity(function),))
    stem = files.stem()
    _known[stem] = function, files
    return stem


def name_of(what: str, places: Sequence[int], stem: str, types: Sequence[Any]) -> str:
    """Return the name of a function for some types: it tells another process what to compile."""
    packed = zlib.compress(pickle.dumps(tuple(types))).hex()
    return f"{PREFIX}{what}.{'_'.join(map(str, places))}.{stem}.{packed}"


def kind_of(name: str) -> Kind:
    """Return what a name stands for."""
    *_, stem, packed = name.split(".")
    return Kind(*_known[stem], pickle.loads(zlib.decompress(bytes.fromhex(packed))))


def is_wanted(name: str, bound_to: Mapping[str, Sequence[int]]) -> bool:
    """Whether a kernel has this function, being bound to some kinds: all of them where nothing says which."""
    _, what, places, _, _ = name.split(".")
    wanted = bound_to.get(PREFIX + what)
    return wanted is None or any(int(place) in wanted for place in places.split("_"))
