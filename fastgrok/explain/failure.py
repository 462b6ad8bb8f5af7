"""Why a seed failed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from fastgrok.explain.causes.course import Course, course, course_text
from fastgrok.explain.causes.death import NetworkDeath, network_death
from fastgrok.explain.causes.divergence import Divergence, divergence
from fastgrok.explain.causes.plateau import OnPlateau, on_plateau
from fastgrok.explain.trace import Moment, experiment_of, moment, trimmed
from fastgrok.explain.wording import paragraph
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.variables import NEVER, OUTCOMES, STALLED_GRADIENT_NORM, Outcome
from fastgrok.statistics.text import number

if TYPE_CHECKING:
    import xarray as xr


class Success(NamedTuple):
    """The seed did not fail."""

    epoch: int  # after which every criterion held for the first time
    criteria: str  # what was asked for

    @property
    def cause(self) -> str:
        """The word for it."""
        return "converged"

    def text(self, experiment: Experiment) -> str:
        """Say it in words."""
        return paragraph(f"It did not fail: it converged at epoch {self.epoch}, by {self.criteria}.")


class NoEnd(NamedTuple):
    """The seed has neither converged nor come to any of the known ends."""

    cause: str  # "untrained", "stalled", "slow" or "flat": see `failure`
    course: Course  # how the loss went at the end
    gradient_norm: float  # in the end
    stopped_early: bool  # whether EarlyStopping ended it

    def text(self, experiment: Experiment) -> str:
        """Say it in words."""
        norm = number(self.gradient_norm)
        openings = {
            "untrained": "Untrained: no epoch was run.",
            "stalled": f"Stalled: the gradient norm is {norm}, below {STALLED_GRADIENT_NORM:g}: nothing moves it.",
            "slow": "Slow: it was still learning when training ended.",
            "flat": f"Flat: the loss does not fall any more, though the gradient norm is {norm}: "
            "updates undo each other, or lead nowhere.",
        }
        early = "EarlyStopping ended it: the validation loss no longer improved." if self.stopped_early else ""
        unasked = "" if experiment.criteria else "Nothing was asked for: stop has no Converged(...)."
        return paragraph(openings[self.cause], course_text(self.course), early, unasked)


Evidence = Success | Divergence | NetworkDeath | OnPlateau | NoEnd


@dataclass(frozen=True)
class Failure:
    """
    Why a seed failed.

    Parameters
    ----------
    cause
        One of the words of `failure`.
    evidence
        What shows it: `Success`, `Divergence`, `NetworkDeath`, `OnPlateau` or `NoEnd`.
    outcome
        The outcome of the seed in a sweep.
    end
        The last time that was recorded.
    loss, accuracy, gradient_norm
        Then.
    restored
        The epoch whose parameters EarlyStopping(restore_best=True) brought back; None: those of the end were kept.
        The outcome is of these.
    experiment
        What was trained.
    """

    cause: str
    evidence: Evidence
    outcome: str
    end: Moment
    loss: float
    accuracy: float
    gradient_norm: float
    restored: int | None
    experiment: Experiment = field(repr=False)

    def __str__(self) -> str:
        end = f"In the end, at {self.end}: loss {number(self.loss)}, accuracy {number(self.accuracy)}"
        norm = f"gradient norm {number(self.gradient_norm)}"
        of = "." if self.restored is None else f" with the parameters of epoch {self.restored}, which were restored."
        return f"{self.evidence.text(self.experiment)}\n\n{paragraph(f'{end}, {norm}, outcome {self.outcome}{of}')}"


def failure(trace: Any) -> Failure:
    """
    Say why a seed failed, with the evidence.

    Parameters
    ----------
    trace
        What `replay` returns, of one seed. With every="step" a death or a divergence is traced to its update.

    Returns
    -------
    The first cause of these that applies:

    ============= ====================================================================================
    "converged"   it did not fail: the epoch
    "diverged"    a parameter or the loss is not finite: which first, and the largest values before
    "born_dead"   every unit of a ReLU layer is dead at initialisation, and stays so
    "dead"        every unit of a ReLU layer died: when each, and what killed the last one
    "untrained"   no epoch was run
    "plateau"     the loss sits on one of `fastgrok.statistics.plateaus`: what is not told apart, since when
    "stalled"     the gradient norm is below 1e-6
    "slow"        the loss was still falling: at what rate, and how far it is to the goal
    "flat"        none of these: the loss does not fall, and there is a gradient
    ============= ====================================================================================

    Raises
    ------
    InvalidExperiment
        If it is not a trace of one seed.

    Notes
    -----
    Of a seed that began again the last attempt is explained, and of one whose best parameters were restored the end
    of training, not these. What lies between two recorded times is not seen: with
    `record_at` a time is the first recorded one at which something is so. The thresholds: `SITS` and `APART` for
    plateaus, which are known for at most 8 examples; `LEAST_FALL`, `SCATTERS` and `WINDOW` for a loss that falls.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor())
    >>> fg.explain.failure(fg.replay(exp, seed=3)).cause
    'plateau'
    """
    there = trimmed(trace, last_attempt=True)
    experiment = experiment_of(there)
    evidence = _evidence(there, experiment)
    loss, accuracy, norm = (float(there[name].values[-1]) for name in ("loss", "accuracy", "gradient_norm"))
    outcome = OUTCOMES[int(there["outcome"])]
    best = int(there["epoch_validation_best"]) if "weight_1_final" in there else NEVER
    restored = best if best not in (NEVER, int(there["epochs_run"])) else None
    return Failure(evidence.cause, evidence, outcome, moment(there, -1), loss, accuracy, norm, restored, experiment)


def _evidence(trace: xr.Dataset, experiment: Experiment) -> Evidence:
    """Return what shows the first cause that applies."""
    if trace["outcome"] == Outcome.DIVERGED:
        return divergence(trace, experiment)
    if trace["epochs_to_converge"] != NEVER:
        return Success(int(trace["epochs_to_converge"]), repr(experiment.criteria))
    dead = network_death(trace, experiment)
    if dead is not None:
        return dead
    if trace["epochs_run"] == 0:
        return _no_end("untrained", trace, experiment)
    plateau = on_plateau(trace, experiment)
    if plateau is not None:
        return plateau
    if trace["gradient_norm"].values[-1] < STALLED_GRADIENT_NORM:
        return _no_end("stalled", trace, experiment)
    found = course(trace, experiment)
    return _no_end("slow" if found.falling else "flat", trace, experiment)


def _no_end(cause: str, trace: xr.Dataset, experiment: Experiment) -> NoEnd:
    """Return the evidence where only the course of the loss says something."""
    early = "stopped_early" in trace and bool(trace["stopped_early"])
    return NoEnd(cause, course(trace, experiment), float(trace["gradient_norm"].values[-1]), early)
