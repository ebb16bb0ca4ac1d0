"""What a budget buys: which entrants run, how long, with how many seeds.

A named budget is a plan that depends on the table's size alone, never on the clock, so that a
second run gives the same numbers. Seconds are a promise about the clock instead.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from verticals.finance.parameters import Budget

SMALL = 5_000  # training rows below which several seeds are averaged: they cost nothing
LARGE = 40_000  # ... and above which one fit uses every processor


@dataclass(frozen=True)
class Plan:
    """Work for one competition.

    Attributes:
        rounds: Numbers of boosting rounds at which trees are judged; the last is trained.
        seeds: Models averaged by a tree entrant.
        epochs: Of the network.
        seconds: Promise about the clock; None for a plan without one.
        threads: Processors of one fit.
        workers: Fits at the same time.
    """

    rounds: tuple[int, ...]
    seeds: int
    epochs: int
    seconds: float | None
    threads: int
    workers: int


def make_plan(budget: Budget, rows: int) -> Plan:
    """The plan for a training set of `rows` rows."""
    processors = os.cpu_count() or 1
    seeds = 3 if rows < SMALL else 1
    rounds: tuple[int, ...] = (100, 150, 200, 300, 400)
    epochs = 12 if rows < LARGE else 6
    if budget == "standard":
        seeds, rounds = 3, (100, 200, 300, 400, 600, 800)
    elif budget == "thorough":
        seeds, rounds, epochs = 5, (100, 200, 400, 600, 800, 1200, 1600), 24
    # One thread a fit: two are slower on small data, and fits run side by side anyway.
    return Plan(
        rounds, seeds, epochs, None if isinstance(budget, str) else float(budget), 1, processors
    )
