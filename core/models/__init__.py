"""Where weights and packaged data come from."""
