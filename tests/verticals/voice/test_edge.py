"""The chain in one folder: complete, checked, and at work where torch cannot be imported."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core.data.audio import write_wav
from core.errors import DataError, ModelError, ParameterError
from verticals.voice.edge import ABOUT, EdgeBox, EdgePart, export_edge, read_edge
from verticals.voice.edge_report import measure_edge
from verticals.voice.edge_run import memory_mb


@pytest.fixture
def box(tmp_path: Path) -> Path:
    """A folder with a home and nothing that hears."""
    folder = tmp_path / "box"
    folder.mkdir()
    (folder / "home.yaml").write_text("areas: []\n")
    digest = "e2d5b2d4b8b5b8e1a9c1"
    part = EdgePart(name="home", files={"home.yaml": digest}, bytes=10)
    about = EdgeBox(parts=(part,), home="home.yaml", recogniser="no", intents="no")
    (folder / ABOUT).write_text(about.model_dump_json())
    return folder


def test_what_is_missing_or_changed_is_named(box: Path) -> None:
    assert read_edge(box).parts[0].name == "home"
    with pytest.raises(ModelError, match=r"home is missing or not the one.*home\.yaml"):
        read_edge(box, check=True)
    (box / "home.yaml").unlink()
    with pytest.raises(ModelError, match="Copy the folder again"):
        read_edge(box)
    with pytest.raises(ModelError, match="no edge folder"):
        read_edge(box / "nowhere")


def test_what_cannot_be_exported_or_measured_is_said(box: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not empty"):
        export_edge(box)
    with pytest.raises(ModelError, match="cannot be packed"):
        export_edge(tmp_path / "new", voice="nobody")
    sound = tmp_path / "one.wav"
    write_wav(sound, np.zeros(1600, np.float32))
    with pytest.raises(ParameterError, match="threads"):
        measure_edge([sound], box, threads=0)
    with pytest.raises(DataError, match="no recordings"):
        measure_edge([], box)


def test_an_error_on_the_box_is_the_caller_s(box: Path, tmp_path: Path) -> None:
    sound = tmp_path / "one.wav"
    write_wav(sound, np.zeros(1600, np.float32))
    with pytest.raises(ModelError) as told:
        measure_edge([sound], box)
    assert "Traceback" not in str(told.value)


def test_what_is_absent_is_not_found() -> None:
    code = (
        "import sys, importlib.util\n"
        "from verticals.voice.edge_run import ABSENT, Without\n"
        "sys.meta_path[:] = [Without(f, ABSENT) for f in sys.meta_path]\n"
        "assert importlib.util.find_spec('torch') is None\n"
        "assert importlib.util.find_spec('torchaudio.functional'.split('.')[0]) is None\n"
        "import numpy, importlib.metadata\n"
        "assert importlib.metadata.version('numpy') == numpy.__version__\n"
        "try:\n    import torch\n"
        "except ModuleNotFoundError as error:\n    print(error.name)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "torch"


def test_memory_is_this_process_s_own() -> None:
    held = np.ones(30_000_000, np.uint8)
    now, peak = memory_mb()
    assert len(held) / 1e6 < now <= peak + 1
    code = "from verticals.voice.edge_run import memory_mb; print(memory_mb()[1])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert float(done.stdout) < 150  # not what pytest and its libraries hold


def _wake_word(folder: Path) -> Path:
    """A detector of nothing in particular."""
    from verticals.voice.wake.detector import ABOUT as TOLD
    from verticals.voice.wake.detector import About
    from verticals.voice.wake.embedding import FRAMES, WIDTH
    from verticals.voice.wake.head import export_head, train_head

    folder.mkdir()
    random = np.random.default_rng(0)
    stretches = random.normal(size=(256, FRAMES, WIDTH)).astype(np.float32)
    export_head(train_head(stretches[:32] + 1, stretches[32:], seed=0, epochs=1), folder)
    about = About(phrase="hey juniper", spellings=("hey juniper",), seconds=1.0,
                  head_threshold=2.0, alone_threshold=4.0, check_threshold=-1.0)  # fmt: skip
    (folder / TOLD).write_text(about.model_dump_json())
    (folder / "examples.npz").write_bytes(b"voices")
    return folder


@pytest.mark.slow
def test_recordings_become_deeds_on_one_thread_without_torch(tmp_path: Path) -> None:
    from verticals.voice.speech.kokoro import Kokoro

    folder, voice = tmp_path / "box", Kokoro.open(threads=1)
    made = export_edge(folder, wake=_wake_word(tmp_path / "wake"), voice="joe", people=True)
    assert made.parity["same_intent"] > 0.9
    assert made.parity["same_slots"] > 0.9
    assert made.parity["wake_largest_difference"] < 0.5  # log-odds, of int8 twice
    owed = {part.name: part.attribution for part in made.parts}
    assert "licensed for research" in owed["speech"]  # the corpus that the voice began from
    assert "Resemblyzer" in owed["people"]
    assert [part.name for part in read_edge(folder, check=True).parts] == [
        "home", "recognition", "understanding", "listening", "wake", "speech", "people",
    ]  # fmt: skip
    assert not list(folder.rglob("examples*"))  # of people's voices
    for name, text in (("light", "Turn on the kitchen light."), ("lock", "Lock the back door.")):
        write_wav(tmp_path / f"{name}.wav", voice.say(text))
    write_wav(tmp_path / "silence.wav", np.zeros(32_000, np.float32))
    paths = [tmp_path / f"{name}.wav" for name in ("light", "lock", "silence")]
    report = measure_edge(paths, folder)

    turns = report.turns.set_index("recording")
    assert list(turns.index) == ["light.wav", "lock.wav"]  # silence is no utterance
    assert turns.loc["light.wav", "done"] == "done"
    assert turns["heard"].str.contains("kitchen light|back door", case=False).all()
    stages = report.stages.set_index("stage")
    worked = ["recognition", "listening", "understanding", "action", "people", "speech",
              "end of speech to action"]  # fmt: skip
    assert (stages.loc[worked, "median_s"] > 0).all()
    assert (stages["median_s"].dropna() <= stages["p95_s"].dropna()).all()
    assert stages.loc["listening", "rtf"] < 0.1
    assert (stages.loc["wake", "per"], stages.loc["wake", "rtf"] > 0) == ("block of 80 ms", True)
    assert stages.loc["recognition", "file_mb"] > 30
    assert stages["memory_mb"].iloc[-1] <= report.peak_mb < 1_500
    told = json.loads(report.to_json())
    assert (told["threads"], told["utterances"]) == (1, 2)
    assert "kitchen light" not in report.to_json().decode().lower()
