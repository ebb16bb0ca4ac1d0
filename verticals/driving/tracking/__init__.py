"""Follows objects through time, in space and in images, and says how soon they are met."""
