"""Who speaks: voices are learned, recognised, permitted and forgotten within one visit."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from apps.demos.voice_pages.acts import Acts
from apps.demos.voice_pages.desk import Desk
from apps.demos.voice_pages.enrolling import Enrolling
from apps.demos.voice_pages.reply import reply_html
from core.data.audio import write_wav
from core.errors import DataError

from .conftest import clip


def learn(desk: Desk, key: str | None, tmp_path: Path, name: str, pitch: int, role: str) -> Any:
    files = [tmp_path / f"{name}-{n}.wav" for n in range(3)]
    for n, file in enumerate(files):
        write_wav(file, clip(pitch, seed=n))
    acts = Enrolling(desk)
    key = acts.uploaded(key, "en", [str(file) for file in files])[0]
    assert not any(file.exists() for file in files)  # read, and deleted
    shown = acts.learned(key, "en", name, role)
    assert f"{name} is known from now on." in shown[-1]
    return shown[0]


def test_a_voice_is_told_and_its_permissions_hold(desk: Desk, tmp_path: Path) -> None:
    key = learn(desk, None, tmp_path, "Ana", 3, "resident")
    key = learn(desk, key, tmp_path, "Leo", 9, "child")
    _, visit = desk.visits.of(key)
    assert visit.people.names == ("Ana", "Leo")
    ana = visit.exchange(clip(3, seed=7), way="spoken")
    assert ana.turn.speaker == "Ana"
    html = reply_html(ana, desk, "en")
    assert re.search(r"voice [01]\.\d\d alike, 0\.75 is enough", html)
    assert "may do everything" in html
    stranger = visit.exchange(clip(20, seed=7), way="spoken")
    assert stranger.turn.speaker is None
    assert "A voice that nobody enrolled" in reply_html(stranger, desk, "en")

    acts = Acts(desk)
    acts.said(key, "en", "Leo", "unlock the front door")
    acts.answered(key, "en", "", {"text": "yes"})  # the button answers for whom it was asked
    assert visit.states["lock.front_door"]["state"] == "locked"
    assert visit.last is not None
    assert "Refused" in reply_html(visit.last, desk, "en")
    acts.said(key, "en", "Ana", "unlock the front door")
    acts.answered(key, "en", "", {"text": "yes"})
    assert visit.states["lock.front_door"]["state"] == "unlocked"


def test_a_forgotten_person_leaves_nothing(desk: Desk, tmp_path: Path) -> None:
    key = learn(desk, None, tmp_path, "Ana", 3, "resident")
    _, visit = desk.visits.of(key)
    visit.people.learn("turn on the lampy", "turn on the kitchen light", speaker="Ana")
    shown = Enrolling(desk).forgotten(key, "en", {"value": "Ana"})
    assert "Everything of Ana was deleted." in shown[-1]
    assert visit.people.names == ()
    assert visit.people.lessons == ()
    assert visit.exchange(clip(3, seed=7), way="spoken").turn.speaker is None


def test_visitors_do_not_know_each_others_people_and_a_visit_leaves_no_file(
    desk: Desk, tmp_path: Path
) -> None:
    key = learn(desk, None, tmp_path, "Ana", 3, "resident")
    _, other = desk.visits.of(None)
    assert other.people.names == ()
    folder = Path(desk.visits.of(key)[1].people._folder.name)
    assert b"Ana" not in next(folder.iterdir()).read_bytes()
    desk.visits.close(key)
    assert not folder.exists()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_is_missing_is_said_in_the_language_of_the_page(desk: Desk, lang: str) -> None:
    acts = Enrolling(desk)
    shown = acts.learned(None, lang, " ", "resident")
    assert desk.words("enrol.nameless", lang) in shown[-1]
    shown = acts.learned(shown[0], lang, "Ana", "resident")
    assert desk.words("enrol.few", lang) in shown[-1]
    shown = acts.heard(shown[0], lang, {"recording": "nobody-knows"})
    assert 'role="alert"' in shown[-1]


def test_clips_are_few_and_start_over(desk: Desk, tone: np.ndarray) -> None:
    from .test_voice_ear import block

    acts, key = Enrolling(desk), None
    for n in range(7):
        desk.ear.push(block(tone, name=f"recording-{n}"))
        shown = acts.heard(key, "en", {"recording": f"recording-{n}"})
        key = shown[0]
    _, visit = desk.visits.of(key)
    assert len(visit.clips) == 5
    assert "3 of 3 recordings" in shown[6]
    assert "0 of 3 recordings" in acts.again(key, "en")[6]
    assert visit.clips == []


def test_two_people_in_three_clips_are_refused(desk: Desk) -> None:
    _, visit = desk.visits.of(None)
    with pytest.raises(DataError, match="same person"):
        visit.people.enrol("Both", [clip(3), clip(3), clip(15)], "resident")
