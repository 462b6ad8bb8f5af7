"""Seeds that the specialised driver leaves to the general one (kernels/train/known.py says which)."""

from typing import Any

import numpy as np

from fastgrok.engine.driver import lane_count, make_driver
from fastgrok.engine.notices import announced, shown
from fastgrok.engine.workspace import make_outputs, make_workspace
from fastgrok.kernels.block import CUT
from fastgrok.kernels.train.workspace import LEFT, Outputs
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.recording import NOTHING, Recording


def train_left(
    experiment: Experiment,
    outputs: Outputs,
    states: np.ndarray,
    inputs: tuple[Any, ...],
    cancel: np.ndarray,
    recording: Recording = NOTHING,
    *,
    show: bool | None = False,
) -> None:
    """Train the seeds that a driver left, from their initial parameters; the rest are the arguments of that driver.

    inputs: data, validation, tensors, kernel_params; show: whether to say on stderr that the driver is compiled.
    """
    rows = np.flatnonzero(outputs.epochs_run == LEFT)
    if not len(rows):
        return
    lanes = lane_count(experiment, specialize=False)
    driver = make_driver(experiment, lanes, specialize=False, recording=recording)
    initial_losses = None if outputs.training is None else outputs.training.loss[rows]
    masks = None if outputs.training_of is None else outputs.training_of[rows] != CUT
    trained = make_outputs(experiment, outputs.params[rows], recording, initial_losses, masks)
    args = trained, states[rows], make_workspace(experiment, lanes, recording), *inputs, cancel
    with shown(show), announced(f"the general driver, {experiment.dtype}", driver):
        driver.code(args)
    driver(*args)
    _put_rows(outputs, rows, trained)


def _put_rows(outputs: Any, rows: np.ndarray, other: Any) -> None:
    """Replace these rows of outputs by those of other outputs."""
    for ours, theirs in zip(outputs, other, strict=True):
        if isinstance(ours, np.ndarray):
            ours[rows] = theirs
        elif ours is not None:
            _put_rows(ours, rows, theirs)
