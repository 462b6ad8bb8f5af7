"""The masks of Dropout layers: drawn anew for each example of a step, from the stream of each lane's seed."""

from collections.abc import Callable
from typing import Any, NamedTuple

from fastgrok.kernels.block import Examples
from fastgrok.kernels.jit import device
from fastgrok.kernels.lanes import beyond, lane_view
from fastgrok.kernels.train.parameters import DriverConfig


class Masks(NamedTuple):
    """Where masks are drawn, and from what (by reference)."""

    workspace: Any
    dropout: Any  # DropoutParams


def make_with_masks(config: DriverConfig) -> Callable[..., Any]:
    """Return with_masks(examples, workspace, kernel_params): examples to train on."""
    draws = config.random is not None

    @device
    def with_masks(examples, workspace, kernel_params):
        masks = Masks(workspace, kernel_params.dropout) if draws else None
        return Examples(examples.inputs, examples.targets, examples.order, masks)

    return with_masks


def make_draw_masks(config: DriverConfig) -> Callable[..., Any] | None:
    """Return draw_masks(acts, masks, s), which puts the masks of one example into acts, None where there are none.

    A lane draws a number for each unit, layer by layer, but for those that are always kept. Drivers take examples in
    the order of an epoch, all of them, so that the numbers of an epoch are a matrix, examples by units.
    """
    random, lanes = config.random, config.lanes
    if random is None:
        return None

    @device
    def draw_masks(acts, masks, s):
        workspace, dropout = masks.workspace, masks.dropout
        for lane in range(lanes):
            state = workspace.states[lane]
            for unit in range(s.n_masks):
                rate = dropout.rates[unit]
                is_dropped = rate > 0.0 and random(state) < rate
                workspace.masks[unit, lane] = 0.0 if is_dropped else dropout.kept[unit]
        drawn, place = lane_view(workspace.masks, lanes), beyond(acts, s.loss.target + s.loss.n_out)
        for unit in range(s.n_masks):
            place[unit] = drawn[unit]

    return draw_masks
