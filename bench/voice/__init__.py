"""Benchmarks of the voice case."""
