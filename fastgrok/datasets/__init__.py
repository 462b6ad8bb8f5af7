"""Datasets: from arrays, CSV and NPZ files, and the small ones of the source texts."""

from fastgrok.datasets.accidental import accidental
from fastgrok.datasets.builtin import and_, deep_streetlights, or_, parity, streetlights, xor
from fastgrok.datasets.dataset import Dataset
from fastgrok.datasets.names import by_name

__all__ = ["Dataset", "accidental", "and_", "by_name", "deep_streetlights", "or_", "parity", "streetlights", "xor"]


def __dir__() -> list[str]:
    return list(__all__)
