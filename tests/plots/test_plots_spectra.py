"""Spectra by kind: the picture shows the quantiles that are computed."""

import numpy as np
import pytest
from matplotlib.axes import Axes

import fastgrok as fg
from fastgrok.plots.spectra import eigenvalue_bands, spectra


def test_the_picture_shows_the_quantiles_of_each_kind(ax: Axes) -> None:
    exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor())
    spectrum = fg.hessian_spectrum(exp, fg.run(exp, 40, keep_params=True, progress=False).params, settle=5000)
    bands = eigenvalue_bands(spectrum)
    assert sum(found.n for found in bands.values()) == 40
    for kind, found in bands.items():
        rows = spectrum.eigenvalues[spectrum.names == kind]
        np.testing.assert_allclose(found.quantiles[2], np.median(rows, axis=0), rtol=1e-12)
    spectra(spectrum, ax)
    drawn = {line.get_label(): line.get_ydata() for line in ax.lines[: len(bands)]}
    assert list(drawn) == [f"{kind}, {found.n}" for kind, found in bands.items()]
    for values, found in zip(drawn.values(), bands.values(), strict=True):
        np.testing.assert_array_equal(values, found.quantiles[2])


def test_something_else_is_refused(ax: Axes) -> None:
    with pytest.raises(fg.InvalidExperiment, match=r"expected what fg\.hessian_spectrum returns"):
        spectra([1, 2], ax)  # type: ignore[arg-type]
