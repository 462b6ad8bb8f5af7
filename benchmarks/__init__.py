"""Benchmarks: how fast fastgrok is, and against what."""
