"""Where training ends: runs that go on for the few seeds that are not there yet."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.spec.experiment import Experiment
from fastgrok.statistics.plateaus import Plateau
from fastgrok.studies.measures import column
from fastgrok.studies.study import Runner


class Ending(NamedTuple):
    """How each seed ended."""

    columns: Mapping[str, NDArray[Any]]
    at: Mapping[str, NDArray[np.bool_]]  # for each plateau, by its name, which seeds ended there

    @property
    def somewhere(self) -> NDArray[np.bool_]:
        """Which seeds ended at one of the plateaus."""
        return sum(self.at.values(), np.zeros(len(self.columns["loss_final"]), dtype=bool))


def run_to_the_end(
    runner: Runner, experiment: Experiment, plateaus: Sequence[Plateau], tolerance: float, longer: int
) -> Ending:
    """
    Train every seed, and those that end on no plateau again for longer.

    Notes
    -----
    A seed near a plateau is taken to have ended there. A few only pass it slowly: at most 0.4 % of those in the
    studies that use it moved on when they were trained on, and each protocol says how many.
    """
    names = ("loss_final", "accuracy_final", "epochs_to_converge", "born_dead")
    result = runner.run(experiment)
    columns = {name: column(result, name).copy() for name in names}
    late = np.flatnonzero(~Ending(columns, _at(columns["loss_final"], plateaus, tolerance)).somewhere)
    if late.size:
        again = runner.run(experiment.replace(epochs=longer), late)
        for name in names:
            columns[name][late] = column(again, name)
    return Ending(columns, _at(columns["loss_final"], plateaus, tolerance))


def _at(losses: NDArray[np.float64], plateaus: Sequence[Plateau], tolerance: float) -> dict[str, NDArray[np.bool_]]:
    """Return which losses are near each plateau."""
    return {f"{plateau.loss:.4g}": abs(losses - plateau.loss) <= tolerance for plateau in plateaus}
