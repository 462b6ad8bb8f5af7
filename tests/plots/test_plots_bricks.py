"""A network as bricks: a patch for each number, and the formula below."""

import math

import registry
from matplotlib.axes import Axes

import fastgrok as fg
from fastgrok.plots.bricks import brick_boxes, bricks


def test_boxes_lie_beside_and_below_each_other_and_never_over_each_other() -> None:
    boxes = brick_boxes(fg.explain.algebra(registry.NETWORKS["widths_5_to_9"]).bricks)
    places = [(box.x, box.y, box.x + len(box.columns), box.y - len(box.rows)) for box in boxes]
    for a in places:
        overlapping = [b for b in places if b[0] < a[2] and a[0] < b[2] and b[3] < a[1] and a[3] < b[1]]
        assert overlapping == [a]
    assert len({box.y for box in boxes}) > 1


def test_the_picture_has_a_patch_for_each_cell_and_formula_and_numpy_below(ax: Axes) -> None:
    written = fg.explain.algebra(fg.mlp(3, 4, 1, bias=False))
    assert bricks(written, ax) is ax
    assert len(ax.patches) == sum(math.prod(brick.shape) for brick in written.bricks)
    shown = [text.get_text() for text in ax.texts]
    assert shown[-2:] == [f"${written.latex}$", written.numpy]
    assert {"3 × 4", "4 × 1"} <= set(shown)
