"""Scenario tests: situations written in YAML, swept over parameters, judged by criteria."""
