"""Speech out: pronunciations, voices, and what is said sentence by sentence."""
