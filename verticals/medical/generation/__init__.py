"""Answers in a language model's words, every sentence checked against the passage it cites."""
