"""Result variables from what the kernels wrote: one row a seed."""

import itertools
from collections.abc import Callable, Iterable
from typing import cast

import numpy as np

from fastgrok.engine import outcomes
from fastgrok.kernels.evaluate import Measures
from fastgrok.kernels.train.workspace import BestEpochs, Outputs
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.known_plateaus import has_known_plateaus
from fastgrok.spec.recording import Recording
from fastgrok.spec.variables import NEVER
from fastgrok.statistics.plateaus import nearest_plateau, plateaus


class Metrics:
    """The result variables of some seeds of an experiment."""

    def __init__(self, experiment: Experiment, outputs: Outputs, initial: Measures, final: Measures) -> None:
        self._experiment = experiment
        self._outputs, self._initial, self._final = outputs, initial, final
        self._n_examples = experiment.data.n_examples
        self._widths = experiment.network.relu_widths
        ends = itertools.accumulate(self._widths, initial=0)
        self._units = [slice(first, end) for first, end in itertools.pairwise(ends)]

    def always(self, recording: Recording, measured: Callable[[np.ndarray, int], Measures]) -> dict[str, np.ndarray]:
        """Return what every run has, and the restarts where there may be some.

        measured: (rows, a recorded epoch) -> what they did after it.
        """
        outputs, initial, final = self._outputs, self._initial, self._final
        dead = self._by_layer(np.array([initial.dead, final.dead, initial.dead & final.dead]))
        revived, died = dead[:2] - dead[2]
        born_dead, is_dead = self._is_dead(dead[:2])
        outcome = self._outcomes(is_dead, recording, measured)
        return {
            "outcome": outcome,
            "epochs_run": outputs.epochs_run,
            "epochs_to_converge": outputs.epochs_to_converge,
            "loss_initial": initial.loss,
            "loss_final": final.loss,
            "accuracy_final": final.n_correct.astype(np.float64) / self._n_examples,
            "gradient_norm_final": final.gradient_norm,
            "dead_units_initial": dead[0].T,
            "dead_units_final": dead[1].T,
            "units_died": died.T,
            "units_revived": revived.T,
            "born_dead": born_dead,
            "weight_norm_initial": initial.weight_norms,
            "weight_norm_final": final.weight_norms,
            **plateau(self._experiment, outcome, final.loss),
            **({"restarts": outputs.attempts.restarts} if outputs.attempts is not None else {}),
        }

    def stopped_early(self) -> dict[str, np.ndarray]:
        """Return what rules that stop seeds add: which they stopped, and the best epoch by training loss."""
        outputs, experiment = self._outputs, self._experiment
        values: dict[str, np.ndarray] = {}
        if experiment.stationary is not None:
            values["stopped_early"] = outputs.stationary
        if experiment.early_stopping is not None:
            ending = cast(BestEpochs, outputs.validation if outputs.training is None else outputs.training)
            values["stopped_early"] = values.get("stopped_early", False) | ending.stopped_early
        if outputs.training is not None:
            known = np.isfinite(ending.loss)
            values["loss_best"] = np.where(known, ending.loss, np.nan)
            values["epoch_best"] = np.where(known, ending.epoch, NEVER)
        return values

    def validation(self, final: Measures, n_examples: int) -> dict[str, np.ndarray]:
        """Return what there is with validation data of so many examples, from what the networks do on it."""
        best = cast(BestEpochs, self._outputs.validation)
        known = np.isfinite(best.loss) & (best.epoch > 0)
        return {
            "loss_validation_final": final.loss,
            "accuracy_validation_final": final.n_correct.astype(np.float64) / n_examples,
            "loss_validation_best": np.where(known, best.loss, np.nan),
            "epoch_validation_best": np.where(known, best.epoch, NEVER),
        }

    def recorded(self, epochs: Iterable[int], measures: Iterable[Measures]) -> dict[str, np.ndarray]:
        """Return what is recorded, from what the networks did after each of some epochs, if they ran so many."""
        losses, n_correct, dead = [], [], []
        for epoch, at in zip(epochs, measures, strict=True):
            ran = self._outputs.epochs_run >= epoch
            losses.append(np.where(ran, at.loss, self._final.loss))
            n_correct.append(np.where(ran, at.n_correct, self._final.n_correct))
            dead.append(self._by_layer(np.where(ran, at.dead, self._final.dead)).T)
        return {
            "loss_recorded": np.stack(losses, axis=1),
            "accuracy_recorded": np.stack(n_correct, axis=1).astype(np.float64) / self._n_examples,
            "dead_units_recorded": np.stack(dead, axis=1),
        }

    def tracked(self) -> dict[str, np.ndarray]:
        """Return the epoch since which each unit is dead, layer by layer side by side.

        The driver checks the units after some epochs only: a unit that was dead at the start of an attempt, and is
        dead since its first check, counts as dead since the start.
        """
        experiment, outputs, since = self._experiment, self._outputs, self._outputs.dead_since
        interval, begun = min(experiment.check_every, experiment.epochs), np.zeros((len(since), 1), np.int64)
        if outputs.attempts is not None and experiment.restart is not None:
            interval = min(interval, experiment.restart.after or interval)
            begun = outputs.attempts.last(outputs.attempts.begun)[:, None]
        first_check = np.minimum(begun + interval, experiment.epochs)
        unchecked = (outputs.epochs_run == 0)[:, None]
        since = np.where(self._initial.dead.T & ((since == first_check) | unchecked), begun, since)
        widths = experiment.network.relu_widths
        padded = np.full((len(since), len(widths), max(widths, default=0)), NEVER, np.int64)
        for k, layer in enumerate(self._layers(since.T)):
            padded[:, k, : widths[k]] = layer.T
        return {"dead_since": padded}

    def _layers(self, units: np.ndarray) -> list[np.ndarray]:
        """Return the units (..., n_units, n_seeds) of each ReLU layer."""
        return [units[..., rows, :] for rows in self._units]

    def _by_layer(self, units: np.ndarray) -> np.ndarray:
        """Return how many units of each ReLU layer are marked, (..., n_layers, n_seeds)."""
        *others, _, n = units.shape
        counts = np.empty((*others, len(self._widths), n), np.min_scalar_type(max(self._widths, default=0)))
        for k, layer in enumerate(self._layers(units.view(np.uint8))):
            np.add.reduce(layer, axis=-2, dtype=counts.dtype, out=counts[..., k, :])
        return counts

    def _is_dead(self, dead: np.ndarray) -> np.ndarray:
        """Whether every unit of some ReLU layer that no Skip leads around is dead, (..., n_seeds).

        dead: (..., n_layers, n_seeds)
        """
        found = np.zeros((*dead.shape[:-2], dead.shape[-1]), np.bool_)
        for k, (width, is_gate) in enumerate(zip(self._widths, self._experiment.network.relu_gates, strict=True)):
            if is_gate:
                found |= dead[..., k, :] == width
        return found

    def _outcomes(
        self, is_dead: np.ndarray, recording: Recording, measured: Callable[[np.ndarray, int], Measures]
    ) -> np.ndarray:
        """Return the outcome of each seed."""
        experiment, outputs, final = self._experiment, self._outputs, self._final
        outcome = outcomes.at_the_end(experiment, outputs, self._initial, final, is_dead)
        if recording.earlier:
            rows = outcomes.in_question(experiment, outputs, outcome, recording.earlier)
            if len(rows):
                end = final._replace(loss=final.loss[rows], gradient_norm=final.gradient_norm[rows])
                if recording.last:  # the final parameters may be those of the best epoch
                    end = measured(rows, recording.last)
                rests = outcomes.at_rest(experiment, measured(rows, recording.earlier), end)
                outcome[rows[rests]] = outcomes.TRAPPED
        return outcome


def plateau(experiment: Experiment, outcome: np.ndarray, loss_final: np.ndarray) -> dict[str, np.ndarray]:
    """Return the plateau that each seed sits on, where the data have few enough examples to know them."""
    if not has_known_plateaus(experiment.data):
        return {}
    known = plateaus(experiment.data, experiment.loss)
    nearest = nearest_plateau(loss_final, known)
    np.putmask(nearest, outcome <= outcomes.CONVERGED, np.nan)
    if not known[0].merged:  # all examples are told apart there: the seed is slow, not trapped
        np.putmask(nearest, nearest == known[0].loss, np.nan)
    return {"plateau": nearest}
