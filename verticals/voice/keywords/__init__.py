"""Spoken keywords: which of a few words was said, by a network that fits a microcontroller."""
