"""Opens the policies and the scenarios that a run is about."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pandas as pd

from core.deployment.run import Run
from core.errors import DataError
from verticals.driving.deciding.network import WEIGHTS, PolicyNetwork
from verticals.driving.deciding.parameters import DecisionParameters
from verticals.driving.deciding.stages import ROADS, Loaded
from verticals.driving.scenarios.schema import read_cases
from verticals.driving.scenarios.suite import POLICY_OF


def load(parameters: DecisionParameters) -> Loaded:
    """Open one policy for each road, and read the scenarios.

    Raises:
        ModelError: A policy is missing or was learned on other observations.
        DataError: The scenarios are not as the schema says, or on a road without a policy.
    """
    folder = WEIGHTS if parameters.policy == "shipped" else Path(parameters.policy)
    policies = {road: PolicyNetwork.open(folder / f"{road}.safetensors") for road in ROADS}
    library = parameters.data == "library"
    cases = tuple(read_cases(None if library else Path(parameters.data)))
    if not cases:
        raise DataError("no scenarios", where=parameters.data, remedy="Write at least one")
    for case in cases:
        if case.scenario.layout not in POLICY_OF:
            raise DataError(
                f"no policy drives on {case.scenario.layout!r}", where=case.name,
                remedy=f"Choose a layout from {', '.join(POLICY_OF)}",
            )  # fmt: skip
    digest = hashlib.sha256()
    for policy in policies.values():
        for name in sorted(policy.weights):
            digest.update(policy.weights[name].tobytes())
    digest.update(json.dumps([case.model_dump() for case in cases], sort_keys=True).encode())
    source = "casekit's scenario library" if library else parameters.data
    return Loaded(parameters, policies, folder, cases, source, digest.hexdigest())


def start_run(loaded: Loaded) -> Run:
    """Begin the run that keeps what follows."""
    return Run.start(
        case="driving", name="driving_decisions", parameters=loaded.parameters,
        out=loaded.parameters.out, fingerprint=loaded.fingerprint,
    )  # fmt: skip


def origin_table(loaded: Loaded) -> pd.DataFrame:
    """How each policy came about, one row a road, and how many cases it is tried on."""
    rows = []
    for road, policy in loaded.policies.items():
        about = policy.about
        cases = sum(POLICY_OF[case.scenario.layout] == road for case in loaded.cases)
        rows.append({
            "road": road, "method": about.get("method", "unknown"),
            "data": about.get("data", "unknown"), "decisions": int(about.get("decisions", 0)),
            "numbers": sum(weight.size for weight in policy.weights.values()),
            "scenario_cases": cases,
        })  # fmt: skip
    return pd.DataFrame(rows)
