"""Runs, predictors and bundles: what is handed over."""
