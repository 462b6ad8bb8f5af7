"""Initial parameters, drawn from a stream."""
