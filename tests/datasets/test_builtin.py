"""Built-in data, and data by name."""

import numpy as np
import pytest

import fastgrok as fg
from fastgrok.datasets import and_, by_name, deep_streetlights, or_, parity, streetlights, xor
from fastgrok.errors import InvalidExperiment

X = [[0, 0], [0, 1], [1, 0], [1, 1]]


def test_built_in_data_is_what_the_texts_print() -> None:
    assert xor().X.tolist() == X
    assert xor().y.ravel().tolist() == [0, 1, 1, 0]
    assert and_().y.ravel().tolist() == [0, 0, 0, 1]
    assert or_().y.ravel().tolist() == [0, 1, 1, 1]
    assert xor(low=-1).X.tolist() == [[-1, -1], [-1, 1], [1, -1], [1, 1]]
    assert xor(low=-1).y.tolist() == xor().y.tolist()
    assert parity(2).X.tolist() == X
    assert parity(3).y.ravel().tolist() == [0, 1, 1, 0, 1, 0, 0, 1]
    assert parity(np.int64(16)).n_examples == 65536
    six = [[1, 0, 1], [0, 1, 1], [0, 0, 1], [1, 1, 1], [0, 1, 1], [1, 0, 1]]
    assert streetlights().X.tolist() == six
    assert streetlights().y.ravel().tolist() == [0, 1, 0, 1, 1, 0]
    assert deep_streetlights().X.tolist() == six[:4]
    assert deep_streetlights().y.ravel().tolist() == [1, 1, 0, 0]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("xor", xor()),
        ("and", and_()),
        ("or(low=-1)", or_(-1)),
        ("parity3", parity(3)),
        ("parity(3, -1)", parity(3, low=-1)),
        ("parity3(low=-1)", parity(3, low=-1)),
        ("streetlights", streetlights()),
        ("deep_streetlights", deep_streetlights()),
    ],
)
def test_dataset_of_a_name(name: str, data: fg.Dataset) -> None:
    assert by_name(name) == data


@pytest.mark.parametrize(
    "name",
    ["nand", "parity", "parity0", "parity(3.5)", "parity(1,-1,2)", "xor(1)", "xor(0,low=0)", "xor(", "", 3],
)
def test_no_such_dataset(name: str) -> None:
    with pytest.raises(InvalidExperiment, match="data"):
        by_name(name)


@pytest.mark.parametrize("data", [xor(), xor(-1), or_(-1), parity(3), parity(3, low=-1)])
def test_the_name_of_built_in_data_brings_them_back(data: fg.Dataset) -> None:
    assert fg.datasets.by_name(data.name) == data
