"""Running notebooks with validated parameters."""
