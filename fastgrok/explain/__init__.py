"""Why a network does what it does: data first, `str` for the text, `fastgrok.plots` for the picture."""

from fastgrok.explain.correlation import Correlation, correlation
from fastgrok.explain.failure import Failure, failure
from fastgrok.explain.pressure import Pressure, pressure

__all__ = ["Correlation", "Failure", "Pressure", "correlation", "failure", "pressure"]
