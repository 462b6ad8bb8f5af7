"""The figures that DESIGN §7 asks for, of this checkout and of an older one, in one run.

``python -m benchmarks.targets --before PATH --write``. Every figure is asked of a process that has imported one
version's fastgrok, of either version in turns; a figure that fails, or does not come in time, is said and not fatal.
"""
