"""Looks for what is wrong with a table: gaps, duplicates, outliers, leaks, drift."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["info", "warning", "error"]


@dataclass(frozen=True)
class Finding:
    """One thing a person should know about the data, with a remedy."""

    kind: str  # missing, duplicates, near-duplicates, outliers, constant, leak, drift, ...
    column: str  # empty when it concerns whole rows
    severity: Severity
    detail: str
    remedy: str
    rows: tuple[int, ...] = ()  # 0-based positions of the first rows concerned
