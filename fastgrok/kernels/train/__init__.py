"""The training drivers, and what they are assembled from."""
