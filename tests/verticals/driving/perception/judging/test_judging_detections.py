"""Average precision against pycocotools."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from core.errors import DataError, ParameterError
from tests.verticals.driving.perception.judging.made import (
    CAR,
    LIGHT,
    OTHER,
    WALKER,
    boxes,
    random_frames,
    sight,
    view,
)
from verticals.driving.frame import Boxes2D, View
from verticals.driving.perception.judging.detections import average_precision, detection_scores
from verticals.driving.perception.judging.matching import OVERLAPS, Difficulty, match
from verticals.driving.perception.settings import DETECTED


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


def test_overlaps_are_cocos() -> None:
    np.testing.assert_allclose(OVERLAPS, COCOeval(iouType="bbox").params.iouThrs)
