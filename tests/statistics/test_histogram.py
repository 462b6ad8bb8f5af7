"""Histograms of whole numbers, and the bins of losses."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fastgrok.statistics import Histogram
from fastgrok.statistics.histogram import loss_bins, loss_centers, loss_edges


@given(st.lists(st.integers(-(2**62), 2**62) | st.integers(-5, 5), max_size=40))
def test_a_histogram_counts_each_value(values: list[int]) -> None:
    histogram = Histogram.of(values)
    distinct, counts = np.unique(np.array(values, np.int64), return_counts=True)
    assert (histogram.values.tolist(), histogram.counts.tolist()) == (distinct.tolist(), counts.tolist())
    assert histogram.total() == sum(values)


@given(st.lists(st.floats(0, 1e308), min_size=1))
def test_a_loss_is_in_its_bin(losses: list[float]) -> None:
    array = np.array(losses)
    bins = loss_bins(array)
    low, high = loss_edges(bins)
    assert np.all((low <= array) & (array < high))
    center = loss_centers(bins)
    assert np.all((low <= center) & (center < high))
    normal = array > 1e-300
    assert np.all((high - low)[normal] <= low[normal] / 64 * (1 + 1e-12))
    assert np.all(np.diff(loss_bins(np.sort(array))) >= 0)
