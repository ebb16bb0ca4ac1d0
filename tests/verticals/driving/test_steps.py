"""The perception case step by step, on streets and on a client's folders."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import orjson
import pytest
from PIL import Image

from core.errors import ParameterError
from verticals.driving import loading
from verticals.driving.fitting import labelled_heads
from verticals.driving.frame import View
from verticals.driving.parameters import RoadParameters
from verticals.driving.perception.eye import open_eye
from verticals.driving.predictor import RoadImage, RoadPredictor, RoadSight
from verticals.driving.stages import Labelled, Loaded


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    return loading.load(RoadParameters(budget="quick"))


def test_the_same_seed_gives_the_same_streets(loaded: Loaded) -> None:
    again = loading.load(RoadParameters(budget="quick"))
    assert again.fingerprint == loaded.fingerprint
    other = loading.load(RoadParameters(budget="quick", seed=1))
    assert other.fingerprint != loaded.fingerprint


def test_no_street_is_in_two_parts(loaded: Loaded) -> None:
    split = loading.split(loading.check(loaded))
    parts = [{one.sequence for one in part}
             for part in (split.train, split.validation, split.test)]  # fmt: skip
    assert not parts[0] & parts[1]
    assert not (parts[0] | parts[1]) & parts[2]
    assert len(split.train) + len(split.validation) + len(split.test) == len(loaded.frames)


def test_the_check_counts_what_is_there(loaded: Loaded) -> None:
    checked = loading.check(loaded)
    table = checked.contents.set_index(["of", "class"])
    cars = sum(int((one.view.boxes.classes == 0).sum())
               for one in loaded.frames if one.view.boxes is not None)  # fmt: skip
    assert table.loc[("object", "car"), "objects"] == cars
    assert table["share of pixels"].sum() == pytest.approx(1)
    assert "objects too small to be judged" in set(checked.findings["finding"])


def test_unknown_weights_are_named(loaded: Loaded) -> None:
    from verticals.driving.fitting import fit

    split = loading.split(loading.check(
        Loaded(RoadParameters(start="best"), loaded.frames, "", "")))  # fmt: skip
    with pytest.raises(ParameterError, match="imagenet, shipped"):
        fit(split)


def picture(array: np.ndarray, form: str = "PNG") -> str:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, form)
    return base64.b64encode(buffer.getvalue()).decode()


@pytest.fixture(scope="module")
def predictor() -> RoadPredictor:
    return RoadPredictor(open_eye())


@pytest.mark.parametrize(("name", "text"), [
    ("grey", picture(np.full((60, 90), 130, np.uint8))),
    ("alpha", picture(np.full((60, 90, 4), 130, np.uint8))),
    ("16 bits", picture(np.full((60, 90), 40_000, np.uint16))),
    ("one pixel", picture(np.zeros((1, 1, 3), np.uint8))),
])  # fmt: skip
def test_odd_photographs_are_seen(predictor: RoadPredictor, name: str, text: str) -> None:
    (answer,) = predictor.predict([RoadImage(image=text)])
    assert isinstance(answer, RoadSight)
    assert answer.status in {"seen", "strange"}, name


@pytest.mark.parametrize("text", [
    "not base64!", base64.b64encode(b"text").decode(),
    picture(np.random.default_rng(0).integers(0, 255, (90, 90, 3), dtype=np.uint8), "JPEG")[:600],
])  # fmt: skip
def test_one_broken_photograph_does_not_take_the_others_with_it(
    predictor: RoadPredictor, text: str
) -> None:
    sound = picture(np.full((60, 90, 3), 130, np.uint8))
    broken, whole = predictor.predict([RoadImage(image=text), RoadImage(image=sound)])
    assert isinstance(broken, RoadSight)
    assert isinstance(whole, RoadSight)
    assert broken.status == "unreadable"
    assert broken.note
    assert whole.status != "unreadable"


def test_pictures_are_sent_if_asked_for(predictor: RoadPredictor) -> None:
    image = np.full((60, 90, 3), 130, np.uint8)
    (answer,) = predictor.predict([RoadImage(image=picture(image), pictures=True)])
    assert isinstance(answer, RoadSight)
    assert answer.mask is not None
    assert answer.overlay is not None
    mask = np.asarray(Image.open(io.BytesIO(base64.b64decode(answer.mask))))
    assert mask.shape == (60, 90)
    shares = np.bincount(mask.ravel(), minlength=11) / mask.size
    assert np.allclose(shares, list(answer.surfaces.values()), atol=1e-4)


def test_heads_follow_the_labels() -> None:
    image = np.zeros((8, 8, 3), np.uint8)
    assert labelled_heads([Labelled(View(image, surfaces=image[..., 0]), "a")]) == ("surfaces",)
    assert labelled_heads([Labelled(View(image, lanes=()), "a")]) == ("lanes",)


def test_a_folder_of_photographs_gets_lines_and_pictures(
    predictor: RoadPredictor, tmp_path: Path
) -> None:
    from core.deployment.batch import predict_stream

    given = tmp_path / "given"
    (given / "day").mkdir(parents=True)
    Image.fromarray(np.full((60, 90, 3), 130, np.uint8)).save(given / "day/a.png")
    (given / "b.jpg").write_text("no picture")
    written = predict_stream(predictor, given, tmp_path / "out")
    lines = [orjson.loads(line) for line in written.path.read_bytes().splitlines()]
    by_name = {line["id"]: line["output"] for line in lines}
    assert by_name["b.jpg"]["status"] == "unreadable"
    mask = tmp_path / "out" / by_name["day/a.png"]["mask"]
    assert mask.name == "a.png.mask.png"
    assert np.asarray(Image.open(mask)).shape == (60, 90)
