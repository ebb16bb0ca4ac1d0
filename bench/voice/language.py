"""What is understood: Home Assistant's test sentences, and free requests in its domains.

    python -m bench.voice.language [--split dev] [--tune]

Free requests are SLURP's (Bastianelli et al., 2020): every row whose intent a home can fulfil, by
understanding/mapping.yaml; the gold command is what the mapping makes of the gold intent and
parts, so right means: the same command, devices and values. Sentences that the shipped model
learnt from, word for word, are left out. Home Assistant's grammar alone (hassil) reads the same
rows in the same run. The mapping was written with slurp_dev, never with slurp_testA; the shipped
model also learnt from slurp_dev, so --split dev and --tune flatter it.
Home Assistant's test sentences were read while writing sentences.yaml: that number is a check of
coverage, not of what the grammar makes of sentences nobody has seen.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.machine import machine, write_result
from bench.voice.nlu_data import bare
from core.evaluation.bootstrap import mean_interval
from verticals.voice.command import Command, Slot
from verticals.voice.home.model import Home
from verticals.voice.understanding.context import Dialogue
from verticals.voice.understanding.grammar import Grammar
from verticals.voice.understanding.linking import Linker, plain
from verticals.voice.understanding.mapping import command_of, open_mapping
from verticals.voice.understanding.reject import Limits
from verticals.voice.understanding.templates import Templates, read_intents
from verticals.voice.understanding.understand import Model, Understander

if TYPE_CHECKING:
    from hassil.intents import Intents

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "voice" / "nlu"
AREA = "living_room"  # the room that the requests are made in
PACKAGES = ("hassil", "home-assistant-intents", "onnxruntime", "rapidfuzz")
# Where a thing is done is judged by the devices; a kind of media is a hint to the player.
_BY_DEVICES = frozenset({"name", "area", "floor", "domain", "device_class", "media_class"})
# Said or not, they ask for the same.
_DEFAULTS = frozenset(
    {("date", "today"), ("date", "now"), ("date", "right now"), ("date", "today s")}
)
Row = dict[str, Any]
Frame = tuple[str, tuple[str, ...], tuple[tuple[str, str], ...]]


class _Whole(Templates):
    """All templates for every sentence, as hassil is used plainly."""

    def possible(self, text: str) -> Intents:
        return self.intents


def main() -> None:
    """Measure everything; write bench/results/voice_language.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", default="testA", choices=("testA", "dev"))
    parser.add_argument("--tune", action="store_true", help="try limits on slurp_dev and stop")
    given = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from verticals.voice.understanding.model import IntentModel

    home, model = Home.open(), IntentModel.open()
    if given.tune:
        print(json.dumps(tuned(home, model), indent=2))
        return
    rows = unseen(read(f"slurp_{given.split}"), given.split)
    result: dict[str, Any] = {"machine": machine(*PACKAGES), "split": f"slurp_{given.split}"}
    result["home_assistant"] = fixtures()
    result["free"] = free(home, model, rows)
    result["speed"] = speed(home, model, [r["text"] for r in rows][:300])
    free_, frames = result["free"], result["home_assistant"]
    result["headline"] = {
        "free requests understood": {
            **free_["chain"]["understood"], "baseline": free_["hassil"]["understood"]["value"],
            "baseline_model": "hassil with Home Assistant's sentences alone", "target": 0.60,
        },
        "free requests, right intent": {
            **free_["chain"]["intent"], "baseline": free_["hassil"]["intent"]["value"],
        },
        "Home Assistant's sentences, right frame": {
            **frames["ours"]["frame"], "baseline": frames["hassil"]["frame"]["value"],
        },
        "a sentence understood, p95 ms": result["speed"]["chain"]["p95_ms"],
        "... by hassil used plainly, p95 ms": result["speed"]["hassil"]["p95_ms"],
    }  # fmt: skip
    print(json.dumps(result["headline"], indent=2))
    name = "voice_language" if given.split == "testA" else "voice_language_dev"
    print(write_result(name, result))


def read(name: str) -> list[Row]:
    """Rows of a set: text, intent, tokens, tags."""
    with gzip.open(DATA / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def unseen(rows: Sequence[Row], split: str) -> list[Row]:
    """Rows whose words the shipped model did not learn from (NLU-Evaluation-Data has many)."""
    learnt = read("nlueval_train") + ([] if split == "dev" else read("slurp_dev"))
    known = {bare(" ".join(r["tokens"])) for r in learnt}
    return [r for r in rows if bare(" ".join(r["tokens"])) not in known]


def parts(row: Row) -> tuple[Slot, ...]:
    """The gold parts of a row, their places counted in its text."""
    text, found, place = " ".join(row["tokens"]), [], 0
    spans: list[tuple[str, int, int]] = []
    for token, tag in zip(row["tokens"], row["tags"], strict=True):
        if tag.startswith("B-"):
            spans.append((tag[2:], place, place + len(token)))
        elif tag.startswith("I-") and spans and spans[-1][0] == tag[2:]:
            spans[-1] = (tag[2:], spans[-1][1], place + len(token))
        place += len(token) + 1
    found = [Slot(name=n, value=text[a:b], start=a, end=b) for n, a, b in spans]
    return tuple(found)


def frame(commands: Sequence[Command], home: Home) -> tuple[Frame, ...]:
    """Commands in a form that compares: what, on which devices, with which values."""
    return tuple(sorted(_frame(c, home) for c in commands))


def _frame(command: Command, home: Home) -> Frame:
    intent, entities = command.intent, command.entities
    if intent.startswith("HassShoppingList"):
        intent = intent.replace("ShoppingList", "List")
    if intent == "HassListCompleteItem":
        intent = "HassListRemoveItem"
    values = {s.name: s.value for s in command.slots if s.name not in _BY_DEVICES}
    known = {n.lower() for a in home.areas for n in (a.name, *a.aliases)}
    place = str(command.slot("area") or "").lower()
    if place and place not in known:  # a room that this home does not have
        values["area"] = place
    said = {k: f"{v:g}" if isinstance(v, float | int) else plain(str(v)) for k, v in values.items()}
    said = {k: v for k, v in said.items() if (k, v) not in _DEFAULTS}
    return intent, tuple(sorted(entities)), tuple(sorted(said.items()))


def free(home: Home, model: Model, rows: Sequence[Row]) -> dict[str, Any]:
    """Shares of free requests understood, by the chain and by hassil alone."""
    known, area = open_mapping().intents, home.area_by_id[AREA].name
    inside = [r for r in rows if r["intent"] in known]
    outside = [r for r in rows if r["intent"] not in known]
    linker = Linker(home)
    gold = []
    for row in inside:
        command = command_of(home, linker, " ".join(row["tokens"]), row["intent"], parts(row),
                             area=area)  # fmt: skip
        gold.append(frame([command] if command else [], home))
    plain_, ours = Grammar.open(home, extended=False), Grammar.open(home)
    chain = Understander.open(home, model=model)
    readers: dict[str, Callable[[str], Sequence[Command]]] = {
        "hassil": lambda text: plain_.parse(text, area=AREA),
        "grammar": lambda text: ours.parse(text, area=AREA),
        "chain": lambda text: _acted(chain, text),
    }
    found: dict[str, Any] = {"rows": len(inside), "rows_outside": len(outside)}
    for name, reader in readers.items():
        frames = [frame(reader(" ".join(r["tokens"])), home) for r in inside]
        right = np.array([f == g for f, g in zip(frames, gold, strict=True)], float)
        intent = np.array([_intents(f) == _intents(g) for f, g in zip(frames, gold, strict=True)],
                          float)  # fmt: skip
        wrong = np.array([bool(reader(" ".join(r["tokens"]))) for r in outside], float)
        found[name] = {
            "understood": _interval(right), "intent": _interval(intent),
            "acted_on_outside": _interval(wrong),
            "by_scenario": _by_scenario(inside, right),
        }  # fmt: skip
    return found


def _acted(chain: Understander, text: str) -> Sequence[Command]:
    understood = chain.understand(text, context=Dialogue(area=AREA))
    return understood.commands if understood.status in ("understood", "confirm") else ()


def _intents(frames: Sequence[Frame]) -> list[str]:
    return [f[0] for f in frames]


def _by_scenario(rows: Sequence[Row], right: np.ndarray) -> dict[str, float]:
    names = np.array([r["intent"].partition("_")[0] for r in rows])
    return {n: round(float(right[names == n].mean()), 3) for n in sorted(set(names))}


def _interval(values: np.ndarray) -> dict[str, float]:
    found = mean_interval(values)
    return {"value": round(found.value, 4), "low": round(found.low, 4),
            "high": round(found.high, 4), "n": found.n}  # fmt: skip


def tuned(home: Home, model: Model) -> list[dict[str, float]]:
    """What each limit would do on slurp_dev: understood, and acted on though outside."""
    known, linker = open_mapping().intents, Linker(home)
    rows, area = read("slurp_dev"), home.area_by_id[AREA].name
    table = []
    for act in (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8):
        chain = Understander.open(home, model=model, limits=Limits(act=act, ask=act / 2))
        inside, outside = [], []
        for row in rows:
            text = " ".join(row["tokens"])
            got = frame(_acted(chain, text), home)
            if row["intent"] in known:
                wanted = command_of(home, linker, text, row["intent"], parts(row), area=area)
                inside.append(got == frame([wanted] if wanted else [], home))
            else:
                outside.append(bool(got))
        table.append({"act": act, "understood": round(float(np.mean(inside)), 4),
                      "acted_on_outside": round(float(np.mean(outside)), 4)})  # fmt: skip
    return table


def fixtures() -> dict[str, Any]:
    """Home Assistant's own sentences over its own home: right intent, right frame."""
    home = Home.open(DATA / "ha_fixtures.yaml")
    ids = {a.name: a.id for a in home.areas}
    rows = read("ha_intents")
    found: dict[str, Any] = {"rows": len(rows)}
    for name, grammar in (("ours", Grammar.open(home)),
                          ("hassil", Grammar.open(home, extended=False))):  # fmt: skip
        intent, effective, strict = [], [], []
        for row in rows:
            area = ids.get(str((row["context"] or {}).get("area", "")))
            got = grammar.parse(row["text"], area=area)
            same = bool(got) and got[0].intent == row["intent"]
            slots = {s.name: s.value for s in got[0].slots} if got else {}
            intent.append(same)
            strict.append(same and _same(row["slots"], slots))
            effective.append(same and _same(_told(row["slots"], row["intent"]),
                                            _told(slots, row["intent"])))  # fmt: skip
        found[name] = {"intent": _interval(np.array(intent, float)),
                       "frame": _interval(np.array(effective, float)),
                       "frame_to_the_letter": _interval(np.array(strict, float))}  # fmt: skip
    return found


def _told(slots: Mapping[str, Any], intent: str) -> dict[str, Any]:
    """Slots without those that a name or the intent already tells (domain, 'all')."""
    kept = {k: v for k, v in slots.items() if not (k == "name" and v == "all")}
    implied = intent in ("HassLightSet", "HassClimateSetTemperature", "HassSetPosition")
    if "name" in kept or implied:
        kept.pop("domain", None)
    if "name" in kept:
        kept.pop("device_class", None)
    return kept


def _same(gold: Mapping[str, Any], got: Mapping[str, Any]) -> bool:
    if gold.keys() != got.keys():
        return False
    return all(
        _told_value(got[k]) in [_told_value(x) for x in (v if isinstance(v, list) else [v])]
        for k, v in gold.items()
    )


def _told_value(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value).strip().lower()


def speed(home: Home, model: Model, texts: Sequence[str]) -> dict[str, Any]:
    """Processor milliseconds a sentence, none seen before; one thread."""
    chain = Understander.open(home, model=model)
    grammar = Grammar(home, _Whole.of(read_intents(extended=False)))
    found = {}
    for name, read_ in (("chain", lambda t: chain.understand(t, context=Dialogue(area=AREA))),
                        ("hassil", lambda t: grammar.parse(t, area=AREA))):  # fmt: skip
        for text in texts[:20]:
            read_(text + " now")
        taken = []
        for text in texts:
            start = time.process_time()
            read_(text)
            taken.append(1000 * (time.process_time() - start))
        found[name] = {"median_ms": round(float(np.median(taken)), 2),
                       "p95_ms": round(float(np.quantile(taken, 0.95)), 2)}  # fmt: skip
    ratio = found["chain"]["median_ms"] / found["hassil"]["median_ms"]
    return {**found, "median_over_hassil": round(ratio, 2)}


if __name__ == "__main__":
    main()
