"""The front door: train one network for each seed, or for each seed and point of a grid."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, TypeVar, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgrok.datasets.arrays import examples_array
from fastgrok.engine import arguments, training
from fastgrok.engine.arguments import ExecutionOptions
from fastgrok.engine.measures import Measure, Measured, all_measured, checked_measures
from fastgrok.engine.notices import progress_bar
from fastgrok.engine.params import Start, joined, joined_masks, split
from fastgrok.engine.threads import thread_pool
from fastgrok.engine.trainer import Trained, Trainer
from fastgrok.engine.training import TrainingOutput, train, working_bytes
from fastgrok.errors import InvalidExperiment, warn
from fastgrok.kernels.environment import in_default_environment
from fastgrok.results.result import Result
from fastgrok.spec.axes import Axis, Configuration, checked_axes, grid
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.network import Network
from fastgrok.spec.recording import Recording, checked_recording

if TYPE_CHECKING:
    from fastgrok.store import Store

__all__ = ["Result", "Trained", "Trainer", "compile", "initial_params", "load", "predict", "run", "sweep"]

_P = ParamSpec("_P")
_R = TypeVar("_R")


@in_default_environment
def run(
    experiment: Experiment,
    seeds: int | range | ArrayLike | None = None,
    *,
    params: ArrayLike | Sequence[ArrayLike] | None = None,
    masks: ArrayLike | Sequence[ArrayLike | None] | None = None,
    keep_params: bool = False,
    record_at: str | Sequence[int] | None = None,
    track: str | None = None,
    measures: Mapping[str, Callable[..., Any]] | None = None,
    specialize: bool | None = None,
    lanes: int | None = None,
    threads: int | None = None,
    chunk_size: int | None = None,
    progress: bool | None = None,
) -> Result:
    """Train the network of an experiment once for every seed.

    Parameters
    ----------
    experiment
        Everything but the seed.
    seeds
        n for range(n), which may be 1e5; a range; or a list or array of integers from 0 to 2**64 - 1
        (`stream="numpy_legacy"`: 2**32 - 1), in any order, each once: the same run again is no other observation.
    params
        Initial parameters, instead of those that the seeds draw: one array for each of
        `network.param_shapes`, with a leading axis of length n_seeds, or all without it for one network; or one
        array (n_seeds, n_params), or (n_params,), as a `Trainer` has them.
        Seeds given as well, one for each network, name the rows, and what is drawn besides parameters (the
        examples where `order` says so, masks of `Dropout`) is theirs; without them they are 0, 1, ... A seed may
        come again then, with other parameters.
    masks
        Which parameters there are, 1 or True, and which are cut out, 0 or False: those are 0 from the start on,
        whatever was drawn or given, and are not trained. Arrays as for `params`, with a leading axis of length
        n_seeds for masks of each seed's own, or all without it for the same masks for all; None in the list for an
        array of which nothing is cut out. None: nothing is.
    keep_params
        Whether to keep the trained parameters, as `Result.params`.
    record_at
        Epochs at which loss, accuracy and dead units of every seed are recorded: a list, with 0 for the
        initialisation, or "log" for 0, 1, 2, 5, 10, 20, 50, ... and the last. None: none.
    track
        "dead_units" for the epoch since which each ReLU unit is dead; None.
    measures
        Functions of your own by the names that their values get among the result variables, such as
        {"spread": lambda outputs: np.ptp(outputs, axis=(1, 2))}. They are called with many seeds at once, and get
        what their parameters are named after: `params`, layer by layer, each array with a leading axis n; `outputs`
        (n, n_examples, n_out); `activations` and `pre_activations`, of each Linear layer (n, n_examples, width);
        `seeds` (n,); `epoch`; the data `X`, `y`. They return numbers or bools of shape (n, ...), at each epoch of
        `record_at`, or without it in the end. One that returns a bool for each seed is a criterion: `<name>_epoch` is
        the first recorded epoch after which it held, -1 if none. None: none.
    specialize
        Whether to train by a driver that is compiled for this very network, and wait for it; None: begin with what
        is compiled, and change over to the faster driver when a thread has compiled it meanwhile.
    lanes
        Seeds in a vector, a power of two up to 64; None: what suits the CPU.
    threads
        Threads; None: one for each CPU that the process may use.
    chunk_size
        Seeds in a task of a thread; None: what suits.
    progress
        Whether to show a bar on stderr; None: if it is a terminal, from two seconds on.

    Raises
    ------
    InvalidExperiment
        If an argument is invalid.
    KeyboardInterrupt
        If Ctrl-C came before any seed was finished. Later it ends the run with a warning and what is finished.

    Notes
    -----
    `specialize`, `lanes`, `threads` and `chunk_size` change the time that it takes, and no bit of the result.

    With `masks`, gradients of what is cut out are 0 for the optimizer (clipping, momentum), in `gradient_norm_final`
    and for `Stationary`. Masks of ones change no bit. Whole layers that are not trained, and stay what they start
    with: `lr_factors` of the optimizer.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> fg.run(exp, seeds=[3, 1]).seeds
    array([3, 1], dtype=uint64)
    """
    points = [Configuration({}, arguments.checked_experiment(experiment))]
    recording = checked_recording(record_at, track, experiment.epochs)
    keep = arguments.checked_flag("keep_params", keep_params, optional=False)
    options = ExecutionOptions(threads, specialize, lanes, chunk_size, progress).checked()
    own, starts = checked_measures(measures), _starts(points, seeds, params)
    if masks is not None:
        starts = starts._replace(masks=joined_masks(experiment.network, masks, arguments.n_seeds(starts.seeds)))
    return _train(experiment, [], points, starts, bool(keep), recording, options, own)


@in_default_environment
def compile(
    experiment: Experiment,
    *,
    specialize: bool | None = None,
    threads: int | None = None,
    progress: bool | None = None,
) -> Trainer:
    """Check and compile an experiment once, for a training loop of one's own: see `Trainer`.

    Parameters
    ----------
    experiment
        Everything but the seed.
    specialize
        Whether to compile a driver for this very network, which takes a second or two the first time on a machine;
        None: if it is the faster one.
    threads
        Threads that a call with much work is divided among; None: one for each CPU that the process may use.
    progress
        Whether to say on stderr what is being compiled, now and by the trainer's calls; None: if it is a terminal.

    Raises
    ------
    InvalidExperiment
        If an argument is invalid.

    Notes
    -----
    Afterwards a call costs some ten microseconds besides its work, and `run` some hundreds. Another dataset or
    optimizer is another experiment: where the general driver is used, compiling that takes a millisecond.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=10)
    >>> trainer = fg.compile(exp)
    >>> params = trainer.initial_params(1000)
    >>> better = trainer.train(params).params
    >>> bool(trainer.loss(better).mean() < trainer.loss(params).mean())
    True
    """
    return Trainer(experiment, specialize=specialize, threads=threads, progress=progress)


def _seeds_first(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Raise InvalidExperiment for axes where the seeds belong: Python raises a TypeError if seeds come after them."""

    @functools.wraps(function)
    def checked(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        seeds = args[1] if len(args) > 1 else kwargs.get("seeds")
        if isinstance(seeds, Mapping):
            raise InvalidExperiment("seeds", seeds, "seeds before axes: sweep(experiment, seeds, axes)")
        return function(*args, **kwargs)

    return checked


Axes = Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Any]]


@overload
def sweep(
    experiment: Experiment,
    seeds: int | range | ArrayLike | None = None,
    axes: Axes | None = None,
    *,
    store: None = None,
    params: ArrayLike | Sequence[ArrayLike] | None = None,
    keep_params: bool = False,
    record_at: str | Sequence[int] | None = None,
    track: str | None = None,
    measures: Mapping[str, Callable[..., Any]] | None = None,
    specialize: bool | None = None,
    lanes: int | None = None,
    threads: int | None = None,
    chunk_size: int | None = None,
    progress: bool | None = None,
) -> Result: ...


@overload
def sweep(
    experiment: Experiment,
    seeds: int | range,
    axes: Axes | None = None,
    *,
    store: str | os.PathLike[str],
    executor: Executor | None = None,
    part_of: tuple[int, int] | None = None,
    shard_size: int | None = None,
    rows: str = "all",
    keep_params: bool = False,
    record_at: str | Sequence[int] | None = None,
    track: str | None = None,
    specialize: bool | None = None,
    threads: int | None = None,
    progress: bool | None = None,
) -> Store: ...


@in_default_environment
@_seeds_first
def sweep(
    experiment: Experiment,
    seeds: int | range | ArrayLike | None = None,
    axes: Axes | None = None,
    *,
    store: str | os.PathLike[str] | None = None,
    executor: Executor | None = None,
    part_of: tuple[int, int] | None = None,
    shard_size: int | None = None,
    rows: str = "all",
    params: ArrayLike | Sequence[ArrayLike] | None = None,
    keep_params: bool = False,
    record_at: str | Sequence[int] | None = None,
    track: str | None = None,
    measures: Mapping[str, Callable[..., Any]] | None = None,
    specialize: bool | None = None,
    lanes: int | None = None,
    threads: int | None = None,
    chunk_size: int | None = None,
    progress: bool | None = None,
) -> Result | Store:
    """Train every combination of what the axes hold, each on the same seeds.

    Parameters
    ----------
    experiment
        What the axes vary.
    seeds
        As for `run`; with a store n for range(n), or a range with step 1.
    axes
        Field, dotted path or short word, as the command line has them -> list of the values that it takes, such as
        {"init": ["he_normal", "rai"], "hidden": [2, 4, (8, 8)], "lr": [0.01, 0.1]}, where "lr" is "optimizer.lr"; or
        a list of points, such as [{"lr": 0.1, "epochs": 500}], which are one axis, "point". All combinations are
        validated before any is trained. None, with a store: there is one configuration.
    store
        A directory, or a URL that fsspec knows, in which the result is kept shard by shard; it is made if it is not
        there, and what it holds is not trained again. More seeds, or more values on an axis, extend it. What is asked
        for here is made, and no more: `Store.resume` makes all that a store lacks. None: the result is held in
        memory.
    executor
        With a store: any `concurrent.futures.Executor`, such as `dask.distributed.Client(...).get_executor()`, whose
        workers train and write shards; None: threads of this process.
    part_of
        With a store: (i, n) for the i-th of n parts of the work, i from 1, as in a Slurm array; None: all of it.
    shard_size
        With a store: training runs of a shard at most, which are seeds of one configuration, or of several where
        these are few; None: what suits, or that of the store.
    rows
        With a store: "all", or "failures" to keep the rows of the seeds that did not converge. All are counted.
    params
        As for `run`, without a store; every network of the sweep must have these shapes.
    record_at
        As for `run`; "log" goes up to the most epochs of a configuration.
    keep_params, track, specialize, threads, progress
        As for `run`.
    measures, lanes, chunk_size
        As for `run`, without a store.

    Raises
    ------
    InvalidExperiment
        If an argument is invalid.
    StoreError
        If a shard cannot be written to the store; what was written before is whole.
    KeyboardInterrupt
        As for `run`.

    Returns
    -------
    A `Result`, or with `store` a `Store`, whose `interrupted` says whether Ctrl-C ended it early.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> axes = {"init": [fg.XavierNormal(), fg.HeNormal()], "optimizer.lr": [0.01, 0.1]}
    >>> dict(fg.sweep(exp, 8, axes).dataset.sizes)
    {'init': 2, 'optimizer.lr': 2, 'seed': 8, 'hidden_layer': 1, 'layer': 2}
    """
    arguments.checked_experiment(experiment)
    if store is not None:
        from fastgrok.store.manifest import specified
        from fastgrok.store.store import made_store

        _check_unused("None with a store", params=params, lanes=lanes, chunk_size=chunk_size, measures=measures)
        kept = {"keep_params": keep_params, "rows": rows, "record_at": record_at, "track": track}
        requested = specified(experiment, seeds, axes, shard_size=shard_size, **kept)
        options = ExecutionOptions(threads, specialize, None, None, progress, executor, part_of).checked()
        return made_store(store, requested, shard_size=shard_size).make(requested, options)
    store_only = {"executor": executor, "part_of": part_of, "shard_size": shard_size}
    _check_unused("a store beside it: it says how one is made", **store_only)
    _check_unused("'all', or a store beside it", rows=None if isinstance(rows, str) and rows == "all" else rows)
    checked = checked_axes(axes)
    points = grid(experiment, checked)
    recording = checked_recording(record_at, track, max(point.experiment.epochs for point in points))
    keep = arguments.checked_flag("keep_params", keep_params, optional=False)
    options = ExecutionOptions(threads, specialize, lanes, chunk_size, progress).checked()
    own, starts = checked_measures(measures), _starts(points, seeds, params)
    return _train(experiment, checked, points, starts, bool(keep), recording, options, own)


def _check_unused(accepted: str, **values: Any) -> None:
    """Raise if an argument was given that does not go with the others."""
    for name, value in values.items():
        if value is not None:
            raise InvalidExperiment(name, value, accepted)


@in_default_environment
def load(path: str | os.PathLike[str]) -> Result | Store:
    """Return a result from the file that `Result.save` wrote, or the store in a directory.

    Parameters
    ----------
    path
        A .parquet or .nc file, the directory of a store, or a URL of one that fsspec knows.

    Returns
    -------
    A `Result` with everything that the one had that was saved: rows, counts, the experiment and its axes, trained
    parameters where they were kept, and where it comes from. Pictures, comparisons and reports take it as they take
    that one. Of a directory the `Store`, as `open_store` returns it.

    Raises
    ------
    InvalidExperiment
        If there is no such file or store, or the file is another one.

    Examples
    --------
    >>> import fastgrok as fg, tempfile
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), "xor", epochs=100)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     fg.run(exp, seeds=8).save(f"{folder}/xor.parquet")
    ...     fg.load(f"{folder}/xor.parquet").summary()["n"].tolist()
    [8]
    """
    name = os.fspath(path) if isinstance(path, str | os.PathLike) else path
    if not isinstance(name, str) or "\0" in name:
        raise InvalidExperiment("path", path, "the path of a .parquet or .nc file, or of a store")
    if "://" in name or Path(name).is_dir():
        from fastgrok.store import open_store

        return open_store(name)
    if not Path(name).is_file():
        raise InvalidExperiment("path", os.path.abspath(name), "an existing file, or the directory of a store")
    return Result.of_file(Path(name))


@in_default_environment
def initial_params(experiment: Experiment, seeds: int | range | ArrayLike) -> list[NDArray[Any]]:
    """Return the parameters that training starts from.

    Parameters
    ----------
    experiment
        Everything but the seed.
    seeds
        As for `run`, and as often as they come.

    Returns
    -------
    One array for each of `network.param_shapes`, with a leading axis of length n_seeds, in the dtype of the
    experiment.

    Raises
    ------
    InvalidExperiment
        If an argument is invalid.

    Examples
    --------
    >>> import fastgrok as fg, numpy as np
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor())
    >>> bool((fg.initial_params(exp, [7])[0][0] == np.random.default_rng(7).uniform(-1, 1, (2, 4))).all())
    True
    """
    arguments.checked_experiment(experiment)
    return split(experiment.network, training.initial_params_of(experiment, seeds))


@in_default_environment
def predict(network: Network, params: ArrayLike | Sequence[ArrayLike], X: ArrayLike) -> NDArray[Any]:
    """Return the outputs of networks.

    Parameters
    ----------
    network
        Their layers.
    params
        As for `run`. If all arrays are float32, so is the arithmetic; else it is float64.
    X
        Inputs of shape (n_examples, n_in).

    Returns
    -------
    Shape (n_seeds, n_examples, n_out); n_seeds is 1 for parameters without a leading axis.

    Raises
    ------
    InvalidExperiment
        If an argument is invalid.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.predict(fg.mlp(2, 1), [[[1], [2]], [0.5]], [[0, 0], [1, 1]]).tolist()
    [[[0.5], [3.5]]]
    """
    arrays = params if isinstance(params, list | tuple) else [params]
    single = all(getattr(array, "dtype", None) == np.float32 for array in arrays)
    flat = joined(network, params, "float32" if single and arrays else "float64")
    inputs = examples_array("X", X)
    if inputs.shape[1] != network.n_in:
        raise InvalidExperiment("X", X, f"inputs of shape (n_examples, {network.n_in})")
    return training.predict(network, flat, inputs)


class _Starts(NamedTuple):
    """What training begins with."""

    seeds: arguments.Seeds
    params: list[NDArray[Any]] | None  # of each configuration, (n_seeds, n_params); None: seeds draw them
    masks: NDArray[np.bool_] | None = None  # (n_seeds, n_params)


def _starts(configurations: Sequence[Configuration], seeds: Any, params: Any) -> _Starts:
    """Return the seeds, and each configuration's initial parameters (n_seeds, n_params); None: seeds draw them.

    Configurations with parameters of the same shapes and dtype share one array.
    """
    if seeds is None and params is None:
        raise InvalidExperiment("seeds", seeds, "a number of seeds, a range or integers; or params")
    experiments = [configuration.experiment for configuration in configurations]
    rows: dict[Any, NDArray[Any]] = {}
    keys = [(tuple(each.network.param_shapes), each.dtype) for each in experiments]
    if params is not None:
        for key, each in dict(zip(keys, experiments, strict=True)).items():
            rows[key] = joined(each.network, params, each.dtype)
    flat = [rows[key] for key in keys] if rows else None
    if seeds is None and flat is not None:
        seeds = len(flat[0])
    for stream in {each.stream for each in experiments}:
        accepted = arguments.accepted_seeds(seeds, stream)
    if flat is None and not isinstance(accepted, range):
        arguments.check_each_once("seeds", accepted)
    if flat is not None and arguments.n_seeds(accepted) != len(flat[0]):
        raise InvalidExperiment("seeds", seeds, f"one for each of the {len(flat[0])} networks of params")
    return _Starts(accepted, flat)


def _train(
    experiment: Experiment,
    axes: list[Axis],
    configurations: list[Configuration],
    starts: _Starts,
    keep_params: bool,
    recording: Recording,
    options: ExecutionOptions,
    measures: Sequence[Measure] = (),
) -> Result:
    """Train one configuration after the other, until Ctrl-C."""
    accepted, params, masks = starts
    n, experiments = arguments.n_seeds(accepted), [configuration.experiment for configuration in configurations]
    if not arguments.surely_fits(experiments, n, recording):
        working = max(working_bytes(each, recording, n, options) for each in experiments)
        arguments.check_memory(experiments, n, recording, copies=int(keep_params), working=working)
    seeds = arguments.seeds_array(accepted)
    outputs: list[TrainingOutput] = []
    kept: dict[str, Any] = {"keep_params": keep_params, "recording": recording, "masks": masks}
    drawn: list[NDArray[Any] | None] = [None] * len(experiments)
    starts_of: Sequence[NDArray[Any] | None] = drawn if params is None else params
    owns: Sequence[Measured | None] = [None] * len(experiments)
    if measures:
        owns = all_measured(measures, experiments, seeds, [Start(each, masks) for each in starts_of], recording)
    n_runs = n * len(configurations)
    shared = thread_pool(options.threads) if len(experiments) > 1 else contextlib.nullcontext()
    with progress_bar(n_runs, options.progress) as advance, shared as pool:
        for each, start, own in zip(experiments, starts_of, owns, strict=True):
            try:
                collect = None if own is None else own.collect
                output = train(
                    each, seeds, options, params=start, advance=advance, pool=pool, collect=collect, **kept
                )
            except KeyboardInterrupt:  # before the first kernel of this configuration, or it was little work
                break
            outputs.append(output if own is None else dataclasses.replace(output, measured=own.variables()))
            if output.interrupted:
                break
    interrupted = len(outputs) < len(experiments) or outputs[-1].interrupted
    if interrupted:
        finished = sum(int(output.finished.sum()) for output in outputs)
        if not finished:
            raise KeyboardInterrupt
        outputs.extend(outputs[0].not_started(each) for each in experiments[len(outputs) :])
        warn(f"interrupted: {finished:,} of {n_runs:,} runs are finished", UserWarning)
    given = params is not None
    return Result(experiment, seeds, axes, configurations, outputs, interrupted=interrupted, own_params=given)
