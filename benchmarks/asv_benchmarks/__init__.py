"""What asv follows over the commits: speed, start-up, memory, and the answers beside them."""
