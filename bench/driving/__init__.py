"""Benchmarks of the driving case."""
