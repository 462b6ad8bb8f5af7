"""Datasets: what they take, what they say of the rest, and files that are broken in every way."""

import copy
import pickle
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import fastgrok as fg
from fastgrok.datasets import and_, by_name, deep_streetlights, or_, parity, streetlights, xor
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


def one_line(error: InvalidExperiment) -> None:
    """Check that an error is one line that names a field and what would be accepted."""
    assert error.field
    assert error.accepted
    assert len(str(error).splitlines()) == 1


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


def write(tmp_path: Path, content: str | bytes) -> Path:
    """Write a file and return its path."""
    path = tmp_path / "some.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_csv_takes_all_other_columns_as_features(tmp_path: Path) -> None:
    path = write(tmp_path, '\ufeffa, b ,"c"\r\n1,2,3\r\n\r\n-4,5e-1,"6"\r\n')
    data = fg.Dataset.from_csv(path, target="b")
    assert data == fg.Dataset([[1, 3], [-4, 6]], [2, 0.5], "some", ["a", "c"], ["b"])


def test_csv_takes_several_targets_chosen_features_and_a_delimiter(tmp_path: Path) -> None:
    path = write(tmp_path, ";a;b;c\n0;1;2;3\n1;4;5;6\n")
    data = fg.Dataset.from_csv(str(path), target=["c", "b"], features="a", delimiter=";", name="three")
    assert data == fg.Dataset([[1], [4]], [[3, 2], [6, 5]], "three", ["a"], ["c", "b"])


def test_csv_turns_classes_into_outputs(tmp_path: Path) -> None:
    words = fg.Dataset.from_csv(write(tmp_path, "x,kind\n1,pear\n2,apple\n3,pear\n"), target="kind")
    assert words.target_names == ("apple", "pear")
    assert words.y.tolist() == [[0, 1], [1, 0], [0, 1]]
    numbers = fg.Dataset.from_csv(write(tmp_path, "x,kind\n1,10\n2,9\n"), target="kind", classes=True)
    assert numbers.target_names == ("9", "10")
    assert numbers.y.tolist() == [[0, 1], [1, 0]]
    mixed = fg.Dataset.from_csv(write(tmp_path, "x,kind\n1,b\n2,9\n"), target="kind", classes=True)
    assert mixed.target_names == ("9", "b")


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("", {}, "some.csv.* a header and rows, and the file is empty"),
        ("a,b\n", {}, "rows below the header"),
        ("a,b\n1,2\n", {"target": "c"}, "target = 'c': expected a column of .*: 'a', 'b'"),
        ("a,b\n1,2\n", {"target": 1}, "target = 1"),
        ("a,b\n1,2\n", {"target": []}, "target = .* a column at least"),
        ("a,b\n1,2\n", {"target": ["b", "b"]}, "columns that differ"),
        ("a,b\n1,2\n", {"features": ["a", "z"]}, "features = 'z'"),
        ("a,b\n1,2\n", {"features": "b"}, "columns that are not the target"),
        ("b\n1\n", {}, "a column beside the target"),
        (",b\n1,2\n", {}, "column 1 of .* has no name"),
        ("a,b,a\n1,2,3\n", {}, "line 1 = 'a': .* there twice"),
        ("a,b\n1,2\nx,3\n", {}, "line 3, column 'a' = 'x': expected a finite number"),
        ("a,b\n1,2\n1,x\n", {}, "line 3, column 'b' = 'x'"),
        ("a,b\n1,x\n1,2\n", {}, "line 3, column 'b' = '2'.*classes=True"),
        ("a,b\n1,x\n1,\n", {}, "line 3, column 'b' = ''.*blank"),
        ("a,b\n1,x\n", {"classes": False}, "line 2, column 'b' = 'x'"),
        ("a,b\n1,x\n", {}, "two classes at least"),
        ("a,b,c\n1,x,y\n", {"target": ["b", "c"], "classes": True}, "one column where classes=True"),
        ("a,b\n1,2\n", {"classes": 1}, "classes = 1"),
        ("a,b\nnan,2\n", {}, "line 2, column 'a' = 'nan'"),
        ("a,b\n1,-inf\n", {}, "line 2, column 'b' = '-inf'"),
        ("a,b\n ,2\n", {}, "line 2, column 'a' = ' '"),
        ("a,b\n1_0,2\n", {}, "line 2, column 'a' = '1_0'"),
        ("a,b\n\n1,2\n1\n", {}, "line 4 = .* 2 values, as in the header, and there are 1"),
        ('a,b\n1,2\n"1"x,2\n', {}, "line 3, column 'a' = '1x'"),
        ('a,b\n1,2\n"1,2\n', {}, "line 3 = .* 2 values, as in the header, and there are 1"),
        ("a,b\n1,2\n", {"delimiter": "§"}, "delimiter = '§'"),
        (b"a,b\n1,2\n\xff,2\n", {}, "text in UTF-8"),
        ("a,b\n1,2\n", {"delimiter": "tab"}, "delimiter = 'tab'"),
        ("a,b\n1,2\n", {"delimiter": None}, "delimiter = None"),
        ("a,b\n" + "".join(f"1,x{k}\n" for k in range(4097)), {}, "line 4098.* at most 4096 classes"),
    ],
)
def test_csv_error_names_the_place(tmp_path: Path, content: str | bytes, options: dict, message: str) -> None:
    with pytest.raises(InvalidExperiment, match=message) as caught:
        fg.Dataset.from_csv(write(tmp_path, content), **{"target": "b", **options})
    one_line(caught.value)


@pytest.mark.parametrize("path", ["nowhere.csv", ".", "a\0b", "\ud800", "", 0, None, b"x.csv"])
def test_no_file_at_a_path(path: object) -> None:
    with pytest.raises(InvalidExperiment, match="path"):
        fg.Dataset.from_csv(path, target="b")  # type: ignore[arg-type]
    with pytest.raises(InvalidExperiment, match="path"):
        fg.Dataset.from_npz(path)  # type: ignore[arg-type]


@settings(deadline=None)
@given(
    st.binary(max_size=40) | st.text('ab,\n"01.-e\r', max_size=40).map(lambda text: f"a,b\n{text}".encode()),
    st.sampled_from([None, True, False]),
)
def test_any_csv_is_a_dataset_or_an_invalid_experiment(content: bytes, classes: bool | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        try:
            data = fg.Dataset.from_csv(write(Path(folder), content), target="b", classes=classes)
        except InvalidExperiment as error:
            one_line(error)
        else:
            assert np.isfinite(data.X).all()


def test_npz_brings_arrays(tmp_path: Path) -> None:
    path = tmp_path / "some.npz"
    np.savez_compressed(path, inputs=np.eye(2), y=[0, 1])
    assert fg.Dataset.from_npz(path, X="inputs") == fg.Dataset(np.eye(2), [0, 1], "some")
    assert fg.Dataset.from_npz(str(path), X="inputs", name="eye").name == "eye"


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"X": np.eye(2)}, "key = 'y': expected a key that is there: X"),
        ({"X": np.eye(2), "y": np.zeros(3)}, "y = .* as many rows as X"),
        ({"X": np.zeros(3), "y": np.zeros(3)}, "X = .* X.reshape"),
        ({"X": np.array([[None]]), "y": np.zeros(1)}, "NPZ file of plain numbers .*allow_pickle"),
        ({"X": np.array([["a"]]), "y": np.zeros(1)}, "X = .* real numbers"),
    ],
)
def test_npz_error_names_the_key(tmp_path: Path, arrays: dict, message: str) -> None:
    np.savez(tmp_path / "some.npz", **arrays)
    with pytest.raises(InvalidExperiment, match=message):
        fg.Dataset.from_npz(tmp_path / "some.npz")


def test_npy_and_pickle_are_no_npz(tmp_path: Path) -> None:
    np.save(tmp_path / "some.npy", np.eye(2))
    with pytest.raises(InvalidExperiment, match="this is one array"):
        fg.Dataset.from_npz(tmp_path / "some.npy")
    (tmp_path / "some.npz").write_bytes(pickle.dumps({"X": 1}))
    with pytest.raises(InvalidExperiment, match="NPZ file of plain numbers"):
        fg.Dataset.from_npz(tmp_path / "some.npz")


@settings(deadline=None)
@given(st.data())
def test_any_damage_to_an_npz_is_a_dataset_or_an_invalid_experiment(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "some.npz")
        save = data.draw(st.sampled_from([np.savez, np.savez_compressed]))
        save(path, X=np.eye(2), y=[0, 1])
        content = bytearray(path.read_bytes())
        for _ in range(data.draw(st.integers(1, 4))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        path.write_bytes(content[: data.draw(st.integers(0, len(content)) | st.just(len(content)))])
        try:
            made = fg.Dataset.from_npz(path)
        except InvalidExperiment as error:
            one_line(error)
        else:
            assert made.n_examples == 2 or made.n_in


@pytest.mark.parametrize("data", [xor(), xor(-1), or_(-1), parity(3), parity(3, low=-1)])
def test_the_name_of_built_in_data_brings_them_back(data: fg.Dataset) -> None:
    assert fg.datasets.by_name(data.name) == data


def test_a_binary_file_is_no_csv(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(fg.InvalidExperiment, match="expected a CSV file: text in UTF-8") as caught:
        fg.Dataset.from_csv(path, "a")
    assert "after" not in str(caught.value)


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
