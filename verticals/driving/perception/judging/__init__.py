"""How well perception sees, measure by measure, each with its interval and beside a baseline."""
