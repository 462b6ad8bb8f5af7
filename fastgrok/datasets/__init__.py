"""Datasets: inputs and targets from arrays, CSV and NPZ files, and those that are built in.

- `dataset`: `Dataset`; `splitting` into training and validation; `scaling` of inputs; `arrays`: checks of arrays.
- `table`: named columns, from CSV (`csv_files`, by pyarrow; `csv_text`: encoding and delimiter) or from `frames`.
- `columns`: from a table to inputs and targets, with `classes` (one rule of what is a class) and `missing` values.
- `npz`: NPZ files. `sklearn_data`: iris, wine, digits and others, where scikit-learn is installed.
- `builtin`: the data of the source texts, and `accidental`; `names`: data by name, as in `parity(3)`.

Data of a further kind is a function in `builtin` that returns a `Dataset`; with a line in `BUILTIN` the command line
knows it. Nothing here knows networks or experiments.
"""

from fastgrok.datasets.builtin import accidental, and_, deep_streetlights, or_, parity, streetlights, xor
from fastgrok.datasets.dataset import Dataset
from fastgrok.datasets.names import by_name
from fastgrok.datasets.sklearn_data import sklearn

__all__ = [
    "Dataset",
    "accidental",
    "and_",
    "by_name",
    "deep_streetlights",
    "or_",
    "parity",
    "sklearn",
    "streetlights",
    "xor",
]


def __dir__() -> list[str]:
    return list(__all__)
