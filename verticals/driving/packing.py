"""The hand-over: exports judged, bundle, report, card and results of a perception run."""

from __future__ import annotations

import base64
import io
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from core.deployment.bundle import write_bundle
from core.deployment.manifest import DataRecord, Manifest, promise
from core.deployment.report import render_report
from core.deployment.run import Run, versions, write_atomically
from core.errors import ModelError
from core.models.resolver import asset
from verticals.driving.card import model_card
from verticals.driving.deploying.exporting import Export, export, exports_table
from verticals.driving.deploying.losing import Frames, Limits
from verticals.driving.deploying.runtimes import open_runtime
from verticals.driving.perception.dataset import fitted as brought
from verticals.driving.perception.eye import Eye
from verticals.driving.predictor import SETTINGS, TRUST, RoadImage, RoadPredictor
from verticals.driving.report import TITLES, facts, sections
from verticals.driving.stages import Explained, Labelled, Packed

TASK = "What a photograph of a road shows: surfaces, objects with distance, lanes, lights, signs."
KINDS = ("torch", "onnx", "onnx_int8", "openvino_bf16")
_CALIBRATION, _JUDGED = 24, 48  # images that set int8's ranges, and that judge what was lost
_GOLDEN = 3  # rendered photographs whose answers are stored, for replay
# Pixels, metres and chances alike: processors round the last digits differently.
TOLERANCE = 0.5


def pack(explained: Explained, run: Run, *, kinds: Sequence[str] = KINDS) -> Packed:
    """Export and judge, write the bundle, the report and, last, the run's results.

    Args:
        explained: The network with its evidence.
        run: Receives the files; finished afterwards.
        kinds: Runtimes to export for; those that OpenVINO needs are measured and not packed.

    Raises:
        ModelError: The runtime that the parameters ask for lost more than its limit.
    """
    evaluated = explained.evaluated
    fitted = evaluated.fitted
    loaded = fitted.split.checked.loaded
    parameters = loaded.parameters
    with tempfile.TemporaryDirectory(prefix="casekit_pack_") as name:
        folder = Path(name)
        exports = _exported(explained, folder, kinds)
        table = exports_table(exports)
        _wanted(exports, parameters.runtime)
        settings = {
            "runtime": parameters.runtime, "threads": parameters.threads,
            "settings": asdict(fitted.network.settings),
        }  # fmt: skip
        files: dict[str, Path | bytes] = {
            path.name: path for one in exports if one.kind.startswith("onnx") for path in one.files
        }
        files[SETTINGS] = orjson.dumps(settings, option=orjson.OPT_INDENT_2)
        files[TRUST] = fitted.eye.trust.save(folder / TRUST)
        run_ = open_runtime(folder, parameters.runtime, threads=parameters.threads)
        predictor = RoadPredictor(Eye(run_, fitted.network.settings, fitted.eye.trust))
        data = _data(explained)
        draft = run.results(evaluated.measurements, data, run.bundle)
        report = render_report(
            draft, sections(explained, table, run, parameters.language),
            title=TITLES[parameters.language], language=parameters.language,
            facts=facts(explained, parameters.language),
        )  # fmt: skip
        manifest = Manifest(
            case=run.case, task=TASK, run_id=run.id, versions=versions(),
            measurements=list(evaluated.measurements), licences=_licences(explained),
            data=DataRecord(fingerprint=loaded.fingerprint, rows=len(loaded.frames),
                            source=loaded.source, licence=loaded.licence),
            **promise(predictor, golden(), tolerance=TOLERANCE),
        )  # fmt: skip
        files["report.html"] = report.encode()
        files["card.md"] = model_card(draft).encode()
        write_bundle(run.bundle, manifest=manifest, files=files)
    place = run.folder / "report.html"
    write_atomically(place, report.encode())
    return Packed(run.bundle, place, run.finish(evaluated.measurements, data, run.bundle), table)


def _exported(explained: Explained, folder: Path, kinds: Sequence[str]) -> list[Export]:
    """Every runtime judged on validation images, int8 set by train images."""
    fitted = explained.evaluated.fitted
    size, split = fitted.network.settings, fitted.split
    judged = _spread(split.validation, _JUDGED)
    return export(
        fitted.network, folder, kinds,
        calibration=np.stack([
            brought(one.view.image, size.width, size.height)[0]
            for one in _spread(split.train, _CALIBRATION)
        ]),
        judge=Frames(
            [one.view for one in judged], [one.sequence for one in judged], size, draws=100
        ),
        limits=Limits(miou=split.checked.loaded.parameters.miou_limit), seconds=0.5,
    )  # fmt: skip


def _spread(frames: Sequence[Labelled], count: int) -> list[Labelled]:
    """So many of them, evenly over all."""
    rows = np.unique(np.linspace(0, len(frames) - 1, min(count, len(frames))).astype(int))
    return [frames[i] for i in rows]


def _wanted(exports: Sequence[Export], kind: str) -> None:
    """Stop if the runtime asked for was refused."""
    for one in exports:
        if one.kind == kind and one.refused:
            raise ModelError(one.refused, where="runtime",
                             remedy="Choose onnx, or raise miou_limit knowingly")  # fmt: skip


def golden() -> list[RoadImage]:
    """Rendered photographs: nobody's face is on them."""
    from PIL import Image

    from verticals.driving.world.dataset import WorldSettings, sequence

    made = []
    for seed in range(_GOLDEN):
        frame = sequence(7_000_000 + seed, WorldSettings(weathers=("day",))).frame(0, 1.0)
        buffer = io.BytesIO()
        view = next(iter(frame.views.values()))
        Image.fromarray(view.image).save(buffer, "JPEG", quality=90)
        text = base64.b64encode(buffer.getvalue()).decode()
        focal = None if view.calibration is None else float(view.calibration.matrix[0, 0])
        made.append(RoadImage(image=text, focal_px=focal, least=0.5))
    return made


def _data(explained: Explained) -> dict[str, Any]:
    fitted = explained.evaluated.fitted
    split, loaded = fitted.split, fitted.split.checked.loaded
    parts = {"train": split.train, "validation": split.validation, "test": split.test}
    return {
        "fingerprint": loaded.fingerprint, "rows": len(loaded.frames), "source": loaded.source,
        "licence": loaded.licence, "chosen": fitted.chosen,
        **{f"{name}_images": len(part) for name, part in parts.items()},
        **{f"{name}_sequences": len({one.sequence for one in part})
           for name, part in parts.items()},
    }  # fmt: skip


def _licences(explained: Explained) -> dict[str, str]:
    loaded = explained.evaluated.fitted.split.checked.loaded
    backbone = asset("efficientnet_lite0")
    return {
        "backbone": f"{backbone.licence}: {backbone.attribution}",
        "images": loaded.licence or "the client's own",
    }
