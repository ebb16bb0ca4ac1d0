"""Listening: whether somebody speaks, and when they have finished."""
