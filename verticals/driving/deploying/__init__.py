"""The road network on other machines: exported, judged class by class, and run without torch."""
