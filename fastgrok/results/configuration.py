"""What a sweep varies, and what training one point of it gave."""

import dataclasses
import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.datasets import Dataset
from fastgrok.experiment import Experiment
from fastgrok.network import Network
from fastgrok.recording import shapes
from fastgrok.schema import VARIABLES
from fastgrok.spec import Spec
from fastgrok.training import Trained


class Axis(NamedTuple):
    """
    A field of an experiment that a sweep varies.

    Parameters
    ----------
    path
        The field's dotted path: the name of a dimension.
    values
        Its values.
    labels
        What stands for each in tables and files: all numbers, all bools, or all strings, each once.
    """

    path: str
    values: tuple[Any, ...]
    labels: tuple[Any, ...]


class Configuration(NamedTuple):
    """
    One point of a sweep, trained.

    Parameters
    ----------
    labels
        The label on each axis, by the axis' path.
    experiment
        What was trained.
    trained
        What came of it, one row a seed.
    """

    labels: Mapping[str, Any]
    experiment: Experiment
    trained: Trained

    @property
    def columns(self) -> dict[str, NDArray[Any]]:
        """The result variables of the finished rows, none of which may be there."""
        columns, finished = self.trained.columns, self.trained.finished
        return dict(columns) if finished.all() else {name: column[finished] for name, column in columns.items()}

    def rows(self, column: NDArray[Any]) -> NDArray[Any]:
        """
        Return the finished rows of an array, the array itself if all of them are.

        Parameters
        ----------
        column
            One row a seed.
        """
        finished = self.trained.finished
        return column if finished.all() else column[finished]


def not_started(labels: Mapping[str, Any], experiment: Experiment, like: Trained) -> Configuration:
    """
    Return a configuration that an interrupted sweep did not come to: its rows are all unfinished.

    Parameters
    ----------
    labels
        The label on each axis.
    experiment
        What would have been trained.
    like
        What training another one gave: how many seeds there are, and how it was done.
    """
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


def axis(path: str, values: Sequence[Any], beside: Collection[str] = ()) -> Axis:
    """
    Name the values of an axis.

    Parameters
    ----------
    path
        The field's dotted path.
    values
        Its values, no two of them equal.
    beside
        The paths of the other axes: a label leaves out what one of them says.

    Examples
    --------
    >>> import fastgrok as fg
    >>> axis("optimizer.lr", [0.01, 0.1]).labels
    (0.01, 0.1)
    >>> axis("optimizer", [fg.SGD(), fg.Adam()], beside=["optimizer.lr"]).labels
    ('SGD()', 'Adam()')
    >>> axis("batch_size", [1, "full"]).labels
    ('1', 'full')
    """
    for kinds in ((bool, np.bool_), (int, np.integer), (int, float, np.integer, np.floating)):
        if all(isinstance(value, kinds) and (kinds[0] is bool or not _is_bool(value)) for value in values):
            return Axis(path, tuple(values), tuple(np.asarray(values).tolist()))
    elsewhere = {other.removeprefix(f"{path}.") for other in beside if other.startswith(f"{path}.")}
    return Axis(path, tuple(values), tuple(_distinct(_name(value, elsewhere) for value in values)))


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool | np.bool_)


def _name(value: Any, elsewhere: Collection[str]) -> str:
    """Say in a word what a value is, without the fields that are shown elsewhere."""
    if isinstance(value, Dataset):
        return value.name
    if elsewhere and isinstance(value, Spec):
        return value.shown_without(elsewhere)
    return str(value) if isinstance(value, Network | str) else repr(value)


def _distinct(names: Iterator[str]) -> Iterator[str]:
    """Number the names that have been there before."""
    seen: set[str] = set()
    for name in names:
        numbered = (f"{name} #{k}" for k in itertools.count(2))
        label = next(candidate for candidate in itertools.chain([name], numbered) if candidate not in seen)
        seen.add(label)
        yield label
