"""A table of named columns: what a file and a frame have in common."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Literal, NoReturn

import numpy as np
from numpy.typing import NDArray

from fastgrok.datasets.classes import Label
from fastgrok.errors import InvalidExperiment

Kind = Literal["number", "word", "truth"]


class Table(ABC):
    """Columns by their names; rows count from 0."""

    name: str  # of the file, or "the frame"
    header: list[str]
    n_rows: int

    @abstractmethod
    def kind(self, column: str) -> Kind:
        """Return what a column holds, by its first value that is not missing."""

    @abstractmethod
    def numbers(self, column: str, hint: str = "") -> NDArray[np.float64]:
        """Return a column of numbers, (n_rows,), NaN where one is missing; `hint` ends the error about a word."""

    @abstractmethod
    def labels(self, column: str, known: Sequence[Label] = ()) -> list[Label | None]:
        """Return a column of classes or categories, None where one is missing; those of `known` as they are there."""

    @abstractmethod
    def row_name(self, row: int) -> str:
        """Name a row, as "line 3"."""

    @abstractmethod
    def value(self, row: int, column: str) -> Any:
        """Return what a place holds, as it is written."""

    def fail(self, row: int, column: str, accepted: str) -> NoReturn:
        """Raise for the value in a row and a column."""
        where = f"{self.name}, {self.row_name(row)}, column {column!r}"
        raise InvalidExperiment(where, self.value(row, column), accepted)
