"""What the page that sees says and draws, without a browser."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from apps.demos.driving_pages.desk import Desk
from apps.demos.driving_pages.film import film_html
from apps.demos.driving_pages.looking import Looked, Moment, private
from apps.demos.driving_pages.pictures import data_uri, filmed, heated, packed, tinted, unpacked
from apps.demos.driving_pages.saying import against, danger, headline, table_html
from apps.demos.driving_pages.scenes import scene
from apps.demos.driving_pages.seeing import Acts
from apps.demos.driving_pages.stage import FIRST_LAYERS, LAYERS, stage_html
from core.errors import ModelError
from verticals.driving.frame import OBJECTS, UNLABELLED

from .conftest import EVIL, picture


def strange(moment: Moment, row: int) -> Moment:
    """The moment with one object like no class."""
    sight = moment.seen.sight
    unknown = np.arange(len(sight.boxes)) == row
    sight = replace(sight, unknown=unknown, strangeness=1.7)
    return replace(moment, seen=replace(moment.seen, sight=sight))


def test_the_headline_says_what_is_there_and_how_near(desk: Desk, photo: Looked) -> None:
    (moment,) = photo.moments
    assert headline(moment, desk.words, "en") == (
        "1 pedestrian at 25 m; 1 vehicle at 25 m; light red; nothing unknown."
    )
    assert headline(moment, desk.words, "zh").endswith("信号灯：红灯；没有未知物体。")
    assert danger(moment, desk.words, "en") == ""


def test_something_unknown_and_a_strange_picture_are_said_first(desk: Desk, photo: Looked) -> None:
    boxes = photo.moments[0].seen.sight.boxes
    row = int(np.flatnonzero(boxes.classes == OBJECTS.index("car"))[0])
    moment = strange(photo.moments[0], row)
    assert "1 unknown" in headline(moment, desk.words, "en")
    assert "vehicle" not in headline(moment, desk.words, "en")
    odd = replace(photo, moments=(moment,))
    acts = Acts(desk)
    said, drawn, _, _, _ = acts.redrawn(odd, "en", list(FIRST_LAYERS), 0, None)
    assert "do not rely on what I say" in said
    assert "ck-strange" in drawn
    assert "unknown, car?" in drawn


def test_danger_is_said_when_it_comes(desk: Desk, clip: Looked) -> None:
    worst = clip.moments[clip.riskiest]
    assert worst.seen.nearest_s < 2.5
    assert danger(worst, desk.words, "en").startswith("Brake: car #")
    assert "碰撞仅剩" in danger(worst, desk.words, "zh")
    assert danger(clip.moments[0], desk.words, "en") == ""
    assert "ck-warned" in stage_html(worst, FIRST_LAYERS, desk.words, "en")


def test_the_table_has_times_for_clips_only(desk: Desk, photo: Looked, clip: Looked) -> None:
    still = table_html(photo, 0, desk.words, "en", why=True)
    moving = table_html(clip, clip.riskiest, desk.words, "en", why=False)
    assert "Collision in" in moving
    assert "Collision in" not in still
    assert still.count("data-row") == 3
    assert "data-row" not in moving
    assert "95%" in still


def test_layers_are_drawn_when_asked_for(desk: Desk) -> None:
    moment = desk.first.moments[0]
    bare = stage_html(moment, (), desk.words, "en")
    full = stage_html(moment, LAYERS, desk.words, "en", others=moment.seen.sight.boxes)
    assert bare.count("<image") == 1
    assert "<rect" not in bare
    assert full.count("<image") == 2  # and the surfaces
    assert "ck-true" in full
    assert "ck-other" in full
    assert "sky" in full


def test_names_do_not_cover_one_another(desk: Desk, clip: Looked) -> None:
    drawn = stage_html(clip.moments[-1], FIRST_LAYERS, desk.words, "zh")
    plates = [
        tuple(float(v) for v in found)
        for found in re.findall(
            r'<g class="ck-plate"[^>]*><rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" '
            r'height="([\d.]+)"', drawn
        )
    ]  # fmt: skip
    assert len(plates) == 3
    for k, (x, y, w, h) in enumerate(plates):
        for a, b, c, d in plates[k + 1 :]:
            assert x + w <= a or a + c <= x or y + h <= b or b + d <= y


def test_heads_and_plates_are_made_coarse(photo: Looked) -> None:
    (moment,) = photo.moments
    hidden, plain = private(moment), moment.image
    left, top, right, _ = (
        moment.seen.sight.boxes.xyxy[
            moment.seen.sight.boxes.classes == OBJECTS.index("pedestrian")
        ][0]
    ).astype(int)
    part = np.s_[top + 2 : top + 12, left + 2 : right - 2]
    assert hidden[part].std() < plain[part].std()
    assert (hidden[:10, :10] == plain[:10, :10]).all()


def test_a_moment_is_small_and_a_photograph_exact(photo: Looked, clip: Looked) -> None:
    assert (photo.moments[0].image == picture()).all()
    flat = clip.moments[0].seen.sight
    assert flat.surfaces.size == flat.confidence.size == 0
    assert len(clip.moments[0].picture) + len(clip.moments[0].surfaces) < 200_000


def test_a_film_shows_the_clip_and_the_danger(desk: Desk, photo: Looked, clip: Looked) -> None:
    assert film_html(photo, FIRST_LAYERS, desk.words, "en") == ""
    shown = film_html(clip, LAYERS, desk.words, "en")
    assert "data:video/mp4;base64," in shown
    assert "Time to collision: the shortest was" in shown
    assert shown.count("#ff3b30") > 2  # bars below the limit, besides the legend


def test_pictures_keep_what_they_have_to() -> None:
    image = picture()
    assert (unpacked(packed(image, exact=True)) == image).all()
    tint = unpacked(tinted(np.array([[0, UNLABELLED]], np.uint8)))
    assert tint[0, 0, 3] > 0 == tint[0, 1, 3]
    heat = unpacked(heated(np.array([[0.0, -1.0, 2.0]])))
    assert heat[0, :, 3].tolist()[:2] == [0, 0]
    assert heat[0, 2, 3] > 150
    assert data_uri(packed(image)).startswith("data:image/jpeg")
    assert data_uri(filmed([image] * 3, 10)).startswith("data:video/mp4")


def test_the_truth_of_a_street_judges_what_was_found(desk: Desk, photo: Looked) -> None:
    (moment,) = photo.moments
    mine = moment.seen.sight.boxes
    same = replace(moment, truth=replace(mine, scores=None, distance=np.asarray(mine.distance) / 2))
    judged = against(same)
    assert (judged.there, judged.found, judged.invented) == (3, 3, 0)
    assert judged.distance_error == pytest.approx(1.0)
    assert against(moment).there == 0
    assert against(desk.first.moments[0]).there > 0


def test_a_scene_is_the_same_whenever_its_number_is() -> None:
    (one,), (again,) = (list(scene(3, "night", drive=False)[1]) for _ in range(2))
    assert (one.image == again.image).all()
    assert one.truth is not None
    assert one.ego_speed is not None


def test_an_upload_is_seen_and_its_file_deleted(
    desk: Desk, photo_file: Path, tmp_path: Path
) -> None:
    path = Path(shutil.copy(photo_file, tmp_path))
    looked, reason, said, drawn, table, film, slider, why = Acts(desk).uploaded(
        "en", list(FIRST_LAYERS), "torch", str(path)
    )
    assert not path.exists()
    assert isinstance(looked, Looked)
    assert (looked.source, reason, film, why) == ("photo", None, "", "")
    assert not slider["visible"]
    assert "1 pedestrian" in said
    assert "distances assume a lens of 60 degrees" in said
    assert "<svg" in drawn
    assert "pedestrian" in table


def test_a_clip_is_followed_and_the_worst_moment_shown(
    desk: Desk, clip_file: Path, tmp_path: Path
) -> None:
    path = Path(shutil.copy(clip_file, tmp_path))
    acts = Acts(desk)
    looked, _, said, _, _, film, slider, _ = acts.uploaded("en", ["boxes"], "torch", str(path))
    assert slider["visible"]
    assert slider["value"] == looked.riskiest
    assert "Brake: car #" in said
    assert "<video" in film
    reason, said, *_ = acts.moved(looked, "en", ["boxes"], 0, (1, None))  # type: ignore[arg-type]
    assert reason is None
    assert "Brake" not in said


def test_a_broken_upload_leaves_the_page_as_it_was(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "broken.png"
    path.write_text("no")
    looked, _, told = Acts(desk).uploaded("zh", [], "torch", str(path))[:3]
    assert looked["__type__"] == "update"
    assert "value" not in looked
    assert "无法读取该图片" in told
    assert not path.exists()


def test_an_object_is_explained_and_scripts_stay_text(desk: Desk, photo: Looked) -> None:
    acts, boxes = Acts(desk), photo.moments[0].seen.sight.boxes
    row = int(np.flatnonzero(boxes.classes == OBJECTS.index("car"))[0])
    busy, (reason, drawn, text) = acts.explained(photo, "en", ["boxes"], 0, row)
    assert "some seconds" in busy[2]
    assert reason[0] == row
    assert "ck-chosen" in drawn
    assert drawn.count("<image") == 2
    assert "&lt;script&gt;" in text
    assert EVIL not in text
    *_, again = acts.redrawn(photo, "zh", ["boxes"], 0, reason)
    assert "依据" in again
    light = int(np.flatnonzero(boxes.classes == OBJECTS.index("traffic_light"))[0])
    *_, (_, _, text) = acts.explained(photo, "en", ["boxes"], 0, light)
    assert "cannot be explained" in text
    nobody: Any
    for nobody in (None, 99, "x"):
        assert list(acts.explained(photo, "en", ["boxes"], 0, nobody))[-1][0] is None
    *_, (_, _, text) = Acts(replace(desk, explain=None)).explained(photo, "en", ["boxes"], 0, row)
    assert "need the trained network" in text


def test_a_second_network_is_asked_when_that_is_wanted(desk: Desk, photo: Looked) -> None:
    drawn = Acts(desk).redrawn(photo, "en", ["boxes", "second"], 0, None)[1]
    assert "1 seen by both networks, 0 by ours only, 1 by the second only" in drawn

    def missing(image: np.ndarray) -> Any:
        raise ModelError("OpenVINO is not installed", remedy="pip install it")

    drawn = Acts(replace(desk, second=missing)).redrawn(photo, "en", ["second"], 0, None)[1]
    assert "OpenVINO is not installed" in drawn


def test_a_scene_that_is_asked_for_comes_with_lens_truth_and_own_speed(desk: Desk) -> None:
    looked, _, said, *_ = Acts(desk).scene("en", ["boxes", "truth"], "torch", "rain", 5)
    assert looked.camera is not None
    assert "the lens is known" in said
    again, *_ = Acts(desk).again("en", ["boxes"], "torch", looked)
    assert (again.moments[0].image == looked.moments[0].image).all()
