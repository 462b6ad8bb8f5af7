"""The axes of a sweep."""

import numpy as np
import pytest

import fastgrok as fg
from fastgrok.spec.axes import checked_axes, grid, index_of, labelled_axis


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([1, np.int64(2)], (1, 2)),
        ([1, 0.5], (1.0, 0.5)),
        ([True, False], (True, False)),
        ([1, True], ("1", "True")),
        ([1, "full"], ("1", "full")),
        ([None, fg.Converged(loss=0.1)], ("None", repr(fg.Converged(loss=0.1)))),
        ([fg.Dataset([[1]], [1]), fg.Dataset([[2]], [1])], ("data", "data #2")),
        ([fg.mlp(2, 1)], ("2-1 linear",)),
    ],
)
def test_labels_are_numbers_or_distinct_strings(values: list[object], labels: tuple[object, ...]) -> None:
    assert labelled_axis("path", values).labels == labels


def test_example_of_checked_axes():
    assert [axis.labels for axis in checked_axes({"optimizer.lr": [0.1, 0.2]})] == [(0.1, 0.2)]


def test_example_of_grid():
    exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor())
    value = [configuration.experiment.epochs for configuration in grid(exp, checked_axes({"epochs": [10, 20]}))]
    assert value == [10, 20]


def test_example_of_index_of():
    exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor())
    assert index_of(grid(exp, checked_axes({"epochs": [10, 20]})), {"epochs": 20}) == 1


def test_example_of_labelled_axis():
    assert labelled_axis("optimizer.lr", [0.01, 0.1]).labels == (0.01, 0.1)
    value = labelled_axis("optimizer", [fg.SGD(), fg.Adam()], beside=["optimizer.lr"]).labels
    assert value == ("SGD()", "Adam()")
    assert labelled_axis("batch_size", [1, "full"]).labels == ("1", "full")


def test_every_configuration_is_what_replace_at_gives() -> None:
    stop, data = (fg.Converged(loss=0.1), fg.EarlyStopping(patience=3)), fg.datasets.xor()
    exp = fg.Experiment(fg.mlp(2, 4, 1), data, stop=stop, validation=data)
    values = {
        "network": [fg.mlp(2, 3, 1), fg.mlp(2, 4, 1)],
        "network.layers[1].gradient_at_zero": [0.0, 0.5],
        "optimizer.lr": [0.1, 0.2, 0.3],
        "optimizer.momentum": [0.0, 0.9],
        "stop[0].loss": [0.1, 0.2],
    }
    configurations = grid(exp, checked_axes(values))
    assert len({configuration.experiment.id for configuration in configurations}) == 2 * 2 * 3 * 2 * 2
    for labels, experiment in configurations:
        network = values["network"][[str(each) for each in values["network"]].index(labels["network"])]
        wanted = exp.replace(network=network)
        for path in list(values)[1:]:
            wanted = wanted.replace_at(path, labels[path])
        assert experiment == wanted
        assert experiment.id == fg.Experiment.from_json(wanted.to_json()).id


def test_a_specification_in_the_place_of_another_must_fit_the_rest() -> None:
    exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), dtype="float32")
    for field, value in [("network", fg.mlp(3, 1)), ("init", fg.Uniform(-1e300, 1)), ("optimizer", fg.SGD(lr=1e300))]:
        with pytest.raises(fg.InvalidExperiment, match=field):
            exp.replace(**{field: value})
    assert exp.replace(init=fg.Uniform(-2, 2)) == fg.Experiment(
        exp.network, exp.data, init=fg.Uniform(-2, 2), dtype="float32"
    )
