"""Datasets: what they take, what they say of the rest, and splits."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from samples import one_line

import fastgrok as fg
from fastgrok.datasets import parity, xor
from fastgrok.errors import InvalidExperiment

X = [[0, 0], [0, 1], [1, 0], [1, 1]]


ANY_ARRAY = (
    hnp.arrays(
        st.sampled_from(["f8", "f4", "f2", "i8", "u1", "?", "c16", "U3", "M8[s]", "O", "longdouble"]),
        hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
    )
    | st.recursive(
        st.floats() | st.integers() | st.none() | st.text(max_size=2),
        lambda inner: st.lists(inner, max_size=3),
        max_leaves=8,
    )
    | st.sampled_from([object, {}, {1}, np.ma.masked_array([1.0, 2.0], [0, 1]), range(3)])
)


FINITE_TABLES = hnp.arrays(
    "f8",
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=4),
    elements=st.floats(allow_nan=False, allow_infinity=False),
)


class Hostile:
    """Raises whatever NumPy asks of it."""

    def __array__(self, *args: object, **kwargs: object) -> np.ndarray:
        raise RuntimeError("no")


def test_arrays_are_read_only_contiguous_float64_copies() -> None:
    given_X = np.asfortranarray(np.array(X, dtype=np.float32))
    data = fg.Dataset(given_X, [False, True, True, False])
    given_X[0, 0] = 7
    assert data.X.dtype == data.y.dtype == np.float64
    assert data.X.flags.c_contiguous
    assert data.X[0, 0] == 0
    assert data.y.tolist() == [[0], [1], [1], [0]]
    assert (data.n_examples, data.n_in, data.n_out) == (4, 2, 1)
    for again in (data, pickle.loads(pickle.dumps(data)), copy.deepcopy(data)):
        with pytest.raises(ValueError, match="read-only"):
            again.X[0, 0] = 1
    with pytest.raises(AttributeError):
        data.X = given_X  # type: ignore[misc]


def test_equality_and_hash_are_of_the_content() -> None:
    data = fg.Dataset(X, [0, 1, 1, 0], name="a")
    same = fg.Dataset(np.array(X) * -1.0 * -1, np.array([[0.0], [1], [1], [-0.0]]), name="a")
    assert data == same
    assert hash(data) == hash(same)
    assert data.content_hash == same.content_hash
    others = [
        fg.Dataset(X, [0, 1, 1, 1], name="a"),
        fg.Dataset(X, [0, 1, 1, 0], name="b"),
        fg.Dataset(X, [0, 1, 1, 0], name="a", feature_names=["p", "q"]),
        fg.Dataset(np.reshape(X, (2, 4)), [[0, 1], [1, 0]], name="a"),
    ]
    assert all(data != other for other in others)
    assert data != "a"


@given(FINITE_TABLES)
def test_dict_brings_back_the_same_bits(table: np.ndarray) -> None:
    data = fg.Dataset(table, table)
    again = fg.Dataset.from_dict(data.to_dict())
    assert again == data
    assert again.X.tobytes() == data.X.tobytes()
    assert pickle.loads(pickle.dumps(data)) == data


@pytest.mark.parametrize(
    ("make", "field", "accepted"),
    [
        (lambda: fg.Dataset([1, 2], [1, 2]), "X", "X.reshape(-1, 1)"),
        (lambda: fg.Dataset([[1, 2], [3]], [1, 2]), "X", "rows of one length"),
        (lambda: fg.Dataset([["a"]], [1]), "X", "real numbers"),
        (lambda: fg.Dataset([[1j]], [1]), "X", "real numbers"),
        (lambda: fg.Dataset([[10**400]], [1]), "X", "real numbers"),
        (lambda: fg.Dataset(None, [1]), "X", "real numbers"),
        (lambda: fg.Dataset(Hostile(), [1]), "X", "array of real numbers"),
        (lambda: fg.Dataset(np.ma.masked_array([[1.0]], [[True]]), [1]), "X", "a value for every entry"),
        (lambda: fg.Dataset([[]], [1]), "X", "one or more"),
        (lambda: fg.Dataset([], []), "X", "one or more"),
        (lambda: fg.Dataset([[[1]]], [1]), "X", "rows and columns"),
        (lambda: fg.Dataset([[1, np.nan]], [1]), "X[0, 1]", "a finite number"),
        (lambda: fg.Dataset([[1]], [np.inf]), "y[0, 0]", "a finite number"),
        (lambda: fg.Dataset([[np.longdouble("1e4000")]], [1]), "X[0, 0]", "a finite number"),
        (lambda: fg.Dataset([[1]], [1, 2]), "y", "as many rows as X, which has 1, and there are 2"),
        (lambda: fg.Dataset(np.empty((10**7 + 1, 1), "?"), [1]), "X", "at most 10,000,000 rows"),
        (lambda: fg.Dataset([[1]], [1], name=""), "name", "a string"),
        (lambda: fg.Dataset([[1]], [1], feature_names=["a", "b"]), "feature_names", "a list of 1 names"),
        (lambda: fg.Dataset([[1, 2]], [1], feature_names=["a", "a"]), "feature_names", "'a' is there twice"),
        (lambda: fg.Dataset([[1]], [1], target_names=[3]), "target_names[0]", "a string"),
        (lambda: fg.Dataset([[1]], [1], fill=["a"]), "fill", "1 finite number, one for each input"),
        (lambda: fg.Dataset([[1]], [1], fill=3), "fill", "1 finite number, one for each input"),
        (lambda: fg.Dataset([[1]], [1], fill=[np.nan]), "fill", "1 finite number, one for each input"),
        (lambda: fg.Dataset([[1]], [1], fill=[10**400]), "fill", "1 finite number, one for each input"),
        (lambda: fg.Dataset([[1, 2]], [1], fill=[1]), "fill", "2 finite numbers, one for each input"),
        (lambda: fg.Dataset([[1, 2, 3]], [1], fill=[1] * 3, categories=[("a", "xyz")]), "fill", "for each column"),
        (lambda: fg.Dataset([[1, 2]], [1], categories=[("a", ("x", "y", "z"))]), "categories", "2 inputs together"),
        (lambda: fg.Dataset([[1, 2]], [1], categories=[("a", ("x", "y"))]), "categories", "and they are 1"),
        (lambda: fg.Dataset([[1]], [1], categories=[]), "categories", "1 input together, and they are 0"),
        (lambda: fg.Dataset.from_dict(fg.datasets.xor().to_dict() | {"fill": ["a", 1]}), "fill", "2 finite numbers"),
        (lambda: fg.Dataset.from_dict(fg.Zeros().to_dict()), "type", "Dataset"),
        (lambda: fg.Dataset.from_dict({"type": "Dataset"}), "X", "every field of Dataset"),
        (lambda: xor(low=1), "low", "0 for inputs 0 and 1"),
        (lambda: xor(low=np.zeros(2)), "low", "0 for inputs 0 and 1"),
        (lambda: parity(17), "n_bits", "at most 16"),
        (lambda: parity(True), "n_bits", "at most 16"),
    ],
)
def test_error_names_field_and_what_is_accepted(make, field: str, accepted: str) -> None:
    with pytest.raises(InvalidExperiment) as caught:
        make()
    assert caught.value.field == field
    assert accepted in caught.value.accepted


@given(ANY_ARRAY, ANY_ARRAY, ANY_ARRAY)
def test_any_arguments_make_a_dataset_or_an_invalid_experiment(first: object, second: object, names: object) -> None:
    for arguments in ((first, second), (first, first), (X, second), (X, [0, 1, 1, 0], "data", names)):
        try:
            data = fg.Dataset(*arguments)
        except InvalidExperiment as error:
            one_line(error)
        else:
            assert np.isfinite(data.X).all()
            assert data.X.shape == (data.n_examples, data.n_in)


@given(st.integers(2, 60), st.floats(0.01, 0.99), st.integers(0, 2**32), st.booleans(), st.integers(1, 4))
def test_a_split_is_a_partition_of_the_examples(n: int, share: float, seed: int, stratified: bool, k: int) -> None:
    data = fg.Dataset(np.arange(n)[:, None], np.arange(n) % k, "numbered")
    count = round(share * n)
    if not 0 < count < n:
        with pytest.raises(fg.InvalidExperiment, match=f"the {n} examples"):
            data.split(share, seed=seed, stratified=stratified)
        return
    training, validation = data.split(share, seed=seed, stratified=stratified)
    assert sorted([*training.X[:, 0], *validation.X[:, 0]]) == list(range(n))
    assert validation.n_examples == count
    assert data.split(share, seed=seed, stratified=stratified)[1] == validation
    np.testing.assert_array_equal(training.y[:, 0], training.X[:, 0] % k)
    if stratified:
        for target in range(k):
            exact = share * np.count_nonzero(data.y == target)
            assert abs(np.count_nonzero(validation.y == target) - count / n * exact / share) < 1


@pytest.mark.parametrize("stratified", [False, True])
def test_splits_of_other_seeds_differ(stratified: bool) -> None:
    data = fg.Dataset(np.arange(40)[:, None], np.arange(40) % 2)
    splits = [data.split(0.5, seed=seed, stratified=stratified) for seed in range(20)]
    assert len({tuple(validation.X[:, 0]) for _, validation in splits}) == 20


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"validation": 0}, "validation"),
        ({"validation": 1}, "validation"),
        ({"validation": "a"}, "validation"),
        ({"validation": True}, "validation"),
        ({"validation": float("nan")}, "validation"),
        ({"validation": 0.5, "seed": -1}, "seed"),
        ({"validation": 0.5, "seed": 0.5}, "seed"),
        ({"validation": 0.5, "stratified": 1}, "stratified"),
    ],
)
def test_split_names_what_it_cannot_do(arguments: dict, field: str) -> None:
    with pytest.raises(fg.InvalidExperiment) as caught:
        fg.datasets.xor().split(**arguments)
    assert caught.value.field == field
