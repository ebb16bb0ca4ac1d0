"""Traffic that answers back: many small roads at once, with drivers, lights and pedestrians."""
