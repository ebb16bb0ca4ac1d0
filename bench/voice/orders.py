"""How many spoken orders are filled in without a mistake: a closed domain, from sound to slots.

    python -m bench.voice.orders

People order coffee; the domain is orders.yaml, and nothing was trained. The baseline is
faster-whisper used plainly, its words read by the same sentences, word for word (hassil). An order
is right if every slot is, and no other is there. The misses of early versions were seen while the
sentences and limits were written, in all recordings: half of them, by the hash of their names, are
told apart, but nobody's ears were kept from them. In noise: a kitchen's, 6 dB below the voice.
Intervals (Wilson's) are over recordings, for who speaks is not known.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.machine import machine, write_result
from bench.voice.tarred import read_tar
from core.data.audio_augment import mix_at_snr
from core.evaluation.bootstrap import share_interval
from core.evaluation.clusters import paired_ratios
from verticals.voice.command import Understood
from verticals.voice.forms.form import Form, FormEar
from verticals.voice.recognition.sounding import spoken_words
from verticals.voice.recognition.whisper import Recogniser

DOMAIN = Path(__file__).with_name("orders.yaml")
SNR_DB = 6.0
Slots = dict[str, Any]
Clip = tuple[dict[str, Any], np.ndarray]


def main() -> None:
    """Hear every order in three ways, in quiet and in noise; write voice_orders.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    threads = parser.parse_args().threads
    clips = read_tar("spoken_commands")
    recogniser = Recogniser.open(threads=threads)
    form = Form.open(DOMAIN)
    ear, exact = FormEar.open(form, recogniser), word_for_word()

    found: dict[str, Any] = {"machine": machine("faster-whisper", "hassil"), "threads": threads}
    for place, sounds in (("quiet", [sound for _, sound in clips]), ("kitchen", noisy(clips))):
        begun = time.perf_counter()
        ours = [ear.hear(sound) for sound in sounds]
        seconds = (time.perf_counter() - begun) / len(sounds)
        texts = [plain(recogniser, sound) for sound in sounds]
        filled = {"plain": [exact(text) for text in texts],
                  "plain, read by sound": [slots_of(form.read([text])) for text in texts],
                  "ours": [slots_of(understood) for understood in ours]}  # fmt: skip
        found[place] = {
            **judged(filled, [row for row, _ in clips]),
            "asked back": float(np.mean([u.status == "unsure" for u in ours])),
            "seconds an order": round(seconds, 4),
        }
    others = [ear.hear(sound) for row, sound in read_tar("asr") if len(sound) < 30 * 16_000]
    taken = sum(understood.status == "understood" for understood in others)
    found["other speech taken for an order"] = vars(share_interval(taken, len(others)))
    quiet, kitchen = found["quiet"], found["kitchen"]
    found["headline"] = {
        "orders with all slots right": quiet["all"]["ours"],
        "... of one half, by the hash of names": quiet["half"]["ours"],
        "... of faster-whisper plainly, word for word": quiet["all"]["plain"],
        "... in a kitchen's noise, 6 dB below the voice": kitchen["all"]["ours"],
        "... of faster-whisper plainly there": kitchen["all"]["plain"],
        "other speech taken for an order": found["other speech taken for an order"],
    }
    print(json.dumps(found["headline"], indent=2))
    print(write_result("voice_orders", found))


def plain(recogniser: Recogniser, sound: np.ndarray) -> str:
    """What faster-whisper hears by itself, with the same model, beam and threads."""
    segments, _ = recogniser.model.transcribe(sound, language="en", beam_size=5)
    return " ".join(segment.text for segment in segments)


def word_for_word() -> Callable[[str], Slots | None]:
    """Reads a transcript by the domain's sentences, as hassil does; None if none is the same."""
    import yaml
    from hassil.intents import Intents
    from hassil.recognize import recognize_best

    intents = Intents.from_dict(yaml.safe_load(DOMAIN.read_text(encoding="utf-8")))

    def read(text: str) -> Slots | None:
        best = recognize_best(" ".join(spoken_words(text)), intents)
        if best is None:
            return None
        return {name: " ".join(str(e.value).split()) for name, e in best.entities.items()}

    return read


def noisy(clips: Sequence[Clip]) -> list[np.ndarray]:
    """Every recording with a piece of a kitchen's noise."""
    noises = [sound for row, sound in read_tar("noise") if "kitchen" in json.dumps(row).lower()]
    random = np.random.default_rng(0)
    made = []
    for _, sound in clips:
        noise = noises[random.integers(len(noises))]
        start = int(random.integers(max(1, len(noise) - len(sound))))
        made.append(mix_at_snr(sound, noise[start:], SNR_DB).astype(np.float32))
    return made


def slots_of(understood: Understood) -> Slots | None:
    """What was filled in, asked back or not."""
    if not understood.commands:
        return None
    return {slot.name: slot.value for slot in understood.commands[0].slots}


def judged(filled: dict[str, list[Slots | None]], rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Shares of orders that are right, of all and of one half; ours less the baseline."""
    names = [str(row["file"]) for row in rows]
    held = [i for i, name in enumerate(names) if hashlib.sha256(name.encode()).digest()[0] % 2]
    right = {
        name: np.array([float(got == row["slots"]) for got, row in zip(slots, rows, strict=True)])
        for name, slots in filled.items()
    }
    found: dict[str, Any] = {}
    for part, kept in (("all", list(range(len(rows)))), ("half", held)):
        ones, groups = np.ones(len(kept)), [names[i] for i in kept]
        found[part] = {
            name: vars(share_interval(int(values[kept].sum()), len(kept)))
            for name, values in right.items()
        }
        test = paired_ratios(right["ours"][kept], right["plain"][kept], ones, groups)
        found[part]["ours_minus_plain"] = vars(test)
    return found


if __name__ == "__main__":
    main()
