"""The street world: one scene description, drawn by cameras and LiDAR, driven in by traffic."""
