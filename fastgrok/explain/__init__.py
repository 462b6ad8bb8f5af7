"""Why a network does what it does: data first, `str` for the text, `fastgrok.plots` for the picture."""

from fastgrok.explain.algebra import Algebra, algebra
from fastgrok.explain.bricks import Brick
from fastgrok.explain.listing import listing, read_listing
from fastgrok.explain.worked_pass import ActivationPass, LayerPass, WorkedPass, worked_pass

__all__ = [
    "ActivationPass",
    "Algebra",
    "Brick",
    "LayerPass",
    "WorkedPass",
    "algebra",
    "listing",
    "read_listing",
    "worked_pass",
]
