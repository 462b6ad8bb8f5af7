"""Pictures: each function takes `ax=`, returns it, and draws what a plain function beside it computes."""

from fastgrok.plots.activations import ActivationMap, activation_map, activations
from fastgrok.plots.animation import animate, frame_times
from fastgrok.plots.boundary import OutputGrid, decision_boundary, output_grid
from fastgrok.plots.convergence import ConvergenceCurve, convergence, convergence_curves
from fastgrok.plots.curves import Bands, accuracy, accuracy_bands, loss, loss_bands
from fastgrok.plots.dead import DeadShare, dead_shares, dead_units
from fastgrok.plots.final_losses import LossHistogram, loss_histogram, losses
from fastgrok.plots.initial_final import InitialFinal, initial_and_final, initial_final_weights
from fastgrok.plots.network import Edge, Graph, Node, network, network_graph
from fastgrok.plots.rates import RateTable, rate_table, rates
from fastgrok.plots.weights import WeightCurves, weight_curves, weights

__all__ = [
    "ActivationMap",
    "Bands",
    "ConvergenceCurve",
    "DeadShare",
    "Edge",
    "Graph",
    "InitialFinal",
    "LossHistogram",
    "Node",
    "OutputGrid",
    "RateTable",
    "WeightCurves",
    "accuracy",
    "accuracy_bands",
    "activation_map",
    "activations",
    "animate",
    "convergence",
    "convergence_curves",
    "dead_shares",
    "dead_units",
    "decision_boundary",
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
    "rate_table",
    "rates",
    "weight_curves",
    "weights",
]
