"""Watching a model after hand-over."""
