"""The pages of the medical demo."""
