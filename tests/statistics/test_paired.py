"""Two configurations on the same seeds, in whole numbers."""

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fastgrok.statistics import PairedCounts
from fastgrok.statistics.paired import epoch_bins


@given(st.lists(st.tuples(*[st.integers(1, 1000) | st.just(-1)] * 2), max_size=30), st.integers(0, 30))
def test_pairs_add_up_to_the_whole(epochs: list[tuple[int, int]], cut: int) -> None:
    both = np.array(epochs, int).reshape(-1, 2)
    whole = PairedCounts.of(*both.T)
    assert PairedCounts.of(*both[cut:].T) + PairedCounts.of(*both[:cut].T) == whole
    assert PairedCounts.from_dict(json.loads(json.dumps(whole.to_dict()))) == whole
    a, b = both.T > 0
    cells = (a & b, a & ~b, ~a & b, ~a & ~b)
    assert whole.table == tuple(int(cell.sum()) for cell in cells)
    assert whole.n == whole.table.n == len(epochs)


def test_bins_of_epochs_ascend_and_are_narrow() -> None:
    epochs = np.arange(1, 100_000)
    bins = epoch_bins(epochs)
    assert np.all(np.diff(bins) >= 0)
    first = epochs[np.searchsorted(bins, bins)]
    assert np.all(epochs < first * 17 / 16 + 1)
    assert bins[0] == 1
    assert epoch_bins(np.array([2**62, -1])).max() < 1024
