"""What is said where nothing converged, and rates by plateau."""

import json

import numpy as np
import pytest

import fastgrok as fg
from fastgrok.cli.output import configuration
from fastgrok.results.advice import advice, advice_on
from fastgrok.results.table import cells

XOR = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=300)
RNG = np.random.default_rng(0)
LARGE = fg.Dataset(RNG.integers(0, 2000, (60, 3)), RNG.integers(0, 2, 60))
TWICE = fg.Dataset(np.tile(XOR.data.X, (2, 1)), [0, 1, 1, 0, 1, 1, 1, 0])
NOISE = RNG.normal(size=(40, 2))
SORTED = fg.Dataset(NOISE, np.repeat([0, 1], 20))


def result_of(experiment, seeds=200):
    return fg.run(experiment, seeds, progress=False)


@pytest.mark.parametrize(
    ("experiment", "said"),
    [
        (XOR.replace(data=LARGE, network=fg.mlp(3, 4, 1)), "of 3 inputs are unscaled"),
        (XOR.replace(data=TWICE), "loss 0.01 cannot be met: it is at least 0.03125, since 2 examples"),
        (XOR.replace(optimizer=fg.SGD(lr=3)), "A learning rate below 3 is what helps most often."),
        (XOR.replace(epochs=2), "Most were still learning after 2 epochs: more epochs, or a larger rate."),
        (
            XOR.replace(
                validation=fg.Dataset(XOR.data.X, 1 - XOR.data.y),
                stop=(fg.Converged(loss=1e-9), fg.EarlyStopping(patience=5)),
                epochs=600,
            ),
            "the validation loss no longer improved. A longer patience, or another network or rate.",
        ),
        (
            XOR.replace(stop=(fg.Converged(loss=1e-9), fg.Stationary(0.3))),
            "at a gradient of norm 0.3 or less: another network or start.",
        ),
        (
            XOR.replace(
                stop=(fg.Converged(loss=1e-9), fg.EarlyStopping(patience=5, monitor="training"), fg.Stationary(0.3))
            ),
            "EarlyStopping or Stationary ended seeds after",
        ),
        (XOR.replace(stop=fg.Converged(loss=1e-300)), "Half the seeds and more classify every example that they can"),
        (XOR.replace(network=fg.mlp(2, 4, 1, hidden="linear")), "Without an activation between its layers"),
        (XOR.replace(network=fg.mlp(2, 1, 1), init=fg.Uniform(-1, 0)), "Most are dead, a whole layer of ReLUs"),
        (XOR.replace(network=fg.mlp(2, 1, 1), init=fg.Uniform(0, 1)), "A longer run will not help"),
        (XOR.replace(data=SORTED, epochs=30), "Examples come sorted by class"),
        (XOR.replace(data=SORTED, epochs=30, batch_size="full"), "Most were still learning after 30 epochs"),
    ],
)
def test_the_reason_is_named_in_two_lines_at_most(experiment, said):
    result = result_of(experiment)
    lines = advice(result.rows()[0])
    assert len(lines) == 2
    assert said in lines[1]
    assert all("\n" not in line for line in lines)
    assert lines[0].startswith("0 of 200 seeds converged (")
    assert "loss " in lines[0]
    assert "accuracy " in lines[0]
    assert repr(result).splitlines()[-2:] == [f"  {lines[0]}", f"  {lines[1]}>"]
    assert result.summary()["advice"].tolist() == ["\n".join(lines)]
    assert json.loads(json.dumps(configuration(result.rows()[0])))["advice"] == list(lines)


def test_nothing_is_said_where_seeds_converge():
    result = result_of(XOR)
    assert advice(result.rows()[0]) == ()
    assert "advice" not in result.summary()
    assert configuration(result.rows()[0])["advice"] == []


def test_of_targets_that_are_numbers_no_accuracy_is_told_but_how_large_they_are():
    numbers = fg.Dataset(NOISE, 500 + 80 * RNG.normal(size=40))
    first, second = advice(result_of(XOR.replace(data=numbers, optimizer=fg.SGD(lr=1e-6))).rows()[0])
    assert "accuracy" not in first
    assert second.startswith("targets have a standard deviation of ")
    tiny = fg.Dataset(NOISE, RNG.normal(size=40))
    assert "targets" not in advice(result_of(XOR.replace(data=tiny)).rows()[0])[1]


def test_without_criteria_it_is_about_solved_seeds():
    assert advice(result_of(XOR.replace(stop=None)).rows()[0]) == ()
    sigmoids = fg.mlp(2, 4, 1, hidden="sigmoid", output="sigmoid")
    (first, _) = advice(result_of(XOR.replace(stop=None, epochs=1, network=sigmoids)).rows()[0])
    assert "seeds solved, without criteria" in first


def test_of_several_configurations_the_first_is_told():
    sweep = fg.sweep(XOR, 100, {"lr": [0.1, 3.0, 5.0]}, progress=False)
    first, second = advice_on(sweep.rows())
    assert first.startswith("Nothing, or nearly nothing, converged in 2 of 3 configurations. The first, lr=3.0:")
    assert second == "A learning rate below 3 is what helps most often."
    assert repr(sweep).endswith(f"{second}>")
    assert sweep.summary()["advice"].tolist()[0] == ""


def test_a_store_says_the_same(tmp_path):
    axes = {"lr": [0.1, 3.0]}
    store = fg.sweep(XOR, 100, axes, store=tmp_path / "store", progress=False)
    result = fg.sweep(XOR, 100, axes, progress=False)
    assert store.summary()["advice"].tolist() == result.summary()["advice"].tolist()
    for ours, theirs in zip(store.rows(), result.rows(), strict=True):
        assert ours.plateaus == theirs.plateaus


def test_rates_by_plateau_stand_in_the_table():
    result = result_of(XOR.replace(epochs=1000), 1000)
    rows = result.rows()
    header, (line,), _ = cells(rows)
    assert [name for name in header if name.startswith("at ")] == [
        f"at {x} [95 %]" for x in ("0.0625", "0.08333", "0.125")
    ]
    near = np.abs(result.dataset["loss_final"].values - 0.0625) < 0.005
    near &= result.dataset["outcome"].values > 1
    assert line[header.index("at 0.0625 [95 %]")].startswith(f"{100 * near.mean():.0f} % [")
    assert "at plateaus: " in repr(result)
    plain = configuration(rows[0])["plateaus"]
    assert plain[0]["name"] == "2 of 4 not told apart"
    assert plain[0]["n"] == near.sum()


def test_data_without_known_plateaus_have_no_such_columns():
    rows = result_of(XOR.replace(data=fg.datasets.parity(4), network=fg.mlp(4, 4, 1), epochs=2)).rows()
    assert not [name for name in cells(rows).header if name.startswith("at ")]
    assert configuration(rows[0])["plateaus"] is None


def test_a_row_without_seeds_at_plateaus_does_not_hide_those_of_others():
    sweep = fg.sweep(XOR.replace(epochs=1000), 200, {"lr": [0.1, 3.0]}, progress=False)
    assert "at 0.0625 [95 %]" in cells(sweep.rows()).header
