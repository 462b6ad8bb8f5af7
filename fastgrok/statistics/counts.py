"""What became of the seeds of one configuration, in whole numbers that parts add up to exactly."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgrok.errors import MISSING, InvalidExperiment
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.network import relu_layers
from fastgrok.spec.variables import FORMER_OUTCOMES, NEVER, OUTCOMES, SEED, Outcome
from fastgrok.statistics.arguments import checked, integers
from fastgrok.statistics.histogram import INFINITE, KEYS, LATER, Histogram, Split, Tally, accuracy_bins, loss_bins
from fastgrok.statistics.row_histograms import row_histograms

_NONE = Histogram.of([])
_NONE_AT_ALL = Split(_NONE, _NONE)


@dataclass(frozen=True)
class Counts(Tally):
    """What became of the seeds of one configuration: counts and histograms of whole numbers.

    Parameters
    ----------
    n
        Seeds.
    has_criterion
        Whether there is a criterion by which a seed converges. None: not said, as of no seeds.
    outcomes
        Seeds of each outcome, in the order of `fastgrok.spec.variables.OUTCOMES`.
    converged
        Epoch -> seeds that converged after it.
    censored
        Epoch -> seeds last seen there that had not converged and still could have.
    never
        Epoch -> seeds that ended there without having converged and are not trained on: those that diverged or
        that were stopped early. They count as seeds that never converge.
    seed_epochs
        Epochs run, all seeds together.
    dead_initial
        For each ReLU layer: dead units at initialisation -> seeds.
    dead_final
        For each ReLU layer: dead units after the last update -> seeds.
    losses
        Bin of the final loss -> seeds; see `loss_bins`. Losses that are no number are left out.
    accuracies, accuracies_validation
        Final accuracy in units of 2**-31 -> seeds; see `accuracy_bins`. Empty where it was not counted: without
        validation data, and in what 0.1.0 wrote.
    losses_validation
        Bin of the final loss on the validation data -> seeds; what is no number counts as infinite.

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
    has_criterion: bool | None
    outcomes: tuple[int, ...] = field(metadata={KEYS: OUTCOMES})
    converged: Histogram
    censored: Histogram
    never: Histogram
    seed_epochs: int
    dead_initial: tuple[Split, ...] = ()
    dead_final: tuple[Split, ...] = ()
    losses: Split = _NONE_AT_ALL
    accuracies: Histogram = field(default=_NONE, metadata={LATER: True})
    losses_validation: Histogram = field(default=_NONE, metadata={LATER: True})
    accuracies_validation: Histogram = field(default=_NONE, metadata={LATER: True})

    def __post_init__(self) -> None:
        if len(self.outcomes) != len(OUTCOMES) or min(self.outcomes) < 0 or sum(self.outcomes) != self.n:
            raise InvalidExperiment("outcomes", self.outcomes, f"a count of each outcome, {self.n} together")
        if (seeds := self.converged.n + self.censored.n + self.never.n) != self.n:
            raise InvalidExperiment("converged, censored, never", seeds, f"seeds that are {self.n} together")
        if self.has_criterion is None and self.n:
            raise InvalidExperiment("has_criterion", None, "True or False, since there are seeds")

    @classmethod
    def empty(cls) -> Self:
        """Return the counts of no seed; whether there is a criterion stays open."""
        return cls(0, None, (0,) * len(OUTCOMES), _NONE, _NONE, _NONE, 0)

    @classmethod
    @checked
    def of(cls, columns: Mapping[str, Any], experiment: Experiment) -> Self:
        """Count the seeds of one configuration.

        Parameters
        ----------
        columns
            Result variables, one row a seed: `outcome`, `epochs_run`, `epochs_to_converge`, and, where they are
            to be counted, `loss_final`, `accuracy_final`, both of the validation data, `dead_units_initial`,
            `dead_units_final`, `stopped_early`. A DataFrame
            of a Parquet file will do, or a mapping of its columns: outcomes by their names, and the dead units of
            each layer in a column of its own, such as `dead_units_initial_1`.
        experiment
            The configuration.

        Raises
        ------
        InvalidExperiment
            If a column that is needed is missing, an outcome is none, or a column `seed` has one twice, as that of
            several configurations does.

        Notes
        -----
        A seed that did not converge and ended before the last epoch has diverged or was stopped early, whatever
        its outcome: `restore_best` may have given it back parameters of before.

        Examples
        --------
        >>> import fastgrok as fg
        >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=9)
        >>> Counts.of(fg.run(exp, seeds=8).outputs[0].finished_metrics, exp).n
        8
        """
        check_seeds_once(columns)
        return cls.of_each([columns], [experiment])[0]

    @classmethod
    def of_each(cls, columns: Sequence[Mapping[str, Any]], experiments: Sequence[Experiment]) -> list[Self]:
        """Count the seeds of several configurations with the same columns, as many seeds each, all at once.

        Parameters
        ----------
        columns
            The result variables of each, as for `of`.
        experiments
            The configurations.

        Raises
        ------
        InvalidExperiment
            As for `of`.
        """
        epochs, last = (_stacked(columns, name) for name in ("epochs_to_converge", "epochs_run"))
        outcomes = outcome_codes(_stacked_rows([needed_column(each, "outcome") for each in columns]))
        converged = epochs >= 0
        over = (outcomes == Outcome.DIVERGED) | (last < [[each.epochs] for each in experiments])
        if "stopped_early" in columns[0]:
            over |= _stacked_rows([each["stopped_early"] for each in columns])
        ended, classes = np.where(converged, epochs, last) if converged.any() else last, over + np.uint8(1)
        ends = row_histograms(ended, classes * ~converged, 3)
        of_outcomes = _outcome_counts(outcomes)
        seed_epochs = last.sum(axis=1, dtype=np.int64).tolist()
        dead_initial, dead_final = (
            _layers(
                [dead_by_layer(own, name, each) for own, each in zip(columns, experiments, strict=True)], converged
            )
            for name in ("dead_units_initial", "dead_units_final")
        )
        losses = _losses([each.get("loss_final") for each in columns], converged)
        validation = [None if each.validation is None else each.validation.n_examples for each in experiments]
        accuracies = _accuracies(columns, "accuracy_final", [each.data.n_examples for each in experiments])
        accuracies_validation = _accuracies(columns, "accuracy_validation_final", validation)
        losses_validation = _validation_losses(columns)
        return [
            cls(
                n=outcomes.shape[1],
                has_criterion=experiment.criteria is not None,
                outcomes=of_outcomes[k],
                converged=ends[k][0],
                censored=ends[k][1],
                never=ends[k][2],
                seed_epochs=seed_epochs[k],
                dead_initial=dead_initial[k],
                dead_final=dead_final[k],
                losses=losses[k],
                accuracies=accuracies[k],
                losses_validation=losses_validation[k],
                accuracies_validation=accuracies_validation[k],
            )
            for k, experiment in enumerate(experiments)
        ]

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Rebuild what `to_dict` wrote, here or in versions that had other names of outcomes: see `Tally.from_dict`.

        Parameters
        ----------
        plain
            Every field.

        Examples
        --------
        >>> Counts.from_dict(Counts.empty().to_dict()) == Counts.empty()
        True
        """
        if isinstance(outcomes := plain.get("outcomes"), Mapping):
            plain = {**plain, "outcomes": {FORMER_OUTCOMES.get(name, name): n for name, n in outcomes.items()}}
        return super().from_dict(plain)

    @classmethod
    def of_epochs(cls, epochs_to_converge: ArrayLike, until: int) -> Self:
        """Count seeds of which nothing is known but their epochs.

        Parameters
        ----------
        epochs_to_converge
            For each seed the epoch at which it converged; -1 if it did not.
        until
            The last epoch, at which those that did not converge were last seen.

        Raises
        ------
        InvalidExperiment
            If an epoch is no integer, or later than the last one.

        Examples
        --------
        >>> Counts.of_epochs([2, 5, -1, -1], until=9).censored
        Histogram({9: 2})
        """
        epochs = integers("epochs_to_converge", epochs_to_converge)
        if epochs.ndim != 1 or np.any(epochs > until) or np.any((epochs < 1) & (epochs != NEVER)):
            raise InvalidExperiment("epochs_to_converge", epochs_to_converge, f"-1, or an epoch from 1 to {until}")
        converged = epochs >= 0
        outcome = np.where(converged, Outcome.CONVERGED, Outcome.UNFINISHED)
        last = np.where(converged, epochs, until)
        return cls(
            n=len(epochs),
            has_criterion=True,
            outcomes=tuple(np.bincount(outcome, minlength=len(OUTCOMES)).tolist()),
            converged=Histogram.of(epochs[converged]),
            censored=Histogram.of(last[~converged]),
            never=_NONE,
            seed_epochs=int(last.sum()),
        )

    @property
    def n_converged(self) -> int:
        """Seeds that converged."""
        return self.converged.n

    def agrees(self, other: Self) -> bool:
        """Say whether the same seeds were counted, apart from what one of two versions did not count.

        Parameters
        ----------
        other
            The counts of the same seeds.

        Examples
        --------
        >>> Counts.empty().agrees(Counts.empty())
        True
        """
        both = [(getattr(self, f.name), getattr(other, f.name), f.metadata.get(LATER)) for f in fields(self)]
        return all(a == b or (later and not (a.n and b.n)) for a, b, later in both)

    def check_criterion(self) -> None:
        """Raise where there is no criterion, and so no answer to who converges and when.

        Raises
        ------
        InvalidExperiment
            If there is none.
        """
        if self.has_criterion is False:
            raise InvalidExperiment("criteria", MISSING, "Converged(...) in `stop`, without which no seed converges")

    def __add__(self, other: Tally) -> Self:
        if isinstance(other, Counts) and {self.has_criterion, other.has_criterion} == {True, False}:
            raise InvalidExperiment("criteria", MISSING, "Converged(...) in both counts that are added, or in none")
        return super().__add__(other)


def check_seeds_once(columns: Mapping[str, Any]) -> None:
    """Raise if columns say which seeds they are of, and one comes again."""
    if SEED not in columns:
        return
    seeds, counts = np.unique(np.asarray(columns[SEED]), return_counts=True)
    if np.any(counts > 1):
        expected = "each seed once, with the rows of one configuration: the same seed is no other observation"
        raise InvalidExperiment(f"columns[{SEED!r}]", int(seeds[np.argmax(counts)]), expected)


def needed_column(columns: Mapping[str, Any], name: str) -> Any:
    """Return a column that must be there."""
    if name not in columns:
        raise InvalidExperiment(f"columns[{name!r}]", MISSING, "a value for each seed")
    return columns[name]


def outcome_codes(outcomes: Any) -> NDArray[np.int64]:
    """Return the codes of outcomes, from codes or from names."""
    names, expected = np.asarray(outcomes), f"names among {', '.join(OUTCOMES)}, or their codes from 0"
    if names.dtype.kind in "iu" or not names.size:
        codes = names.astype(np.int64, copy=False)
    else:
        known = dict(zip(OUTCOMES, range(len(OUTCOMES)), strict=True))
        known |= {former: known[name] for former, name in FORMER_OUTCOMES.items()}
        found = [known.get(name, -1) if isinstance(name, str) else -1 for name in names.ravel().tolist()]
        codes = np.array(found).reshape(names.shape)
    if np.any((codes < 0) | (codes >= len(OUTCOMES))):
        raise InvalidExperiment("outcome", outcomes, expected)
    return codes


def _stacked(columns: Sequence[Mapping[str, Any]], name: str) -> NDArray[np.int64]:
    """Return a column of whole numbers of each configuration, (n_configurations, n_seeds)."""
    rows = [needed_column(each, name) for each in columns]
    known = [row if isinstance(row, np.ndarray) else integers(name, row) for row in rows]
    return integers(name, _stacked_rows(known))


def _stacked_rows(rows: Sequence[Any]) -> NDArray[Any]:
    """Return rows of as many seeds each, (n_rows, n_seeds)."""
    return np.stack([np.asarray(row) for row in rows])


def _outcome_counts(outcomes: NDArray[np.int64]) -> list[tuple[int, ...]]:
    """Return how many seeds of each configuration have each outcome."""
    n, kinds = len(outcomes), len(OUTCOMES)
    keys = outcomes + np.arange(n)[:, None] * kinds
    counts = np.bincount(keys.ravel(), minlength=n * kinds).reshape(n, kinds)
    return [tuple(row) for row in counts.tolist()]


def dead_by_layer(columns: Mapping[str, Any], name: str, experiment: Experiment) -> NDArray[Any] | None:
    """Return the dead units of each ReLU layer, (n_seeds, n_layers); None: no column has them."""
    if name in columns:
        return np.asarray(columns[name])
    names = [layer.column(name) for layer in relu_layers(experiment.network)]
    if not names or any(layer not in columns for layer in names):
        return None
    return np.column_stack([columns[layer] for layer in names])


def _losses(losses: Sequence[Any], converged: NDArray[np.bool_]) -> list[Split]:
    """Count the finite losses of the seeds of each configuration that converged and of the rest."""
    if losses[0] is None:
        return [_NONE_AT_ALL] * len(losses)
    values = _stacked_rows(losses)
    finite = np.isfinite(values)
    if finite.all():
        return _splits(loss_bins(values), ~converged)
    return _splits(loss_bins(np.where(finite, values, 0)), np.where(finite, ~converged, 2))


def _accuracies(columns: Sequence[Mapping[str, Any]], name: str, n_examples: Sequence[int | None]) -> list[Histogram]:
    """Count the accuracies of each configuration, of so many examples each."""
    if name not in columns[0] or None in n_examples:
        return [_NONE] * len(columns)
    sizes = np.array(n_examples)[:, None]
    n_correct = np.rint(_stacked_rows([each[name] for each in columns]) * sizes).astype(np.int64)
    found = (row[0] for row in row_histograms(n_correct, np.zeros(n_correct.shape, np.uint8), 1))
    return [
        Histogram(accuracy_bins(each.values, size), each.counts)
        for each, size in zip(found, sizes.ravel().tolist(), strict=True)
    ]


def _validation_losses(columns: Sequence[Mapping[str, Any]]) -> list[Histogram]:
    """Count the losses of each configuration on its validation data."""
    if "loss_validation_final" not in columns[0]:
        return [_NONE] * len(columns)
    values = _stacked_rows([each["loss_validation_final"] for each in columns]).astype(np.float64)
    finite = np.isfinite(values)
    bins = np.where(finite, loss_bins(np.where(finite, values, 0)), INFINITE)
    return [row[0] for row in row_histograms(bins, np.zeros(bins.shape, np.uint8), 1)]


def _layers(dead: Sequence[NDArray[Any] | None], converged: NDArray[np.bool_]) -> list[tuple[Split, ...]]:
    """Count the dead units of each layer in each configuration."""
    by_layer = [each.T for each in dead if each is not None]
    if not by_layer or not len(by_layer[0]):
        return [()] * len(dead)
    layers = zip(*by_layer, strict=True)
    return list(zip(*(_splits(np.stack(layer), ~converged) for layer in layers), strict=True))


def _splits(values: NDArray[Any], classes: NDArray[Any]) -> list[Split]:
    """Return the histograms of each row: of class 0, the seeds that converged, and of class 1, the rest."""
    return [Split(*each) for each in row_histograms(values, classes, 2)]
