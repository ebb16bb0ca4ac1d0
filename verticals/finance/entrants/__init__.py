"""Who competes: plain functions from training rows to a fitted member, one file a family."""
