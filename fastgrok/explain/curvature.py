"""Saddle or minimum: the curvature of the loss where one seed came to rest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fastgrok.engine.spectra import HessianSpectrum, hessian_spectrum
from fastgrok.explain.passes import experiment_and_params
from fastgrok.explain.text import example, paragraph
from fastgrok.kernels.environment import in_default_environment
from fastgrok.spec.experiment import Experiment
from fastgrok.statistics.text import number, plural

SETTLE = 20_000
"""Epochs of gradient descent that a network makes to where it comes to rest, unless it is said."""


@dataclass(frozen=True)
class Curvature:
    """The curvature of the loss where one network rests.

    Parameters
    ----------
    kind
        What lies there: "slope", "kink", "saddle", "minimum" or "degenerate", as `fastgrok.hessian_spectrum` has it.
    spectrum
        What that found: one row.
    settled
        Epochs of gradient descent that were made before.
    experiment
        The experiment.
    """

    kind: str
    spectrum: HessianSpectrum
    settled: int
    experiment: Experiment = field(repr=False)

    def __str__(self) -> str:
        found = self.spectrum
        descent = f"{plural(self.settled, 'epoch')} of gradient descent on all examples"
        how = f"Looked at {number(found.moved[0])} beside where it was: after {descent}." if found.moved[0] else ""
        if self.settled and not how and found.gradient_norm[0] > 0:
            how = (
                f"Looked at where it was: by {descent} it would go away from there, to a loss more than 5 % smaller."
            )
        norm = f"There the loss is {number(found.loss[0])}, and the gradient norm {number(found.gradient_norm[0])}."
        return paragraph(self.verdict(), how, norm, self._kinks())

    def verdict(self) -> str:
        """Say in a sentence or two what lies there."""
        found, data = self.spectrum, self.experiment.data
        values, n_params = found.eigenvalues[0], found.eigenvalues.shape[1]
        least, most = number(values[0]), number(values[-1])
        if self.kind == "kink":
            layer, unit, row = found.kink_at[0].tolist()
            return (
                f"Neither saddle nor minimum: unit {unit} of layer {layer} has z = 0 exactly on "
                f"{example(data, row)}, and across it the loss falls, with slope {number(found.kink_slope[0])}. "
                "Training does not see it: at z = 0 it takes another slope."
            )
        if self.kind == "saddle":
            below = plural(int(found.n_negative[0]), "eigenvalue")
            return f"A saddle: {below} of the Hessian below zero, the least {least}, the largest {most}."
        if self.kind == "minimum":
            positive = int(found.rank[0])
            return (
                f"A local minimum: of {n_params} eigenvalues of the Hessian {positive} are above zero, up to {most}, "
                f"and none is below; along the other {n_params - positive} directions the outputs stay as they are."
            )
        if self.kind == "slope":
            return f"Not at rest: the loss has a gradient there. The Hessian's eigenvalues are {least} to {most}."
        return f"The second order does not tell saddle from minimum: the Hessian's eigenvalues are {least} to {most}."

    def _kinks(self) -> str:
        """Say how many inputs of units lie on a kink."""
        n = int(self.spectrum.kinks[0])
        return f"{n} of the units' inputs, over all examples, are exactly 0, on a kink." if n else ""


@in_default_environment
def curvature(source: Any, params: Any = None, *, at: Any = None, settle: int = SETTLE) -> Curvature:
    """Say whether a network rests at a saddle or at a minimum, from the exact Hessian of the mean loss.

    Parameters
    ----------
    source
        What `replay` returns, of one seed; or an experiment.
    params
        With an experiment: the parameters of one network.
    at
        With a trace: an epoch or step that it has; None: the last.
    settle
        As for `fastgrok.hessian_spectrum`, whose notes say what is looked at, and how it is told.

    Raises
    ------
    InvalidExperiment
        If an argument is not accepted, or the network has more than 2,000 parameters.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor())
    >>> [fg.explain.curvature(fg.replay(exp, seed)).kind for seed in (0, 3)]
    ['minimum', 'kink']
    """
    experiment, checked = experiment_and_params(source, params, at)
    flat = np.concatenate([array.ravel() for array in checked])
    spectrum = hessian_spectrum(experiment, flat, settle=settle)
    return Curvature(str(spectrum.names[0]), spectrum, int(settle), experiment)
