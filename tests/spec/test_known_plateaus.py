"""Which data have known plateaus: examples count once, however often they occur."""

import numpy as np
import pytest

import fastgrok as fg
from fastgrok.spec.known_plateaus import has_known_plateaus
from fastgrok.spec.recording import variables
from fastgrok.statistics import plateaus
from fastgrok.statistics.attainable import distinct_examples

XOR = fg.datasets.xor()


def repeated(data: fg.Dataset, times: int) -> fg.Dataset:
    return fg.Dataset(np.tile(data.X, (times, 1)), np.tile(data.y, (times, 1)))


@pytest.mark.parametrize(
    ("data", "known"),
    [
        (XOR, True),
        (fg.datasets.parity(3), True),
        (fg.datasets.parity(4), False),
        (repeated(XOR, 3), True),
        (repeated(fg.datasets.parity(3), 100), True),
        (fg.Dataset([[0.0]] * 9 + [[k] for k in range(7)], [1.0] * 16), True),
        (fg.Dataset([[0.0]] * 9 + [[k] for k in range(9)], [1.0] * 18), False),
        (fg.Dataset([[0.0]] * 18, [0.0] * 9 + [float(k) for k in range(9)]), False),
    ],
)
def test_examples_count_once_and_by_one_rule(data: fg.Dataset, known: bool) -> None:
    assert has_known_plateaus(data) == known == (len(distinct_examples(data).first) <= 8)
    network = fg.mlp(data.n_in, 2, data.n_out)
    assert ("plateau" in variables(fg.Experiment(network, data))) == known
    if known:
        assert plateaus(data, "squared_error")


def test_data_that_differ_at_once_are_not_hashed() -> None:
    data = fg.Dataset(np.arange(100.0)[:, None], np.zeros(100))
    assert not has_known_plateaus(data)
    assert "content_hash" not in vars(data)
