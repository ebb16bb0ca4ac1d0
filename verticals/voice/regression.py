"""The home's regression report: one home's recordings, judged stage by stage.

Says of every recording what was heard, understood and done, beside what should have been; sums it
up with intervals that draw whole speakers again; and sets two bundles side by side.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from core.deployment.results import Measurement
from core.evaluation.bootstrap import Interval, PairedTest
from core.evaluation.clusters import paired_ratios, ratio_interval
from verticals.voice.command import Command, Turn
from verticals.voice.recordings import Expected, Recording

if TYPE_CHECKING:
    from verticals.voice.assistant import Assistant

MODEL = "voice assistant"
SHARES = ("intents_right", "slots_right", "frame_right", "frame_right_from_text", "done_right")
_HAPPENED = ("done", "unchanged", "answered", "waiting")
States = dict[str, dict[str, Any]]
_CLOCKS = ("timers", "forecast", "current_temperature")  # change by themselves
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
    from core.data.audio import read_audio

    rows = []
    for number, recording in enumerate(recordings, 1):
        assistant.reset()
        before = assistant.states()
        turn = assistant.hear(read_audio(recording.path))
        rows.append(_row(recording, turn, assistant, changed(before, assistant.states())))
        if progress is not None:
            progress(number, len(recordings))
    return pd.DataFrame(rows)


def measure(table: pd.DataFrame, plain: pd.DataFrame | None = None) -> tuple[Measurement, ...]:
    """Word error rate, shares of recordings understood and done, and latency, with intervals.

    Args:
        table: Of `judge`.
        plain: The same recordings judged without the home's vocabulary: the baseline.
    """
    found = []
    worded = table[table["words"] > 0]
    if len(worded):
        wer = ratio_interval(worded["errors"], worded["words"], list(worded["speaker"]))
        beside = None if plain is None else _wer(plain)
        found.append(_measurement("word_error_rate", wer, beside))
    judged = table[table["judged"]]
    for name in SHARES:
        part = judged[judged[name].notna()]
        if len(part):
            share = ratio_interval(part[name].astype(float), np.ones(len(part)),
                                   list(part["speaker"]))  # fmt: skip
            beside = None if plain is None else float(plain.loc[part.index, name].mean())
            found.append(_measurement(name, share, beside))
    return tuple(found)


def latencies(table: pd.DataFrame) -> pd.DataFrame:
    """Seconds by stage and for the whole: median and 95th percentile."""
    stages = [c for c in table.columns if c.startswith("seconds_")]
    rows = [
        (name.removeprefix("seconds_"), float(table[name].median()),
         float(table[name].quantile(0.95)))
        for name in stages
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["stage", "median s", "95th percentile s"])


def compare(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Two bundles on the same recordings: every number, its change and whether it may be chance.

    Args:
        before: Of the bundle in use, by `judge`.
        after: Of the one that may replace it.

    Returns:
        metric, before, after, change, low, high, p; change is after minus before.

    Raises:
        ValueError: The tables are of different recordings.
    """
    if list(before["recording"]) != list(after["recording"]):
        raise ValueError("the two reports are of different recordings")
    rows = []
    speakers = list(after["speaker"])
    if after["words"].sum():
        test = paired_ratios(after["errors"], before["errors"], after["words"], speakers)
        rows.append(_change("word_error_rate", _wer(before), _wer(after), test))
    for name in SHARES:
        known = (after["judged"] & after[name].notna() & before[name].notna()).to_numpy()
        if known.any():
            new, old = after.loc[known, name].astype(float), before.loc[known, name].astype(float)
            test = paired_ratios(new, old, np.ones(known.sum()), list(after["speaker"][known]))
            rows.append(_change(name, float(old.mean()), float(new.mean()), test))
    columns = ["metric", "before", "after", "change", "low", "high", "p"]
    return pd.DataFrame(rows, columns=columns)


def wanted(expected: Sequence[Expected]) -> Heard:
    """What should be understood, in a form that compares: order does not matter."""
    return tuple(sorted((e.intent, tuple(sorted(e.entities)), _values(e.slots)) for e in expected))


def heard(commands: Sequence[Command]) -> Heard:
    """What was understood, in the same form; names of devices count by their entities."""
    return tuple(sorted(
        (c.intent, tuple(sorted(c.entities)),
         _values({s.name: s.value for s in c.slots if s.name not in ("name", "area", "floor",
                                                                     "domain", "device_class")}))
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
    return row | {f"seconds_{name}": value for name, value in turn.seconds.items()}


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


def _wer(table: pd.DataFrame) -> float:
    return float(table["errors"].sum() / max(table["words"].sum(), 1))


def _change(
    name: str, before: float, after: float, test: PairedTest
) -> tuple[str, float, float, float, float, float, float]:
    return name, before, after, test.difference, test.low, test.high, test.p_value


def _measurement(metric: str, interval: Interval, beside: float | None) -> Measurement:
    return Measurement(
        metric=metric, value=interval.value, low=interval.low, high=interval.high, n=interval.n,
        split="test", model=MODEL, baseline=beside,
        baseline_model=None if beside is None else "the same without the home's vocabulary",
    )  # fmt: skip
