"""From a wake word to an executed command, on the edge, measured per home."""
