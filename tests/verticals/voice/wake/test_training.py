"""From a phrase as text to a detector that hears strangers say it, and learns from its mistakes."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from core.deployment.executorch_export import ExecutorchSession
from core.errors import DataError, ModelError, ParameterError
from verticals.voice.recognition.whisper import Recogniser
from verticals.voice.speech.kokoro import Kokoro, made_speaker
from verticals.voice.wake.detector import ABOUT, About, WakeWord, read_about
from verticals.voice.wake.embedding import FRAMES, WIDTH, SpeechEmbedding
from verticals.voice.wake.feedback import learn_from
from verticals.voice.wake.head import HEAD, PROGRAM, Head
from verticals.voice.wake.synthesis import Amounts
from verticals.voice.wake.training import EXAMPLES, WakeReport, train_wake_word

RATE = 16_000
PHRASE = "hey juniper"


@dataclass(frozen=True)
class Trained:
    folder: Path
    report: WakeReport
    enrolment: np.ndarray


class Home:
    """People who speak in a quiet room."""

    def __init__(self) -> None:
        self.voice = Kokoro.open(threads=1)

    def said(self, text: str, person: int) -> np.ndarray:
        sound = self.voice.say_sounds(self.voice.pronouncer.text(text),
                                      made_speaker(self.voice, 5_000 + person))  # fmt: skip
        noise = np.random.default_rng(person).normal(0, 1e-3, len(sound) + 2 * RATE)
        return (np.pad(sound, RATE) + noise).astype(np.float32)


@pytest.fixture(scope="module")
def home() -> Home:
    return Home()


@pytest.fixture(scope="module")
def trained(
    tmp_path_factory: pytest.TempPathFactory, recogniser: Recogniser, home: Home
) -> Trained:
    folder, told = tmp_path_factory.mktemp("wake"), []
    enrolment = home.said(PHRASE, 900)
    report = train_wake_word(
        PHRASE, folder, recogniser, amounts=Amounts(phrase=12, near=8, other=4), seed=2,
        enrolments=[enrolment], progress=lambda done, of: told.append((done, of)),
    )  # fmt: skip
    assert told == [(i, 24) for i in range(1, 25)]
    return Trained(folder, report, enrolment)


@pytest.fixture
def folder(trained: Trained, tmp_path: Path) -> Path:
    """A detector that a test may change."""
    place = tmp_path / "wake"
    shutil.copytree(trained.folder, place)
    return place


@pytest.mark.slow
def test_strangers_wake_it_and_nothing_else_does(
    trained: Trained, recogniser: Recogniser, home: Home
) -> None:
    word = WakeWord.open(trained.folder, recogniser)
    for person in range(4):
        said = home.said(PHRASE, person)
        (found,) = word.heard(said)
        assert 1.0 < found.time_s < len(said) / RATE + 0.5
    for text in ("hey jupiter", "heavy paper", "turn on the kitchen light", "juniper"):
        assert word.heard(home.said(text, 1)) == []
    noise = np.random.default_rng(0).normal(0, 0.05, 10 * RATE).astype(np.float32)
    assert word.heard(noise) == []
    assert word.heard(np.zeros(10 * RATE, np.float32)) == []


@pytest.mark.slow
def test_the_report_says_what_was_held_out(trained: Trained) -> None:
    about = read_about(trained.folder)
    assert (about.phrase, about.seed) == (PHRASE, 2)
    assert (trained.report.clips, trained.report.near) == (3, 2)
    assert trained.report.missed <= 1
    assert trained.report.threshold == about.check_threshold
    assert 0.4 < about.seconds < 2
    assert about.ceiling is not None
    assert about.ceiling >= about.check_threshold


@pytest.mark.slow
def test_an_enrolment_wakes_it(trained: Trained, recogniser: Recogniser) -> None:
    assert len(WakeWord.open(trained.folder, recogniser).heard(trained.enrolment)) == 1


@pytest.mark.slow
def test_a_false_wake_is_not_repeated_and_the_phrase_still_wakes(
    folder: Path, recogniser: Recogniser, home: Home
) -> None:
    about = read_about(folder)
    # As deaf as the detector would have to be not to let this pass is as good as it gets: make
    # one that wakes on it.
    mistake = home.said("hey jennifer", 3)
    eager = about.model_copy(update={"check_threshold": about.check_threshold - 8})
    (folder / ABOUT).write_text(eager.model_dump_json())
    assert WakeWord.open(folder, recogniser).heard(mistake)
    lesson = learn_from(folder, [mistake], recogniser)
    assert lesson.still == ()
    assert lesson.about == read_about(folder)
    word = WakeWord.open(folder, recogniser)
    assert word.heard(mistake) == []
    assert all(word.heard(home.said(PHRASE, person)) for person in range(3))


@pytest.mark.slow
def test_wrong_lessons_do_not_make_it_deaf(
    folder: Path, recogniser: Recogniser, home: Home
) -> None:
    wrong = [home.said(PHRASE, person) for person in (10, 11)]  # somebody reported the phrase
    for _ in range(2):
        lesson = learn_from(folder, wrong, recogniser)
    assert lesson.about.ceiling is not None
    assert lesson.about.check_threshold <= lesson.about.ceiling
    word = WakeWord.open(folder, recogniser)
    assert sum(bool(word.heard(home.said(PHRASE, person))) for person in range(4)) >= 3


@pytest.mark.slow
def test_the_program_for_devices_scores_as_the_onnx_file(trained: Trained, home: Home) -> None:
    pytest.importorskip("executorch")
    windows = SpeechEmbedding.open().windows(home.said(PHRASE, 1))
    assert windows.shape[1:] == (FRAMES, WIDTH)
    onnx = Head.open(trained.folder / HEAD).scores(windows)
    device = Head(ExecutorchSession(trained.folder / PROGRAM, ["input"]))  # type: ignore[arg-type]
    found = device.scores(windows)
    assert np.corrcoef(onnx, found)[0, 1] > 0.999
    assert np.abs(onnx - found).max() < 0.1 * max(1.0, np.ptp(onnx))


@pytest.mark.slow
def test_what_was_removed_or_changed_is_refused(folder: Path, recogniser: Recogniser) -> None:
    sound = [np.zeros(RATE, np.float32)]
    (folder / EXAMPLES).write_bytes(b"no examples")
    with pytest.raises(ModelError, match="Train it anew"):
        learn_from(folder, sound, recogniser)
    whole = bytearray((folder / HEAD).read_bytes())
    whole[len(whole) // 2] ^= 1
    (folder / HEAD).write_bytes(whole)
    with pytest.raises(ModelError, match="Train it anew"):
        WakeWord.open(folder, recogniser)
    (folder / HEAD).unlink()
    with pytest.raises(ModelError, match="Train it anew"):
        WakeWord.open(folder, recogniser)


def test_a_folder_without_a_detector_is_refused(tmp_path: Path, recogniser: Recogniser) -> None:
    for content in (None, "", "{}", "not json"):
        if content is not None:
            (tmp_path / ABOUT).write_text(content)
        with pytest.raises(ModelError, match="Train one with train_wake_word"):
            WakeWord.open(tmp_path, recogniser)


def test_a_phrase_that_cannot_be_a_wake_word_is_refused(
    tmp_path: Path, recogniser: Recogniser
) -> None:
    with pytest.raises(ParameterError, match="Add a word"):
        train_wake_word("hey", tmp_path / "wake", recogniser)
    assert not (tmp_path / "wake").exists()


def test_an_enrolment_in_which_nobody_speaks_is_refused(
    tmp_path: Path, recogniser: Recogniser
) -> None:
    with pytest.raises(DataError, match="enrolment 1"):
        train_wake_word(PHRASE, tmp_path, recogniser, enrolments=[np.zeros(RATE, np.float32)])


@pytest.mark.parametrize(
    ("sounds", "says"),
    [([], "no recording"), ([np.zeros(11 * RATE, np.float32)], "lasts 11 s")],
)
def test_lessons_of_nothing_or_of_too_much_are_refused(
    tmp_path: Path, recogniser: Recogniser, sounds: list[np.ndarray], says: str
) -> None:
    about = About(phrase=PHRASE, spellings=(PHRASE,), seconds=1, head_threshold=0,
                  alone_threshold=0, check_threshold=0)  # fmt: skip
    (tmp_path / ABOUT).write_text(about.model_dump_json())
    with pytest.raises(DataError, match=says):
        learn_from(tmp_path, sounds, recogniser)
