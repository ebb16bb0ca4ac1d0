"""Exports are held against torch class by class; what loses too much never arrives."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from core.errors import DataError, ModelError, ParameterError
from verticals.driving.deploying import exporting
from verticals.driving.deploying.exporting import classes_table, export, exports_table
from verticals.driving.deploying.losing import Frames, Limits, Scores, loss
from verticals.driving.deploying.routes import ROUTES
from verticals.driving.deploying.torch_runtime import torch_runtime
from verticals.driving.frame import SURFACES, Boxes2D, View
from verticals.driving.perception.eye import Eye, Runtime

if TYPE_CHECKING:
    from verticals.driving.perception.network import RoadNetwork

Images = np.ndarray[Any, Any]


@pytest.fixture(scope="module")
def frames(network: RoadNetwork, images: Images) -> Frames:
    """Frames whose truth is what torch sees in them: any other answer is a loss."""
    sights = Eye(torch_runtime(network), network.settings).see(list(images))
    views = []
    for image, sight in zip(images, sights, strict=True):
        best = np.argsort(-np.asarray(sight.boxes.scores))[:4]
        boxes = Boxes2D(sight.boxes.xyxy[best], sight.boxes.classes[best],
                        np.arange(len(best)))  # fmt: skip
        views.append(View(image, surfaces=sight.surfaces, boxes=boxes))
    return Frames(views, [str(i // 2) for i in range(len(views))], network.settings, draws=20)


def _blind(run: Runtime, surface: str) -> Runtime:
    """As `run`, but never seeing one surface."""

    def call(images: Images) -> dict[str, Any]:
        maps = run(images)
        maps["surfaces"] = maps["surfaces"].copy()
        maps["surfaces"][:, SURFACES.index(surface)] = -1e3
        return maps

    return call


def _copied(exported: Path, work: Path, kind: str) -> tuple[Path, ...]:
    """What was exported already, instead of exporting again."""
    chosen = ROUTES[kind]
    names = [name for name in (chosen.file, chosen.beside) if name]
    return tuple(Path(shutil.copy(exported / name, work / name)) for name in names)


def test_nothing_is_lost_to_oneself(network: RoadNetwork, frames: Frames) -> None:
    run = torch_runtime(network)
    same = loss(frames(run), frames(run))
    assert same.miou
    assert same.miou.value == same.miou.low == same.miou.high == 0
    assert not same.classes["loss"].any()
    assert same.over(Limits()) == ""
    assert same.suffering(Limits()) == set()
    assert frames(run).miou == pytest.approx(1)


def test_a_lost_class_is_named(network: RoadNetwork, frames: Frames) -> None:
    run = torch_runtime(network)
    before = frames(run)
    there = SURFACES[int(np.nanargmin(before.iou[0]))]
    lost = loss(before, frames(_blind(run, there)))
    row = lost.classes[lost.classes["class"] == there].iloc[0]
    assert row["before"] == 1
    assert row["after"] == 0
    assert row["loss"] == 1
    assert "mIoU" in lost.over(Limits())
    assert f"surface '{there}'" in lost.over(Limits(miou=1.0))
    assert lost.over(Limits(miou=1.0, surface=1.0)) == ""
    assert lost.suffering(Limits()) == {"surface"}


def test_rare_objects_are_shown_and_refuse_nothing() -> None:
    nothing = np.zeros((0, 11))
    before = Scores(nothing, np.full((3, 2), 0.9), ("car", "bus"), (500, 3))
    after = Scores(nothing, np.array([[0.9, 0.6]] * 3), ("car", "bus"), (500, 3))
    lost = loss(before, after)
    assert lost.classes["loss"].tolist() == pytest.approx([0, 0.3])
    assert lost.over(Limits(ap50=0.2)) == ""
    assert "'bus'" in lost.over(Limits(ap50=0.2, fewest=3))


def test_a_score_that_is_no_number_is_refused() -> None:
    one = Scores(np.full((2, 11), 0.5), np.zeros((2, 0)), (), ())
    none = Scores(np.full((2, 11), np.nan), np.zeros((2, 0)), (), ())
    assert "mIoU" in loss(one, none).over(Limits())


def test_only_what_is_good_enough_arrives(
    network: RoadNetwork, frames: Frames, images: Images, exported: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(
        exporting, "write", lambda _, work, kind, **__: _copied(exported, work, kind)
    )
    opened = exporting.open_runtime

    def spoiled(place: Path, kind: str, **given: Any) -> Runtime:
        run = opened(place, kind, **given)
        return _blind(run, "sky") if kind == "openvino" else run

    monkeypatch.setattr(exporting, "open_runtime", spoiled)
    stale = tmp_path / "network.xml"
    stale.write_text("of an older export")
    made = export(network, tmp_path, ("onnx", "openvino"), calibration=images, judge=frames,
                  seconds=0)  # fmt: skip
    by = {one.kind: one for one in made}
    assert not by["onnx"].refused
    assert by["onnx"].files == (tmp_path / "network.onnx",)
    assert by["onnx"].difference < 1e-3
    assert by["onnx"].bytes > 10_000
    assert "it loses" in by["openvino"].refused
    assert not by["openvino"].files
    assert [path.name for path in tmp_path.iterdir()] == ["network.onnx"]
    table = exports_table(made)
    assert table["used"].tolist() == [True, False]
    assert table["miou_loss"][0] == 0
    classes = classes_table(made)
    assert set(classes.columns) == {"of", "class", "onnx", "openvino"}
    with pytest.raises(ModelError, match=r"it loses.*openvino.*Raise the limit"):
        export(network, tmp_path, ("openvino",), calibration=images, judge=frames, seconds=0,
               strict=True)  # fmt: skip


def test_wrong_requests_fail_at_once(
    network: RoadNetwork, frames: Frames, images: Images, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="calibration images have shape"):
        export(network, tmp_path, ("onnx",), calibration=images[:, :32], judge=frames)
    with pytest.raises(ParameterError, match="no runtime 'tflite'"):
        export(network, tmp_path, ("tflite",), calibration=images, judge=frames)


@pytest.mark.slow  # quantises three times
def test_int8_keeps_heads_until_it_is_good_or_refused(
    network: RoadNetwork, frames: Frames, images: Images, tmp_path: Path
) -> None:
    (one,) = export(network, tmp_path, ("onnx_int8",), calibration=images, judge=frames,
                    limits=Limits(miou=1e-6, surface=1e-6, ap50=1e-6), seconds=0)  # fmt: skip
    assert one.refused
    assert "lanes" in one.kept
    assert "surfaces" in one.kept
    assert not list(tmp_path.iterdir())
    loose = Limits(miou=1, surface=1, ap50=1, object=1)
    (one,) = export(network, tmp_path, ("onnx_int8",), calibration=images, judge=frames,
                    limits=loose, seconds=0.5)  # fmt: skip
    assert not one.refused
    assert one.kept == ()
    assert one.costs
    assert one.costs.resident_mib > 20
    assert one.costs.threads == 1
    assert one.costs.cpu_s_a_frame > 0
