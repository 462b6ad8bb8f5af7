"""What became of the seeds of one configuration, in whole numbers that parts add up to exactly."""

import dataclasses
import functools
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgrok.errors import InvalidExperiment
from fastgrok.experiment import Experiment
from fastgrok.schema import NEVER, OUTCOMES, Outcome
from fastgrok.statistics.histogram import Histogram
from fastgrok.stopping import Converged

_LOSS_BITS = 6
_NONE = Histogram.of([])


class Split(NamedTuple):
    """
    Histograms of the seeds that converged and of the rest.

    Parameters
    ----------
    converged
        Of those that did.
    rest
        Of those that did not.
    """

    converged: Histogram
    rest: Histogram

    def merged(self, other: "Split") -> "Split":
        """
        Return the sum of two.

        Parameters
        ----------
        other
            Of other seeds.
        """
        return Split(self.converged + other.converged, self.rest + other.rest)

    @property
    def all(self) -> Histogram:
        """That of all seeds."""
        return self.converged + self.rest


_NONE_AT_ALL = Split(_NONE, _NONE)


@dataclass(frozen=True)
class Counts:
    """
    What became of the seeds of one configuration: counts and histograms of whole numbers.

    Parameters
    ----------
    n
        Seeds.
    has_criterion
        Whether there is a criterion by which a seed converges.
    outcomes
        Seeds of each outcome, in the order of `fastgrok.schema.OUTCOMES`.
    converged
        Epoch -> seeds that converged after it.
    censored
        Epoch -> seeds last seen there that had not converged and still could have.
    never
        Seeds that had not converged and no longer can, however long they train: those that diverged or that
        were stopped early.
    seed_epochs
        Epochs run, all seeds together.
    dead_initial
        For each ReLU layer: dead units at initialisation -> seeds.
    dead_final
        For each ReLU layer: dead units after the last update -> seeds.
    losses
        Bin of the final loss -> seeds; see `loss_bins`. Losses that are no number are left out.

    Raises
    ------
    InvalidExperiment
        If the counts contradict each other.

    Notes
    -----
    `a + b` counts the seeds of both. It is exact, commutative and associative, so that parts of a sweep may be
    added up in any order; `Counts.empty` is its zero. Where the numbers of ReLU layers differ, a layer counts
    the seeds of the networks that have it. A seed that converged and went on (`keep_training`) counts as
    converged even if it diverged later.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> one, two, all_seeds = (fg.run(exp, seeds=s).counts[0] for s in (range(4), range(4, 8), range(8)))
    >>> one + two == all_seeds
    True
    """

    n: int
    has_criterion: bool
    outcomes: tuple[int, ...]
    converged: Histogram
    censored: Histogram
    never: int
    seed_epochs: int
    dead_initial: tuple[Split, ...] = ()
    dead_final: tuple[Split, ...] = ()
    losses: Split = _NONE_AT_ALL

    def __post_init__(self) -> None:
        if len(self.outcomes) != len(OUTCOMES) or min(self.outcomes) < 0 or sum(self.outcomes) != self.n:
            raise InvalidExperiment("outcomes", self.outcomes, f"a count of each outcome, {self.n} together")
        if self.never < 0 or self.converged.n + self.censored.n + self.never != self.n:
            raise InvalidExperiment("converged, censored, never", self.never, f"seeds that are {self.n} together")

    @classmethod
    def empty(cls, *, has_criterion: bool = True) -> Self:
        """
        Return the counts of no seed.

        Parameters
        ----------
        has_criterion
            Whether there is a criterion.
        """
        return cls(0, has_criterion, (0,) * len(OUTCOMES), _NONE, _NONE, 0, 0)

    @classmethod
    def of(cls, columns: Mapping[str, NDArray[Any]], experiment: Experiment) -> Self:
        """
        Count the seeds of one configuration.

        Parameters
        ----------
        columns
            Result variables, one row a seed: `outcome`, `epochs_run`, `epochs_to_converge`, and, where they are
            to be counted, `loss_final`, `dead_units_initial`, `dead_units_final`, `stopped_early`.
        experiment
            The configuration.

        Examples
        --------
        >>> import fastgrok as fg
        >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=9)
        >>> Counts.of(fg.run(exp, seeds=8).configurations[0].columns, exp).n
        8
        """
        epochs, last, outcome = (columns[name] for name in ("epochs_to_converge", "epochs_run", "outcome"))
        met = epochs >= 0
        over = outcome == Outcome.DIVERGED
        if "stopped_early" in columns:
            over = over | columns["stopped_early"]
        return cls(
            n=len(outcome),
            has_criterion=has_criterion(experiment),
            outcomes=tuple(np.bincount(outcome, minlength=len(OUTCOMES)).tolist()),
            converged=Histogram.of(epochs[met]),
            censored=Histogram.of(last[~met & ~over]),
            never=int(np.count_nonzero(~met & over)),
            seed_epochs=int(last.sum(dtype=np.int64)),
            dead_initial=_layers(columns.get("dead_units_initial"), met),
            dead_final=_layers(columns.get("dead_units_final"), met),
            losses=_losses(columns.get("loss_final"), met),
        )

    @classmethod
    def of_epochs(cls, epochs_to_converge: ArrayLike, until: int) -> Self:
        """
        Count seeds of which nothing is known but their epochs.

        Parameters
        ----------
        epochs_to_converge
            For each seed the epoch at which it converged; -1 if it did not.
        until
            The last epoch, at which those that did not converge were last seen.

        Raises
        ------
        InvalidExperiment
            If an epoch is later than the last one.

        Examples
        --------
        >>> Counts.of_epochs([2, 5, -1, -1], until=9).censored
        Histogram({9: 2})
        """
        epochs = np.asarray(epochs_to_converge, dtype=np.int64)
        if epochs.ndim != 1 or np.any(epochs > until) or np.any((epochs < 1) & (epochs != NEVER)):
            raise InvalidExperiment("epochs_to_converge", epochs_to_converge, f"-1, or an epoch from 1 to {until}")
        met = epochs >= 0
        outcomes = [0] * len(OUTCOMES)
        outcomes[Outcome.CONVERGED] = int(np.count_nonzero(met))
        outcomes[Outcome.UNFINISHED] = len(epochs) - outcomes[Outcome.CONVERGED]
        last = np.where(met, epochs, until)
        return cls(
            n=len(epochs),
            has_criterion=True,
            outcomes=tuple(outcomes),
            converged=Histogram.of(epochs[met]),
            censored=Histogram.of(last[~met]),
            never=0,
            seed_epochs=int(last.sum()),
        )

    @property
    def n_converged(self) -> int:
        """Seeds that converged."""
        return self.converged.n

    def __add__(self, other: "Counts") -> Self:
        if not isinstance(other, Counts):
            return NotImplemented
        if self.has_criterion != other.has_criterion and self.n and other.n:
            raise InvalidExperiment("stop", None, "a criterion in both of the counts that are added, or in neither")
        return type(self)(
            n=self.n + other.n,
            has_criterion=self.has_criterion if self.n else other.has_criterion,
            outcomes=tuple(a + b for a, b in zip(self.outcomes, other.outcomes, strict=True)),
            converged=self.converged + other.converged,
            censored=self.censored + other.censored,
            never=self.never + other.never,
            seed_epochs=self.seed_epochs + other.seed_epochs,
            dead_initial=_sum(self.dead_initial, other.dead_initial),
            dead_final=_sum(self.dead_final, other.dead_final),
            losses=self.losses.merged(other.losses),
        )

    def to_dict(self) -> dict[str, Any]:
        """
        Return every field as JSON has it.

        Examples
        --------
        >>> Counts.empty().to_dict()["outcomes"]
        {'diverged': 0, 'converged': 0, 'dead': 0, 'stalled': 0, 'unfinished': 0}
        """
        plain: dict[str, Any] = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        plain["outcomes"] = dict(zip(OUTCOMES, self.outcomes, strict=True))
        for name in ("converged", "censored"):
            plain[name] = plain[name].to_dict()
        for name in ("dead_initial", "dead_final"):
            plain[name] = [_split_to_dict(split) for split in plain[name]]
        plain["losses"] = _split_to_dict(self.losses)
        return plain

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """
        Rebuild what `to_dict` wrote.

        Parameters
        ----------
        plain
            Every field.

        Raises
        ------
        InvalidExperiment
            If a field is missing, or the counts contradict each other.

        Examples
        --------
        >>> Counts.from_dict(Counts.empty().to_dict()) == Counts.empty()
        True
        """
        try:
            return cls(
                n=int(plain["n"]),
                has_criterion=bool(plain["has_criterion"]),
                outcomes=tuple(int(plain["outcomes"][name]) for name in OUTCOMES),
                converged=Histogram.from_dict(plain["converged"]),
                censored=Histogram.from_dict(plain["censored"]),
                never=int(plain["never"]),
                seed_epochs=int(plain["seed_epochs"]),
                dead_initial=tuple(map(_split_from_dict, plain["dead_initial"])),
                dead_final=tuple(map(_split_from_dict, plain["dead_final"])),
                losses=_split_from_dict(plain["losses"]),
            )
        except (KeyError, TypeError) as error:
            raise InvalidExperiment("counts", plain, f"what to_dict wrote ({error} is missing or wrong)") from None


def total(parts: Mapping[Any, Counts] | list[Counts] | tuple[Counts, ...]) -> Counts:
    """
    Return the sum of parts, in any order.

    Parameters
    ----------
    parts
        Counts of different seeds, or the values of a mapping.

    Examples
    --------
    >>> total([]) == Counts.empty()
    True
    """
    several = list(parts.values()) if isinstance(parts, Mapping) else parts
    return functools.reduce(Counts.__add__, several, Counts.empty())


def has_criterion(experiment: Experiment) -> bool:
    """
    Say whether an experiment has a criterion by which a seed converges.

    Parameters
    ----------
    experiment
        Its `stop` may be none, one, or several.

    Examples
    --------
    >>> import fastgrok as fg
    >>> has_criterion(fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), stop=None))
    False
    """
    stop: Any = experiment.stop
    return any(isinstance(one, Converged) for one in (stop if isinstance(stop, tuple) else (stop,)))


def loss_bins(losses: NDArray[np.float64]) -> NDArray[np.int64]:
    """
    Return the bin of each loss: the leading bits of its float64, so that a bin is 0.8 to 1.6 % wide.

    Parameters
    ----------
    losses
        Numbers of 0 or more.

    Notes
    -----
    The sign, the exponent and the first 6 bits of the fraction. No logarithm is taken: a loss has the same bin
    on every machine, and bins ascend as losses do.

    Examples
    --------
    >>> float(loss_centers(loss_bins(np.array([0.25])))[0])
    0.251953125
    """
    bits = np.ascontiguousarray(losses, dtype=np.float64) + 0.0
    return bits.view(np.int64) >> (52 - _LOSS_BITS)


def loss_centers(bins: NDArray[np.int64]) -> NDArray[np.float64]:
    """
    Return the loss in the middle of each bin; 0 for the first.

    Parameters
    ----------
    bins
        What `loss_bins` returns.
    """
    wide = np.asarray(bins, dtype=np.int64) << (52 - _LOSS_BITS)
    middle = wide + (wide > 0) * (1 << (51 - _LOSS_BITS))
    return middle.view(np.float64)


def loss_edges(bins: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    Return the least loss of each bin, and the least of the next.

    Parameters
    ----------
    bins
        What `loss_bins` returns.

    Examples
    --------
    >>> [edges.tolist() for edges in loss_edges(loss_bins(np.array([0.25])))]
    [[0.25], [0.25390625]]
    """
    first = np.asarray(bins, dtype=np.int64)
    return tuple((k << (52 - _LOSS_BITS)).view(np.float64) for k in (first, first + 1))  # type: ignore[return-value]


def _losses(losses: NDArray[Any] | None, met: NDArray[np.bool_]) -> Split:
    """Count the finite losses of the seeds that converged and of the rest."""
    if losses is None:
        return _NONE_AT_ALL
    finite = np.isfinite(losses)
    return Split(*(Histogram.of(loss_bins(losses[finite & rows])) for rows in (met, ~met)))


def _layers(dead: NDArray[Any] | None, met: NDArray[np.bool_]) -> tuple[Split, ...]:
    """Count the dead units of each layer."""
    if dead is None:
        return ()
    return tuple(Split(Histogram.of(layer[met]), Histogram.of(layer[~met])) for layer in dead.T)


def _sum(a: tuple[Split, ...], b: tuple[Split, ...]) -> tuple[Split, ...]:
    """Add layer to layer."""
    return tuple(x.merged(y) for x, y in itertools.zip_longest(a, b, fillvalue=_NONE_AT_ALL))


def _split_to_dict(split: Split) -> dict[str, Any]:
    return {name: histogram.to_dict() for name, histogram in split._asdict().items()}


def _split_from_dict(plain: Mapping[str, Any]) -> Split:
    return Split(*(Histogram.from_dict(plain[name]) for name in Split._fields))
