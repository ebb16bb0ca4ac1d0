"""Made sentences carry their slots."""

from __future__ import annotations

from collections import Counter

from bench.voice.phrases import made_sentences


def test_made_sentences_are_whole_and_tagged() -> None:
    made = made_sentences(12, seed=3)
    assert made == made_sentences(12, seed=3)
    assert len({example.text for example in made}) == len(made)
    counts = Counter(example.intent for example in made)
    assert {"timer_start", "climate_set", "lock_lock", "home_state"} <= counts.keys()
    for example in made:
        assert not set("{}[]()<>|") & set(example.text), example.text
        example.spans()  # raises if tags and text disagree
    timers = [e for e in made if e.intent == "timer_start"]
    assert all(any(name == "duration" for name, _, _ in e.spans()) for e in timers)
