"""Replay: a seed trained again to the same bits, with its whole history."""

from fastgrok.explain.trace.reading import checked_time, checked_trace, experiment_of, params_at, time_dim
from fastgrok.explain.trace.replaying import replay

__all__ = ["checked_time", "checked_trace", "experiment_of", "params_at", "replay", "time_dim"]
