"""The hand-over: policies as ONNX with a card, scenarios, film, report and results of a run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from core.deployment.report import metric_markdown, render_report, replay_command
from core.deployment.results import Results
from core.deployment.run import Run, write_atomically
from core.errors import ModelError
from verticals.driving.deciding.loading import origin_table
from verticals.driving.deciding.network import PolicyNetwork
from verticals.driving.deciding.proving import gate_table
from verticals.driving.deciding.report import facts, measure, sections, texts, verdict
from verticals.driving.deciding.stages import Explained, HandedOver, Judged, Proved, Taught
from verticals.driving.scenarios.failures import write_failure
from verticals.driving.scenarios.running import summary
from verticals.driving.scenarios.showing import film
from verticals.driving.traffic.columns import ACTIONS
from verticals.driving.traffic.environment import ROWS
from verticals.driving.traffic.layouts import layout
from verticals.driving.traffic.roads import Floats
from verticals.driving.traffic.seeing import EGO_FEATURES, FEATURES

MOST = 1e-4  # that a chance may differ between ONNX Runtime and what was judged
LICENCE = "generated traffic, no recorded data"
_CARD = """# Card: policies that decide in traffic

One small network a road: a set of road users in, chances of five actions out. `ROAD.onnx` takes
`seen` (n, {rows}, {features}), float32, and gives `logits` (n, {actions}); `policies.json` names
the columns, the actions and the rate. `scenarios.json` holds every case that was driven.

## Intended use
Comparing drivers in simulation, within the shield. Not for steering a vehicle. The ONNX files are
the policies alone: the shield is code of casekit and has to be run with them.

## Origin
{origin}

## What was found
{verdict}

## May one driver replace another?
{gate}

## Measured
{metrics}

## Limits
Generated traffic, assumed errors of perception: see the report. Seed {seed}; versions: {versions}.

## Run again
`{replay}`
"""


def hand_over(
    judged: Judged, taught: Taught, proved: Proved, explained: Explained, run: Run
) -> HandedOver:
    """Write the policies, what was found, the report and, last, the run's results.

    Raises:
        ModelError: An exported policy answers otherwise than the one that was judged.
    """
    loaded = judged.loaded
    language = loaded.parameters.language
    folder = run.folder / "policies"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    difference = 0.0
    for road, policy in loaded.policies.items():
        path = export_policy(policy, folder / f"{road}.onnx")
        difference = max(difference, parity(policy, path, explained.seen))
    _write(folder / "policies.json", {
        "actions": ACTIONS, "columns": FEATURES, "columns_of_the_ego": EGO_FEATURES, "rows": ROWS,
        "seconds_between_decisions": {
            road: layout(road).rules.dt * layout(road).rules.substeps for road in loaded.policies
        },
    })  # fmt: skip
    _write(folder / "scenarios.json", {
        name: [summary(trace) for trace in some] for name, some in proved.runs.items()
    })  # fmt: skip
    if proved.small is not None:
        write_failure(proved.small, folder / "failure.json")
        film(proved.small, folder / "failure.mp4")
    measurements = measure(judged, proved)
    data = {
        "fingerprint": loaded.fingerprint, "rows": len(judged.seeds) * len(judged.episodes),
        "source": f"{loaded.source}, {len(loaded.cases)} cases", "licence": LICENCE,
        "first_seed": judged.seeds[0], "policies": loaded.parameters.policy,
    }  # fmt: skip
    with run.step("report"):
        chapters = sections(judged, taught, proved, explained, run)
    draft = run.results(measurements, data, None)
    (folder / "card.md").write_text(_card(judged, proved, draft), encoding="utf-8")
    page = render_report(draft, chapters, title=texts()["title"][language], language=language,
                         facts=facts(judged, proved))  # fmt: skip
    report = run.folder / "report.html"
    write_atomically(report, page.encode())
    return HandedOver(folder, report, run.finish(measurements, data), difference)


def export_policy(policy: PolicyNetwork, path: Path) -> Path:
    """Write a policy as one ONNX file: `seen` (n, rows, features) to `logits` (n, actions)."""
    import torch

    from core.deployment.onnx_export import export_onnx

    example = {"seen": torch.zeros(2, ROWS, len(FEATURES))}
    return export_onnx(policy.module(), example, path, outputs=["logits"],
                       dynamic={"seen": {0: "n"}})  # fmt: skip


def parity(policy: PolicyNetwork, path: Path, seen: Floats) -> float:
    """The largest difference in a chance between an exported policy and the one judged.

    Args:
        policy: As it was judged.
        path: Its ONNX file.
        seen: (n, rows, features) observations to compare on.

    Raises:
        ModelError: It is larger than MOST.
    """
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    (logits,) = session.run(None, {"seen": np.asarray(seen, np.float32)})
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    difference = float(np.abs(raised / raised.sum(axis=1, keepdims=True) - policy(seen)).max())
    if difference > MOST:
        raise ModelError(
            f"the exported policy differs by {difference:.2g}", where=path.name,
            remedy="Use the versions of torch and onnxruntime that casekit asks for",
        )  # fmt: skip
    return difference


def _card(judged: Judged, proved: Proved, draft: Results) -> str:
    return _CARD.format(
        rows=ROWS, features=len(FEATURES), actions=len(ACTIONS), verdict=verdict(judged),
        origin=_markdown(origin_table(judged.loaded)), gate=_markdown(gate_table(proved)),
        metrics=metric_markdown(draft), seed=draft.seed, replay=replay_command(draft),
        versions=", ".join(f"{k} {v}" for k, v in draft.versions.items()),
    )  # fmt: skip


def _markdown(table: Any) -> str:
    lines = ["| " + " | ".join(str(name) for name in table.columns) + " |",
             "|" + "---|" * len(table.columns)]  # fmt: skip
    lines += [
        "| " + " | ".join(str(v) for v in row) + " |" for row in table.itertuples(index=False)
    ]
    return "\n".join(lines)


def _write(path: Path, content: Any) -> None:
    path.write_bytes(orjson.dumps(json.loads(json.dumps(content)), option=orjson.OPT_INDENT_2))
