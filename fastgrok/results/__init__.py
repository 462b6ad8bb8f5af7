"""From arrays to labelled results: datasets, their provenance, and files."""
