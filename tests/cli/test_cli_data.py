"""`fastgrok.cli.data`: files as flags have them read, errors in the words of the command line."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import Outcome, defaults, refused

from fastgrok.cli.data import data_of, in_flags, is_file, notes_about
from fastgrok.errors import InvalidExperiment

QUICK = ("--seeds", "4", "--epochs", "3")


def written(tmp_path: Path, text: str, name: str = "my.csv") -> str:
    """Write a file and return its path."""
    path = tmp_path / name
    path.write_text(text)
    return str(path)


def read(path: str, **values: Any) -> Any:
    """Return the dataset, and what is validated on."""
    data, validation = data_of(None, {**defaults(), "data": path, "target": "y", **values})
    return data[0], validation


def test_example_of_is_file():
    assert (is_file("xor"), is_file("my.csv")) == (False, True)


def test_example_of_in_flags():
    said = in_flags("missing='drop' or categorical=['a', 'b'], header=False, classes=True, encoding='cp1252'")
    assert said == "--missing drop or --categorical a,b, --no-header, --classes, --encoding cp1252"
    assert in_flags("delimiter=';'") == "--delimiter ';'"


@pytest.mark.parametrize(
    ("text", "values", "X", "classes"),
    [
        ("a;y\n1,5;0\n2;1\n", {}, [[1.5], [2]], None),
        ("a\ty\n1.5\t0\n2\t1\n", {"delimiter": "tab"}, [[1.5], [2]], None),
        ("1.5,0\n2,1\n", {"header": False, "target": "-1"}, [[1.5], [2]], None),
        ("1.5,0\n2,1\n", {"header": False, "target": "x1", "features": "0"}, [[1.5], [2]], None),
        ("a,c,y\n1,u,0\n2,v,1\n", {"categorical": "c"}, [[1, 0], [2, 1]], None),
        ("a,y\n1,p\n,p\n2,q\n", {"missing": "drop"}, [[1], [2]], ("p", "q")),
        ("a,y\n1,p\n,p\n3,q\n", {"missing": "mean"}, [[1], [2], [3]], ("p", "q")),
        ("a,y\n1,5\n2,7\n", {"classes": True}, [[1], [2]], (5, 7)),
        ("a,y\n1,0\n2,1\n3,2\n" + "1,0\n2,1\n3,2\n", {"regression": True}, [[1], [2], [3]] * 2, None),
        ("a,y\n1,0\n3,1\n", {"standardize": True}, [[-1], [1]], None),
        ("a,y\n1,0\n3,1\n", {"min_max": True}, [[0], [1]], None),
    ],
)
def test_flags_say_how_a_file_is_read(tmp_path: Path, text: str, values: Any, X: Any, classes: Any) -> None:
    data, _ = read(written(tmp_path, text), **values)
    assert (data.X.tolist(), data.classes) == (X, classes)


@pytest.mark.parametrize(
    ("text", "flags", "words"),
    [
        ("0.1,0.2,1\n0.3,0.4,0\n", [], "line 1 = ['0.1', '0.2', '1']: expected a header"),
        ("0.1,0.2,1\n0.3,0.4,0\n", [], "--no-header reads a file without one"),
        ("c,y\nu,0\nv,1\n", [], "--categorical c makes inputs of words"),
        ("a,y\n1,0\n,1\n", [], "--missing drop leaves such rows out, --missing mean takes"),
        ("a,y\n1,x\n2,3\n", [], "--classes takes numbers for classes too"),
        ("a~y\n1~0\n", [], "--target = 'y': expected a column"),
        ("a~y\n1~0\n", [], "--delimiter ';'"),
        ("a,y\n1,0\n2,1\n", ["--missing", "median"], "--missing = 'median'"),
        ("a,y\n1,0\n2,1\n", ["--encoding", "klingon"], "--encoding = 'klingon'"),
        ("a,y\n1,0\n2,1\n", ["--classes", "--regression"], "--regression = True: expected either this or --classes"),
        ("a,y\n1,0\n2,1\n", ["--standardize", "--min-max"], "either this or --standardize"),
        ("a,y\n1,0\n2,1\n", ["--categorical", "z"], "--categorical = 'z'"),
        ("a,y\n1,0\n2,1\n", ["--delimiter", "ab"], "--delimiter = 'ab'"),
        ("PK\x03\x04", [], "this is a spreadsheet"),
        ("", [], "the file is empty"),
    ],
)
def test_errors_name_flags(
    tmp_path: Path, text: str, flags: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert words in refused(["sweep", "--data", written(tmp_path, text), "--target", "y", *flags], capsys)


@pytest.mark.parametrize("flag", ["--one-hot", "--no-header", "--regression", "--missing=drop", "--decimal=,"])
def test_flags_of_files_need_a_file(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "expected a CSV file, by --data or --validation" in refused(["sweep", "xor", flag], capsys)


def test_inputs_are_standardized_by_the_training_rows(tmp_path: Path) -> None:
    rows = [f"{k},{k % 2}" for k in range(40)]
    path = written(tmp_path, "\n".join(["a,y", *rows]))
    data, validation = read(path, validation="0.25", standardize=True)
    assert data.X.mean() == pytest.approx(0)
    raw = validation.X * data.scale + data.shift
    assert validation.X.mean() != pytest.approx(0)
    assert np.isin(raw.round(9), np.arange(40.0)).all()
    held = written(tmp_path, "a,y\n100,1\n", "held.csv")
    data, validation = read(path, validation=held, standardize=True)
    assert validation.X[0, 0] == (100 - data.shift[0]) / data.scale[0]


@pytest.mark.parametrize(
    ("text", "values", "note"),
    [
        ("a,y\n1,p\n2,q\n", {}, "my: 2 classes ('p', 'q'), one output, above 0.5 for 'q'"),
        ("a,y\n1,p\n2,q\n3,r\n", {}, "my: 3 classes ('p', 'q', 'r'), one output each"),
        (
            "a,y\n" + "1,0\n1,1\n1,2\n" * 2,
            {},
            "my: 3 classes (0, 1, 2), one output each; --regression takes them for numbers",
        ),
        (
            "a,y\n" + "1,3\n1,4\n1,5\n" * 2,
            {},
            "my: the target is numbers; --classes takes the 3 whole numbers for classes",
        ),
        ("a,y\n1,0.5\n2,1\n", {}, "my: the target is numbers"),
    ],
)
def test_what_the_target_is_taken_for_is_said(tmp_path: Path, text: str, values: Any, note: str) -> None:
    path = written(tmp_path, text)
    data, _ = read(path, **values)
    assert notes_about(data, {"data": path}) == [note]


def test_unscaled_inputs_are_noted_and_the_document_keeps_classes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, "a,y\n1000,p\n3000,q\n")
    command = ["sweep", "--data", path, "--target", "y", *QUICK, "--json"]
    plain = Outcome(command, capsys)
    assert "the input is unscaled: 'a' has a root mean square of 2.24e+03; --standardize" in plain.err
    scaled = Outcome([*command, "--standardize"], capsys)
    assert "unscaled" not in scaled.err
    data = json.loads(scaled.out)["configurations"][0]["experiment"]["data"]
    assert (data["classes"], data["shift"], data["scale"]) == (["p", "q"], [2000.0], [1000.0])


def test_no_such_data(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InvalidExperiment, match="data = 'nope'"):
        data_of("nope", defaults())


@pytest.mark.parametrize("name", ["iris", "wine"])
def test_data_of_scikit_learn_have_a_name(name: str) -> None:
    pytest.importorskip("sklearn")
    data, validation = data_of(name, {**defaults(), "validation": "0.2", "stratified": True, "standardize": True})
    assert data[0].n_out == 3
    assert validation.shift == data[0].shift
