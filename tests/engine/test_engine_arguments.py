"""What is checked of the arguments of `run` and its like."""

import re
from typing import Any

import numpy as np
import pytest

import fastgrok as fg
from fastgrok.engine.arguments import accepted_seeds, checked_integer, checked_seeds, n_seeds
from fastgrok.errors import InvalidExperiment

EXP = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=60)
LEGACY = EXP.replace(stream="numpy_legacy")


@pytest.mark.parametrize(
    ("given", "seeds"),
    [
        (3, [0, 1, 2]),
        (np.int32(2), [0, 1]),
        (range(5, 0, -2), [5, 3, 1]),
        (range(2**64 - 1, 2**64), [2**64 - 1]),
        (range(2**64 - 1, -1, -(2**63)), [2**64 - 1, 2**63 - 1]),
        ([7, 7, 2**64 - 1], [7, 7, 2**64 - 1]),
        ((np.uint8(3), 2), [3, 2]),
        (np.array([9, 8], np.int16), [9, 8]),
        (np.array([2**64 - 1, 1], object), [2**64 - 1, 1]),
    ],
)
def test_seeds_may_be_given_in_many_ways(given: Any, seeds: list[int]) -> None:
    checked = checked_seeds(given, "numpy")
    assert checked.dtype == np.uint64
    assert checked.tolist() == seeds


@pytest.mark.parametrize(
    "seeds",
    [
        *(0, -1, True, 1.5, "8", b"8", None, [], [1.5], [True], [None], [-1], [2**64], [[1]], {1, 2}, object()),
        *(range(0), range(-1, 3), range(2**64, 2**64 + 1), range(10**18), 2**64, 2**65, 10**400),
        *(np.array(3), np.array([]), np.array([1.5]), np.array([True]), np.array([-1]), np.zeros((1, 1), int)),
        np.array([1], "m8[s]"),
    ],
)
def test_what_is_no_seed_is_rejected(seeds: Any) -> None:
    for experiment in (EXP, LEGACY):
        with pytest.raises(InvalidExperiment, match="seeds"):
            fg.run(experiment, seeds)


def test_legacy_seeds_end_earlier() -> None:
    assert fg.run(LEGACY, [2**32 - 1]).seeds.tolist() == [2**32 - 1]
    for seeds in ([2**32], range(2**32, 2**32 + 1), np.array([2**32])):
        with pytest.raises(InvalidExperiment, match="4294967295"):
            fg.run(LEGACY, seeds)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"threads": 0}, "threads"),
        ({"threads": True}, "threads"),
        ({"threads": 10**6}, "threads"),
        ({"lanes": 3}, "lanes"),
        ({"lanes": 128}, "lanes"),
        ({"lanes": "8"}, "lanes"),
        ({"chunk_size": 0}, "chunk_size"),
        ({"chunk_size": 1.0}, "chunk_size"),
        ({"specialize": 1}, "specialize"),
        ({"keep_params": None}, "keep_params"),
        ({"progress": "yes"}, "progress"),
    ],
)
def test_options_are_checked(options: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidExperiment) as caught:
        fg.run(EXP, 4, **options)
    assert caught.value.field == field


def test_example_of_checked_seeds():
    assert repr(checked_seeds(3, "numpy")) == "array([0, 1, 2], dtype=uint64)"
    value = " ".join(repr(checked_seeds([7, 2**64 - 1], "numpy")).split())
    assert value == "array([ 7, 18446744073709551615], dtype=uint64)"


def test_example_of_checked_integer():
    message = re.escape("threads = 0: expected None, or an integer at least 1")
    with pytest.raises(InvalidExperiment, match=message):
        checked_integer("threads", 0)


@pytest.mark.parametrize(
    ("seeds", "n"), [(10**18, 10**18), (range(5, 10**18, 7), (10**18 + 1) // 7), (range(2**64 - 1, -1, -1), 2**64)]
)
def test_ranges_stay_ranges_until_they_are_known_to_fit(seeds, n) -> None:
    accepted = accepted_seeds(seeds, "numpy")
    assert accepted == (range(seeds) if isinstance(seeds, int) else seeds)
    assert n_seeds(accepted) == n
