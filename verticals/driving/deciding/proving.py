"""Drivers in the scenario library: who passes, one failure taken apart, who may replace whom."""

from __future__ import annotations

import numpy as np
import pandas as pd

from verticals.driving.deciding.stages import Loaded, Proved
from verticals.driving.scenarios.failures import shrink
from verticals.driving.scenarios.gate import gate
from verticals.driving.scenarios.running import Trace, constant, replay
from verticals.driving.scenarios.suite import learned, run_suite, same
from verticals.driving.traffic.columns import IDLE
from verticals.driving.traffic.motion import RULE

_GATES = (("policy", "policy, shield"), ("rule driver, shield", "policy, shield"),
          ("rule driver, shield", "idle"))  # fmt: skip


def prove(loaded: Loaded) -> Proved:
    """Drive every case with every driver, take a failure apart, and compare drivers."""
    chosen = {"idle": same(constant(IDLE)), "rule driver": same(constant(RULE)),
              "policy": learned(loaded.folder)}  # fmt: skip
    runs: dict[str, tuple[Trace, ...]] = {
        "idle": tuple(run_suite(chosen["idle"], loaded.cases, shield=False))
    }
    for name in ("rule driver", "policy"):
        for shield in (False, True):
            driven = run_suite(chosen[name], loaded.cases, shield=shield)
            runs[f"{name}, shield" if shield else name] = tuple(driven)
    failure = first_failure(runs)
    repeats, small = True, None
    if failure is not None:
        again = replay(failure.case, failure.actions, shield=failure.shield)
        repeats = again.digest == failure.digest
        small = shrink(failure.case, chosen["policy"](failure.case), shield=failure.shield)
    verdicts = {(old, new): gate(runs[old], runs[new], level=loaded.parameters.level)
                for old, new in _GATES}  # fmt: skip
    return Proved(runs, failure, repeats, small, verdicts)


def first_failure(runs: dict[str, tuple[Trace, ...]]) -> Trace | None:
    """What a committee asks about first: a collision within the shield, else one without it."""
    failed = [t for name in ("policy, shield", "policy") for t in runs[name] if not t.passed]
    hurt = [t for t in failed if t.measured["collisions"]]
    return next(iter(hurt or failed), None)


def pass_counts(proved: Proved) -> pd.DataFrame:
    """One row a driver: cases passed, collisions, red lights, hardest braking."""
    rows = []
    for name, traces in proved.runs.items():
        rows.append({
            "driver": name, "cases": len(traces), "passed": sum(t.passed for t in traces),
            "collisions": int(sum(t.measured["collisions"] for t in traces)),
            "red_lights": int(sum(t.measured["red_lights"] > 0 for t in traces)),
            "hardest_braking_m_s2": float(np.max([t.measured["max_braking"] for t in traces])),
        })  # fmt: skip
    return pd.DataFrame(rows).round(1)


def failure_table(proved: Proved) -> pd.DataFrame:
    """The failure and its core side by side: what is left is what it takes."""
    if proved.failure is None or proved.small is None:
        return pd.DataFrame()
    rows = []
    for name, trace in (("as found", proved.failure), ("shrunk", proved.small)):
        scenario = trace.case.scenario
        actors = "; ".join(
            f"{a.kind} {a.name}" + (f", {a.ahead:g} m ahead" if a.ahead is not None
                                    else f", at {a.s:g} m") + f", {a.speed:g} m/s"
            for a in scenario.actors
        )  # fmt: skip
        rows.append({
            "case": name, "name": trace.case.name, "seconds": scenario.duration_s,
            "actors": actors, "events": len(scenario.events),
            "fails": ", ".join(trace.failed).replace("_", " "),
        })  # fmt: skip
    return pd.DataFrame(rows)


def gate_table(proved: Proved) -> pd.DataFrame:
    """The gate's verdicts, one row a pair of drivers."""
    rows = [(old, new, "yes" if v.allowed else "no", v.overall.fixed, v.overall.broken,
             len(v.collisions), v.overall.p_value, v.why)
            for (old, new), v in proved.verdicts.items()]  # fmt: skip
    names = ["in_use", "new", "may_replace", "fixed", "broken", "new_collisions", "p_value", "why"]
    return pd.DataFrame(rows, columns=names).round({"p_value": 4})
