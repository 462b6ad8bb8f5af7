"""What a sweep on disk costs besides training."""
