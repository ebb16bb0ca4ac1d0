"""Reading, checking, cleaning and splitting data."""
