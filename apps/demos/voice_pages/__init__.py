"""The pages of the voice demo."""
