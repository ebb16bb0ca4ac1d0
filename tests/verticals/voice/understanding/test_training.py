"""Learning, keeping and running the joint model."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core.errors import DataError, ModelError
from verticals.voice.understanding.model import SHIPPED, IntentModel
from verticals.voice.understanding.training import (
    IntentSettings,
    fit_intents,
    labels_of,
    rows_of,
    train_network,
)
from verticals.voice.understanding.words import Example

ROOMS = ("kitchen", "bedroom", "office", "garage", "attic", "hall", "cellar", "den")


def _example(verb: str, room: str, end: str, intent: str) -> Example:
    tokens = (verb, "the", room, *end.split())
    return Example(
        " ".join(tokens), intent, tokens, ("O", "O", "B-room", *["O"] * len(end.split()))
    )


ROWS = [
    row for room in ROOMS for row in (
        _example("light", room, "up please", "light"), _example("heat", room, "a bit", "heat"),
        _example("clean", room, "now", "clean"),
    )
]  # fmt: skip


def test_labels_name_what_is_missing() -> None:
    labels = labels_of(ROWS)
    assert labels.intents == ("clean", "heat", "light")
    assert labels.tags == ("O", "B-room", "I-room")
    with pytest.raises(DataError, match="'dance' has one sentence"):
        labels_of([*ROWS, Example("dance", "dance", ("dance",), ("O",))])
    with pytest.raises(DataError, match="only one intent"):
        labels_of([row for row in ROWS if row.intent == "heat"])


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no intent model"):
        IntentModel.open(tmp_path)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_weights() -> None:
    labels = labels_of(ROWS)
    rows = rows_of(ROWS, labels)
    once, again, other = (
        train_network(rows, labels, IntentSettings(epochs=1, batch=8, rank=2, seed=seed))[0]
        for seed in (0, 0, 1)
    )
    learned = [n for n, p in once.named_parameters() if p.requires_grad]
    found = [dict(network.named_parameters()) for network in (once, again, other)]
    assert all(bool((found[0][name] == found[1][name]).all()) for name in learned)
    assert any(bool((found[0][name] != found[2][name]).any()) for name in learned)


@pytest.mark.slow
def test_learned_kept_and_run_without_torch(tmp_path: Path) -> None:
    settings = IntentSettings(epochs=14, batch=8, rank=8, word_dropout=0.0)
    model = fit_intents(ROWS, tmp_path / "model", held=ROWS, settings=settings)
    read = model.predict(["heat the library a bit", "clean the kitchen now", ""])
    assert [p.intent for p in read[:2]] == ["heat", "clean"]
    assert [(s.name, s.value) for s in read[1].slots] == [("room", "kitchen")]
    assert (read[2].intent, read[2].known) == ("", False)
    only = model.among(["heat", "light"]).predict(["clean the kitchen now"])[0]
    assert only.intent in ("heat", "light")
    again = IntentModel.open(tmp_path / "model").predict(["clean the kitchen now"])[0]
    assert again == read[1]
    vectors = model.vectors(["clean the kitchen now", "heat the den"])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    code = (
        "import sys; from verticals.voice.understanding.model import IntentModel; "
        f"print(IntentModel.open({str(tmp_path / 'model')!r}).predict(['heat the den'])[0].intent)"
        "; assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.skipif(not (SHIPPED / "about.json").is_file(), reason="no shipped weights")
def test_the_shipped_model_reads_a_home() -> None:
    model = IntentModel.open(None)
    read = {
        text: model.predict([text])[0]
        for text in (
            "set a timer for ten minutes", "will it rain tomorrow", "wake me at seven am",
            "it's freezing in the living room", "play some jazz", "lock the front door",
            "pause the music",
        )
    }  # fmt: skip
    assert [p.intent for p in read.values()] == [
        "timer_start", "weather_query", "alarm_set", "climate_warmer", "play_music", "lock_lock",
        "media_pause",
    ]  # fmt: skip
    timer = read["set a timer for ten minutes"].slots
    assert [(s.name, s.value) for s in timer] == [("duration", "10 minutes")]
    assert all(p.known for p in read.values())
    assert sum(f.stat().st_size for f in SHIPPED.iterdir()) < 6 * 2**20
