"""Styles of lines, colours, and labels that do not overlap."""

import itertools

import numpy as np
import pytest

from fastgrok.plots.graph import places
from fastgrok.plots.style import apart, blended, line_styles


def test_the_first_28_lines_differ_in_colour_or_in_dashes() -> None:
    styles = list(itertools.islice(line_styles(), 28))
    assert styles[0] == ("#0072B2", "-")
    assert len(set(styles)) == 28


def test_a_colour_is_mixed_with_white() -> None:
    assert blended("#000000", 0.25) == (0.75, 0.75, 0.75)


def test_names_that_would_overlap_are_moved_apart_in_their_order() -> None:
    assert apart([0.5, 0.5, 0.9], 0, 1, gap=0.2) == pytest.approx([0.4, 0.6, 0.9])
    moved = apart([0.5, 0.1, 0.5, 0.52], 0, 1, gap=0.1)
    assert moved[1] == 0.1
    assert np.allclose(np.diff([moved[0], moved[2], moved[3]]), 0.1)


def test_units_stand_in_columns_around_the_middle() -> None:
    assert [[(place.unit, place.y) for place in layer] for layer in places([1, 2])] == [
        [(0, 0.0)],
        [(0, 0.5), (1, -0.5)],
    ]
