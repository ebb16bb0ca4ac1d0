"""The market report: its sections, and the run that keeps report, figures and results."""

from __future__ import annotations

FIGURES = ("risk_today", "var_hits", "contributions", "allocations")
