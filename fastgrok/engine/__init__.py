"""From an experiment to rows: kernel arguments, memory, the choice of driver, threads, result variables."""
