"""Hearing: speech to words, with the words of the home expected."""
