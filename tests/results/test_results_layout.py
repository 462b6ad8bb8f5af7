"""The table of a sweep and the block of one configuration, at every width."""

import itertools

import pytest

import fastgrok as fg
from fastgrok.results.layout import layout
from fastgrok.results.result import Result

WORDS = ("hidden", "init", "lr", "converged [95 %]", "median epochs", "unfinished")


@pytest.fixture(scope="module")
def sixty() -> Result:
    exp = fg.Experiment(fg.mlp(2, 4, 1), "xor", epochs=30)
    axes = {"hidden": [2, 3, 4, 5, 6], "init": ["he_normal", "torch_linear"], "lr": [0.01, 0.02, 0.05, 0.1, 0.2, 0.5]}
    return fg.sweep(exp, 40, axes, progress=False)


@pytest.fixture(scope="module")
def single() -> Result:
    return fg.run(fg.Experiment(fg.mlp(2, 4, 1), "xor", epochs=30, validation=fg.datasets.xor()), 200)


def paths(result: Result) -> list[str]:
    return [axis.path for axis in result.axes]


@pytest.mark.parametrize("width", [100, 120, 200])
def test_sixty_configurations_are_a_line_each(sixty: Result, width: int) -> None:
    lines = layout(sixty.rows(), paths(sixty), width).lines
    assert len(lines) == 2 + 2 + 60 + 2  # a title, the header, the rows, the time
    assert max(map(len, lines)) <= width
    assert lines[0] == "several networks on xor: 60 configurations of 40 seeds"
    for word in WORDS:
        assert word in lines[2]
    assert lines[4].split()[:3] == ["2", "HeNormal()", "0.01"]
    assert ("loss, median [95 %]" in lines[2]) == (width > 100)


def test_at_eighty_columns_labels_are_said_again_in_each_part(sixty: Result) -> None:
    table, left_out = layout(sixty.rows(), paths(sixty), 80)
    assert max(map(len, table)) <= 80
    headers = [line for line in table if line.startswith("hidden")]
    assert len(table) == 2 + len(headers) * 62 + (len(headers) - 1) + 2
    for word in WORDS:
        assert any(word in header for header in headers)
    assert left_out == ["loss", "accuracy"]


def test_a_pipe_gets_whole_lines_of_one_length_with_all_that_varies(sixty: Result) -> None:
    lines = layout(sixty.rows(), paths(sixty)).lines
    assert len(lines) == 62
    assert len({len(line) for line in lines}) == 1
    for word in (*WORDS, "n", "loss, median [95 %]", "accuracy, median [95 %]", "seed-epochs/s"):
        assert word in lines[0]
    assert "5 %" not in lines[0].replace("95 %", "")


@pytest.mark.parametrize("width", [80, 120])
def test_one_outcome_in_full_is_what_is_asked_for(sixty: Result, width: int) -> None:
    lines = layout(sixty.rows(), paths(sixty), width, "accuracy_final").lines
    assert max(map(len, lines)) <= width
    assert lines[0].endswith(", accuracy over seeds")
    assert all(word in "\n".join(lines) for word in ("  median [95 %]", "5 % [95 %]", "95 % [95 %]", "best to worst"))
    assert "loss" not in "\n".join(lines)


def test_where_targets_are_classes_accuracies_come_first() -> None:
    data = fg.Dataset([[0], [1], [2], [3]], ["no", "no", "yes", "yes"])
    exp = fg.Experiment(fg.mlp(1, 2, 1, output="sigmoid"), data, epochs=9, validation=data)
    result = fg.sweep(exp, 20, {"lr": [0.1, 0.2]}, progress=False)
    wanted = ["validation accuracy", "validation loss", "accuracy", "loss"]
    assert layout(result.rows(), paths(result), 60).left_out == wanted


def test_what_asks_for_the_most_room_comes_last() -> None:
    exp = fg.Experiment(fg.mlp(2, 4, 1), "xor", epochs=9, validation=fg.datasets.xor())
    result = fg.sweep(exp, 20, {"lr": [0.1, 0.2]}, progress=False)
    shown = [layout(result.rows(), paths(result), width).left_out for width in (60, 90, 300)]
    assert shown[0][:2] == ["validation loss", "validation accuracy"]
    assert all(set(more) > set(fewer) for more, fewer in itertools.pairwise(shown))
    assert shown[-1] == []


@pytest.mark.parametrize("width", [None, 80, 120, 200])
def test_one_configuration_is_a_block(single: Result, width: int | None) -> None:
    lines = layout(single.rows(), [], width, rule="-").lines
    assert lines[0] == "2-4-1 relu/linear on xor: 200 seeds"
    assert max(map(len, lines)) <= (width or 120)
    assert [line.split("  ")[0] for line in lines[2:4]] == ["converged [95 %]", "median epochs"]
    for kind in ("loss", "accuracy", "validation loss", "validation accuracy"):
        assert any(line.startswith(f"{kind}  ") for line in lines)
    for which in ("median [95 %]", "5 % [95 %]", "95 % [95 %]", "best to worst"):
        assert any(which in line for line in lines)
    assert lines[-1].endswith("seed-epochs/s")
    only = layout(single.rows(), [], width, "accuracy_final").lines
    assert not any(line.startswith("loss") for line in only)


def test_seeds_that_converged_and_went_on_are_counted_twice() -> None:
    """The rate and the outcome differ where a seed diverges after it has converged, and both are shown."""
    exp = fg.Experiment(fg.mlp(2, 4, 1), "xor", epochs=30, stop=fg.Converged(loss=0.01))
    assert not any(line.startswith("converged  ") for line in layout(fg.run(exp, 9).rows(), []).lines)
