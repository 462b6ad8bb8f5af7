"""An experiment compiled for loops outside: training, loss, gradients and predictions of arrays of parameters."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgrok.datasets.memory import check_fits
from fastgrok.engine import arguments, training
from fastgrok.engine.call_arguments import (
    Form,
    apart,
    read_epochs,
    read_examples,
    read_lr,
    read_out,
    read_params,
    read_targets,
)
from fastgrok.engine.calls import Calls, Threads
from fastgrok.engine.draws import state_words
from fastgrok.engine.driver import evaluation_lane_count, is_faster_specialised, lane_count
from fastgrok.errors import InvalidExperiment, one_line
from fastgrok.kernels.environment import in_default_environment
from fastgrok.kernels.train.parameters import Data
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.recording import NOTHING

Params = ArrayLike | Sequence[ArrayLike]
"""Flat, (n_seeds, n_params) or (n_params,), or a list of arrays, layer by layer."""


class Trained(NamedTuple):
    """What `Trainer.train` returns: one row a network, or one number each where a single network was given.

    Parameters
    ----------
    params
        The trained parameters, in the form of those given.
    epochs_run
        Epochs that each network was trained, as in `Result.dataset`.
    epochs_to_converge
        The first epoch after which the criteria of `stop` held; -1 if none.

    Examples
    --------
    >>> import fastgrok as fg
    >>> trainer = fg.compile(fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=1000))
    >>> trainer.train(trainer.initial_params([42, 65])).epochs_to_converge
    array([86, -1])
    """

    params: Any
    epochs_run: Any
    epochs_to_converge: Any


class Trainer:
    """The compiled kernels of one experiment, called with arrays of parameters. `fastgrok.compile` makes it.

    Parameters
    ----------
    experiment
        Everything but the parameters.
    specialize, threads, progress
        As for `fastgrok.compile`.

    Notes
    -----
    *Parameters* are one array of shape (n_seeds, n_params), or (n_params,) for one network: layer by layer the weight
    (fan_in, fan_out), row-major, then the bias (fan_out,). Or they are a list of arrays, as of
    `fastgrok.initial_params`, with a leading axis of length n_seeds or, for one network, without. What comes back has
    the form of what was given, and for one network no axis for it. Arrays that are not C-contiguous are copied.

    *dtype*: that of the experiment. Other real numbers are rounded to it, which copies them. They need not be finite:
    what is computed with a NaN is a NaN.

    *Who writes what*: arguments are never written, but `out`; what is returned is new, and belongs to the caller.
    `out` may be `params` itself.

    *Threads*: calls from several Python threads at once are right, and run at the same time, without the GIL. What is
    much work is divided among threads of the trainer's own; no bit depends on that.

    *Compiling*: most is compiled when the trainer is made. What is not, such as the kernels that suit few networks
    where these are large, is compiled by the first call that needs it, for some seconds, which says so on stderr as
    `progress` has it.

    *Errors*: what does not fit raises InvalidExperiment before anything is computed or written.

    Ctrl-C ends much work early with KeyboardInterrupt; `out` then holds nothing of use. A trainer can be pickled, as
    the experiment that it is made from.

    Examples
    --------
    >>> import fastgrok as fg
    >>> trainer = fg.compile(fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100))
    >>> trainer
    <fastgrok.Trainer: 2-4-1 relu/linear on xor, 17 parameters, float64>
    >>> params = trainer.initial_params(1000)
    >>> params.shape, trainer.loss(params).shape, trainer.gradients(params).shape
    ((1000, 17), (1000,), (1000, 17))
    """

    @in_default_environment
    def __init__(
        self,
        experiment: Experiment,
        *,
        specialize: bool | None = None,
        threads: int | None = None,
        progress: bool | None = None,
    ) -> None:
        self._experiment = arguments.checked_experiment(experiment)
        self._options = (
            arguments.checked_flag("specialize", specialize),
            arguments.checked_integer("threads", threads, arguments.MAX_THREADS),
            arguments.checked_flag("progress", progress),
        )
        chosen = self._options[0]
        most = arguments.ExecutionOptions(threads=self._options[1])
        working = training.working_bytes(experiment, NOTHING, arguments.MAX_LANES, most)
        check_fits("experiment", experiment, working, "a smaller network, or fewer threads")
        self._specialize = is_faster_specialised(experiment) if chosen is None else chosen
        self._dtype: np.dtype[Any] = np.dtype(experiment.dtype)
        self._threads = Threads(self._options[1])
        self._many = self._calls_for(arguments.MAX_LANES)
        self._many.compile()
        self._few: dict[tuple[int, int], Calls] = {}
        self._has_few = self._lanes(1) != self._lanes(arguments.MAX_LANES)

    @property
    def experiment(self) -> Experiment:
        """What it was compiled from."""
        return self._experiment

    @property
    def n_params(self) -> int:
        """Parameters of a network."""
        return self._experiment.n_params

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of parameters, losses, gradients and predictions."""
        return self._dtype

    @in_default_environment
    def initial_params(self, seeds: int | range | ArrayLike) -> NDArray[Any]:
        """Return the parameters that the seeds draw, (n_seeds, n_params).

        Parameters
        ----------
        seeds
            As for `fastgrok.run`: 5 is range(5), [5] is seed 5.

        Raises
        ------
        InvalidExperiment
            If the seeds are not accepted.

        Examples
        --------
        >>> import fastgrok as fg
        >>> trainer = fg.compile(fg.Experiment(fg.mlp(2, 1), fg.datasets.and_(), epochs=10))
        >>> trainer.initial_params([7]).round(3).tolist()
        [[0.25, 0.794, 0.0]]
        """
        return training.initial_params_of(self._experiment, seeds, show=self._options[2])

    @in_default_environment
    def train(
        self,
        params: Params,
        *,
        epochs: int | None = None,
        lr: float | None = None,
        seeds: int | range | ArrayLike | None = None,
        out: NDArray[Any] | None = None,
    ) -> Trained:
        """Train networks from these parameters, as `fastgrok.run(experiment, params=params)` does, bit for bit.

        Each call is a training of its own: it starts with no momentum, at the beginning of a schedule, and of the
        streams that shuffle the examples and draw masks and the parameters of a restart.

        Parameters
        ----------
        params
            As in the notes of `Trainer`.
        epochs
            Epochs to run at most, instead of the experiment's; with a schedule no more than those. None: those.
        lr
            Learning rate, instead of the optimizer's, which then has no schedule. None: that.
        seeds
            One seed for each network, whose stream goes on after its initial parameters: it shuffles or draws the
            examples, the masks of Dropout, the parameters of a restart. None: 0, 1, ...
        out
            Flat array that the trained parameters are written to, and that is returned. It may be `params`. None: a
            new one.

        Raises
        ------
        InvalidExperiment
            If an argument is not accepted.

        Examples
        --------
        >>> import fastgrok as fg
        >>> trainer = fg.compile(fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=1000))
        >>> trained = trainer.train(trainer.initial_params([42])[0])
        >>> trained.params.shape, int(trained.epochs_run), int(trained.epochs_to_converge)
        ((17,), 86, 86)
        """
        flat, form = read_params(self._experiment.network, params, self._dtype)
        n_epochs, rate = read_epochs(self._experiment, epochs), read_lr(self._experiment, lr, self._dtype)
        size = 8 * len(flat) * (4 + state_words(self._experiment))
        check_fits("params", flat.shape, size + flat.nbytes * (out is None))
        streams = None if seeds is None else self._seeds(seeds, len(flat))
        rows = self._rows(out, flat, form)
        if rows is not flat:
            rows[:] = flat
        run, converged = self._calls(len(rows)).train(rows, streams, n_epochs, rate)
        if form.alone:
            run, converged = run[0], converged[0]
        return Trained(form.of(self._experiment.network, rows) if out is None else out, run, converged)

    @in_default_environment
    def loss(self, params: Params, X: ArrayLike | None = None, y: ArrayLike | None = None) -> Any:
        """Return the mean loss over the examples.

        Parameters
        ----------
        params
            As in the notes of `Trainer`.
        X, y
            Examples, (n_examples, n_in) and (n_examples, n_out), or (n_examples,) for one output. None: the
            experiment's data.

        Returns
        -------
        Shape (n_seeds,); a scalar for one network without the axis of seeds.

        Raises
        ------
        InvalidExperiment
            If an argument is not accepted.

        Examples
        --------
        >>> import fastgrok as fg
        >>> trainer = fg.compile(fg.Experiment(fg.mlp(2, 1), fg.datasets.and_(), epochs=10))
        >>> float(trainer.loss([0.5, 0.5, -0.25])), float(trainer.loss([0.5, 0.5, -0.25], [[1, 1]], [1]))
        (0.03125, 0.03125)
        """
        flat, form = read_params(self._experiment.network, params, self._dtype)
        losses = np.empty(len(flat), self._dtype)
        self._calls(len(flat)).evaluate(losses, flat[:0], flat, self._examples(X, y))
        return losses[0] if form.alone else losses

    @in_default_environment
    def gradients(
        self,
        params: Params,
        X: ArrayLike | None = None,
        y: ArrayLike | None = None,
        *,
        out: NDArray[Any] | None = None,
    ) -> Any:
        """Return the gradients of the mean loss over the examples, in the form of the parameters.

        They are those of the loss alone, whatever `reduction`, penalties, clipping and masks of `Dropout` the
        experiment trains with.

        Parameters
        ----------
        params, X, y
            As for `loss`.
        out
            Flat array that they are written to, and that is returned. It may be `params`. None: a new one.

        Raises
        ------
        InvalidExperiment
            If an argument is not accepted.

        Examples
        --------
        >>> import fastgrok as fg
        >>> trainer = fg.compile(fg.Experiment(fg.mlp(2, 1), fg.datasets.and_(), epochs=10))
        >>> trainer.gradients([0.5, 0.5, -0.25]).tolist()
        [0.0, 0.0, 0.0]
        """
        return self.loss_and_gradients(params, X, y, out=out)[1]

    @in_default_environment
    def loss_and_gradients(
        self,
        params: Params,
        X: ArrayLike | None = None,
        y: ArrayLike | None = None,
        *,
        out: NDArray[Any] | None = None,
    ) -> tuple[Any, Any]:
        """Return what `loss` and `gradients` return, in one pass, such as for `scipy.optimize.minimize(jac=True)`.

        Parameters
        ----------
        params, X, y, out
            As for `gradients`.

        Raises
        ------
        InvalidExperiment
            If an argument is not accepted.

        Examples
        --------
        >>> import fastgrok as fg
        >>> from scipy.optimize import minimize
        >>> exp = fg.Experiment(fg.mlp(2, 4, 1, hidden="tanh"), fg.datasets.xor(), epochs=10)
        >>> trainer = fg.compile(exp)
        >>> found = minimize(trainer.loss_and_gradients, trainer.initial_params([1])[0], jac=True)
        >>> bool(trainer.loss(found.x) < 1e-4)
        True
        """
        flat, form = read_params(self._experiment.network, params, self._dtype)
        examples = self._examples(X, y)
        check_fits("params", flat.shape, 8 * len(flat) + flat.nbytes * (out is None))
        rows = self._rows(out, flat, form)
        if out is not None:
            flat = apart(flat, rows)
            examples = None if examples is None else Data(*(apart(array, rows) for array in examples))
        losses = np.empty(len(flat), self._dtype)
        self._calls(len(flat)).evaluate(losses, rows, flat, examples)
        gradients = form.of(self._experiment.network, rows) if out is None else out
        return (losses[0] if form.alone else losses), gradients

    @in_default_environment
    def predict(self, params: Params, X: ArrayLike | None = None, *, out: NDArray[Any] | None = None) -> NDArray[Any]:
        """Return the outputs of networks.

        Parameters
        ----------
        params
            As in the notes of `Trainer`.
        X
            Inputs, (n_examples, n_in). None: those of the experiment.
        out
            Array that they are written to, and that is returned. None: a new one.

        Returns
        -------
        Shape (n_seeds, n_examples, n_out); (n_examples, n_out) for one network without the axis of seeds.

        Raises
        ------
        InvalidExperiment
            If an argument is not accepted.

        Examples
        --------
        >>> import fastgrok as fg
        >>> trainer = fg.compile(fg.Experiment(fg.mlp(2, 1), fg.datasets.and_(), epochs=10))
        >>> trainer.predict([[[1], [2]], [0.5]], [[0, 0], [1, 1]]).tolist()
        [[0.5], [3.5]]
        """
        flat, form = read_params(self._experiment.network, params, self._dtype)
        inputs = None if X is None else read_examples(self._experiment, X, self._dtype)
        n = self._experiment.data.n_examples if inputs is None else len(inputs)
        shape = (len(flat), n, self._experiment.network.n_out)
        size = math.prod(shape) * self._dtype.itemsize * (out is None)
        check_fits("X", (n, self._experiment.network.n_in), size)
        if out is None:
            outputs = np.empty(shape, self._dtype)
        else:
            outputs = read_out(out, shape[form.alone :], self._dtype).reshape(shape)
            flat, inputs = apart(flat, outputs), None if inputs is None else apart(inputs, outputs)
        self._calls(len(flat)).predict(outputs, flat, inputs)
        if out is not None:
            return out
        return outputs[0] if form.alone else outputs

    @in_default_environment
    def flatten(self, params: Params) -> NDArray[Any]:
        """Return parameters as one array, (n_seeds, n_params), or (n_params,) for one network.

        Examples
        --------
        >>> import fastgrok as fg
        >>> trainer = fg.compile(fg.Experiment(fg.mlp(2, 1), fg.datasets.and_(), epochs=10))
        >>> trainer.flatten([[[1], [2]], [0.5]]).tolist()
        [1.0, 2.0, 0.5]
        """
        flat, form = read_params(self._experiment.network, params, self._dtype)
        return flat[0] if form.alone else flat

    @in_default_environment
    def unflatten(self, params: Params) -> list[NDArray[Any]]:
        """Return parameters layer by layer: of a flat array, views that show what is written to it.

        Examples
        --------
        >>> import fastgrok as fg
        >>> trainer = fg.compile(fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=10))
        >>> [array.shape for array in trainer.unflatten(trainer.initial_params(5))]
        [(5, 2, 4), (5, 4), (5, 4, 1), (5, 1)]
        """
        flat, form = read_params(self._experiment.network, params, self._dtype)
        return list(form._replace(listed=True).of(self._experiment.network, flat))

    def _rows(self, out: Any, flat: NDArray[Any], form: Form) -> NDArray[Any]:
        """Return what to write parameters or gradients to, (n_seeds, n_params)."""
        if out is None:
            return np.empty_like(flat)
        if form.listed:
            raise InvalidExperiment("out", out, "None where params is a list of arrays")
        return read_out(out, flat.shape[form.alone :], self._dtype).reshape(flat.shape)

    def _examples(self, X: Any, y: Any) -> Data | None:
        """Return examples of the caller's own, or None for those of the experiment."""
        if X is None and y is None:
            return None
        if X is None or y is None:
            missing = "X" if X is None else "y"
            raise InvalidExperiment(missing, None, "X and y, or neither for the data of the experiment")
        inputs = read_examples(self._experiment, X, self._dtype)
        return Data(inputs, read_targets(self._experiment, y, len(inputs), self._dtype))

    def _seeds(self, seeds: Any, n: int) -> NDArray[np.uint64]:
        accepted = arguments.accepted_seeds(seeds, self._experiment.stream)
        if arguments.n_seeds(accepted) != n:
            raise InvalidExperiment("seeds", seeds, f"one for each of the {n} networks of params")
        return arguments.seeds_array(accepted)

    def _lanes(self, n: int) -> tuple[int, int]:
        """Return the lanes of the driver and of evaluation that suit n networks."""
        driver = lane_count(self._experiment, specialize=self._specialize, n_seeds=n)
        return driver, evaluation_lane_count(self._experiment, n_seeds=n)

    def _calls_for(self, n: int) -> Calls:
        show = self._options[2]
        return Calls(self._experiment, self._threads, specialize=self._specialize, n_seeds=n, show=show)

    def _calls(self, n: int) -> Calls:
        """Return the kernels for n networks: fewer lanes where a block of many is larger than any cache."""
        if not self._has_few or n >= arguments.MAX_LANES:
            return self._many
        lanes = self._lanes(n)
        if lanes not in self._few:
            self._few[lanes] = self._calls_for(n)
        return self._few[lanes]

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self._experiment, *self._options)

    def __repr__(self) -> str:
        network, data = self._experiment.network, one_line(self._experiment.data.name)
        what = f"{network} on {data}, {self.n_params} parameters, {self._experiment.dtype}"
        return f"<fastgrok.Trainer: {what}>"


def _restored(
    experiment: Experiment, specialize: bool | None, threads: int | None, progress: bool | None = None
) -> Trainer:
    return Trainer(experiment, specialize=specialize, threads=threads, progress=progress)
