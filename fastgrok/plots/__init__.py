"""Pictures: each function takes `ax=`, returns it, and draws what a plain function beside it computes."""

from fastgrok.plots.activations import activation_map, activations
from fastgrok.plots.animation import animate, frame_times
from fastgrok.plots.boundary import decision_boundary, output_grid
from fastgrok.plots.bricks import brick_boxes, bricks
from fastgrok.plots.convergence import convergence, convergence_curves
from fastgrok.plots.correlation import correlation, correlation_table
from fastgrok.plots.curves import accuracy, accuracy_bands, loss, loss_bands
from fastgrok.plots.dead import dead_shares, dead_units
from fastgrok.plots.failure import failure, failure_story
from fastgrok.plots.final_losses import loss_histogram, losses
from fastgrok.plots.initial_final import initial_and_final, initial_final_weights
from fastgrok.plots.network import network, network_graph
from fastgrok.plots.overfitting import overfitting, overfitting_curves
from fastgrok.plots.pressure import conflict, conflict_rows, pressure, pressure_rows
from fastgrok.plots.rates import rate_table, rates
from fastgrok.plots.sign_flow import sign_flow, sign_marks
from fastgrok.plots.weights import weight_curves, weights
from fastgrok.plots.worked_pass import pass_graph, worked_pass

__all__ = [
    "accuracy",
    "accuracy_bands",
    "activation_map",
    "activations",
    "animate",
    "brick_boxes",
    "bricks",
    "conflict",
    "conflict_rows",
    "convergence",
    "convergence_curves",
    "correlation",
    "correlation_table",
    "dead_shares",
    "dead_units",
    "decision_boundary",
    "failure",
    "failure_story",
    "frame_times",
    "initial_and_final",
    "initial_final_weights",
    "loss",
    "loss_bands",
    "loss_histogram",
    "losses",
    "network",
    "network_graph",
    "output_grid",
    "overfitting",
    "overfitting_curves",
    "pass_graph",
    "pressure",
    "pressure_rows",
    "rate_table",
    "rates",
    "sign_flow",
    "sign_marks",
    "weight_curves",
    "weights",
    "worked_pass",
]


def __dir__() -> list[str]:
    return __all__
