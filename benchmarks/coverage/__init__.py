"""How often the intervals of continuous outcomes cover what they estimate: `python -m benchmarks.coverage`."""
