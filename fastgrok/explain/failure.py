"""Why a seed failed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from fastgrok.explain.causes.death import NetworkDeath, UnitDeath, dead_units, network_death
from fastgrok.explain.causes.divergence import divergence
from fastgrok.explain.causes.loss_trend import flat, saddle, slow, untrained, vanished
from fastgrok.explain.causes.plateau import on_plateau
from fastgrok.explain.text import paragraph
from fastgrok.explain.trace import Moment, epochs_of, experiment_of, moment, start_of_last_run, trimmed
from fastgrok.kernels.environment import in_default_environment
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.variables import NEVER, OUTCOMES, Outcome
from fastgrok.statistics.attainable import attainable, solved_loss
from fastgrok.statistics.text import listed, number

if TYPE_CHECKING:
    import xarray as xr


class Success(NamedTuple):
    """The seed did not fail."""

    epoch: int  # after which every criterion held for the first time; without criteria, since when it is solved
    criteria: str  # those of the experiment, as it prints them; "" where there are none

    @property
    def cause(self) -> str:
        """The word for it."""
        return "converged"

    def text(self, experiment: Experiment) -> str:
        """Say it in words."""
        if not self.criteria:
            solved = f"It did not fail: no criteria were given, and since epoch {self.epoch} it is solved."
            return paragraph(solved, "As many examples are right as can be, and the loss is small.")
        return paragraph(f"It did not fail: it converged at epoch {self.epoch}, by {self.criteria}.")


def success(trace: xr.Dataset, experiment: Experiment) -> Success | None:
    """Return when the seed converged, or None."""
    epoch = int(trace["epochs_to_converge"])
    if epoch != NEVER:
        return Success(epoch, repr(experiment.criteria))
    if trace["outcome"] != Outcome.CONVERGED:
        return None
    best, n = attainable(experiment.data, experiment.loss), experiment.data.n_examples
    solved = trace["loss"].values <= solved_loss(best)
    if best.is_classes:
        solved &= np.rint(trace["accuracy"].values * n) >= best.n_correct
    return Success(int(epochs_of(trace)[min(start_of_last_run(solved), len(solved) - 1)]), "")


class Evidence(Protocol):
    """The evidence of a cause."""

    @property
    def cause(self) -> str:
        """The word for it, one of those of `failure`."""

    def text(self, experiment: Experiment) -> str:
        """Say it in words."""


CAUSES: tuple[Callable[[xr.Dataset, Experiment], Evidence | None], ...] = (
    divergence, success, network_death, untrained, on_plateau, saddle, vanished, slow, flat,
)  # fmt: skip
"""The evidence of each cause in a trace, or None; the first that applies is why a seed failed."""


@dataclass(frozen=True)
class Failure:
    """Why a seed failed.

    Parameters
    ----------
    cause
        One of the words of `failure`.
    evidence
        Its evidence: `Success`, `Divergence`, `NetworkDeath`, `OnPlateau` or `NotConverged`.
    outcome
        The outcome of the seed in a sweep.
    end
        The last time that was recorded.
    loss, accuracy, gradient_norm
        Then.
    dead
        The units that are dead then.
    restored
        The epoch whose parameters EarlyStopping(restore_best=True) brought back; None: those of the end were kept.
        The outcome is of these.
    stopped_early
        Whether EarlyStopping or Stationary ended it.
    experiment
        The experiment that was replayed.
    """

    cause: str
    evidence: Evidence
    outcome: str
    end: Moment
    loss: float
    accuracy: float
    gradient_norm: float
    dead: tuple[UnitDeath, ...]
    restored: int | None
    stopped_early: bool
    experiment: Experiment = field(repr=False)

    def __str__(self) -> str:
        end = f"In the end, at {self.end}: loss {number(self.loss)}, accuracy {number(self.accuracy)}"
        norm = f"gradient norm {number(self.gradient_norm)}"
        of = "." if self.restored is None else f" with the parameters of epoch {self.restored}, which were restored."
        early = f"{_ended(self.experiment, self.gradient_norm)}." if self.stopped_early else ""
        closing = paragraph(f"{end}, {norm}, outcome {self.outcome}{of}", early, self._dead_text())
        return f"{self.evidence.text(self.experiment)}\n\n{closing}"

    def _dead_text(self) -> str:
        """Name the units that are dead, but for those of a layer whose death is the cause."""
        told = self.evidence.layer if isinstance(self.evidence, NetworkDeath) else None
        dead = [f"unit {d.unit} of layer {d.layer} (since {d.since})" for d in self.dead if d.layer != told]
        return f"Dead: {listed(dead)}." if dead else ""


def _ended(experiment: Experiment, gradient_norm: float) -> str:
    """Say which rule ended a seed, and why."""
    rule, rest = experiment.early_stopping, experiment.stationary
    if rule is None or (rest is not None and gradient_norm <= rest.gradient_norm):
        assert rest is not None
        return f"Stationary ended it: the norm of the gradient is at most {number(rest.gradient_norm)}"
    least = rule.min_delta if rule.tol is None else rule.tol
    by = f" by {'more than ' * (rule.tol is None)}{number(least)}" if least else ""
    return f"EarlyStopping ended it: the {rule.monitor} loss no longer improved{by}"


def _restored_epoch(trace: xr.Dataset) -> int | None:
    """Return the epoch whose parameters were brought back; None where those of the end were kept."""
    if "weight_1_final" not in trace:
        return None
    best = int(trace["epoch_best" if "epoch_best" in trace else "epoch_validation_best"])
    return best if best not in (NEVER, 0, int(trace["epochs_run"])) else None


@in_default_environment
def failure(trace: Any) -> Failure:
    """Say why a seed failed, with the evidence.

    Parameters
    ----------
    trace
        What `replay` returns, of one seed. With every="step" a death or a divergence is traced to its update.

    Returns
    -------
    The first cause of these that applies:

    ============= ====================================================================================
    "converged"   it did not fail: the epoch
    "diverged"    something is not finite: which first, and the largest values before; or how the loss grew
    "born_dead"   every unit of a ReLU layer is dead at initialisation, and stays so; no Skip leads around it
    "dead"        every unit of such a layer died: when each, and what killed the last one
    "untrained"   no epoch was run
    "plateau"     the loss stays where examples of different targets have one output: which, since when
    "saddle"      the loss hardly changes, and the gradient grows: the seed is leaving
    "vanished"    the gradient norm is below 1e-6 times the spread of the targets, and does not grow
    "slow"        a run ten times as long at most would have done: the rate of the loss, and how far it is to the goal
    "flat"        none of these: there is a gradient, and no run of that length would do
    ============= ====================================================================================

    Raises
    ------
    InvalidExperiment
        If it is not a trace of one seed.

    Notes
    -----
    Of a seed that began again the last attempt is explained, and of one whose best parameters were restored the end
    of training, not these. What lies between two recorded times is not seen: with `record_at` a time is the first
    recorded one at which something is so. Of at most 8 examples that differ, however often each occurs, all plateaus
    are known; of more, examples whose outputs lie within a tenth of the distance of the targets are groups, and the
    loss must be what is left when each has one output. A seed sits on a plateau if its loss was near it over the last
    tenth of the epochs or more. A loss falls if, over the last quarter of the recorded times, its logarithm fell by
    more than 1e-3 and by more than twice its standard deviation around a straight line. It is taken to go on so, or,
    where it falls ever more slowly, as a power of the epochs. The goal is the loss that was asked for; without one,
    that of a seed that is solved. Units that are dead are named in every case. On a plateau of a small network whose
    parameters are all trained `curvature` says whether the seed rests at a saddle, a minimum, or a kink where the
    loss falls.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor())
    >>> fg.explain.failure(fg.replay(exp, seed=3)).cause
    'plateau'
    """
    attempt = trimmed(trace, last_attempt=True)
    experiment = experiment_of(attempt)
    evidence = next(e for e in (cause(attempt, experiment) for cause in CAUSES) if e is not None)
    loss, accuracy, norm = (float(attempt[name].values[-1]) for name in ("loss", "accuracy", "gradient_norm"))
    outcome = OUTCOMES[int(attempt["outcome"])]
    restored = _restored_epoch(attempt)
    end, dead = moment(attempt, -1), dead_units(attempt, experiment)
    early = "stopped_early" in attempt and bool(attempt["stopped_early"])
    return Failure(evidence.cause, evidence, outcome, end, loss, accuracy, norm, dead, restored, early, experiment)
