"""Titles and names in pictures."""

import xarray as xr
from pictures import XOR

import fastgrok as fg
from fastgrok.plots.labels import counted, layer_name, seeds_title, trace_title


def test_a_title_has_the_seed_and_the_time_or_the_number_of_seeds(trace: xr.Dataset) -> None:
    assert trace_title(trace) == "Seed 42"
    assert trace_title(trace, 5) == "Seed 42, epoch 5"
    assert trace_title(fg.replay(XOR, range(3))) == "3 seeds"


def test_a_title_has_the_fewest_and_the_most_seeds() -> None:
    assert seeds_title([200, 1000], each=True) == "200 to 1,000 seeds each"
    assert seeds_title([200], each=False) == "200 seeds"


def test_a_layer_has_its_number_and_its_activations() -> None:
    assert [layer_name(XOR, k) for k in range(3)] == ["inputs", "layer 1, ReLU", "layer 2"]


def test_a_configuration_has_the_values_of_its_axes_and_a_run_its_network() -> None:
    swept = fg.sweep(XOR.replace(epochs=10), 4, {"optimizer.lr": [0.01, 0.1]}, progress=False)
    assert [one.name for one in counted(swept)] == ["lr=0.01", "lr=0.1"]
    assert [one.name for one in counted(fg.run(XOR.replace(epochs=10), 4))] == [str(XOR.network)]
