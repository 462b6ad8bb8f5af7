"""What a run or a sweep gives back."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgrok.engine import params as parameters
from fastgrok.engine import training
from fastgrok.engine.arguments import check_each_once
from fastgrok.engine.training import TrainingOutput
from fastgrok.errors import InvalidExperiment, one_line
from fastgrok.results import files, provenance, saved
from fastgrok.results.advice import advice, advice_on
from fastgrok.results.dataset import to_dataset
from fastgrok.results.layout import layout
from fastgrok.results.table import Row, as_frame, as_html, median, outcomes, plateau_line, rate, scatter_lines
from fastgrok.spec.axes import Axis, Configuration
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.words import NETWORK_WORDS, word_of_path
from fastgrok.statistics.counts import Counts
from fastgrok.statistics.plateaus import occupied_plateaus
from fastgrok.statistics.scope import scope
from fastgrok.statistics.summary import Summary, summarise
from fastgrok.statistics.sweep import Rows
from fastgrok.statistics.text import duration, speed

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr


class Result:
    """What training some seeds gave; made by `run` and `sweep`.

    Parameters
    ----------
    experiment
        What was run, or what a sweep varies.
    all_seeds
        The seeds that were asked for.
    axes
        What a sweep varies; empty for a run.
    configurations
        One for a run; for a sweep one for each point, in the order of the product of the axes.
    outputs
        What training each configuration gave. Those that an interrupted sweep did not come to have no finished row.
    interrupted
        Whether Ctrl-C ended it early. The rows that were finished are here.
    own_params
        Whether training started from parameters of one's own, and not from those that the seeds draw.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> fg.run(exp, seeds=8).dataset.sizes["seed"]
    8
    """

    def __init__(
        self,
        experiment: Experiment,
        all_seeds: NDArray[np.uint64],
        axes: Sequence[Axis],
        configurations: Sequence[Configuration],
        outputs: Sequence[TrainingOutput],
        *,
        interrupted: bool,
        own_params: bool,
    ) -> None:
        self.experiment = experiment
        self.interrupted = interrupted
        self.axes = tuple(axes)
        self.configurations = tuple(configurations)
        self.outputs = tuple(outputs)
        self._all_seeds = all_seeds
        self._own_params = own_params
        self._time = time.time()

    @property
    def seeds(self) -> NDArray[np.uint64]:
        """The seed of each row of the dataset: those that were finished, or all of them for a sweep."""
        return self._all_seeds if self.axes else self.outputs[0].finished_rows(self._all_seeds)

    @property
    def all_seeds(self) -> NDArray[np.uint64]:
        """The seeds that were asked for."""
        return self._all_seeds

    @property
    def n_asked(self) -> int:
        """Training runs that were asked for: seeds, times configurations."""
        return len(self._all_seeds) * len(self.configurations)

    @property
    def n_finished(self) -> int:
        """Training runs that were finished: all, unless it was interrupted."""
        return sum(int(output.finished.sum()) for output in self.outputs)

    @property
    def n_missing(self) -> int:
        """Training runs that were not finished."""
        return self.n_asked - self.n_finished

    @property
    def seconds(self) -> float:
        """Time that training took, without that of compiling the kernels."""
        return sum(output.seconds for output in self.outputs)

    @property
    def drivers(self) -> dict[str, int]:
        """How many training runs each driver did: "general", "specialised". The bits are those of either."""
        return provenance.total_drivers(output.drivers for output in self.outputs)

    @property
    def params(self) -> list[Any]:
        """The trained parameters of a run with `keep_params=True`.

        Layer by layer, each array with a leading axis of the length of `seeds`. For a sweep a list of such
        lists, one for each row of `summary()`.

        Raises
        ------
        InvalidExperiment
            If they were not kept.
        """
        kept = []
        for configuration, output in zip(self.configurations, self.outputs, strict=True):
            flat = _kept_params(output)
            kept.append(parameters.split(configuration.experiment.network, output.finished_rows(flat)))
        return kept if self.axes else kept[0]

    def predict(self, X: ArrayLike) -> Any:
        """Return the outputs of the trained networks of a run with `keep_params=True`.

        Parameters
        ----------
        X
            Raw inputs of shape (n_examples, n_in), or a frame, as `Dataset.inputs` takes them: what was done to the
            inputs of the training data, as scaling, is done to these.

        Returns
        -------
        Shape (n_seeds, n_examples, n_out), in the order of `seeds`. For a sweep a list of such arrays, one for each
        row of `summary()`.

        Raises
        ------
        InvalidExperiment
            If the parameters were not kept, or X does not fit.

        Examples
        --------
        >>> import fastgrok as fg
        >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
        >>> fg.run(exp, seeds=8, keep_params=True).predict([[0, 1], [1, 1]]).shape
        (8, 2, 1)
        """
        outputs = []
        for configuration, output in zip(self.configurations, self.outputs, strict=True):
            network, flat = configuration.experiment.network, _kept_params(output)
            inputs = configuration.experiment.data.inputs(X)
            rows = output.finished_rows(flat)
            empty = np.empty((0, len(inputs), network.n_out), flat.dtype)
            outputs.append(training.predict(network, rows, inputs) if len(rows) else empty)
        return outputs if self.axes else outputs[0]

    def predict_classes(self, X: ArrayLike) -> Any:
        """Return the class that each trained network of a run with `keep_params=True` gives each example.

        Parameters
        ----------
        X
            As for `predict`.

        Returns
        -------
        Labels of shape (n_seeds, n_examples), by the rule of `Dataset.labels`. For a sweep a list of such arrays, one
        for each row of `summary()`.

        Raises
        ------
        InvalidExperiment
            If the targets are no classes, the parameters were not kept, or X does not fit.

        Examples
        --------
        >>> import fastgrok as fg
        >>> data = fg.Dataset([[0], [1]], ["no", "yes"])
        >>> exp = fg.Experiment(fg.mlp(1, 1, output="sigmoid"), data, optimizer=fg.SGD(lr=1), epochs=1000)
        >>> fg.run(exp, seeds=1, keep_params=True).predict_classes([[0], [1]]).tolist()
        [['no', 'yes']]
        """
        outputs = self.predict(X)
        both = zip(self.configurations, outputs if self.axes else [outputs], strict=True)
        labels = [configuration.experiment.data.labels(output) for configuration, output in both]
        return labels if self.axes else labels[0]

    @cached_property
    def attrs(self) -> dict[str, Any]:
        """Where the result comes from: experiment, versions, machine, time."""
        attrs = provenance.provenance(
            self.experiment, self.axes, self.outputs, own_params=self._own_params, time=provenance.utc(self._time)
        )
        return attrs | {"interrupted": int(self.interrupted)}

    @cached_property
    def dataset(self) -> xr.Dataset:
        """The result variables of `fastgrok.spec.variables`, by the axes of a sweep, `seed` and `hidden_layer`."""
        return to_dataset(self._all_seeds, self.axes, self.configurations, self.outputs, self.attrs)

    @cached_property
    def counts(self) -> list[Counts]:
        """What became of the seeds of each configuration, in whole numbers."""
        return [
            Counts.of(output.finished_metrics, configuration.experiment)
            for configuration, output in zip(self.configurations, self.outputs, strict=True)
        ]

    @cached_property
    def summaries(self) -> list[Summary]:
        """The summary of each configuration."""
        return [summarise(counts, output.seconds) for counts, output in zip(self.counts, self.outputs, strict=True)]

    def rows(self) -> list[Row]:
        """Return a row for each configuration: its network, its data, its label on each axis, its summary."""
        of_each = zip(self.configurations, self.summaries, self.counts, strict=True)
        return [
            Row(configuration, summary, len(self._all_seeds), occupied_plateaus(counts, configuration.experiment))
            for configuration, summary, counts in of_each
        ]

    def summary(self) -> pd.DataFrame:
        """Return one row for each configuration: rates with intervals, quantiles under censoring, counts.

        Columns are `network`, `data`, the axes of a sweep, and the fields of `fastgrok.statistics.summary.Summary`:
        n, the rate with its interval and the median first. Outcomes are counted as `n_<outcome>`. A quantile that
        was not reached is `<NA>`. Of `loss_final` and `accuracy_final`, and of the same of validation data, there are
        the best and the worst seed, and quantiles over seeds (`_q05`, `_median`, `_q95`) with intervals. Where
        nearly nothing converged in some configuration there is a column `advice`, a line or two of text.

        Examples
        --------
        >>> import fastgrok as fg
        >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
        >>> fg.run(exp, seeds=8).summary()["n"].tolist()
        [8]
        """
        rows = self.rows()
        return as_frame(rows, [advice(row) for row in rows])

    def snapshot(self) -> Result:
        """Return it: nothing is added to a result."""
        return self

    def windows(self, also: Sequence[str] = ()) -> list[list[Rows]]:
        """Return the rows of all configurations, those of all seeds at once: see `fastgrok.statistics.sweep`.

        Parameters
        ----------
        also
            Result variables that are needed; a result has all of them.
        """
        return [[Rows(output.metrics, output.finished, self._all_seeds) for output in self.outputs]]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the result to a file, whole or not at all; `fastgrok.load` reads it back.

        Parameters
        ----------
        path
            Ends in .parquet (one row a configuration and seed) or .nc (`dataset`, as NetCDF). Trained parameters are
            in it where they were kept.

        Raises
        ------
        InvalidExperiment
            If there can be no such file, or the library that it needs is missing.
        OSError
            If it cannot be written for another reason, such as a full disk.
        """
        target = files.checked_target(path)
        measured = next((output.measured for output in self.outputs if output.measured is not None), None)
        if measured is not None:
            expected = "None for a result that is saved; result.dataset.to_netcdf writes what they returned"
            raise InvalidExperiment("measures", [*measured], expected)
        own: dict[str, Any] = {"own_params": self._own_params, "time": self._time}
        attrs = self.attrs | {files.RESULT_KEY: saved.described(self._all_seeds, self.axes, self.outputs, **own)}
        try:
            if target.suffix == files.PARQUET:
                files.write_parquet(target, self._all_seeds, self.axes, self.configurations, self.outputs, attrs)
            else:
                shape = [len(axis.values) for axis in self.axes]
                whole = files.with_params(self.dataset.assign_attrs(attrs), shape, self.outputs)
                files.write_netcdf(target, whole)
        except OSError as error:
            if error.errno not in files.BAD_PATH:  # such as a full disk
                raise
            raise InvalidExperiment("path", str(target), f"a file that can be written ({error})") from error

    @classmethod
    def of_file(cls, path: Path) -> Result:
        """Return the result that `save` wrote to a file."""
        read = saved.read(path)
        if not read.own_params:  # versions before this one ran seeds as often as they came
            check_each_once(f"{path}: seeds", read.seeds)
        ended: dict[str, bool] = {"interrupted": read.interrupted, "own_params": read.own_params}
        result = cls(read.experiment, read.seeds, read.axes, read.configurations, read.outputs, **ended)
        result._time = read.time
        result.__dict__["attrs"] = read.attrs  # of the machine and the versions that trained
        return result

    def __repr__(self) -> str:
        rows, lines = self.rows(), [f"<fastgrok.Result: {self._title()}"]
        if self.axes:
            lines.extend(layout(rows, [axis.path for axis in self.axes]).lines)
        else:
            lines.extend(_sentences(rows[0], self.drivers))
        lines.extend(advice_on(rows))
        if not self._own_params and not self.outputs[0].recording.masked:  # else seeds differ whatever they draw
            lines.extend(scope(self.configurations))
        return "\n  ".join(lines) + ">"

    def _repr_html_(self) -> str:
        import html

        return f"<p>fastgrok.Result: {html.escape(self._title())}</p>{as_html(self.rows())}"

    def _title(self) -> str:
        """Say what was run, and on how many seeds."""
        varied = {axis.path for axis in self.axes}
        network = "several networks" if varied & {"network", *NETWORK_WORDS} else str(self.experiment.network)
        data = "several datasets" if "data" in varied else one_line(self.experiment.data.name)
        count = f"{len(self._all_seeds):,} seeds"
        if self.axes:
            points = " x ".join(f"{len(axis.values)} {word_of_path(axis.path)}" for axis in self.axes)
            count = f"{points} x {count}"
        title = f"{network} on {data}, {count}"
        return f"{title}, interrupted: {self.n_finished:,} of {self.n_asked:,} runs" if self.interrupted else title


def _kept_params(output: TrainingOutput) -> NDArray[Any]:
    """Return the trained parameters of a configuration, (n_seeds, n_params)."""
    if output.params is None:
        raise InvalidExperiment("keep_params", False, "True, when it is run: the parameters were not kept")
    return output.params


def _sentences(row: Row, drivers: dict[str, int]) -> list[str]:
    """Say what became of the seeds of a run."""
    summary, lines = row.summary, []
    if summary.converged is not None:
        lines.append(f"converged {rate(summary)} (95 % interval), median epochs: {median(summary)}")
    lines.append(f"outcomes: {outcomes(summary)}")
    lines.extend(filter(None, [plateau_line(row)]))
    lines.extend(scatter_lines(summary))
    by = " and ".join(name if len(drivers) == 1 else f"{name} ({n:,} seeds)" for name, n in drivers.items())
    rate_of_all = speed(summary.seed_epochs_per_second)
    lines.append(f"{duration(summary.seconds)}, {rate_of_all} seed-epochs per second, driver: {by}")
    return lines
