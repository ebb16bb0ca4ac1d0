"""Reads what others recorded of the road into frames, and writes frames as others read them."""
