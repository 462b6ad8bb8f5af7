"""What became of each seed, and how seeds whose loss has come to rest are told from those that still learn.

The test needs the loss, and the gradient, at one earlier epoch: drivers record the parameters there.
`docs/outcomes.md` has its error on some networks.
"""

import math

import numpy as np

from fastgrok.engine.kernel_params import batches_per_epoch
from fastgrok.kernels.evaluate import Measures
from fastgrok.kernels.train.workspace import Outputs
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.known_plateaus import has_known_plateaus
from fastgrok.spec.recording import Recording
from fastgrok.spec.variables import (
    CREEP_CHANGE,
    CREEP_SLOWDOWN,
    GROWN,
    NEVER,
    REST_CHANGE,
    REST_EPOCHS,
    REST_SHARE,
    REST_SHARE_SHUFFLED,
    REST_UPDATES,
    SADDLE_CHANGE,
    SADDLE_EPOCHS,
    SADDLE_GROWTH,
    Outcome,
)
from fastgrok.statistics.attainable import attainable, solved_loss
from fastgrok.statistics.plateaus import nearest_plateau, plateaus

DIVERGED, CONVERGED, DEAD, TRAPPED, UNFINISHED = map(int, Outcome)  # NumPy takes 2 us for an IntEnum

_FEW = 2**12  # elements, of which bytes are looked at sooner than NumPy begins to reduce them


def with_earlier(recording: Recording, experiment: Experiment) -> Recording:
    """Return a recording that keeps the parameters from which outcomes tell whether the loss has come to rest."""
    epochs = experiment.epochs
    least = REST_EPOCHS if experiment.network.relu_layers else SADDLE_EPOCHS
    if epochs < least and epochs * batches_per_epoch(experiment) < REST_UPDATES:
        return recording._replace(earlier=0, last=0)
    share = REST_SHARE_SHUFFLED if _is_shuffled(experiment) else REST_SHARE
    rule = experiment.early_stopping
    last = epochs if rule is not None and rule.restore_best else 0
    return recording._replace(earlier=epochs - math.ceil(share * epochs), last=last)


def at_the_end(
    experiment: Experiment, outputs: Outputs, initial: Measures, final: Measures, is_dead: np.ndarray
) -> np.ndarray:
    """Return the first outcome that applies to each seed, as its end shows; unfinished may still be trapped.

    initial, final: what the networks do then; is_dead: (n_seeds,). The later outcomes are written first.
    """
    outcome = np.empty(len(is_dead), np.int8)
    outcome.fill(UNFINISHED)
    if outputs.training is not None:
        np.putmask(outcome, outputs.training.stopped_early, TRAPPED)
    if outputs.stationary is not None:
        np.putmask(outcome, outputs.stationary, TRAPPED)
    np.putmask(outcome, is_dead, DEAD)
    if experiment.criteria is None:
        np.putmask(outcome, _solved(experiment, final) & ~is_dead, CONVERGED)
    else:
        np.putmask(outcome, outputs.epochs_to_converge != NEVER, CONVERGED)
    for finite in (np.isfinite(outputs.params), _is_bounded(experiment, initial, final)[:, None]):
        if not _all_true(finite):
            np.putmask(outcome, ~finite.all(axis=1), DIVERGED)
    for best in (outputs.validation, outputs.training):
        if best is not None:
            np.putmask(outcome, best.broken, DIVERGED)
    return outcome


def in_question(experiment: Experiment, outputs: Outputs, outcome: np.ndarray, earlier: int) -> np.ndarray:
    """Return the rows that may be trapped, (n,): they trained from an earlier epoch to the last in one attempt."""
    is_open = (outcome == UNFINISHED) & (outputs.epochs_run == experiment.epochs)
    if outputs.attempts is not None:
        is_open &= outputs.attempts.last(outputs.attempts.begun) < earlier
    return np.flatnonzero(is_open)


def at_rest(experiment: Experiment, earlier: Measures, final: Measures) -> np.ndarray:
    """Return whether the loss of each network has come to rest, (n,): see `OUTCOME_MEANINGS`.

    earlier, final: of the same networks, with their gradients.
    """
    before, after = earlier.loss.astype(np.float64), final.loss.astype(np.float64)
    change = np.abs(after - before)
    if not experiment.network.relu_layers:
        grows = final.gradient_norm > SADDLE_GROWTH * earlier.gradient_norm
        return np.asarray((change <= SADDLE_CHANGE * before) & ~grows)
    rests = np.asarray(change <= REST_CHANGE * before)
    if not _is_shuffled(experiment):
        slows = final.gradient_norm <= CREEP_SLOWDOWN * earlier.gradient_norm
        return np.asarray(rests & ((change <= CREEP_CHANGE * before) | slows))
    if has_known_plateaus(experiment.data):
        known = [plateau for plateau in plateaus(experiment.data, experiment.loss) if plateau.merged]
        if known:
            rests |= nearest_plateau(before, known) == nearest_plateau(after, known)  # NaN: at none
    return rests


def _is_shuffled(experiment: Experiment) -> bool:
    """Whether losses scatter from epoch to epoch because updates are made on other examples."""
    return experiment.order != "fixed" and batches_per_epoch(experiment) > 1


def _is_bounded(experiment: Experiment, initial: Measures, final: Measures) -> np.ndarray:
    """Return whether losses are finite, and did not grow beyond what learning explains, (n_seeds,)."""
    best = attainable(experiment.data, experiment.loss)
    least = max(best.constant_loss, solved_loss(best))
    bound = GROWN * np.fmax(initial.loss.astype(np.float64), least)
    return np.asarray(np.isfinite(final.loss) & (final.loss <= bound))


def _solved(experiment: Experiment, final: Measures) -> np.ndarray:
    """Return whether networks have learnt what there is to learn of the training data, (n_seeds,)."""
    best = attainable(experiment.data, experiment.loss)
    is_small = np.asarray(final.loss <= solved_loss(best))
    return is_small & (final.n_correct >= best.n_correct) if best.is_classes else is_small


def _all_true(flags: np.ndarray) -> bool:
    """Whether all flags of an array are True."""
    return b"\0" not in flags.tobytes() if flags.size < _FEW else bool(flags.all())
