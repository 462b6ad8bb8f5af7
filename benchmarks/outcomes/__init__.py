"""How often `trapped` and `unfinished` are wrong: what becomes of the same seeds in ten times the epochs."""
