"""Why a network does what it does: data first, `str` for the text, `fastgrok.plots` for the picture."""

from fastgrok.explain.correlation import Correlation, correlation
from fastgrok.explain.failure import Failure, failure
from fastgrok.explain.overfitting import Overfitting, overfitting
from fastgrok.explain.pressure import Pressure, pressure

__all__ = [
    "Correlation",
    "Failure",
    "Overfitting",
    "Pressure",
    "correlation",
    "failure",
    "overfitting",
    "pressure",
]
