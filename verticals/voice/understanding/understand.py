"""The whole of understanding: a sentence and what was said before, to commands or a question."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from core.errors import CasekitError
from verticals.voice.command import Command, Slot, Understood
from verticals.voice.home.model import Home
from verticals.voice.understanding import confirm, context, exceptions, reject, splitting
from verticals.voice.understanding.context import Dialogue
from verticals.voice.understanding.grammar import Grammar
from verticals.voice.understanding.linking import Linker, plain
from verticals.voice.understanding.mapping import Table, command_of, open_mapping
from verticals.voice.understanding.normalise import request
from verticals.voice.understanding.reject import Limits

if TYPE_CHECKING:
    from verticals.voice.understanding.tools import Endpoint

LOG = logging.getLogger(__name__)
_OFFERED = 3
_SURE = 0.6  # of the model, to overrule a part of the grammar that takes any words
_ANY = frozenset({
    "search_query", "message", "item", "timer_command", "conversation_command", "time",
})  # fmt: skip


class Reading(Protocol):
    """What a learned model makes of a sentence."""

    @property
    def intent(self) -> str:
        """Its label."""

    @property
    def confidence(self) -> float:
        """Calibrated, 0 to 1."""

    @property
    def slots(self) -> tuple[Slot, ...]:
        """Its parts, tags as names."""

    @property
    def alternatives(self) -> tuple[tuple[str, float], ...]:
        """Other labels with their confidence."""

    @property
    def known(self) -> bool:
        """False where it never learned anything like the sentence."""


class Model(Protocol):
    """A learned model of intents and slots."""

    def predict(self, texts: Sequence[str]) -> Sequence[Reading]:
        """One reading a sentence."""


class Understander:
    """Understands the requests of one home."""

    def __init__(
        self, home: Home, grammar: Grammar, linker: Linker, *, model: Model | None = None,
        endpoint: Endpoint | None = None, limits: Limits | None = None,
        table: Table | None = None,
    ) -> None:  # fmt: skip
        """Put the parts together; `open` makes them.

        Args:
            home: Whose devices are meant.
            grammar: Of the same home.
            linker: Of the same home.
            model: Reads what the grammar does not cover.
            endpoint: Reads what both do not.
            limits: Confidences from which the model counts.
            table: What the model's intents mean; the packaged one if None.
        """
        self.home, self._grammar, self._linker = home, grammar, linker
        self.model, self._endpoint, self._limits = model, endpoint, limits or Limits()
        self.table = table or open_mapping()
        self._splitter = splitting.Splitter(home)

    @classmethod
    def open(
        cls, home: Home, *, model: Model | None = None, endpoint: Endpoint | None = None,
        limits: Limits | None = None,
    ) -> Understander:  # fmt: skip
        """Understanding for a home.

        Args:
            home: Whose devices are meant.
            model: Reads what the grammar does not cover, such as `IntentModel.open()`.
            endpoint: A language model that reads what both do not.
            limits: Confidences from which the model counts.
        """
        linker = Linker(home)
        linker.warm()
        return cls(home, Grammar.open(home), linker, model=model, endpoint=endpoint,
                   limits=limits)  # fmt: skip

    def limited(self, limits: Limits) -> Understander:
        """The same understanding, as sure as other limits want it to be."""
        return Understander(self.home, self._grammar, self._linker, model=self.model,
                            endpoint=self._endpoint, limits=limits, table=self.table)  # fmt: skip

    def reading(self, model: Model, table: Table) -> Understander:
        """The same understanding with another learned model, and what its intents mean."""
        return Understander(self.home, self._grammar, self._linker, model=model,
                            endpoint=self._endpoint, limits=self._limits, table=table)  # fmt: skip

    def covers(self, text: str) -> bool:
        """Whether the grammar alone reads a sentence."""
        return bool(self._grammar.parse(text))

    def understand(
        self, text: str, *, context: Dialogue | None = None, speaker: str | None = None
    ) -> Understood:
        """What a sentence asks for.

        Args:
            text: As typed or recognised; case and punctuation do not matter.
            context: What was said before, and where; `Dialogue.after` makes the next one.
            speaker: Who spoke; not needed here, permissions are checked before acting.

        Returns:
            Commands that may be done ("understood"), that need a yes ("confirm"), a question back
            ("unsure"), or nothing that a home can do ("rejected"). A yes to a question makes its
            commands "understood".
        """
        dialogue = context or Dialogue()
        text = request(" ".join(text.split()))
        if not any(c.isalnum() for c in text):
            return Understood(status="rejected")
        answered = self._answered(text, dialogue)
        return answered if answered is not None else self._asked(text, dialogue)

    def _answered(self, text: str, dialogue: Dialogue) -> Understood | None:
        """To a question that was asked before; None if it is something else."""
        said = confirm.answer(text)
        if dialogue.pending and said is not None:
            if said:
                return Understood(status="understood", commands=dialogue.pending)
            return Understood(status="rejected", question="All right, I leave it.")
        if dialogue.choices:
            choice = reject.chosen(text, dialogue.choices)
            if choice is not None:
                sure = choice.model_copy(update={"confidence": 1.0})
                return self._checked(Understood(status="understood", commands=(sure,)))
            if said is False:
                return Understood(status="rejected", question="All right, I leave it.")
        return None

    def _asked(self, text: str, dialogue: Dialogue) -> Understood:
        parted = exceptions.parted(text)
        excepted = self._but(*parted, dialogue) if parted else None
        return excepted if excepted is not None else self._read(text, dialogue)

    def _but(self, request_: str, words: str, dialogue: Dialogue) -> Understood | None:
        """All but some; None where the request does not act on several devices."""
        commands = self._read(request_, dialogue).commands
        if len({entity for c in commands for entity in c.entities}) < 2:
            return None
        devices = exceptions.spared(words, self.home, self._linker)
        if not devices:
            return Understood(status="unsure", question=f"I find no {plain(words)} here.")
        left = exceptions.without(commands, devices)
        if not left:
            return reject.rejected()
        return self._checked(Understood(status="understood", commands=left))

    def _read(self, text: str, dialogue: Dialogue) -> Understood:
        commands = self._by_grammar(text, dialogue)
        if any(_wild(c) for c in commands):
            commands = self._rather(commands, text, dialogue)
        if not commands:
            commands = context.carried(text, dialogue, self.home, self._linker)
        others: tuple[Command, ...] = ()
        if not commands and self.model is not None:
            commands, others = self._by_model(text, dialogue)
        found = reject.judged(commands, others, self.home, self._linker, self._limits)
        if found.status in ("rejected", "unsure") and self._endpoint is not None:
            commands = self._by_endpoint(text, dialogue)
            if commands:
                found = Understood(status="understood", commands=commands)
        return self._checked(found)

    def _rather(
        self, commands: tuple[Command, ...], text: str, dialogue: Dialogue
    ) -> tuple[Command, ...]:
        """The model's reading where the grammar let a part take any words, if the model is sure.

        Nothing if it is sure that the sentence is none of a home's business ("play chess").
        """
        if self.model is None or len(commands) > 1:
            return commands
        reading = self.model.predict([text])[0]
        if reading.confidence < max(self._limits.act, _SURE):
            return commands
        found = self._meant(reading, text, dialogue)[:1]
        return found if not found or not reject.missing(found[0]) else commands

    def _checked(self, found: Understood) -> Understood:
        """Ask first where an action is risky."""
        if found.status != "understood":
            return found
        commands = tuple(
            c.model_copy(update={"risky": confirm.asks(c, self.home)}) for c in found.commands
        )
        risky = [c for c in commands if c.risky]
        if not risky:
            return Understood(status="understood", commands=commands)
        return Understood(
            status="confirm", commands=commands, question=confirm.question(risky, self.home)
        )

    def _by_grammar(self, text: str, dialogue: Dialogue) -> tuple[Command, ...]:
        def read(part: str) -> tuple[Command, ...]:
            found = self._grammar.parse(part, area=dialogue.area)
            return () if any(_empty(c) for c in found) else found

        spelled = context.spelled_out(text, dialogue, self.home)
        found = self._splitter.split(text, read)
        if spelled != text and (not found or any(_wild(c) for c in found)):
            meant = self._splitter.split(spelled, read)
            return context.aimed(meant, dialogue, self.home, text) or found
        return found

    def _by_model(
        self, text: str, dialogue: Dialogue
    ) -> tuple[tuple[Command, ...], tuple[Command, ...]]:
        """The model's reading, part by part where there are several, and other readings of it."""

        def read(part: str) -> tuple[Command, ...]:
            covered = self._grammar.parse(part, area=dialogue.area)
            if covered:
                return covered
            best = self._modelled(part, dialogue)[:1]
            return best if best and best[0].confidence >= self._limits.act else ()

        if splitting.several(text):
            parts = self._splitter.split(text, lambda t: () if splitting.several(t) else read(t))
            if len(parts) > 1:
                return parts, ()
        readings = self._modelled(context.spelled_out(text, dialogue, self.home), dialogue)
        if splitting.several(text) and any(
            self._grammar.parse(piece, area=dialogue.area) for piece in splitting.pieces(text)
        ):
            readings = tuple(_doubted(c, self._limits) for c in readings)
        return readings[:1], readings[1:]

    def _modelled(self, text: str, dialogue: Dialogue) -> tuple[Command, ...]:
        """What the model reads, best first."""
        if self.model is None:
            return ()
        return self._meant(self.model.predict([text])[0], text, dialogue)

    def _meant(self, reading: Reading, text: str, dialogue: Dialogue) -> tuple[Command, ...]:
        """The commands of a reading: its intent's, then other intents' with the same parts."""
        place = self.home.area_by_id.get(dialogue.area or "")
        found: list[Command] = []
        # However likely it looks among the known, what is like nothing learned is asked about.
        most = 1.0 if reading.known else self._limits.ask
        for intent, confidence in _ranked(reading):
            command = command_of(
                self.home, self._linker, text, intent, reading.slots,
                confidence=min(confidence, most),
                area=place.name if place else None, table=self.table,
            )  # fmt: skip
            if command is None and not found:
                return ()  # the likeliest reading is none of a home's business
            if command is not None:
                found.append(command)
        return tuple(found)

    def _by_endpoint(self, text: str, dialogue: Dialogue) -> tuple[Command, ...]:
        if self._endpoint is None:
            return ()
        try:
            return self._endpoint.commands(text, self.home, area=dialogue.area)
        except CasekitError as error:
            LOG.warning("the endpoint did not help: %s", error)
            return ()


def _doubted(command: Command, limits: Limits) -> Command:
    """To be asked about: of several requests, this may be one, and the others would be lost."""
    return command.model_copy(update={"confidence": min(command.confidence, limits.ask)})


def _ranked(reading: Reading) -> list[tuple[str, float]]:
    others = [(i, p) for i, p in reading.alternatives if i != reading.intent]
    return [(reading.intent, reading.confidence), *others][:_OFFERED]


def _empty(command: Command) -> bool:
    """Whether a part that takes any words took a pronoun only: "play it"."""
    return any(s.name in _ANY and str(s.value).lower() in ("it", "that", "this", "them", "me")
               for s in command.slots)  # fmt: skip


def _wild(command: Command) -> bool:
    return any(s.name in _ANY for s in command.slots)
