"""One home's recordings, judged stage by stage: what was heard, understood and done of each.

What that amounts to, with intervals, is said by `verticals.voice.measures`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from verticals.voice.command import Command, Turn
from verticals.voice.recordings import MOST_S, Expected, Recording

if TYPE_CHECKING:
    from verticals.voice.assistant import Assistant

SHARES = ("intents_right", "slots_right", "frame_right", "frame_right_from_text", "done_right")
# What a slot of these names means is counted by the devices of the command.
_NAMES = ("name", "area", "floor", "domain", "device_class")
_HAPPENED = ("done", "unchanged", "answered", "waiting")
States = dict[str, dict[str, Any]]
_CLOCKS = ("timers", "forecast", "current_temperature")  # change by themselves
_WEATHER = "weather."  # no command changes it, and every minute does
Heard = tuple[tuple[str, tuple[str, ...], tuple[tuple[str, str], ...]], ...]


def judge(
    assistant: Assistant,
    recordings: Sequence[Recording],
    *,
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """One row a recording: heard, understood, done, and the seconds of every stage.

    Every recording meets the home in its first state, so that the order does not matter.

    Args:
        assistant: Hears recordings; its home is set back before each.
        recordings: The labelled ones.
        progress: Told how many of how many are done.

    Raises:
        DataError: A recording cannot be read; names it.
    """
    rows = []
    for number, recording in enumerate(recordings, 1):
        rows.append(judged(assistant, recording))
        if progress is not None:
            progress(number, len(recordings))
    return pd.DataFrame(rows)


def judged(assistant: Assistant, recording: Recording) -> dict[str, object]:
    """A row of `judge`, of one recording."""
    from core.data.audio import SAMPLE_RATE, read_audio

    assistant.reset()
    before = assistant.states()
    sound = read_audio(recording.path, max_seconds=MOST_S)
    turn = assistant.hear(sound)
    row = _row(recording, turn, assistant, changed(before, assistant.states()))
    if assistant.parts.wake is not None:
        row["woken"] = len(assistant.parts.wake.heard(sound))
    return row | {"length_s": len(sound) / SAMPLE_RATE, "wake": recording.wake}


def wanted(expected: Sequence[Expected]) -> Heard:
    """What should be understood, in a form that compares: order does not matter."""
    return tuple(sorted((e.intent, tuple(sorted(e.entities)), _values(e.slots)) for e in expected))


def heard(commands: Sequence[Command]) -> Heard:
    """What was understood, in the same form; names of devices count by their entities."""
    return tuple(sorted(
        (c.intent, tuple(sorted(c.entities)),
         _values({s.name: s.value for s in c.slots if s.name not in _NAMES}))
        for c in commands
    ))  # fmt: skip


def _values(slots: dict[str, str | float]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(
        (name, f"{value:g}" if isinstance(value, int | float) else value.strip().lower())
        for name, value in slots.items()
    ))  # fmt: skip


def changed(before: States, after: States) -> States:
    """What differs, by device: its state if that changed, and the attributes that did."""
    found: dict[str, dict[str, object]] = {}
    for name, new in after.items():
        if name.startswith(_WEATHER):
            continue
        old = before[name]
        parts = {} if new["state"] == old["state"] else {"state": new["state"]}
        parts |= {k: v for k, v in new["attributes"].items()
                  if k not in _CLOCKS and old["attributes"].get(k) != v}  # fmt: skip
        if parts:
            found[name] = parts
    return found


def as_expected(wanted_states: Mapping[str, Mapping[str, object]], after: States,
                changes: Collection[str]) -> bool:  # fmt: skip
    """Whether the devices stand as they should, and no other one changed."""
    stands = all(
        value == (after[name]["state"] if key == "state" else after[name]["attributes"].get(key))
        for name, parts in wanted_states.items()
        for key, value in parts.items()
    )
    return stands and set(changes) <= set(wanted_states)


def _row(
    recording: Recording, turn: Turn, assistant: Assistant, changes: States
) -> dict[str, object]:
    errors, words = _word_errors(recording.text, turn.transcript.text)
    row: dict[str, object] = {
        "recording": recording.id, "speaker": recording.speaker,
        "said": recording.text or "", "heard": turn.transcript.text,
        "errors": errors, "words": words,
        "judged": recording.expected is not None or recording.states is not None,
        "understood": "; ".join(c.intent for c in turn.understood.commands),
        "confidence": min((c.confidence for c in turn.understood.commands), default=0.0),
        "reply": turn.reply,
    }  # fmt: skip
    row |= dict.fromkeys(SHARES, None)
    if recording.expected is not None:
        right, found = wanted(recording.expected), heard(turn.understood.commands)
        row["expected"] = "; ".join(e.intent for e in recording.expected)
        row["intents_right"] = _count(right, 0) == _count(found, 0)
        row["slots_right"] = _count(right, 2) == _count(found, 2)
        row["frame_right"] = right == found
        if recording.text is not None:
            understood = assistant.understand(recording.text)
            row["frame_right_from_text"] = heard(understood.commands) == right
        happened = all(o.status in _HAPPENED for o in turn.outcomes)
        row["done_right"] = right == found and happened
    if recording.states is not None:
        row["done_right"] = as_expected(recording.states, assistant.states(), changes)
        row["changed"] = "; ".join(sorted(changes))
    seconds = turn.seconds | {"whole": sum(turn.seconds.values())}
    return row | {f"seconds_{name}": value for name, value in seconds.items()}


def _count(frames: Heard, part: int) -> Counter[object]:
    return Counter(frame[part] for frame in frames)


def _word_errors(said: str | None, text: str) -> tuple[int, int]:
    """Substituted, left out and added words, and the words said, both sides normalised."""
    if said is None:
        return 0, 0
    import jiwer

    from verticals.voice.understanding.normalise import plain_words

    reference, hypothesis = plain_words(said), plain_words(text)
    if not reference:
        return len(hypothesis.split()), 0
    out = jiwer.process_words(reference, hypothesis)
    return out.substitutions + out.deletions + out.insertions, len(reference.split())
