"""Causes why a seed did not converge: each takes a trace and its experiment, and gives its evidence or None."""
