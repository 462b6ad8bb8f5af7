"""The kinds of CSV files that people have: what is read, or the one line that helps."""

import gzip
import io
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from samples import one_line

import fastgrok as fg
from fastgrok.errors import InvalidExperiment

ROWS = "a,b,y\n0,1.5,1\n2,3,0\n"
X, Y = [[0, 1.5], [2, 3]], [[1], [0]]


class Read(NamedTuple):
    """A file that is read: its bytes, the arguments, and what the dataset has."""

    content: str | bytes
    options: dict[str, Any] = {}  # noqa: RUF012
    has: dict[str, Any] = {"X": X, "y": Y, "feature_names": ("a", "b"), "classes": None}  # noqa: RUF012


COLOURS = "size,colour,y\n1,red,0\n2,blue,1\n3,green,0\n4,red,1\n"
GAPS = "a,b,y\n1,2,0\n,4,1\n3,NA,0\n5,6,1\n"

READ = {
    "commas": Read(ROWS),
    "semicolons": Read(ROWS.replace(",", ";")),
    "tabs": Read(ROWS.replace(",", "\t")),
    "bars": Read(ROWS.replace(",", "|")),
    "blanks": Read("a b  y\n0   1.5 1\n 2 3   0\n"),
    "aligned columns": Read("  a    b  y\n  0  1.5  1\n  2  3.0  0\n"),
    "decimal commas": Read("a;b;y\n0;1,5;1\n2;3;0\n"),
    "decimal commas, said": Read("a;b;y\n0;1,5;1\n2;3;0\n", {"decimal": ","}),
    "decimal commas between tabs": Read("a\tb\ty\n0\t1,5\t1\n2\t3,0\t0\n"),
    "decimal commas before three digits, said": Read(
        "a\ty\n1,234\t1\n2,500\t0\n", {"decimal": ","}, {"X": [[1.234], [2.5]]}
    ),
    "decimal commas before three digits, one behind a 0": Read(
        "a\ty\n1,234\t1\n0,500\t0\n", {}, {"X": [[1.234], [0.5]]}
    ),
    "decimal commas, one before three digits": Read("a\ty\n1,234\t1\n2,5\t0\n", {}, {"X": [[1.234], [2.5]]}),
    "a spreadsheet's sep=": Read("sep=;\na;b;y\n0;1,5;1\n2;3;0\n"),
    "quotes": Read('"a","b","y"\n"0","1.5","1"\n"2","3","0"\n'),
    "a line in quotes": Read('a,b,y\n0,1.5,"1"\n"2\n",3,0\n'),
    "a mark before UTF-8": Read(b"\xef\xbb\xbf" + ROWS.encode()),
    "UTF-16 with its mark": Read(ROWS.encode("utf-16")),
    "UTF-16 big-endian with its mark": Read(b"\xfe\xff" + ROWS.encode("utf-16-be")),
    "UTF-16 without its mark, said": Read(ROWS.encode("utf-16-le"), {"encoding": "utf-16-le"}),
    "an older encoding, said": Read(ROWS.replace("a", "ä").encode("cp1252"), {"encoding": "cp1252"}, {"X": X}),
    "lines of Windows": Read(ROWS.replace("\n", "\r\n")),
    "no last end of line": Read(ROWS.rstrip()),
    "blank lines": Read(ROWS.replace("\n", "\n\n")),
    "blanks around values": Read("a , b , y\n0 , 1.5 , 1\n2 , 3 , 0\n"),
    "a comma at the end of each line": Read("a,b,y,\n0,1.5,1,\n2,3,0,\n"),
    "no header, said": Read(
        "0.1,0.2,1\n0.3,0.4,0\n0.5,0.6,1\n",
        {"header": False, "target": -1},
        {"X": [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]], "y": [[1], [0], [1]], "feature_names": ("x0", "x1")},
    ),
    "no header, two columns of decimal commas": Read(
        "1,5;2,25\n3,5;4,25\n5,5;6,25\n", {"header": False, "target": -1}, {"X": [[1.5], [3.5], [5.5]], "n_out": 1}
    ),
    "no header, a column by its name": Read("1,5\n2,6\n", {"header": False, "target": "x0"}, {"y": [[1], [2]]}),
    "names that are numbers, said": Read("0,1,2\n3,4,5\n", {"header": True, "target": "2"}, {"X": [[3, 4]]}),
    "names that are pixels": Read("y,0,1,2\n0,7,8,9\n", {}, {"X": [[7, 8, 9]], "feature_names": ("0", "1", "2")}),
    "names that are years": Read("2019,2020,y\n7,8,9\n", {}, {"X": [[7, 8]], "y": [[9]]}),
    "two words": Read("a,y\n1,no\n2,yes\n3,no\n", {}, {"y": [[0], [1], [0]], "classes": ("no", "yes")}),
    "two words, two outputs": Read(
        "a,y\n1,no\n2,yes\n", {"one_hot": True}, {"y": [[1, 0], [0, 1]], "target_names": ("no", "yes")}
    ),
    "three words": Read(
        "a,y\n1,c\n2,a\n3,b\n", {}, {"y": [[0, 0, 1], [1, 0, 0], [0, 1, 0]], "target_names": ("a", "b", "c")}
    ),
    "truth values": Read("a,y\n1,True\n2,False\n", {}, {"y": [[1], [0]], "classes": ("False", "True")}),
    "0 and 1": Read("a,y\n1,0\n2,1\n3,0\n4,1\n", {}, {"y": [[0], [1], [0], [1]], "classes": None}),
    "-1 and 1": Read("a,y\n1,-1\n2,1\n3,-1\n4,1\n", {}, {"y": [[-1], [1], [-1], [1]], "classes": None}),
    "0, 1, 2, each twice": Read(
        "a,y\n" + "".join(f"{k},{k % 3}\n" for k in range(6)), {}, {"y": [*np.eye(3)] * 2, "classes": (0, 1, 2)}
    ),
    "0, 1, 2, said to be numbers": Read(
        "a,y\n" + "".join(f"{k},{k % 3}\n" for k in range(6)),
        {"classes": False},
        {"y": [[0], [1], [2]] * 2, "classes": None},
    ),
    "0, 1, 2, each once": Read("a,y\n5,0\n6,1\n7,2\n", {}, {"y": [[0], [1], [2]], "classes": None}),
    "3, 4, 5": Read("a,y\n" + "5,3\n6,4\n7,5\n" * 2, {}, {"y": [[3], [4], [5]] * 2, "classes": None}),
    "3, 5, said to be classes": Read("a,y\n5,3\n6,5\n", {"classes": True}, {"y": [[0], [1]], "classes": (3, 5)}),
    "categories": Read(
        COLOURS,
        {"categorical": ["colour"]},
        {
            "X": [[1, 0, 0, 1], [2, 1, 0, 0], [3, 0, 1, 0], [4, 0, 0, 1]],
            "feature_names": ("size", "colour=blue", "colour=green", "colour=red"),
        },
    ),
    "two categories are one input": Read(
        "s,y\nmale,0\nfemale,1\nmale,1\n", {"categorical": "s"}, {"X": [[1], [0], [1]], "feature_names": ("s=male",)}
    ),
    "numbers as categories": Read(
        "k,y\n10,0\n9,1\n10,1\n", {"categorical": "k"}, {"X": [[1], [0], [1]], "feature_names": ("k=10",)}
    ),
    "gaps, rows left out": Read(GAPS, {"missing": "drop"}, {"X": [[1, 2], [5, 6]], "y": [[0], [1]]}),
    "gaps, means": Read(GAPS, {"missing": "mean"}, {"X": [[1, 2], [3, 4], [3, 4], [5, 6]], "fill": (3, 4)}),
    "a gap in the classes, row left out": Read("a,y\n1,p\n2,\n3,q\n", {"missing": "drop"}, {"y": [[0], [1]]}),
    "question marks": Read("a,y\n?,0\n2,1\n", {"missing": "drop"}, {"X": [[2]]}),
    "scientific notation": Read("a,y\n1e-3,0\n-2.5E+2,1\n", {}, {"X": [[0.001], [-250]]}),
    "thousands of rows": Read("a,y\n" + "1,0\n2,1\n" * 3000, {}, {"n_examples": 6000}),
}


def zipped() -> bytes:
    """Return the beginning of a spreadsheet: a zip file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return file.getvalue()


REFUSED: dict[str, tuple[str | bytes, dict[str, Any], str]] = {
    "no header": ("0.1,0.2,1\n0.3,0.4,0\n0.5,0.6,1\n", {}, "line 1 = .*'0.1'.*these are values: header=False reads"),
    "no header, whole numbers": ("1,2,3\n4,5,6\n", {}, "header=False"),
    "no header, a class at the end": ("5.1,3.5,setosa\n4.9,3.0,virginica\n", {}, "header=False"),
    "no header, words between": ("39,State-gov,77516,13,Male\n50,Private,83311,13,Male\n", {}, "header=False"),
    "no header, the same word twice": ("x,s,x,n\nb,s,y,n\n", {}, "'x': .* there twice .header=False"),
    "no header, decimal commas": ("0,5;1,5;1\n2,5;3,5;0\n", {}, "header=False"),
    "a place where there is a header": (ROWS, {"target": -1}, "target = -1: expected a column of .*: 'a', 'b', 'y'"),
    "a place beyond the last": ("1,2\n3,4\n", {"header": False, "target": 2}, "target = 2: .*which has 2"),
    "a misspelt column": ("height,y\n1,0\n2,1\n", {"features": "hieght"}, "features = 'hieght': .*'height'.*mean"),
    "another delimiter": (ROWS.replace(",", "~"), {}, "target = 'y': expected a column of .*delimiter=';'"),
    "a wrong delimiter, said": (ROWS, {"delimiter": ";"}, "target = 'y': .*delimiter=';'"),
    "a decimal comma between commas, said": (ROWS, {"delimiter": ",", "decimal": ","}, "decimal = ',': expected '.'"),
    "a decimal comma in quotes": ('a,y\n"1,5",0\n"2,5",1\n', {"delimiter": ","}, "line 2.*'1,5'.*decimal=','"),
    "points and commas": ("a;y\n1.5;0\n1,5;1\n", {}, "line 3, column 'a' = '1,5': expected a finite number"),
    "thousands": ("a;y\n1.000,5;0\n2;1\n", {}, "line 2, column 'a' = '1.000,5'"),
    "commas between thousands, or decimal ones": (
        "a\ty\n5\t1\n1,234\t1\n-2,500\t0\n",
        {},
        "line 3, column 'a' = '1,234': .*decimal=',' if it is the decimal point.*thousands",
    ),
    "commas between thousands": (
        "a\ty\n\t0\n1,234,567\t1\n2,500\t0\n",
        {},
        "line 3, column 'a' = '1,234,567': .*thous",
    ),
    "commas between thousands of the target": (
        "a;y\n1;1,234\n2;2,500\n",
        {},
        "line 2, column 'y' = '1,234': .*thous",
    ),
    "a decimal mark": (ROWS, {"decimal": ";"}, "decimal = ';'"),
    "words as inputs": (COLOURS, {}, r"line 2, column 'colour' = 'red': .*categorical=\['colour'\] makes inputs of"),
    "two columns of words": ("s,t,y\na,b,0\nb,a,1\n", {}, r"categorical=\['s', 't'\]"),
    "truth values as inputs": ("s,y\ntrue,0\nfalse,1\n", {}, r"categorical=\['s'\]"),
    "one category": ("s,y\na,0\na,1\n", {"categorical": "s"}, "categorical = 's': expected two categories"),
    "no such category": (ROWS, {"categorical": "z"}, "categorical = 'z': expected a column"),
    "the target as a category": (ROWS, {"categorical": "y"}, "categorical = 'y': expected columns of the inputs"),
    "one gap": ("a,y\n1,0\n,1\n", {}, "line 3, column 'a' = '': .*missing='drop'.*missing='mean'"),
    "several gaps": ("a,y\n1,0\n,1\nNA,1\n?,0\n", {}, "line 3, column 'a'.*as are 2 more: line 4, line 5; missing="),
    "a gap in the target": ("a,y\n1,0\n2,\n", {"missing": "mean"}, "line 3, column 'y' = '': .*missing='drop'"),
    "a gap in categories": (
        "s,y\na,0\n,1\nb,1\n",
        {"categorical": "s", "missing": "mean"},
        "line 3, column 's'.*a category.*missing='drop'",
    ),
    "nothing but gaps": ("a,y\n,0\n,1\n", {"missing": "mean"}, "missing = 'mean': expected a value in column 'a'"),
    "gaps in every row": ("a,y\n,0\n,1\n", {"missing": "drop"}, "missing = 'drop': expected a row of"),
    "a rule for gaps": (ROWS, {"missing": "median"}, "missing = 'median': expected one of 'drop', 'mean'"),
    "infinity": ("a,y\ninf,0\n1,1\n", {}, "line 2, column 'a' = 'inf': expected a finite number"),
    "empty": ("", {}, "the file is empty"),
    "blank": (" \n\n", {}, "the file is empty"),
    "a header alone": ("a,b,y\n", {}, "rows below the header"),
    "a spreadsheet": (zipped(), {}, "this is a spreadsheet.*save the sheet as CSV, or .*read_excel"),
    "an old spreadsheet": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), {}, "this is an old spreadsheet"),
    "Parquet": (b"PAR1" + bytes(20), {}, "this is Parquet: .*read_parquet"),
    "compressed": (gzip.compress(ROWS.encode()), {}, "compressed: unpack it first"),
    "a web page": ("<!DOCTYPE html>\n<html></html>\n", {}, "this is a web page: download the raw file"),
    "JSON": ('[{"a": 1, "y": 0}]', {}, "this is JSON: .*read_json"),
    "an array of NumPy": (b"\x93NUMPY\x01\x00", {}, "an array of NumPy"),
    "UTF-16 without its mark": (ROWS.encode("utf-16-le"), {}, "encoding='utf-16-le'"),
    "an older encoding": ("ä,y\n1,0\n2,1\n".encode("cp1252"), {}, "text in UTF-8 .*line 1.*encoding='cp1252'"),
    "a wrong encoding": (
        "ä,y\n1,0\n".encode("cp1252"),
        {"encoding": "utf-8"},
        "encoding = 'utf-8': expected that of",
    ),
    "no encoding": (ROWS, {"encoding": "klingon"}, "encoding = 'klingon': expected a text encoding"),
    "no text encoding": (ROWS, {"encoding": "hex"}, "encoding = 'hex'"),
    "rows of several lengths": ("a,y\n1,0\n1,0,5\n", {}, "line 3 = .* 2 values, as in the header, and there are 3"),
}


def file_of(tmp_path: Path, content: str | bytes) -> Path:
    """Write a file and return its path."""
    path = tmp_path / "some.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("kind", READ)
def test_a_kind_of_file_is_read(tmp_path: Path, kind: str) -> None:
    content, options, has = READ[kind]
    data = fg.Dataset.from_csv(file_of(tmp_path, content), **{"target": "y", **options})
    for field, wanted in has.items():
        value = getattr(data, field)
        if isinstance(value, np.ndarray):
            assert value.tolist() == np.asarray(wanted, dtype=np.float64).tolist()
        else:
            assert value == wanted
    assert fg.Dataset.from_dict(data.to_dict()) == data


@pytest.mark.parametrize("kind", REFUSED)
def test_a_kind_of_file_is_refused_with_the_line_that_helps(tmp_path: Path, kind: str) -> None:
    content, options, message = REFUSED[kind]
    with pytest.raises(InvalidExperiment, match=message) as caught:
        fg.Dataset.from_csv(file_of(tmp_path, content), **{"target": "y", **options})
    one_line(caught.value)


def test_more_examples_are_encoded_and_scaled_like_the_first(tmp_path: Path) -> None:
    options = {"target": "y", "missing": "mean"}
    content = "size,colour,y\n1,red,p\n2,blue,q\n,green,r\n6,red,p\n"
    data = fg.Dataset.from_csv(file_of(tmp_path, content), categorical="colour", **options).standardized()
    other = file_of(tmp_path, "colour,y,size\ngreen,q,\nred,p,2\n")
    more = fg.Dataset.from_csv(other, like=data, **options)
    assert more.y.tolist() == [[0, 1, 0], [1, 0, 0]]
    assert more.X[:, 1:].tolist() == [[0, 1, 0], [0, 0, 1]]
    assert more.X[0, 0] == 0  # the mean of the first
    assert (more.shift, more.classes, more.categories) == (data.shift, data.classes, data.categories)
    unknown = file_of(tmp_path, "colour,y,size\ngreen,q,1\npink,p,2\n")
    with pytest.raises(InvalidExperiment, match=r"line 3, column 'colour' = 'pink': .*'blue', 'green', 'red'"):
        fg.Dataset.from_csv(unknown, like=data, **options)
    unknown = file_of(tmp_path, "colour,y,size\ngreen,zebra,1\n")
    with pytest.raises(InvalidExperiment, match=r"line 2, column 'y' = 'zebra': .*'p', 'q', 'r'"):
        fg.Dataset.from_csv(unknown, like=data, **options)


def test_labels_of_more_examples_are_known_by_their_text(tmp_path: Path) -> None:
    content = "k,y\nA,01\n1,b\n2,2\n"
    data = fg.Dataset.from_csv(file_of(tmp_path, content), "y", categorical="k", classes=True)
    assert (data.classes, data.categories) == (("01", "2", "b"), (("k", ("1", "2", "A")),))
    more = fg.Dataset.from_csv(file_of(tmp_path, "k,y\n2,01\n1,2\n"), "y", like=data)
    assert (more.X.tolist(), more.y.tolist()) == ([[0, 1, 0], [1, 0, 0]], [[1, 0, 0], [0, 1, 0]])
    assert data.inputs(pd.DataFrame({"k": [2, 1]})).tolist() == more.X.tolist()
    unknown = file_of(tmp_path, "k,y\n1,01\n2,1\n")
    with pytest.raises(InvalidExperiment, match=r"line 3, column 'y' = '1': .*'01', '2', 'b'"):
        fg.Dataset.from_csv(unknown, "y", like=data)


def test_numbers_and_truth_values_that_are_known_are_found_among_words(tmp_path: Path) -> None:
    frame = pd.DataFrame({"k": [1, 2, 3], "y": [True, False, True]})
    data = fg.Dataset.from_frame(frame, "y", categorical="k")
    more = fg.Dataset.from_csv(file_of(tmp_path, "k,y\n3.0,False\n1,True\n"), "y", like=data)
    assert (more.X.tolist(), more.y.tolist()) == ([[0, 0, 1], [1, 0, 0]], [[0], [1]])
    with pytest.raises(InvalidExperiment, match=r"line 3, column 'k' = 'A': .*known: 1, 2, 3"):
        fg.Dataset.from_csv(file_of(tmp_path, "k,y\n1,True\nA,True\n"), "y", like=data)


@pytest.mark.parametrize("scaled", [False, True])
def test_gaps_in_more_examples_are_the_means_of_the_first_which_had_none(tmp_path: Path, scaled: bool) -> None:
    content = "colour,size,y,width\nred,1,0,10\nblue,2,1,20\ngreen,6,1,60\n"
    data = fg.Dataset.from_csv(file_of(tmp_path, content), "y", categorical="colour")
    data = data.standardized() if scaled else data
    other = file_of(tmp_path, "colour,size,y,width\nred,,0,20\nblue,100,1,\n")
    more = fg.Dataset.from_csv(other, "y", missing="mean", like=data)
    filled = pd.DataFrame({"colour": ["red", "blue"], "size": [3, 100], "width": [20, 30]})
    np.testing.assert_allclose(more.X, data.inputs(filled), rtol=1e-12, atol=1e-12)
    assert (data.fill, more.fill) == (None, pytest.approx((0, 3, 30)))
    assert fg.Dataset.from_frame(pd.read_csv(other), "y", missing="mean", like=data, name="some") == more
