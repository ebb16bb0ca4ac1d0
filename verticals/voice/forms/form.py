"""A closed set of requests, read from YAML: what may be said, and what it fills in.

    form = Form.open("orders.yaml")
    ear = FormEar.open(form, Recogniser.open())
    ear.hear(sound).commands[0].slot("size")

The file is in hassil's form (`intents`, `lists`, `expansion_rules`), so that the same sentences
work in Home Assistant. What was heard is read as the sentence that sounds most like it, so that
"a twenty ohms cap as you know" is a twenty ounce cappuccino.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.errors import DataError
from verticals.voice.command import Command, Slot, Understood
from verticals.voice.forms.graph import Graph, graph_of
from verticals.voice.forms.nearest import Path as Way
from verticals.voice.forms.nearest import nearest
from verticals.voice.recognition.hints import LONGEST, listed
from verticals.voice.recognition.sounding import Sounds, sounds_of
from verticals.voice.recognition.whisper import SURE, Recogniser

_PRICE = 1.0  # of a sound that differs, in log-probability of the recogniser
# Shares of sounds that differ, from which something else was said; from which it is asked for.
_OTHER, _DOUBTFUL = 0.35, 0.45


@dataclass(frozen=True)
class Form:
    """The sentences of a form, and how they sound."""

    graph: Graph
    sounds: Sounds

    @classmethod
    def open(cls, path: str | Path, sounds: Sounds | None = None) -> Form:
        """Read a form.

        Args:
            path: A YAML file in hassil's form.
            sounds: How text sounds; by the offline pack's pronunciations by default.

        Raises:
            DataError: It cannot be read, or its sentences are no closed set; says what is wrong.
        """
        import yaml
        from hassil.intents import Intents
        from hassil.parser import ParseError

        unreadable = (
            yaml.YAMLError, ParseError, LookupError, TypeError, AttributeError, ValueError,
        )  # fmt: skip
        try:
            text = Path(path).read_text(encoding="utf-8")
            graph = graph_of(Intents.from_dict(yaml.safe_load(text)))
        except OSError as error:
            raise DataError(
                f"the form cannot be read: {error.strerror or error}", where=str(path),
                remedy="Give a YAML file with intents and lists",
            ) from None  # fmt: skip
        except unreadable as error:  # hassil checks little, and says it in many ways
            raise DataError(
                f"it is not in hassil's form ({type(error).__name__}: {error})", where=str(path),
                remedy="Write language, intents, lists and expansion_rules",
            ) from None  # fmt: skip
        return cls(graph, sounds or sounds_of())

    @property
    def hint(self) -> str:
        """What a recogniser should expect: a whole sentence, then all that may be filled in."""
        example = f"{self.graph.example.capitalize()}."
        return f"{example} {listed(self.graph.phrases, LONGEST - len(example) - 3)}"

    def read(self, texts: Sequence[str], likely: Sequence[float] | None = None) -> Understood:
        """What was asked for.

        Args:
            texts: Readings of the same sound, or one text.
            likely: Log-probability of each reading; equal by default.

        Returns:
            A command with its slots ("understood"), one that should be confirmed because a slot
            was hardly heard ("unsure"), or nothing that the form covers ("rejected").
        """
        if not texts:
            return Understood(status="rejected")
        ways = nearest(self.graph, texts, self.sounds)
        scores = np.array(likely if likely is not None else [0.0] * len(texts))
        order = np.argsort(-(scores - _PRICE * np.array([way.cost for way in ways])), kind="stable")
        best = ways[order[0]]
        if best.share >= _OTHER:
            return Understood(status="rejected")
        command = self._command(best)
        others = {c.slots: c for c in (self._command(ways[i]) for i in order[1:])}
        others.pop(command.slots, None)
        doubtful = any(
            share >= _DOUBTFUL and arc.slot
            for arc, share in zip(best.arcs, best.shares, strict=True)
        )
        return Understood(
            status="unsure" if doubtful else "understood", commands=(command,),
            question=f"Did you mean: {best.words}?" if doubtful else "",
            alternatives=tuple(others.values()),
        )  # fmt: skip

    def _command(self, way: Way) -> Command:
        ending, at, slots = self.graph.endings[way.end], 0, []
        for arc in way.arcs:
            end = at + len(arc.words)
            if arc.slot:
                slots.append(Slot(name=arc.slot, value=arc.value, start=at, end=end))
            at = end + 1
        fixed = [Slot(name=name, value=value) for name, value in ending.slots.items()]
        return Command(
            intent=ending.intent, slots=(*slots, *fixed), text=way.words,
            confidence=round(max(0.0, 1 - way.share), 4),
        )  # fmt: skip


@dataclass(frozen=True)
class FormEar:
    """Fills in a form by hearing."""

    form: Form
    recogniser: Recogniser

    @classmethod
    def open(cls, form: Form, recogniser: Recogniser) -> FormEar:
        """With a recogniser, which is told what to expect."""
        return cls(form, recogniser.hinted([form.hint]))

    def hear(self, sound: np.ndarray) -> Understood:
        """What was asked for in (n,) float32 at 16 kHz; see `Form.read`.

        Raises:
            AudioError: As the recogniser does.
        """
        texts: list[str] = []
        likely: list[float] = []
        for encoded, _ in self.recogniser.windows(sound):
            found = self.recogniser.readings(encoded, self.recogniser.beam)
            if found[0].logprob >= SURE:
                before = f"{texts[0]} " if texts else ""  # of longer sound, the likeliest
                texts, likely = [before + h.text for h in found], [h.total for h in found]
        return self.form.read(texts, likely)
