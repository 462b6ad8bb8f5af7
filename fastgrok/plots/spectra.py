"""The spectra of many networks' Hessians, by what lies where they rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.engine.critical_points import KINDS
from fastgrok.engine.spectra import HessianSpectrum
from fastgrok.errors import InvalidExperiment
from fastgrok.plots.style import COLOURS, MARKERS, axes_or_new, legend_below

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_APART = 0.17  # of two kinds at a rank
_FEW = 20  # networks of which no quantiles but the median are drawn
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


class Spectra(NamedTuple):
    """The eigenvalues of networks of one kind, by their rank."""

    n: int  # networks
    quantiles: NDArray[np.float64]  # (5, n_params): those of 5, 25, 50, 75 and 95 %, the least eigenvalue first


def eigenvalue_bands(spectrum: HessianSpectrum) -> dict[str, Spectra]:
    """Return the eigenvalues of each kind of network that there is, by rank: quantiles over the networks.

    Parameters
    ----------
    spectrum
        What `fastgrok.hessian_spectrum` returns.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor())
    >>> params = fg.run(exp, [0, 3, 6], keep_params=True).params
    >>> bands = eigenvalue_bands(fg.hessian_spectrum(exp, params, settle=5000))
    >>> {kind: found.n for kind, found in bands.items()}
    {'kink': 1, 'minimum': 2}
    """
    if not isinstance(spectrum, HessianSpectrum):
        raise InvalidExperiment("spectrum", spectrum, "what fg.hessian_spectrum returns")
    bands = {}
    for place, kind in enumerate(KINDS):
        rows = spectrum.eigenvalues[spectrum.kind == place]
        if len(rows):
            bands[kind] = Spectra(len(rows), np.quantile(rows, _QUANTILES, axis=0))
    return bands


def spectra(spectrum: HessianSpectrum, ax: Axes | None = None) -> Axes:
    """Draw the eigenvalues by rank, for each kind of network: the median, and where half and nine tenths are.

    Parameters
    ----------
    spectrum
        As for `eigenvalue_bands`.
    ax
        See `fastgrok.plots`.

    Notes
    -----
    Of 20 networks or fewer there is only the median. The axis is linear up to a thousandth of the largest eigenvalue,
    and logarithmic beyond.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor())
    >>> params = fg.run(exp, 20, keep_params=True).params
    >>> spectra(fg.hessian_spectrum(exp, params, settle=5000)).get_xlabel()
    'eigenvalue, by rank'
    """
    bands = eigenvalue_bands(spectrum)
    ax = axes_or_new(ax)
    ranks = np.arange(1, spectrum.eigenvalues.shape[1] + 1)
    for place, (kind, found) in enumerate(bands.items()):
        color = COLOURS[KINDS.index(kind)]
        low, lower, middle, upper, high = found.quantiles
        at = ranks + _APART * (place - (len(bands) - 1) / 2)  # beside each other, as all have eigenvalues of 0
        if found.n > _FEW:
            ax.vlines(at, low, high, color=color, linewidth=1)
            ax.vlines(at, lower, upper, color=color, linewidth=3, alpha=0.6)
        style: dict[str, Any] = {"marker": MARKERS[KINDS.index(kind)], "markersize": 4, "linestyle": "none"}
        ax.plot(at, middle, color=color, label=f"{kind}, {found.n:,}", **style)
    ax.axhline(0, color="black", linewidth=0.5)
    ax.set_yscale("symlog", linthresh=1e-3 * float(np.abs(spectrum.eigenvalues).max()) or 1.0)
    ax.locator_params(axis="x", integer=True)
    ax.set_xlabel("eigenvalue, by rank")
    ax.set_ylabel("eigenvalue of the Hessian")
    legend_below(ax)
    return ax
