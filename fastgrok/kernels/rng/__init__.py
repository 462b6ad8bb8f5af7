"""NumPy's streams of random numbers, bit for bit."""
