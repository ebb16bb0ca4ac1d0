"""What the network sees in an image: surfaces, objects with distance, lanes, lights and signs."""
