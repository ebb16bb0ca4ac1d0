"""Exports the road network for every runtime asked, and refuses what sees worse than it may."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import DataError, ModelError
from verticals.driving.deploying.costs import Costs, measure
from verticals.driving.deploying.losing import Judge, Limits, Loss, Scores, loss
from verticals.driving.deploying.routes import route
from verticals.driving.deploying.runtimes import open_runtime
from verticals.driving.deploying.torch_runtime import torch_runtime
from verticals.driving.deploying.writing import INT8, write
from verticals.driving.perception.eye import Runtime

if TYPE_CHECKING:
    from verticals.driving.perception.network import RoadNetwork

KINDS = ("torch", "onnx", "onnx_int8", "openvino", "openvino_bf16", "openvino_int8", "executorch")
_SURFACE = ("surfaces",)
_OBJECT = ("heat", "extent", "distance", "lights", "signs")
_COMPARED = 4  # images on which outputs are compared number by number


@dataclass(frozen=True, eq=False)
class Export:
    """The network for one runtime, and what was found out about it."""

    kind: str
    refused: str  # why; empty if it may be used
    files: tuple[Path, ...]  # none if refused
    bytes: int
    kept: tuple[str, ...]  # maps whose head stayed float32 in int8
    loss: Loss | None  # None where it could not be made
    difference: float  # largest of any map on the first calibration images, in its spreads
    costs: Costs | None


@dataclass(frozen=True, eq=False)
class _Trial:
    """One network on trial: everything that its exports are held against."""

    network: RoadNetwork
    work: Path  # folder of what is not accepted yet
    calibration: NDArray[np.uint8]
    judge: Judge
    truth: Runtime  # float32 in torch
    before: Scores  # ... and what it reached
    limits: Limits

    def make(self, kind: str) -> Export:
        """Make one export; in int8, with as many heads in float32 as it takes."""
        keep: tuple[str, ...] = ()
        while True:
            files = write(self.network, self.work, kind, calibration=self.calibration, keep=keep)
            run = open_runtime(self.work, kind, threads=1, device="cpu")
            lost = loss(self.before, self.judge(run))
            refused = lost.over(self.limits)
            apart = difference(self.truth, run, self.calibration[:_COMPARED])
            weight = sum(path.stat().st_size for path in files)
            more = _more(self.network, keep, lost, self.limits)
            if not refused or kind not in INT8 or more == keep:
                return Export(kind, refused, files, weight, keep, lost, apart, None)
            keep = more


def export(
    network: RoadNetwork,
    folder: Path,
    kinds: Sequence[str] = KINDS,
    *,
    calibration: NDArray[np.uint8],
    judge: Judge,
    limits: Limits | None = None,
    seconds: float = 2.0,
    strict: bool = False,
) -> list[Export]:
    """Write, judge, measure; only what is within the limits arrives in the folder.

    Int8 is tried with all of the network quantised first, then with the heads kept in float32 that
    lost too much, then with all heads kept; the first within the limits is taken.

    Args:
        network: On the processor; its float32 answers are what everything is held against.
        folder: Is made; older exports of these kinds are replaced.
        kinds: Names of `routes.ROUTES`.
        calibration: (n, h, w, 3) uint8 of the network's size, some tens, none of them judged.
        judge: Such as `losing.Frames` of labelled frames.
        limits: How much may be lost.
        seconds: For which each runtime is timed, on one thread and in a process of its own; 0
            leaves costs out.
        strict: A refusal raises.

    Raises:
        DataError: The calibration images are not of the network's size.
        ParameterError: There is no such kind.
        ModelError: Strict, and an export was refused or its runtime is not installed.
    """
    size = network.settings
    if calibration.shape[1:] != (size.height, size.width, 3) or not len(calibration):
        raise DataError(
            f"calibration images have shape {calibration.shape}", where="calibration",
            remedy=f"Give (n, {size.height}, {size.width}, 3)",
        )  # fmt: skip
    for kind in kinds:
        for stale in (route(kind).file, route(kind).beside):
            if stale:
                (folder / stale).unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    truth = torch_runtime(network.eval(), threads=1)
    made: list[Export] = []
    with tempfile.TemporaryDirectory(prefix="casekit_export_") as name:
        trial = _Trial(network, Path(name), calibration, judge, truth, judge(truth),
                       limits or Limits())  # fmt: skip
        for kind in dict.fromkeys(kinds):
            try:
                one = trial.make(kind)
                if not one.refused and seconds:
                    costs = measure(one.kind, Path(name), threads=1, seconds=seconds)
                    one = replace(one, costs=costs)
            except ModelError as error:  # a runtime that is not installed
                one = Export(kind, str(error), (), 0, (), None, float("nan"), None)
            if one.refused and strict:
                raise ModelError(one.refused, where=kind, remedy="Raise the limit knowingly, give "
                                 "more calibration images, or leave the kind out")  # fmt: skip
            made.append(_placed(one, folder))
    return made


def exports_table(exports: Sequence[Export]) -> pd.DataFrame:
    """One row a kind: what it loses, weighs and costs, next to torch in the same run."""
    base = next((e.costs for e in exports if e.kind == "torch" and e.costs), None)
    rows = []
    for one in exports:
        lost, cost = one.loss, one.costs
        miou, ap50 = (lost.miou, lost.ap50) if lost else (None, None)
        rows.append({
            "kind": one.kind, "used": not one.refused,
            "miou_loss": miou.value if miou else np.nan, "miou_low": miou.low if miou else np.nan,
            "miou_high": miou.high if miou else np.nan,
            "worst_class": lost.classes["loss"].max() if lost and len(lost.classes) else np.nan,
            "ap50_loss": ap50.value if ap50 else np.nan, "ap50_low": ap50.low if ap50 else np.nan,
            "ap50_high": ap50.high if ap50 else np.nan, "difference": one.difference,
            "mib": one.bytes / 2**20, "resident_mib": cost.resident_mib if cost else np.nan,
            "frames_a_second": cost.frames_a_second if cost else np.nan,
            "cpu_ms_a_frame": 1e3 * cost.cpu_s_a_frame if cost else np.nan,
            "times_torch": base.cpu_s_a_frame / cost.cpu_s_a_frame if base and cost else np.nan,
            "kept": ", ".join(one.kept), "refused": one.refused,
        })  # fmt: skip
    return pd.DataFrame(rows)


def classes_table(exports: Sequence[Export]) -> pd.DataFrame:
    """One row a class, one column a kind: what it loses there; positive is worse."""
    columns = {e.kind: e.loss.classes.set_index(["of", "class"])["loss"] for e in exports if e.loss}
    return pd.DataFrame(columns).reset_index()


def difference(truth: Runtime, run: Runtime, images: NDArray[np.uint8]) -> float:
    """Largest difference of any map between two runtimes, in standard deviations of the map."""
    expected, found = truth(images), run(images)
    return max(
        float(np.abs(one - found[name]).max() / max(float(one.std()), 1e-9))
        for name, one in expected.items()
    )


def _more(
    network: RoadNetwork, tried: tuple[str, ...], lost: Loss, limits: Limits
) -> tuple[str, ...]:
    """The heads to keep next: those that suffer, then all; the same again when all are."""
    heads = {"surface": _SURFACE, "object": _OBJECT}
    suffering = {name for of in lost.suffering(limits) for name in heads[of]}
    wider = tuple(sorted(set(tried) | suffering))
    if wider != tried:
        return wider
    every = [*_SURFACE, *_OBJECT, "lanes"]
    has = {"surfaces": "surfaces", "lanes": "lanes"}
    there = [name for name in every if has.get(name, "objects") in network.settings.heads]
    return tuple(sorted(there))


def _placed(one: Export, folder: Path) -> Export:
    """Move an accepted export's files to where they are wanted; a refused one leaves nothing."""
    if not one.refused:
        for path in one.files:
            shutil.copyfile(path, folder / path.name)
        return replace(one, files=tuple(folder / path.name for path in one.files))
    return replace(one, files=())
