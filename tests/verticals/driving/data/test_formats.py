"""COCO, MOT, masks, TFRecord, Waymo and video: written, read back, and refused when broken."""

from __future__ import annotations

import contextlib
import json
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import DataError
from verticals.driving.data.coco import read_coco, write_coco
from verticals.driving.data.masks import read_masks
from verticals.driving.data.mot import read_mot, write_mot
from verticals.driving.data.tfrecord import masked_crc, read_records
from verticals.driving.data.video import read_video, write_video
from verticals.driving.data.waymo import _messages, read_frames, read_scenarios
from verticals.driving.frame import OBJECTS, SURFACES, Frame


def test_coco_there_and_back_and_as_pycocotools_reads_it(corner: Frame, tmp_path: Path) -> None:
    path = write_coco([replace(corner, source="a.png"), corner], tmp_path / "boxes.json")
    first, second = read_coco(path)
    was = corner.views["front"].boxes
    assert was is not None
    assert first.boxes.xyxy == pytest.approx(was.xyxy)
    assert first.boxes.track_ids.tolist() == [7, 8, 9]
    assert (first.path.name, second.path.name) == ("a.png", "corner_000000_front.png")
    from pycocotools.coco import COCO

    outside = COCO(str(path))
    assert len(outside.getAnnIds(catIds=[OBJECTS.index("car") + 1])) == 6


def test_names_of_label_tools_are_understood(tmp_path: Path) -> None:
    told = {
        "images": [{"id": 5, "file_name": "x.jpg", "width": 10, "height": 10}],
        "categories": [{"id": 1, "name": "person"}, {"id": 2, "name": "Traffic Light"},
                       {"id": 3, "name": "zebra"}],
        "annotations": [{"id": i, "image_id": 5, "category_id": i, "bbox": [0, 0, 2, 3]}
                        for i in (1, 2, 3)],
    }  # fmt: skip
    (tmp_path / "x.json").write_text(json.dumps(told))
    (only,) = read_coco(tmp_path / "x.json")
    assert [OBJECTS[c] for c in only.boxes.classes] == ["pedestrian", "traffic_light", "other"]
    for change, said in (
        ({"image_id": 6}, "no image 6"), ({"bbox": [1, 2, 3]}, "four numbers"),
        ({"category_id": 9}, "no category 9"),
    ):  # fmt: skip
        broken = told | {"annotations": [told["annotations"][0] | change]}  # type: ignore[operator]
        (tmp_path / "y.json").write_text(json.dumps(broken))
        with pytest.raises(DataError, match=said) as raised:
            read_coco(tmp_path / "y.json")
        assert "annotations[0]" in raised.value.where


def test_mot_labels_mark_what_is_not_counted_and_results_come_back(tmp_path: Path) -> None:
    rows = ["1,1,10,20,30,40,1,1,0.8", "1,2,50,20,30,40,0,1,0.5", "3,3,10,20,30,40,1,8,1"]
    (tmp_path / "gt.txt").write_text("\n".join(rows))
    frames = read_mot(tmp_path / "gt.txt")
    assert [len(f) for f in frames] == [2, 0, 1]
    assert frames[0].xyxy.tolist() == [[10, 20, 40, 60], [50, 20, 80, 60]]
    assert np.asarray(frames[0].ignore).tolist() == [False, True]
    assert np.asarray(frames[2].ignore).tolist() == [True]
    back = read_mot(write_mot(frames, tmp_path / "result.txt"), 3)
    assert [f.xyxy.tolist() for f in back] == [f.xyxy.tolist() for f in frames]
    (tmp_path / "gt.txt").write_text("1,1,10,20,30,40,1,1,1\n1,1,10,x,30,40,1,1,1\n")
    with pytest.raises(DataError) as raised:
        read_mot(tmp_path / "gt.txt")
    assert "line 2" in raised.value.where


def test_masks_of_camvid_and_cityscapes(tmp_path: Path) -> None:
    for part in ("images", "masks"):
        (tmp_path / part).mkdir()
    Image.new("RGB", (4, 2)).save(tmp_path / "images" / "seq_1.png")
    mask = tmp_path / "masks" / "seq_1.png"
    Image.fromarray(np.array([[0, 3, 8, 11]] * 2, np.uint8)).save(mask)
    (frame,) = read_masks(tmp_path)
    assert np.asarray(frame.views["camera"].surfaces)[0].tolist() == [0, 3, 8, 11]
    Image.fromarray(np.array([[23, 7, 26, 1]] * 2, np.uint8)).save(mask)
    (frame,) = read_masks(tmp_path, cityscapes=True)
    there = np.asarray(frame.views["camera"].surfaces)[0]
    assert [SURFACES[i] for i in there[:3]] == ["sky", "road", "car"]
    for broken, said in (
        (np.full((2, 4), 77, np.uint8), "77"), (np.zeros((3, 4), np.uint8), "4 x 3"),
        (np.zeros((2, 4, 3), np.uint8), "shape"),
    ):  # fmt: skip
        Image.fromarray(broken).save(mask)
        with pytest.raises(DataError, match=said):
            list(read_masks(tmp_path))


def write_records(path: Path, records: list[bytes]) -> None:
    """As TensorFlow would."""
    with path.open("wb") as file:
        for data in records:
            head = struct.pack("<Q", len(data))
            file.write(head + struct.pack("<I", masked_crc(head)))
            file.write(data + struct.pack("<I", masked_crc(data)))


def test_checksums_of_records_are_those_of_the_format(tmp_path: Path) -> None:
    # CRC-32C of "123456789" is 0xe3069283 (RFC 3720, B.4); masked by the format's rule.
    assert masked_crc(b"123456789") == ((0xE3069283 >> 15 | 0xE3069283 << 17) + 0xA282EAD8) % 2**32
    path = tmp_path / "x.tfrecord"
    write_records(path, [b"one", b"", b"three" * 100])
    assert list(read_records(path)) == [b"one", b"", b"three" * 100]


@pytest.mark.parametrize(("place", "said"), [(13, "content"), (2, "length"), (-2, "content")])
def test_a_record_that_was_changed_is_refused(tmp_path: Path, place: int, said: str) -> None:
    path = tmp_path / "x.tfrecord"
    write_records(path, [b"first record"])
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    with pytest.raises(DataError, match=said) as raised:
        list(read_records(path))
    assert "record 1" in raised.value.where


def test_a_file_that_is_cut_gives_its_whole_records_first(tmp_path: Path) -> None:
    path = tmp_path / "x.tfrecord"
    write_records(path, [b"first", b"second"])
    path.write_bytes(path.read_bytes()[:-3])
    records = read_records(path)
    assert next(records) == b"first"
    with pytest.raises(DataError, match="middle"):
        next(records)


def test_a_waymo_frame_and_scenario(tmp_path: Path) -> None:
    import io

    messages = _messages()
    file = io.BytesIO()
    Image.new("RGB", (32, 16), (5, 6, 7)).save(file, "PNG")
    frame = messages["Frame"](timestamp_micros=2_500_000)
    frame.context.name = "drive"
    camera = frame.context.cameras.add(name=1, intrinsic=[100, 100, 16, 8, 0, 0, 0, 0, 0],
                                       width=32, height=16)  # fmt: skip
    camera.extrinsic.transform.extend(np.eye(4).ravel())
    frame.images.add(name=1, image=file.getvalue())
    label = frame.laser_labels.add(type=1, id="abc")
    label.box.x, label.box.length, label.box.width, label.box.height = 10, 4, 2, 1.5
    labels = frame.camera_labels.add(name=1)
    flat = labels.labels.add(type=2, id="def")
    flat.box.x, flat.box.y, flat.box.length, flat.box.width = 20, 8, 4, 6
    write_records(tmp_path / "f.tfrecord", [frame.SerializeToString()])
    (read,) = read_frames(tmp_path / "f.tfrecord")
    view = read.views["front"]
    assert (read.time_s, read.sequence, view.image[0, 0].tolist()) == (2.5, "drive", [5, 6, 7])
    assert view.boxes is not None
    assert view.boxes.xyxy.tolist() == [[18, 5, 22, 11]]
    assert read.boxes is not None
    assert view.calibration is not None
    pixels, depth = view.calibration.project(read.boxes.boxes[:, :3])
    assert (pixels[0].tolist(), depth.tolist()) == ([16, 8], [10])  # straight ahead

    scenario = messages["Scenario"](id="s", timestamps=[0, 0.1], now=0, ego_track=0)
    track = scenario.tracks.add(id=4, type=1)
    track.states.add(x=1, y=2, length=4, width=2, height=1.5, velocity_x=3, valid=True)
    track.states.add(valid=False)
    write_records(tmp_path / "s.tfrecord", [scenario.SerializeToString()])
    (motion,) = read_scenarios(tmp_path / "s.tfrecord")
    assert motion.boxes[0, 0, :2].tolist() == [1, 2]
    assert np.isnan(motion.boxes[0, 1]).all()
    with pytest.raises(DataError, match="no camera image"):
        list(read_frames(tmp_path / "s.tfrecord"))


def test_a_video_there_and_back_and_cut_off(tmp_path: Path) -> None:
    pictures = [np.full((48, 64, 3), 10 * i, np.uint8) for i in range(20)]
    path = write_video(pictures, tmp_path / "v.mp4", pictures_a_second=10)
    frames = list(read_video(path))
    assert [round(f.time_s, 2) for f in frames] == [round(i / 10, 2) for i in range(20)]
    means = [float(f.views["camera"].image.mean()) for f in frames]
    assert means == pytest.approx([10 * i for i in range(20)], abs=4)
    assert len(list(read_video(path, every_s=0.5))) == 4
    (tmp_path / "no.mp4").write_text("no video")
    with pytest.raises(DataError, match="no video"):
        list(read_video(tmp_path / "no.mp4"))


def headed(path: Path, copy: Path) -> Path:
    """An MP4 with its index before its pictures, as the web has them: one cut off still opens."""
    import av

    with av.open(str(path)) as given, av.open(
        str(copy), "w", options={"movflags": "faststart"}
    ) as file:  # fmt: skip
        stream = file.add_stream_from_template(given.streams.video[0])
        for packet in given.demux(given.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                file.mux(packet)
    return copy


@pytest.mark.parametrize("kind", ["mkv", "mp4"])
def test_a_video_that_ends_in_a_picture_gives_those_before_it(tmp_path: Path, kind: str) -> None:
    random = np.random.default_rng(0)
    pictures = [random.integers(0, 255, (64, 96, 3), dtype=np.uint8) for _ in range(60)]
    path, cut = tmp_path / f"v.{kind}", tmp_path / f"cut.{kind}"
    write_video(pictures, path)
    if kind == "mp4":
        path = headed(path, tmp_path / "headed.mp4")
    assert len(list(read_video(path))) == 60
    whole = path.read_bytes()
    cut.write_bytes(whole[: len(whole) // 2])
    frames = []
    with pytest.raises(DataError, match="breaks off"):
        frames.extend(read_video(cut))
    frames = []
    with contextlib.suppress(DataError):
        for frame in read_video(cut):
            frames.append(frame)
    assert 20 <= len(frames) <= 40
