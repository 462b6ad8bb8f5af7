"""Why a network does what it does: data first, `str` for the text, `fastgrok.plots` for the picture."""

from fastgrok.explain.algebra import Algebra, algebra
from fastgrok.explain.bricks import Brick
from fastgrok.explain.correlation import Correlation, correlation
from fastgrok.explain.curvature import Curvature, curvature
from fastgrok.explain.failure import Failure, failure
from fastgrok.explain.layer_pass import ActivationPass, LayerPass
from fastgrok.explain.listing import listing, read_listing
from fastgrok.explain.overfitting import Overfitting, overfitting
from fastgrok.explain.pressure import Pressure, pressure
from fastgrok.explain.sign_flow import Blocked, SignFlow, SignLayer, sign_flow
from fastgrok.explain.sign_rules import FlowRule, SignRules, UpdateRule, sign_rules
from fastgrok.explain.worked_pass import WorkedPass, worked_pass

__all__ = [
    "ActivationPass",
    "Algebra",
    "Blocked",
    "Brick",
    "Correlation",
    "Curvature",
    "Failure",
    "FlowRule",
    "LayerPass",
    "Overfitting",
    "Pressure",
    "SignFlow",
    "SignLayer",
    "SignRules",
    "UpdateRule",
    "WorkedPass",
    "algebra",
    "correlation",
    "curvature",
    "failure",
    "listing",
    "overfitting",
    "pressure",
    "read_listing",
    "sign_flow",
    "sign_rules",
    "worked_pass",
]
