"""Pictures: each function takes `ax=`, returns it, and draws what a plain function beside it computes.

Parameters that many functions have are described here, once.

result
    What `run`, `sweep` or `open_store` returns.
config
    One configuration of it: its place in `summary()`, or labels that it has alone; None: the only one.
confidence
    The probability that an interval covers what it estimates, between 0 and 1. Pictures show 95 % intervals.
trace
    What `replay` returns, of one seed: of several select one, `trace.sel(seed=42)`.
at
    An epoch or step that the trace has, whichever it is recorded by; None: the last.
layer
    The number of a Linear layer, from 1.
found
    What the function of the same name in `fastgrok.explain` returns.
ax
    The axes to draw on, which are returned; None: those of a new figure.

One of these that is something else raises InvalidExperiment, which says what would be accepted.
"""

from fastgrok.plots.animation import animate, frame_times
from fastgrok.plots.bricks import brick_boxes, bricks
from fastgrok.plots.convergence import convergence, convergence_curves, rate_table, rates
from fastgrok.plots.correlation import correlation, correlation_table
from fastgrok.plots.curves import accuracy, accuracy_bands, loss, loss_bands, overfitting, overfitting_curves
from fastgrok.plots.failure import failure, failure_story
from fastgrok.plots.networks import network, network_graph, pass_graph, worked_pass
from fastgrok.plots.outcomes import dead_shares, dead_units, loss_histogram, losses
from fastgrok.plots.outputs import activation_map, activations, decision_boundary, output_grid
from fastgrok.plots.parameters import initial_and_final, initial_final_weights, weight_curves, weights
from fastgrok.plots.pressure import conflict, conflict_rows, pressure, pressure_rows
from fastgrok.plots.sign_flow import sign_flow, sign_marks
from fastgrok.plots.spectra import eigenvalue_bands, spectra

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
    "eigenvalue_bands",
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
    "spectra",
    "weight_curves",
    "weights",
    "worked_pass",
]


def __dir__() -> list[str]:
    return __all__
