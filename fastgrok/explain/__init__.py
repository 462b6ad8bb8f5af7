"""Why a network does what it does: data first, `str` for the text, `fastgrok.plots` for the picture."""

from fastgrok.explain.algebra import Algebra, algebra
from fastgrok.explain.bricks import Brick

__all__ = ["Algebra", "Brick", "algebra"]
