"""Wake words: type a phrase, get a detector."""
