"""Where the developers' road data lie."""

from pathlib import Path

DATA = Path(__file__).parents[3] / "shared" / "data" / "driving"
