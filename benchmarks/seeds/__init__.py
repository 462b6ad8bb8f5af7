"""The figures of seeds that stop, are watched and are compared: `python -m benchmarks.seeds`."""
