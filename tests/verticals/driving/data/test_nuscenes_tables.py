"""nuScenes' tables give what its info files give, and velocities and tracks besides."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.spatial.transform import Rotation

from core.errors import DataError
from verticals.driving.data.nuscenes import read_key_frames
from verticals.driving.data.nuscenes_tables import read_nuscenes
from verticals.driving.frame import OBJECTS

Tables = dict[str, list[dict[str, Any]]]
# A camera 1.5 m above the ground that looks along ego x.
CAMERA = np.array([[0.0, 0, 1, 1], [-1, 0, 0, 0], [0, -1, 0, 1.5], [0, 0, 0, 1]])


def placed(matrix: np.ndarray) -> dict[str, Any]:
    """Translation and rotation as the tables have them."""
    x, y, z, w = Rotation.from_matrix(matrix[:3, :3]).as_quat()
    return {"translation": matrix[:3, 3].tolist(), "rotation": [w, x, y, z]}


def pose(x: float, y: float, yaw: float) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("z", yaw).as_matrix()
    matrix[:2, 3] = x, y
    return matrix


def save(folder: Path, tables: Tables) -> Path:
    (folder / "v1.0-mini").mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        (folder / "v1.0-mini" / f"{name}.json").write_text(json.dumps(rows))
    return folder


@pytest.fixture
def drive(tmp_path: Path) -> tuple[Path, Tables]:
    """Two key frames half a second apart; a van drives 2 m to the north, a cone stands."""
    (tmp_path / "samples").mkdir()
    Image.new("RGB", (160, 90)).save(tmp_path / "samples" / "c.jpg")
    points = np.array([[1, 2, 3, 9, 0], [np.nan, 0, 0, 0, 1]], np.float32)
    points.tofile(tmp_path / "samples" / "l.bin")
    tables: Tables = {
        "scene": [{"token": "s", "name": "scene-0061", "first_sample_token": "a"}],
        "sample": [
            {"token": "a", "timestamp": 1_000_000, "next": "b", "prev": ""},
            {"token": "b", "timestamp": 1_500_000, "next": "", "prev": "a"},
        ],
        "sensor": [{"token": "S1", "channel": "CAM_FRONT"},
                   {"token": "S2", "channel": "LIDAR_TOP"}],
        "calibrated_sensor": [
            {"token": "C1", "sensor_token": "S1", **placed(CAMERA),
             "camera_intrinsic": [[100, 0, 80], [0, 100, 45], [0, 0, 1]]},
            {"token": "C2", "sensor_token": "S2", **placed(pose(0.5, 0, 0)),
             "camera_intrinsic": []},
        ],
        "sample_data": [], "ego_pose": [], "sample_annotation": [],
        "category": [{"token": "K1", "name": "vehicle.bus.rigid"},
                     {"token": "K2", "name": "movable_object.trafficcone"}],
        "instance": [{"token": "I1", "category_token": "K1"},
                     {"token": "I2", "category_token": "K2"}],
    }  # fmt: skip
    for i, sample in enumerate("ab"):
        for sensor, file in (("C1", "c.jpg"), ("C2", "l.bin")):
            token = f"{sample}{sensor}"
            tables["sample_data"].append({
                "token": token, "sample_token": sample, "ego_pose_token": f"P{token}",
                "calibrated_sensor_token": sensor, "filename": f"samples/{file}",
                "is_key_frame": True, "timestamp": 0})  # fmt: skip
            # The camera fires when the vehicle has gone 1 m further north than at the sweep.
            north = 100 + 10 * i + (1 if sensor == "C1" else 0)
            tables["ego_pose"].append({"token": f"P{token}", **placed(pose(50, north, np.pi / 2))})
        tables["sample_annotation"] += [
            {"token": f"{sample}1", "sample_token": sample, "instance_token": "I1",
             "size": [2.0, 10.0, 3.0], "prev": "" if i == 0 else "a1", "next": "b1" * (i == 0),
             **placed(pose(50, 130 + i, np.pi / 2))},
            {"token": f"{sample}2", "sample_token": sample, "instance_token": "I2",
             "size": [0.5, 0.5, 1.0], "prev": "", "next": "", **placed(pose(48, 120, 0))},
        ]  # fmt: skip
    return save(tmp_path, tables), tables


def test_boxes_tracks_and_velocities_arrive_in_the_ego_frame(drive: tuple[Path, Tables]) -> None:
    first, second = read_nuscenes(drive[0])
    assert (first.sequence, first.index, second.index) == ("scene-0061", 0, 1)
    assert second.time_s - first.time_s == pytest.approx(0.5)
    assert first.boxes is not None
    assert second.boxes is not None
    # The vehicle looks north from (50, 100): the bus is 30 m ahead, the cone left of it.
    assert first.boxes.boxes[0] == pytest.approx([30, 0, 0, 10, 2, 3, 0], abs=1e-9)
    assert first.boxes.boxes[1, :2] == pytest.approx([20, 2])
    assert [OBJECTS[k] for k in first.boxes.classes] == ["bus", "other"]
    assert first.boxes.details[1] == "movable_object.trafficcone"
    assert first.boxes.track_ids.tolist() == second.boxes.track_ids.tolist() == [0, 1]
    assert first.boxes.velocity is not None
    assert first.boxes.velocity[0] == pytest.approx([2, 0])  # 1 m in half a second, ahead
    assert np.isnan(first.boxes.velocity[1]).all()
    assert first.points is not None
    assert first.points.tolist() == [[1.5, 2, 3, 9, 0]]  # the point that is no number is gone
    camera = first.views["cam_front"].calibration
    assert camera is not None
    # The camera is 1 m ahead of the ego origin and went on 1 m before it fired.
    assert camera.project(first.boxes.boxes[:1, :3])[1] == pytest.approx([28])


def test_the_real_key_frame_reads_as_from_its_info_file(
    shared_driving: Path, tmp_path: Path
) -> None:
    folder = shared_driving / "nuscenes"
    (wanted,) = read_key_frames(folder / "info.json")
    (told,) = json.loads((folder / "info.json").read_text())["data_list"]
    world = np.array(told["ego2global"])
    into_ego = np.array(told["lidar_points"]["lidar2ego"])
    tables: Tables = {name: [] for name in (
        "sensor", "calibrated_sensor", "sample_data", "ego_pose", "sample_annotation",
        "instance", "category")}  # fmt: skip
    tables["scene"] = [{"token": "s", "name": "scene-0061", "first_sample_token": told["token"]}]
    tables["sample"] = [{"token": told["token"], "timestamp": int(told["timestamp"] * 1e6),
                         "next": "", "prev": ""}]  # fmt: skip
    sensors = {name: (camera["img_path"], np.array(camera["lidar2cam"]), camera["cam2img"])
               for name, camera in told["images"].items()}  # fmt: skip
    sensors["LIDAR_TOP"] = (told["lidar_points"]["lidar_path"], np.eye(4), [])
    for name, (file, from_lidar, matrix) in sensors.items():
        # Where the sensor was, put wholly into its calibration: the vehicle's pose is the sweep's.
        placed_in_ego = into_ego @ np.linalg.inv(from_lidar)
        tables["sensor"].append({"token": name, "channel": name})
        tables["calibrated_sensor"].append(
            {"token": name, "sensor_token": name, "camera_intrinsic": matrix,
             **placed(placed_in_ego)})  # fmt: skip
        tables["ego_pose"].append({"token": name, **placed(world)})
        tables["sample_data"].append({
            "token": name, "sample_token": told["token"], "ego_pose_token": name,
            "calibrated_sensor_token": name, "filename": str(folder / file),
            "is_key_frame": True})  # fmt: skip
    names = {"pedestrian": "human.pedestrian.adult", "barrier": "movable_object.barrier",
             "traffic_cone": "movable_object.trafficcone",
             "construction_vehicle": "vehicle.construction"}  # fmt: skip
    assert wanted.boxes is not None
    counted = [one for one in told["instances"] if one["bbox_label_3d"] >= 0]
    for i, (one, kind) in enumerate(zip(counted, wanted.boxes.details, strict=True)):
        x, y, z, length, width, height, yaw = one["bbox_3d"]
        box = pose(x, y, yaw)
        box[2, 3] = z
        tables["category"].append({"token": f"k{i}", "name": names.get(kind, f"vehicle.{kind}")})
        tables["instance"].append({"token": f"i{i}", "category_token": f"k{i}"})
        tables["sample_annotation"].append({
            "token": str(i), "sample_token": told["token"], "instance_token": f"i{i}", "prev": "",
            "next": "", "size": [width, length, height],
            **placed(world @ into_ego @ box)})  # fmt: skip
    (read,) = read_nuscenes(save(tmp_path, tables))
    assert read.boxes is not None
    assert read.boxes.boxes == pytest.approx(wanted.boxes.boxes, abs=1e-3)
    assert read.boxes.classes.tolist() == wanted.boxes.classes.tolist()
    assert read.points == pytest.approx(np.asarray(wanted.points), abs=1e-5)
    assert next(iter(read.views)) == "cam_front"
    for name, view in wanted.views.items():
        ours = read.views[name].calibration
        assert ours is not None
        assert view.calibration is not None
        pixels, depth = view.calibration.project(wanted.boxes.boxes[:, :3])
        mine, _ = ours.project(wanted.boxes.boxes[:, :3])
        ahead = depth > 1
        assert mine[ahead] == pytest.approx(pixels[ahead], abs=0.5)


def test_what_is_missing_is_named(drive: tuple[Path, Tables]) -> None:
    folder, tables = drive
    (folder / "samples" / "c.jpg").unlink()
    with pytest.raises(DataError, match="broken"):
        list(read_nuscenes(folder))
    problems: list[DataError] = []
    assert list(read_nuscenes(folder, broken=problems.append)) == []
    assert len(problems) == 2
    save(folder, {"ego_pose": tables["ego_pose"][1:]})
    with pytest.raises(DataError, match="PaC1") as raised:
        list(read_nuscenes(folder))
    assert "sample a" in raised.value.where
    save(folder, {"sample": [row | {"next": "a"} for row in tables["sample"]]})
    with pytest.raises(DataError, match="circle"):
        list(read_nuscenes(folder, broken=problems.append))
    (folder / "v1.0-mini" / "instance.json").unlink()
    with pytest.raises(DataError, match="cannot be read") as raised:
        list(read_nuscenes(folder))
    assert raised.value.where.endswith("instance.json")
