"""Classes as labels in arrays and frames, scaled inputs, and what a result makes of them."""

import json
import pickle
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import fastgrok as fg
from fastgrok.datasets.classes import are_counted, labels_of, sorted_labels
from fastgrok.errors import InvalidExperiment

X = [[10.0, 1.0], [20.0, 1.0], [30.0, 1.0], [40.0, 1.0]]


@pytest.mark.parametrize(
    ("y", "options", "encoded", "classes"),
    [
        (["b", "a", "b", "a"], {}, [[1], [0], [1], [0]], ("a", "b")),
        (np.array(["b", "a", "b", "a"], dtype=object), {}, [[1], [0], [1], [0]], ("a", "b")),
        (np.array([["b"], ["a"], ["b"], ["a"]]), {}, [[1], [0], [1], [0]], ("a", "b")),
        (pd.Series(["b", "a", "b", "a"]), {}, [[1], [0], [1], [0]], ("a", "b")),
        (["b", "a", "b", "a"], {"one_hot": True}, [[0, 1], [1, 0], [0, 1], [1, 0]], ("a", "b")),
        (["b", "a", "c", "a"], {}, [[0, 1, 0], [1, 0, 0], [0, 0, 1], [1, 0, 0]], ("a", "b", "c")),
        (["b", "a", "c", "a"], {"classes": "cab"}, None, None),
        (
            ["b", "a", "c", "a"],
            {"classes": ["c", "a", "b"]},
            [[0, 0, 1], [0, 1, 0], [1, 0, 0], [0, 1, 0]],
            tuple("cab"),
        ),
        ([True, False, True, True], {}, [[1], [0], [1], [1]], (False, True)),
        ([True, True, True, True], {}, [[1], [1], [1], [1]], (False, True)),
        ([True, False, True, True], {"classes": False}, [[1], [0], [1], [1]], None),
        ([0, 1, 2, 2], {}, [[0], [1], [2], [2]], None),
        ([0, 1, 2, 2], {"classes": True}, [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1]], (0, 1, 2)),
        ([5.0, 1.0, 5.0, 5.0], {"classes": True}, [[1], [0], [1], [1]], (1, 5)),
        ([["a"], ["b"]], {"classes": False}, None, None),
        (["a", "b", "a", "a"], {"classes": False}, None, None),
        (["a", "a", "a", "a"], {}, None, None),
        (["a", "b", "c", "a"], {"classes": ["a", "b"]}, None, None),
        ([[0, 1], [1, 0], [1, 0], [1, 0]], {"classes": True}, None, None),
        ([[0, 1], [1, 0], [1, 0], [1, 0]], {"classes": ["n", "y"]}, [[0, 1], [1, 0], [1, 0], [1, 0]], ("n", "y")),
        ([[0, 1], [1, 0], [1, 0], [1, 0]], {"classes": ["n", "n"]}, None, None),
    ],
)
def test_targets_are_classes_by_one_rule(y: Any, options: dict[str, Any], encoded: Any, classes: Any) -> None:
    if encoded is None:
        with pytest.raises(InvalidExperiment, match=r"^(y|classes)"):
            fg.Dataset(X, y, **options)
        return
    data = fg.Dataset(X, y, **options)
    assert (data.y.tolist(), data.classes) == (encoded, classes)
    assert fg.Dataset.from_dict(json.loads(json.dumps(data.to_dict()))) == data
    assert pickle.loads(pickle.dumps(data)) == data


def test_data_without_classes_are_written_as_ever() -> None:
    assert set(fg.datasets.xor().to_dict()) == {"type", "X", "y", "name", "feature_names", "target_names"}


def test_labels_are_those_of_the_largest_output_or_of_its_side() -> None:
    assert labels_of(np.array([[[0.1, 0.9, 0.9]]]), ("a", "b", "c")).tolist() == [["b"]]
    assert labels_of(np.array([[0.5], [0.51]]), (3, 7)).tolist() == [3, 7]
    assert sorted_labels(["10", "9", "10"]) == ("9", "10")
    assert are_counted(np.array([0.0, 1, 2, 0, 1, 2]))
    assert not are_counted(np.array([0.0, 1, 3, 0, 1, 3]))
    with pytest.raises(InvalidExperiment, match="classes = None: expected classes"):
        fg.datasets.xor().labels([[0.2]])
    with pytest.raises(InvalidExperiment, match=r"outputs = .* shape \(..., 1\)"):
        fg.Dataset([[0], [1]], ["a", "b"]).labels([[0.2, 0.3]])


FRAME = {"size": [1.0, 2.0, 4.0], "colour": ["red", "blue", "red"], "y": ["p", "q", "p"]}


@pytest.mark.parametrize(
    "frame", [pd.DataFrame, pl.DataFrame, pa.table, lambda d: pd.DataFrame(d).iloc[::-1].iloc[::-1]]
)
def test_a_frame_is_what_the_same_csv_file_is(frame, tmp_path) -> None:
    path = tmp_path / "frame.csv"
    pd.DataFrame(FRAME).to_csv(path, index=False)
    data = fg.Dataset.from_frame(frame(FRAME), "y", categorical="colour", name="frame")
    assert data == fg.Dataset.from_csv(path, "y", categorical="colour")
    assert data.inputs(frame({"colour": ["blue"], "size": [3.0]})).tolist() == [[3, 0]]


@pytest.mark.parametrize("kind", [pa.string(), pa.bool_(), pa.null(), pa.timestamp("s"), pa.float64()], ids=str)
def test_a_column_of_a_frame_without_a_value_is_missing_numbers(kind) -> None:
    frame = pa.table({"a": pa.array([None, None], kind), "b": [1, 2], "y": [0, 1]})
    with pytest.raises(
        InvalidExperiment, match="row 0, column 'a' = None: expected a finite number, and it is blank"
    ):
        fg.Dataset.from_frame(frame, "y")
    with pytest.raises(InvalidExperiment, match="missing = 'mean': expected a value in column 'a'"):
        fg.Dataset.from_frame(frame, "y", missing="mean")
    with pytest.raises(InvalidExperiment, match="row 0, column 'a' = None: expected a finite number"):
        fg.Dataset.from_frame(frame, "a", ["b"])
    data = fg.Dataset([[1, 2], [3, 4]], [0, 1], feature_names=["a", "b"], fill=[7, 8])
    assert data.inputs(frame).tolist() == [[7, 1], [7, 2]]


def test_columns_of_frames_by_their_dtypes() -> None:
    frame = pd.DataFrame(
        {
            "i": np.array([1, 2**60, 3], dtype="int64"),
            "f": np.array([0.5, 1, 2], dtype="float32"),
            "c": pd.Categorical(["u", "v", "u"]),
            "n": pd.array([1, None, 3], dtype="Int64"),
            "y": [True, False, True],
        }
    )
    data = fg.Dataset.from_frame(frame, "y", ["i", "f", "c"], categorical=["c"])
    assert data.X.tolist() == [[1, 0.5, 0], [2.0**60, 1, 1], [3, 2, 0]]
    assert (data.y.ravel().tolist(), data.classes) == ([1, 0, 1], (False, True))
    with pytest.raises(InvalidExperiment, match=r"frame, row 1, column 'n' = None: .*missing='drop'"):
        fg.Dataset.from_frame(frame, "y", ["n"])
    with pytest.raises(InvalidExperiment, match=r"column 'd' = Timestamp.*numbers, words or truth values"):
        fg.Dataset.from_frame(pd.DataFrame({"d": pd.to_datetime(["2020-01-01"]), "y": [1]}), "y")
    for other in ([[1, 2]], {"a": [1]}, None, pd.DataFrame({"a": []})):
        with pytest.raises(InvalidExperiment, match="frame = "):
            fg.Dataset.from_frame(other, "a")


def test_standardized_has_mean_0_and_deviation_1_and_leaves_categories_alone() -> None:
    frame = pd.DataFrame({"a": [1e6 + 1, 1e6 + 2, 1e6 + 3], "k": [5, 5, 5], "c": ["u", "v", "w"], "y": [0.0, 1, 2]})
    data = fg.Dataset.from_frame(frame, "y", categorical="c", classes=False).standardized()
    assert data.X[:, 0].tolist() == pytest.approx([-np.sqrt(1.5), 0, np.sqrt(1.5)])
    assert data.X[:, 1].tolist() == [0, 0, 0]
    assert data.X[:, 2:].tolist() == np.eye(3).tolist()
    assert data.inputs(frame).tobytes() == data.X.tobytes()
    assert fg.Dataset.from_dict(json.loads(json.dumps(data.to_dict()))) == data
    with pytest.raises(InvalidExperiment, match="not scaled already"):
        data.scaled()


def test_scaled_goes_from_low_to_high() -> None:
    data = fg.Dataset(X, [0, 0, 1, 1]).scaled(-1, 1)
    assert data.X[:, 0].tolist() == pytest.approx([-1, -1 / 3, 1 / 3, 1])
    for low, high in ((1, 1), (2, 1), (np.nan, 1), ("0", 1), (0, True)):
        with pytest.raises(InvalidExperiment, match=r"^(low|high) ="):
            fg.Dataset(X, [0, 0, 1, 1]).scaled(low, high)  # type: ignore[arg-type]


def test_validation_data_are_scaled_by_the_training_rows_alone() -> None:
    rng = np.random.default_rng(0)
    whole = fg.Dataset(rng.normal(50, 9, (40, 2)), rng.integers(0, 2, 40))
    training, held_out = whole.split(0.25)
    scaled = training.standardized()
    np.testing.assert_array_equal(scaled.shift, training.X.mean(axis=0))
    np.testing.assert_array_equal(held_out.scaled_as(scaled).X, (held_out.X - scaled.shift) / scaled.scale)
    network = fg.mlp(2, 2, 1)
    with pytest.raises(InvalidExperiment, match=r"validation.shift = None: expected .*validation.scaled_as\(data\)"):
        fg.Experiment(network, scaled, validation=held_out)
    fg.Experiment(network, scaled, validation=held_out.scaled_as(scaled))


def test_result_predicts_from_raw_inputs() -> None:
    data = fg.Dataset(X, ["low", "low", "high", "high"]).standardized()
    exp = fg.Experiment(fg.mlp(2, 2, 1, output="sigmoid"), data, epochs=50, stop=None, optimizer=fg.SGD(lr=1.0))
    result = fg.run(exp, 4, keep_params=True, progress=False)
    expected = fg.predict(exp.network, result.params, data.X)
    assert result.predict(X).tobytes() == expected.tobytes()
    labels = result.predict_classes(X)
    assert labels.tolist() == np.where(expected[..., 0] > 0.5, "low", "high").tolist()
    assert data.classes == ("high", "low")


def test_large_inputs_are_noted() -> None:
    data = fg.Dataset(X, [0, 0, 1, 1])
    assert "'x0' has a root mean square of 27.4" in str(data.unscaled_note)
    assert data.standardized().unscaled_note is None
    assert fg.datasets.xor().unscaled_note is None


@pytest.mark.parametrize(
    ("name", "shape", "n_out"), [("iris", (150, 4), 3), ("wine", (178, 13), 3), ("digits", (1797, 64), 10)]
)
def test_data_of_scikit_learn(name: str, shape: tuple[int, int], n_out: int) -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    loaded = getattr(datasets, f"load_{name}")()
    data = fg.datasets.sklearn(name)
    assert (data.X.shape, data.n_out) == (shape, n_out)
    np.testing.assert_array_equal(data.X, loaded.data)
    assert data.labels(data.y).tolist() == loaded.target_names[loaded.target].tolist()
    assert fg.datasets.by_name(name) == data


def test_breast_cancer_is_one_output_and_diabetes_numbers() -> None:
    pytest.importorskip("sklearn.datasets")
    assert fg.datasets.sklearn("breast_cancer").classes == ("malignant", "benign")
    assert fg.datasets.sklearn("diabetes").classes is None


def test_what_scikit_learn_has_not() -> None:
    with pytest.raises(InvalidExperiment, match="name = 'moons': expected one of 'iris'"):
        fg.datasets.sklearn("moons")
