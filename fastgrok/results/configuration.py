"""What a sweep varies, and what training one point of it gave."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.engine.training import Trained
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.recording import shapes
from fastgrok.spec.variables import VARIABLES


class Configuration(NamedTuple):
    """One point of a sweep, trained."""

    labels: Mapping[str, Any]  # the label on each axis, by the axis' path
    experiment: Experiment  # what was trained
    trained: Trained  # what came of it, one row a seed

    @property
    def columns(self) -> dict[str, NDArray[Any]]:
        """The result variables of the finished rows, none of which may be there."""
        columns, finished = self.trained.columns, self.trained.finished
        return dict(columns) if finished.all() else {name: column[finished] for name, column in columns.items()}

    def rows(self, column: NDArray[Any]) -> NDArray[Any]:
        """Return the finished rows of an array, the array itself if all of them are."""
        finished = self.trained.finished
        return column if finished.all() else column[finished]


def not_started(labels: Mapping[str, Any], experiment: Experiment, like: Trained) -> Configuration:
    """Return a configuration that an interrupted sweep did not come to: its rows are all unfinished."""
    n = len(like.finished)
    there = shapes(experiment, like.recording, n)
    columns = {name: _zeros(shape, VARIABLES[name].dtype) for name, shape in there.items()}
    params = None if like.params is None else _zeros([n, experiment.n_params], experiment.dtype)
    return Configuration(
        labels,
        experiment,
        dataclasses.replace(
            like,
            columns=columns,
            params=params,
            finished=_zeros([n], "bool"),
            interrupted=True,
            seconds=0.0,
            compile_seconds=0.0,
        ),
    )


def _zeros(shape: Sequence[int], dtype: str) -> NDArray[Any]:
    """Return zeros that take no memory."""
    return np.broadcast_to(np.zeros((), dtype), shape)
