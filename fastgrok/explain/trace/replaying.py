"""The whole history of one seed, or of a few."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from fastgrok.engine import arguments, builder
from fastgrok.engine.params import joined
from fastgrok.errors import InvalidExperiment, one_of
from fastgrok.explain.trace.dataset import labelled
from fastgrok.explain.trace.history import record
from fastgrok.explain.trace.variables import STEP
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.recording import Recording, checked_recording
from fastgrok.spec.variables import EPOCH, SEED

if TYPE_CHECKING:
    import xarray as xr


def replay(
    experiment: Experiment,
    seed: int | Sequence[int] | range | ArrayLike,
    *,
    every: str = EPOCH,
    record_at: str | Sequence[int] | None = None,
    params: Sequence[ArrayLike] | None = None,
) -> xr.Dataset:
    """
    Train a seed again, with the same bits as in a sweep, and record everything on the way.

    Parameters
    ----------
    experiment
        Everything but the seed.
    seed
        One seed; or several, as a range, list or array: then there is a dimension `seed`.
    every
        "epoch" to record after every epoch, "step" after every update.
    record_at
        With every="epoch": only these epochs, as for `run`, the initialisation and the last of each seed. None: all.
    params
        Initial parameters instead of those that the seed draws, as for `run`.

    Returns
    -------
    A dataset with dimensions `epoch` or `step` (0 is the initialisation), `example`, `unit_0` (the inputs), `unit_1`,
    ... (what each Linear layer gives out). Of Linear layer k: `weight_k` and `bias_k`; `gradient_weight_k` and
    `gradient_bias_k`, of the mean loss; `pre_activation_k` (z), `activation_k`, `delta_k` (dL/dz of the example's
    own loss); `dead_k` where a ReLU follows. Of the network: `loss`, `accuracy`, `gradient_norm`, and with
    validation data `loss_validation`, `accuracy_validation`. Besides the result variables of `Result.dataset`, with
    `dead_since`, and the data: `input`, `target`. Parameters and what follows from them are in the dtype of the
    experiment. Where one of several seeds has ended floats are NaN, bools False, integers -1. `to_netcdf` writes it.

    Raises
    ------
    InvalidExperiment
        If an argument will not do, or the history does not fit into memory.

    Notes
    -----
    Every state is that of the sweep, bit for bit: the kernels are the same. With every="step", `batch_example` says
    on which examples an update was made and `epoch_of` in which epoch. With a restart, `attempt_of` says in which
    attempt a time is, and `weight_k_start` with what each attempt began; `loss_initial` is that of the last. With
    EarlyStopping(restore_best=True), `weight_k_final` is what the seed ended with.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> trace = fg.replay(exp, seed=42)
    >>> trace["weight_1"].dims, trace.sizes["epoch"]
    (('epoch', 'unit_0', 'unit_1'), 87)
    >>> float(trace["loss"][-1]) == float(trace["loss_final"])
    True
    """
    arguments.checked_experiment(experiment)
    if every not in (EPOCH, STEP):
        raise InvalidExperiment("every", every, one_of([EPOCH, STEP]))
    steps = every == STEP
    if steps and record_at is not None:
        raise InvalidExperiment("record_at", record_at, "None with every='step': all of them are recorded")
    single = isinstance(seed, int | np.integer) and not isinstance(seed, bool)
    seeds = arguments.checked_seeds([seed] if single else seed, experiment.stream)
    flat = None if params is None else joined(experiment.network, params, experiment.dtype)
    if flat is not None and len(flat) != len(seeds):
        raise InvalidExperiment("params", params, f"those of {len(seeds)} networks, one for each seed")
    chosen = None if record_at is None else checked_recording(record_at, None, experiment.epochs).at
    _check_memory(experiment, len(seeds), steps, chosen)
    if chosen is not None:
        ends = record(experiment, seeds, flat, Recording()).trained.columns["epochs_run"]
        chosen = tuple(sorted({*chosen, *map(int, ends)}))
    history = record(experiment, seeds, flat, _recording(experiment, steps, chosen))
    trace = labelled(experiment, seeds, history, steps=steps, own_params=flat is not None)
    return trace.isel({SEED: 0}) if single else trace


def _attempts(experiment: Experiment) -> int:
    """Return how many attempts a seed has at most."""
    restart, epochs = experiment.restart, experiment.epochs
    if restart is None:
        return 1
    return 1 + (epochs if restart.at_most is None else min(restart.at_most, epochs))


def _recording(experiment: Experiment, steps: bool, chosen: tuple[int, ...] | None) -> Recording:
    """Return which states are kept."""
    epochs = range(1, experiment.epochs + 1) if chosen is None else (epoch for epoch in chosen if epoch > 0)
    return Recording(
        dead_units=True, kept=() if steps else tuple(epochs), steps=steps, attempts=_attempts(experiment)
    )


def _check_memory(experiment: Experiment, n: int, steps: bool, chosen: tuple[int, ...] | None) -> None:
    """Raise if a history does not fit into memory."""
    epochs = experiment.epochs if chosen is None else len(chosen)
    times = 1 + (epochs * builder.n_batches(experiment) if steps else epochs)
    units = sum(layer.fan_out for layer in experiment.network.linears)
    numbers = 3 * experiment.n_params + 3 * experiment.data.n_examples * units  # states twice, gradients; z, a, delta
    size = n * (times * numbers + _attempts(experiment) * experiment.n_params) * np.dtype(experiment.dtype).itemsize
    arguments.check_fits("epochs", experiment.epochs, size, "fewer, or record_at=, or every='epoch'")
