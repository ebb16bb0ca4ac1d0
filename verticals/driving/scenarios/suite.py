"""All scenarios with one driver: the policy learned for each road, or the same on every road."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from verticals.driving.deciding.network import WEIGHTS, PolicyNetwork
from verticals.driving.scenarios.running import Policy, Trace, run
from verticals.driving.scenarios.schema import Case, read_cases

Choose = Callable[[Case], Policy]
POLICY_OF = {"motorway": "motorway", "merge": "merge", "street": "street", "bend": "street",
             "intersection": "intersection", "blind": "intersection"}  # fmt: skip


def learned(folder: Path = WEIGHTS) -> Choose:
    """The policies in a folder, each on the roads it was learned for or that are most alike."""

    @cache
    def opened(name: str) -> Policy:
        return PolicyNetwork.open(folder / f"{name}.safetensors").act

    return lambda case: opened(POLICY_OF[case.scenario.layout])


def same(policy: Policy) -> Choose:
    """One policy on every road."""
    return lambda _: policy


def run_suite(
    choose: Choose, cases: Sequence[Case] | None = None, *, shield: bool = True
) -> list[Trace]:
    """Play every case once.

    Args:
        choose: The policy for a case: `learned()` or `same(constant(RULE))`.
        cases: Of `read_cases`; by default the library that comes with the case.
        shield: With the shield.
    """
    return [run(case, choose(case), shield=shield) for case in cases or read_cases()]
