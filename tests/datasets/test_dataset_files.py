"""CSV and NPZ files, and files that are broken in every way."""

import pathlib
import pickle
import re
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import one_line

import fastgrok as fg
from fastgrok.datasets.columns import Options
from fastgrok.datasets.csv_files import Format, read_csv
from fastgrok.datasets.npz import checked_path, read_npz
from fastgrok.errors import InvalidExperiment


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
    path = write(tmp_path, "x,kind\n1,pear\n2,apple\n3,pear\n")
    words = fg.Dataset.from_csv(path, target="kind", one_hot=True)
    assert words.target_names == ("apple", "pear")
    assert words.y.tolist() == [[0, 1], [1, 0], [0, 1]]
    single = fg.Dataset.from_csv(path, target="kind")
    assert (single.target_names, single.classes) == (("kind",), ("apple", "pear"))
    assert single.y.tolist() == [[1], [0], [1]]
    path = write(tmp_path, "x,kind\n1,10\n2,9\n")
    numbers = fg.Dataset.from_csv(path, target="kind", classes=True, one_hot=True)
    assert (numbers.target_names, numbers.classes) == (("9", "10"), (9, 10))
    assert numbers.y.tolist() == [[0, 1], [1, 0]]
    path = write(tmp_path, "x,kind\n1,b\n2,9\n")
    mixed = fg.Dataset.from_csv(path, target="kind", classes=True, one_hot=True)
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
        ('a,b\n1,2\n"1"x,2\n', {}, "line 3 = .* expected after"),
        ('a,b\n1,2\n"1,2\n', {}, "line 3 = 'unexpected end of data'"),
        ('a,b\n1,2\n1,"2\n', {"classes": False}, "line 3 = 'unexpected end of data'"),
        ('a,b\n1,cat\n1,"dog\n1,cat\n', {}, "line 4 = 'unexpected end of data'"),
        ('a,b\n1,2\n1,""2\n', {}, "line 3 = .* expected after"),
        ("a,b\n1,2\n", {"delimiter": "§"}, "delimiter = '§'"),
        (b"a,b\n1,2\n\xff,2\n", {}, "text in UTF-8"),
        ("a,b\n1,2\n", {"delimiter": "tab"}, "delimiter = 'tab'"),
        ("a,b\n1,2\n", {"delimiter": 1}, "delimiter = 1"),
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
        ({"X": np.eye(2)}, "key = 'y': expected a key that is there: 'X'"),
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


def test_a_binary_file_is_no_csv(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(fg.InvalidExperiment, match="expected a CSV file: text in UTF-8") as caught:
        fg.Dataset.from_csv(path, "a")
    assert "after" not in str(caught.value)


def test_example_of_checked_path():
    with pytest.raises(InvalidExperiment, match=re.escape("path = 'missing.csv': expected an existing file")):
        checked_path("missing.csv")


def test_example_of_read_npz():
    path = pathlib.Path(tempfile.mkdtemp(), "data.npz")
    np.savez(path, X=np.eye(2))
    assert read_npz(path, "X")[0].shape == (2, 2)


def test_example_of_read_csv():
    path = pathlib.Path(tempfile.mkdtemp(), "data.csv")
    _ = path.write_text("a,b\n1,2\n3,4\n")
    assert read_csv(path, Format(), Options("b")).X.tolist() == [[1.0], [3.0]]


def test_a_header_of_many_columns_is_read_in_proportion(tmp_path):
    """Eight times as many columns took sixty times as long where each name was looked for in all of them."""
    seconds = []
    for n in (3000, 3000, 24_000):
        path = tmp_path / f"{n}.csv"
        path.write_text("".join(f"{','.join(row)}\n" for row in ([f"c{k}" for k in range(n)], ["0"] * n, ["1"] * n)))
        before = time.process_time()
        assert fg.Dataset.from_csv(path, f"c{n - 1}").n_in == n - 1
        seconds.append(time.process_time() - before)
    assert seconds[2] < 24 * max(seconds[1], 0.02)


def test_a_column_of_more_categories_than_a_layer_has_units_is_refused(tmp_path):
    path = tmp_path / "words.csv"
    path.write_text("word,y\n" + "".join(f"w{k},{k % 2}\n" for k in range(5000)))
    expected = "categorical = 'word': expected a column of at most 4096 categories, and there are 5,000"
    with pytest.raises(InvalidExperiment, match=expected):
        fg.Dataset.from_csv(path, "y", categorical="word")
