"""The measures against pycocotools, scikit-learn, NumPy and cases worked out by hand."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import cv2
import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from sklearn.metrics import jaccard_score

from core.errors import DataError, ParameterError
from core.evaluation.metrics import measure
from verticals.driving.deciding.perception_error import DEFAULT
from verticals.driving.frame import OBJECTS, SURFACES, Boxes2D, Calibration, LaneLine, View
from verticals.driving.perception.judging.confidence import (
    detection_confidence,
    detection_outcomes,
    pixel_confidence,
)
from verticals.driving.perception.judging.detections import average_precision, detection_scores
from verticals.driving.perception.judging.error_table import error_table
from verticals.driving.perception.judging.lanes import lane_scores, overlaps
from verticals.driving.perception.judging.matching import OVERLAPS, Difficulty, match
from verticals.driving.perception.judging.objects import (
    distance_scores,
    light_scores,
    perception_errors,
    sign_scores,
    smooth_states,
)
from verticals.driving.perception.judging.report import report
from verticals.driving.perception.judging.resampling import interval, units_of
from verticals.driving.perception.judging.surfaces import surface_scores, usual_surfaces
from verticals.driving.perception.settings import DETECTED
from verticals.driving.perception.sight import Sight

CAR, WALKER = OBJECTS.index("car"), OBJECTS.index("pedestrian")
LIGHT, SIGN, OTHER = (OBJECTS.index(n) for n in ("traffic_light", "traffic_sign", "other"))
IMAGE = np.zeros((288, 512, 3), np.uint8)


def boxes(xyxy: Any, kinds: Any, **more: Any) -> Boxes2D:
    xyxy = np.asarray(xyxy, float).reshape(-1, 4)
    tracks = more.pop("track_ids", np.full(len(xyxy), -1))
    more = {k: v if k == "details" else np.asarray(v) for k, v in more.items()}
    return Boxes2D(xyxy, np.asarray(kinds, np.int64), np.asarray(tracks), **more)


def view(labels: Boxes2D | None = None, **more: Any) -> View:
    return View(IMAGE, boxes=labels, **more)


def sight(found: Boxes2D, surfaces: Any = None, confidence: Any = None, **more: Any) -> Sight:
    empty = np.zeros((288, 512))
    return Sight(
        (empty if surfaces is None else surfaces).astype(np.uint8),
        (empty if confidence is None else confidence).astype(np.float32), found, **more,
    )  # fmt: skip


def random_frames(seed: int, n: int = 30) -> tuple[list[View], list[Boxes2D]]:
    """Labels, some hidden, cut, flagged or small; and detections near some of them."""
    rng = np.random.default_rng(seed)
    views, found = [], []
    for _ in range(n):
        g = int(rng.integers(0, 9))
        corner = rng.uniform(0, [400, 200], (g, 2))
        size = rng.uniform(6, 80, (g, 2))
        kinds = rng.choice([CAR, WALKER, LIGHT], g)
        xyxy = np.concatenate([corner, corner + size], axis=1)
        views.append(view(boxes(
            xyxy, kinds, occlusion=rng.uniform(0, 0.9, g), truncation=rng.uniform(0, 0.8, g),
            ignore=rng.random(g) < 0.1, distance=rng.uniform(5, 90, g),
        )))  # fmt: skip
        again = np.repeat(np.arange(g), rng.integers(0, 3, g))
        near = xyxy[again] + rng.normal(0, 3, (len(again), 4))
        stray = rng.uniform(0, [400, 200], (3, 2))
        stray = np.concatenate([stray, stray + rng.uniform(6, 60, (3, 2))], axis=1)
        every = np.concatenate([near, stray])
        found.append(boxes(
            every, np.concatenate([kinds[again], rng.choice([CAR, WALKER, LIGHT], 3)]),
            scores=rng.permutation(np.linspace(0.05, 0.99, len(every))) + rng.uniform(0, 1e-3),
            distance=rng.uniform(5, 90, len(every)),
        ))  # fmt: skip
    return views, found


def coco(views: list[View], found: list[Boxes2D], rules: Difficulty) -> COCOeval:
    """The same frames in pycocotools; height stands for area, so that its range is our limit."""
    labels, results = [], []
    for image, (one, seen) in enumerate(zip(views, found, strict=True), 1):
        true = one.boxes
        assert true is not None
        crowd = true.ignore | (true.occlusion > rules.max_hidden)  # type: ignore[operator]
        crowd |= true.truncation > rules.max_cut
        for rows, into, more in ((true, labels, crowd), (seen, results, None)):
            for i, (left, top, right, bottom) in enumerate(rows.xyxy):
                into.append({
                    "id": len(into) + 1, "image_id": image, "category_id": int(rows.classes[i]),
                    "bbox": [left, top, right - left, bottom - top], "area": bottom - top,
                    "iscrowd": 0 if more is None else int(more[i]),
                    **({} if rows.scores is None else {"score": float(rows.scores[i])}),
                })  # fmt: skip
    images = [{"id": i + 1} for i in range(len(views))]
    kinds = [{"id": i} for i in range(len(DETECTED))]
    with contextlib.redirect_stdout(io.StringIO()):
        both = []
        for rows in (labels, results):
            one = COCO()
            one.dataset = {"images": images, "categories": kinds, "annotations": rows}
            one.createIndex()
            both.append(one)
        judge = COCOeval(*both, "bbox")
        judge.params.areaRng, judge.params.areaRngLbl = [[rules.min_height, 1e9]], ["all"]
        judge.params.maxDets = [rules.most]
        judge.evaluate()
        judge.accumulate()
    return judge


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_average_precision_is_that_of_pycocotools(seed: int) -> None:
    views, found = random_frames(seed)
    rules = Difficulty()
    judge = coco(views, found, rules)
    matches = match(found, views, ["a"] * len(views), difficulty=rules, draws=5)
    kinds = [CAR, WALKER, LIGHT]
    ours = average_precision(matches, kinds)[0]
    theirs = judge.eval["precision"][:, :, kinds, 0, 0].mean(axis=1).T  # (kinds, overlaps)
    np.testing.assert_allclose(ours, theirs, atol=1e-12)
    scores = detection_scores(matches)
    assert scores.ap.value == pytest.approx(theirs.mean())
    assert scores.ap50.value == pytest.approx(theirs[:, 0].mean())
    assert scores.ap50.low <= scores.ap50.value <= scores.ap50.high


def test_a_draw_is_what_pycocotools_says_of_the_frames_drawn() -> None:
    views, found = random_frames(3, n=24)
    names = [f"s{i // 2}" for i in range(24)]
    matches = match(found, views, names, draws=4)
    ours = average_precision(matches, [CAR, WALKER, LIGHT])
    for draw in range(1, 5):
        often = matches.units.weights[draw, matches.units.of].astype(int)
        rows = np.repeat(np.arange(24), often)
        judge = coco([views[i] for i in rows], [found[i] for i in rows], Difficulty())
        theirs = judge.eval["precision"][:, :, [CAR, WALKER, LIGHT], 0, 0].mean(axis=1).T
        np.testing.assert_allclose(ours[draw], theirs, atol=1e-9)


def test_every_match_is_that_of_pycocotools() -> None:
    views, found = random_frames(4)
    judge = coco(views, found, Difficulty())
    matches = match(found, views, ["a"] * len(views), draws=1)
    for one in judge.evalImgs:
        if one is None:
            continue
        rows = matches.found[(matches.found["frame"] == one["image_id"] - 1)
                             & (matches.found["kind"] == one["category_id"])]  # fmt: skip
        rows = rows.sort_values("score", ascending=False).index.to_numpy()
        hit = (one["dtMatches"] > 0) & ~one["dtIgnore"]
        np.testing.assert_array_equal(matches.hit[rows].T, hit)
        np.testing.assert_array_equal(matches.void[rows].T, one["dtIgnore"])


def test_regions_of_no_class_excuse_every_class_and_unknown_boxes_claim_none() -> None:
    labels = boxes([[0, 0, 100, 100]], [OTHER], ignore=[True])
    seen = boxes([[10, 10, 60, 60], [200, 0, 260, 60]], [CAR, WALKER], scores=[0.9, 0.9])
    matches = match([sight(seen, unknown=np.array([False, True]))], [view(labels)], ["a"], draws=1)
    assert len(matches.found) == 1
    assert matches.void.all()
    assert not matches.truth["counted"].any()


def test_frames_without_objects_or_detections_are_judged() -> None:
    none = boxes(np.zeros((0, 4)), [], scores=[])
    stray = boxes([[0, 0, 50, 50]], [CAR], scores=[0.9])
    car = boxes([[100, 100, 150, 150]], [CAR])
    views = [view(boxes(np.zeros((0, 4)), [])), view(car), view(None)]
    matches = match([stray, none, stray], views, ["a"] * 3, draws=10)
    assert list(matches.frames) == [0, 1]
    scores = detection_scores(matches, weathers=["day", "rain", "rain"])
    assert scores.ap50.value == 0
    whole = scores.slices.iloc[0]
    assert (whole["recall"], whole["precision"], whole["objects"]) == (0, 0, 1)
    assert list(scores.slices.loc[scores.slices["slice"] == "weather", "bin"]) == ["rain"]
    with pytest.raises(DataError, match="no scores"):
        match([car], [view(car)], ["a"])
    with pytest.raises(ParameterError, match="tram"):
        detection_scores(matches, classes=["tram"])


def test_slices_put_hits_where_the_object_is_and_false_alarms_where_they_claim() -> None:
    labels = boxes([[0, 0, 40, 40], [100, 0, 200, 100]], [CAR, CAR], distance=[50, 10])
    seen = boxes([[0, 0, 40, 40], [300, 0, 340, 30], [100, 0, 200, 100]], [CAR] * 3,
                 scores=[0.9, 0.8, 0.4], distance=[20, 40, 10])  # fmt: skip
    slices = detection_scores(match([seen], [view(labels)], ["a"], draws=5)).slices
    by = slices.set_index(["slice", "bin"])
    assert by.loc[("distance", "30-60 m"), ["recall", "precision"]].tolist() == [1, 0.5]
    assert by.loc[("distance", "0-15 m"), "recall"] == 0  # the score is too low to be believed
    assert by.loc[("height", "24-48 px"), "precision"] == 0.5
    assert by.loc[("height", "96+ px"), "objects"] == 1


def test_surfaces_against_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 12, (12, 20, 30)).astype(np.uint8)
    seen = np.where(rng.random(truth.shape) < 0.6, truth, rng.integers(0, 11, truth.shape))
    seen = np.minimum(seen, 10).astype(np.uint8)
    views = [View(np.zeros((20, 30, 3), np.uint8), surfaces=t) for t in truth]
    names = [f"s{i}" for i in range(12)]
    scores = surface_scores(list(seen), views, names)
    kept = truth < 11
    theirs = jaccard_score(truth[kept], seen[kept], average=None, labels=range(11))
    np.testing.assert_allclose(scores.classes["iou"], theirs)
    assert scores.miou.value == pytest.approx(theirs.mean())
    assert scores.miou.low < scores.miou.value < scores.miou.high
    assert scores.unit == "sequence"
    some = surface_scores(list(seen), views, names, classes=["road", "car"])
    assert some.miou.value == pytest.approx(theirs[[3, 8]].mean())
    assert scores.confusion.to_numpy().sum() == kept.sum()


def test_surfaces_that_the_truth_lacks_are_no_part_of_the_mean() -> None:
    truth = np.full((4, 4), SURFACES.index("road"), np.uint8)
    seen = truth.copy()
    seen[0, 0] = SURFACES.index("car")
    truth[3, 3] = 11
    one = View(np.zeros((4, 4, 3), np.uint8), surfaces=truth)
    scores = surface_scores([seen], [one], ["a"])
    assert scores.miou.value == pytest.approx(14 / 15)
    with pytest.raises(DataError, match="differ in size"):
        surface_scores([seen[:2]], [one], ["a"])
    with pytest.raises(ParameterError, match="water"):
        surface_scores([seen], [one], ["a"], classes=["water"])
    with pytest.raises(DataError, match="no frame"):
        surface_scores([seen], [view()], ["a"])
    assert usual_surfaces([one, one])[0, 0] == SURFACES.index("road")


def test_few_sequences_are_drawn_as_blocks_of_frames() -> None:
    one = units_of(["a"] * 100)
    assert one.kind == "block of frames"
    assert one.of.max() + 1 == 20
    assert (np.diff(one.of) >= 0).all()
    two = units_of(["a", "b"] * 50)
    assert not set(two.of[::2]) & set(two.of[1::2])
    assert units_of([f"s{i // 3}" for i in range(30)]).kind == "sequence"
    assert units_of(["a"]).of.tolist() == [0]


def test_medians_of_draws_are_those_of_the_rows_drawn() -> None:
    rng = np.random.default_rng(0)
    units = units_of([f"s{i}" for i in range(9)], draws=20)
    frames, values = rng.integers(0, 9, 41), rng.normal(size=41)
    for row, median in enumerate(units.medians(values, frames)):
        often = units.weights[row, units.of[frames]].astype(int)
        assert median == pytest.approx(np.median(np.repeat(values, often)))
    found = interval(units.medians(values, frames), 41)
    assert found.low <= found.value <= found.high


def test_distance_error_is_the_median_of_relative_errors() -> None:
    labels = boxes([[0, 0, 40, 40], [100, 0, 140, 40], [200, 0, 240, 40]], [CAR] * 3,
                   distance=[10, 20, 100])  # fmt: skip
    seen = boxes(labels.xyxy, [CAR] * 3, scores=[0.9] * 3, distance=[11, 16, 101])
    scores = distance_scores(match([seen] * 12, [view(labels)] * 12, list("abcdefghijkl")))
    assert scores.error.value == pytest.approx(0.1)
    assert scores.bias.value == pytest.approx(0.01)
    bins = scores.bins.set_index("bin")
    assert bins.loc["15-30 m", "error"] == pytest.approx(0.2)
    assert bins.loc["15-30 m", "bias"] == pytest.approx(-0.2)
    assert scores.baseline == pytest.approx(0.8)  # all say 20 m: 1.0, 0.0 and 0.8 off
    with pytest.raises(DataError, match="known distance"):
        distance_scores(match([seen], [view(boxes(labels.xyxy, [CAR] * 3))], ["a"]))


def test_light_states_over_time_outlive_a_wrong_frame_and_a_gap() -> None:
    place = [[100, 50, 120, 100]]
    said = ["red", "red", "green", "red", None, "green", "green"]
    true = ["red", "red", "red", "red", "red", "green", "green"]
    views, found = [], []
    for now, before in zip(said, true, strict=True):
        views.append(view(boxes(place, [LIGHT], details=(before,), track_ids=[7])))
        found.append(boxes(place if now else [], [LIGHT] if now else [],
                           scores=[0.9] if now else [], details=(now,) if now else ()))  # fmt: skip
    scores = light_scores(match(found, views, ["a"] * 7, draws=20))
    assert scores.right.value == pytest.approx(5 / 6)
    assert scores.over_time is not None
    # red while green flashes and while unseen; green, red, green, then its majority: all right
    assert scores.over_time.value == 1
    assert scores.over_time.n == 7
    assert scores.baseline == pytest.approx(4 / 6)
    assert scores.confusion.loc["red", "green"] == 1


def test_smoothing_is_a_majority_in_which_the_later_breaks_a_tie() -> None:
    shares = np.array([[np.nan, np.nan], [1, 0], [0, 1], [1, 0], [1, 0]])
    smooth = smooth_states(shares, last=2)
    assert np.isnan(smooth[0]).all()
    assert smooth[1:].argmax(axis=1).tolist() == [0, 1, 0, 0]
    np.testing.assert_allclose(smooth_states(shares, last=1)[1:], shares[1:])


def test_sign_names_count_on_signs_whose_name_was_learned() -> None:
    labels = boxes([[0, 0, 40, 40], [100, 0, 140, 40], [200, 0, 240, 40]], [SIGN] * 3,
                   details=("stop", "yield", "elk"))  # fmt: skip
    seen = boxes(labels.xyxy, [SIGN] * 3, scores=[0.9] * 3, details=("stop", "stop", "stop"))
    scores = sign_scores(match([seen], [view(labels)], ["a"], draws=5))
    assert (scores.right.value, scores.right.n, scores.over_time) == (0.5, 2, None)


def line(x: float, offset: int, top: float = 100) -> LaneLine:
    return LaneLine(np.array([[x, 280.0], [x, top]]), "solid", offset)


def test_lanes_are_counted_as_culane_does() -> None:
    true = (line(100, 1), line(300, -1), line(400, -2, top=275), line(480, -3))
    seen = (line(102, 1), line(330, -1), line(401, -2, top=275), line(481, -2))
    scores = lane_scores([seen], [view(lanes=true)], ["a"], draws=5)
    # the first is found, the second missed with a false alarm beside it; others do not count
    assert (scores.precision.value, scores.recall.value, scores.f1.value) == (0.5, 0.5, 0.5)
    assert scores.numbered.value == 1
    empty = lane_scores([()], [view(lanes=true)], ["a"], draws=5)
    assert empty.f1.value == 0
    assert np.isnan(empty.precision.value)


def test_bands_overlap_as_culanes_do_at_its_own_size() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        base = np.column_stack(
            [np.linspace(*rng.uniform(200, 1400, 2), 6), np.linspace(580, 250, 6)]
        )
        other = base + np.column_stack([rng.uniform(-25, 25, 2).repeat(3), np.zeros(6)])
        masks = []
        for one in (base, other):
            mask = np.zeros((590, 1640), np.uint8)
            cv2.polylines(mask, [np.rint(one).astype(np.int32).reshape(-1, 1, 2)], False, 1, 30)
            masks.append(mask > 0)
        theirs = (masks[0] & masks[1]).sum() / (masks[0] | masks[1]).sum()
        scale = 512 / 1640
        ours = overlaps([base * scale], [other * scale], (184, 512))[0, 0]
        assert ours == pytest.approx(theirs, abs=0.03)
    assert overlaps([base], [base, base + 400], (590, 1640)).tolist() == [[1, 0]]


def test_box_confidence_is_the_error_of_core() -> None:
    views, found = random_frames(5)
    matches = match(found, views, [f"s{i}" for i in range(30)], draws=50)
    _, scores, hit = detection_outcomes(matches)
    confidence = detection_confidence(matches)
    # core puts a group of equal scores in the bin of its middle, we in that of its first: none here
    assert confidence.ece.value == pytest.approx(measure("ece", hit.astype(int), scores), abs=0.02)
    assert confidence.ece.low <= confidence.ece.value <= confidence.ece.high
    assert confidence.curve["n"].sum() == len(scores)


def test_pixel_confidence_that_is_right_has_no_error() -> None:
    rng = np.random.default_rng(0)
    views, honest, boastful = [], [], []
    none = boxes([], [], scores=[])
    for _ in range(10):
        sure = rng.uniform(0.2, 1, (60, 80))
        seen = rng.integers(0, 11, sure.shape)
        truth = np.where(rng.random(sure.shape) < sure, seen, (seen + 1) % 11).astype(np.uint8)
        views.append(View(np.zeros((60, 80, 3), np.uint8), surfaces=truth))
        honest.append(sight(none, seen, sure))
        boastful.append(sight(none, seen, sure**0.5))
    names = [f"s{i}" for i in range(10)]
    right, wrong = (pixel_confidence(s, views, names) for s in (honest, boastful))
    assert right.ece.value < 0.01
    flat = np.concatenate([s.confidence.ravel() for s in boastful]).astype(float)
    pairs = zip(boastful, views, strict=True)
    outcome = np.concatenate([(s.surfaces == v.surfaces).ravel() for s, v in pairs])
    assert wrong.ece.value == pytest.approx(measure("ece", outcome.astype(int), flat), abs=1e-3)
    assert right.ece.high < wrong.ece.low


def test_errors_name_what_became_of_every_object() -> None:
    camera = Calibration(np.array([[500.0, 0, 256], [0, 500, 144], [0, 0, 1]]), 512, 288)
    labels = boxes([[0, 0, 40, 40], [100, 0, 140, 40], [200, 0, 208, 8]], [CAR] * 3,
                   distance=[10, 20, 80])  # fmt: skip
    seen = boxes([[5, 0, 45, 40], [300, 0, 340, 40]], [CAR] * 2, scores=[0.9, 0.7],
                 distance=[12, 30])  # fmt: skip
    errors = perception_errors(match([seen], [view(labels, calibration=camera)], ["a"], draws=1))
    assert errors.objects["missed"].tolist() == [False, True, True]
    assert errors.objects["counted"].tolist() == [True, True, False]  # the small one
    assert errors.objects["ratio"][0] == pytest.approx(1.2)
    assert errors.objects["side_m"][0] == pytest.approx(5 / 500 * 10)
    assert errors.objects["ratio"].isna().tolist() == [False, True, True]
    assert errors.false_alarms["distance"].tolist() == [30]


def test_the_error_table_holds_what_was_measured_and_says_what_was_not() -> None:
    views, found = [], []
    for i in range(60):  # a car at 30 m, missed in frames 10 and 11, always 1 m too far
        views.append(view(boxes([[0, 0, 40, 40]], [CAR], distance=[30], track_ids=[1],
                                occlusion=[0.5])))  # fmt: skip
        there = i not in (10, 11)
        found.append(boxes([[0, 0, 40, 40]] if there else [], [CAR] * there, scores=[0.9] * there,
                           distance=[31] * there))  # fmt: skip
    errors = perception_errors(match(found, views, ["a"] * 60, draws=1))
    table = error_table(errors, [True] * 60, step_s=0.1)
    assert table.found["vehicle night partly"][1] == pytest.approx(58 / 60)
    assert table.found["vehicle night clear"] == DEFAULT.found["vehicle night clear"]
    assert table.range_sigma_m[1] == pytest.approx(1.4826)
    assert table.range_sigma_m[0] == DEFAULT.range_sigma_m[0]
    assert table.side_sigma_m == DEFAULT.side_sigma_m  # no calibration, no bearing
    assert table.miss_s == pytest.approx(0.2)
    assert "1 of 40" in table.source
    with pytest.raises(DataError, match="nights"):
        error_table(errors, [True], step_s=0.1)


def test_perfect_sight_is_reported_as_such() -> None:
    rng = np.random.default_rng(0)
    views, sights, names = [], [], []
    for i in range(16):
        surfaces = rng.integers(0, 11, (288, 512)).astype(np.uint8)
        labels = boxes([[10, 10, 60, 60], [100, 10, 120, 60], [200, 20, 240, 60]],
                       [CAR, LIGHT, SIGN], distance=[10 + i, 20, 30], track_ids=[1, 2, 3],
                       details=("", ("red", "green")[i % 2], "stop"))  # fmt: skip
        lanes = (line(100, 1), line(300, -1))
        views.append(view(labels, surfaces=surfaces, lanes=lanes))
        seen = boxes(labels.xyxy, labels.classes, scores=[0.9] * 3, distance=labels.distance,
                     details=labels.details)  # fmt: skip
        sights.append(sight(seen, surfaces, np.ones((288, 512)), lanes=lanes))
        names.append(f"s{i // 2}")
    judged = report(sights, views, names, ["day", "night"] * 8, draws=20)
    table = judged.table().set_index("measure")
    for name in ("miou", "pixels_right", "ap50", "ap", "lane_f1", "light_state", "sign_name"):
        assert table.loc[name, "value"] == pytest.approx(1)
    assert table.loc["distance_error", "value"] == 0
    assert table.loc["pixel_ece", "value"] == 0
    assert table.loc["box_ece", "value"] == pytest.approx(0.1)
    assert table.loc["miou", "baseline"] < 0.2
    assert table.loc["light_state", "baseline is"].startswith("always")
    again = judged.table(judged, "itself")
    assert (again["baseline is"] == "itself").all()
    bare = report(sights, [View(v.image, surfaces=v.surfaces) for v in views], names, draws=5)
    assert bare.detections is None
    assert set(bare.table()["measure"]) == {"miou", "pixels_right", "pixel_ece"}
    with pytest.raises(DataError, match="one of each"):
        report(sights, views[:3], names)


def test_overlaps_are_cocos() -> None:
    np.testing.assert_allclose(OVERLAPS, COCOeval(iouType="bbox").params.iouThrs)
