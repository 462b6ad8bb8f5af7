"""Datasets: inputs and targets from arrays, CSV and NPZ files, and those that are built in.

- `dataset`: `Dataset`, and its split into training and validation; `arrays`: checks of arrays and names.
- `files`: CSV (by pyarrow) and NPZ.
- `builtin`: the data of the source texts, and `accidental`; `names`: data by name, as in `parity(3)`.

Data of a further kind is a function in `builtin` that returns a `Dataset`; with a line in `BUILTIN` the command line
knows it. Nothing here knows networks or experiments.
"""

from fastgrok.datasets.builtin import accidental, and_, deep_streetlights, or_, parity, streetlights, xor
from fastgrok.datasets.dataset import Dataset
from fastgrok.datasets.names import by_name

__all__ = ["Dataset", "accidental", "and_", "by_name", "deep_streetlights", "or_", "parity", "streetlights", "xor"]


def __dir__() -> list[str]:
    return list(__all__)
