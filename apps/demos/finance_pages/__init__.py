"""The pages of the finance demo, one module a tab."""
