"""Decides what to label next, finds labels that are wrong, and shows what labels buy."""
