"""The pages of the driving demo."""
