"""The four cases."""
