"""Where everything about a thing of a kind stands once: an activation, an optimizer, a loss, a distribution."""

from typing import Any, NoReturn, TypeVar

Key = TypeVar("Key")
Record = TypeVar("Record")


class Records(dict[Key, Record]):
    """Records by spec class or by name; looking up what has none says where to add it."""

    def __init__(self, kind: str, module: str, records: dict[Key, Record]) -> None:
        super().__init__(records)
        self._kind, self._module = kind, module

    def __missing__(self, key: Any) -> NoReturn:
        name = key.__name__ if isinstance(key, type) else repr(key)
        raise LookupError(f"no record of the {self._kind} {name}: add one to {self._module}")

    def place(self, key: Key) -> int:
        """Return the place of a record, by which kernels know it."""
        self[key]
        return list(self).index(key)
