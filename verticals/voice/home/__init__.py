"""The home: its rooms and devices, and a simulated one to act on."""
