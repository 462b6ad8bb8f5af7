"""Histograms of many rows at once are those of each row alone, and come back from the text that a sidecar has."""

import json

import numpy as np
import pytest

import fastgrok as fg
from fastgrok.errors import InvalidExperiment
from fastgrok.statistics.counts import Counts
from fastgrok.statistics.histogram import Histogram, packed
from fastgrok.statistics.row_histograms import row_histograms


@pytest.mark.parametrize("high", [3, 10**5, 10**9, 2**61])
@pytest.mark.parametrize(("rows", "n"), [(1, 1), (1, 500), (7, 300), (3, 0)])
def test_each_row_has_the_histograms_that_it_has_alone(high: int, rows: int, n: int) -> None:
    rng = np.random.default_rng(0)
    values, classes = rng.integers(-high, high, (rows, n)), rng.integers(0, 3, (rows, n))
    found = row_histograms(values, classes, 2)
    assert found == [[Histogram.of(values[k][classes[k] == kind]) for kind in range(2)] for k in range(rows)]


def test_configurations_are_counted_together_as_alone() -> None:
    exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=300)
    result = fg.run(exp, seeds=300, progress=False)
    metrics = dict(result.outputs[0].finished_metrics)
    damaged = {**metrics, "loss_final": np.where(np.arange(300) % 7, metrics["loss_final"], np.nan)}
    experiments = [exp, exp.replace(epochs=400)]
    alone = [Counts.of(each, own) for each, own in zip([metrics, damaged], experiments, strict=True)]
    assert Counts.of_each([metrics, damaged], experiments) == alone
    assert alone[1].losses.all.n == np.isfinite(damaged["loss_final"]).sum() < 300
    assert alone[0].converged.n == (metrics["epochs_to_converge"] >= 0).sum() > 0


@pytest.mark.parametrize("high", [2**8, 2**16, 2**32, 2**62])
def test_packed_columns_come_back(high: int) -> None:
    histogram = Histogram(np.arange(high - 40, high), np.arange(1, 41))
    for each in (histogram, Histogram(-histogram.values[::-1], histogram.counts), Histogram.of([3, 3])):
        assert Histogram.from_dict(json.loads(json.dumps(each.to_dict(packed)))) == each


@pytest.mark.parametrize("text", ["", "<f8:AAAA", "|u1:A", "|u1:&&&&", "<u4:AAAA", "|u1:AA=="])
def test_what_is_no_packed_column_is_refused(text: str) -> None:
    with pytest.raises(InvalidExperiment):
        Histogram.from_dict({"values": text, "counts": [1, 2]})
