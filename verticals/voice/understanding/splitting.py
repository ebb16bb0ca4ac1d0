"""Takes a sentence apart: several commands, or one command for several devices."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from verticals.voice.command import Command
from verticals.voice.home.model import Home
from verticals.voice.understanding import context

Read = Callable[[str], tuple[Command, ...]]
_JOINT = re.compile(
    r"\s*(?:,|;)?\s+(?:and then|and also|as well as|and|then|also|plus)\s+|\s*[,;]\s*",
    re.IGNORECASE,
)
_VERBS = frozenset({
    "turn", "switch", "set", "make", "change", "dim", "brighten", "open", "close", "shut", "lock",
    "unlock", "play", "pause", "stop", "resume", "start", "run", "activate", "deactivate", "raise",
    "lower", "increase", "decrease", "mute", "unmute", "add", "remove", "put", "tell", "what",
    "whats", "what's", "is", "are", "how", "cancel", "skip", "clean", "vacuum", "arm", "disarm",
    "wake", "remind", "show", "give", "delete", "create", "enable", "disable", "next", "bring",
})  # fmt: skip
_WILD = ("item", "search_query", "message", "timer_command")
_DEEPEST = 4


class Splitter:
    """Takes sentences about one home apart."""

    def __init__(self, home: Home) -> None:
        self._home = home
        names = {n.lower() for e in home.entities for n in e.names}
        names |= {n.lower() for a in home.areas for n in (a.name, *a.aliases)}
        names |= {"light", "lights", "lamps", "fan", "fans", "blinds", "curtains"}
        self._names = sorted(names, key=len, reverse=True)

    def split(self, text: str, read: Read, *, depth: int = 0) -> tuple[Command, ...]:
        """The commands of a sentence, in its order; empty if a part makes no sense.

        Args:
            text: One or several requests.
            read: Reads one request; empty if it cannot.
            depth: How often the sentence has been taken apart already.
        """
        whole = read(text)
        joints = list(_JOINT.finditer(text))
        if whole and not (joints and _swallows(whole[0], joints)):
            return whole
        if depth >= _DEEPEST:
            return ()
        parts = self._apart(text, joints, read, depth)
        if parts or whole:
            return parts or _items(whole[0], text) or whole
        tries = (
            way(text, joint, read, depth)
            for way in (self._shared, self._each) for joint in reversed(joints)
        )  # fmt: skip
        return next((found for found in tries if found), ())

    def _apart(
        self, text: str, joints: Sequence[re.Match[str]], read: Read, depth: int
    ) -> tuple[Command, ...]:
        """Two requests, each with its verb."""
        for joint in joints:
            left, right = text[: joint.start()].strip(), text[joint.end() :].strip()
            if _begins(right) and left:
                first = self.split(left, read, depth=depth + 1)
                second = self._after(first, right, read, depth) if first else ()
                if first and second:
                    return _once((*first, *second))
        return ()

    def _after(
        self, first: tuple[Command, ...], text: str, read: Read, depth: int
    ) -> tuple[Command, ...]:
        """What follows a request, in which "it" is what that request acts on."""
        before = context.Dialogue(last=first)
        spelled = context.spelled_out(text, before, self._home)
        if spelled != text:
            meant = self.split(spelled, read, depth=depth + 1)
            if meant:
                return context.aimed(meant, before, self._home, text)
        return self.split(text, read, depth=depth + 1)

    def _shared(
        self, text: str, joint: re.Match[str], read: Read, depth: int
    ) -> tuple[Command, ...]:
        """One verb for two names: "turn off the kitchen light and the fan"."""
        left, right = text[: joint.start()], text[joint.end() :]
        for first in self._ending(left):
            before = left[: len(left) - len(first)]
            for second in self._starting(right):
                after = right[len(second) :]
                # The end belongs to both ("kitchen and office lights") or, with a noun of its
                # own before the joint, only in part ("... light and the fan to 20 percent").
                for tail in dict.fromkeys((after, _noun(second) + after, "")):
                    one = self.split(f"{before}{first}{tail}", read, depth=depth + 1)
                    if not one:
                        continue
                    two = self.split(f"{before}{second}{after}", read, depth=depth + 1)
                    if two:
                        return _once((*one, *two))
        return ()

    def _each(self, text: str, joint: re.Match[str], read: Read, depth: int) -> tuple[Command, ...]:
        """One verb, but each name with its own end: "switch the hall light on and the fan off"."""
        left, right = text[: joint.start()], text[joint.end() :]
        verb = self._verb(left)
        first = self.split(left, read, depth=depth + 1) if verb and self._starting(right) else ()
        second = self.split(f"{verb}{right}", read, depth=depth + 1) if first else ()
        return _once((*first, *second)) if first and second else ()

    def _verb(self, text: str) -> str:
        """What stands before the first name."""
        found = [re.search(rf"\b(?:the |my )?{re.escape(n)}", text.lower()) for n in self._names]
        starts = [match.start() for match in found if match]
        return text[: min(starts)] if starts else ""

    def _ending(self, text: str) -> list[str]:
        low = text.lower()
        found = [low_name for low_name in self._names if re.search(
            rf"(?:^|\s)(?:the |my )?{re.escape(low_name)}s?$", low)]  # fmt: skip
        return [self._tail(text, name) for name in found]

    def _tail(self, text: str, name: str) -> str:
        match = re.search(rf"(?:the |my )?{re.escape(name)}s?$", text, re.IGNORECASE)
        return match.group() if match else name

    def _starting(self, text: str) -> list[str]:
        found = []
        for name in self._names:
            pattern = rf"(?:the |my |in the )?{re.escape(name)}s?(?=\s|$)"
            match = re.match(pattern, text, re.IGNORECASE)
            if match:
                found.append(match.group())
        return found


def several(text: str) -> bool:
    """Whether a sentence has a second verb after a joint, as several requests have."""
    return any(_begins(text[joint.end() :].strip()) for joint in _JOINT.finditer(text))


def pieces(text: str) -> list[str]:
    """What stands between the joints of a sentence."""
    return [part.strip() for part in _JOINT.split(text) if part.strip()]


def _begins(text: str) -> bool:
    first = text.split(maxsplit=1)[0].lower() if text else ""
    return first in _VERBS or text.lower().startswith(("please ", "can you ", "i want "))


def _noun(name: str) -> str:
    """The last word of a name of several: the kitchen [light] and living room light."""
    words = name.split()
    return f" {words[-1]}" if len(words) > 1 else ""


def _swallows(command: Command, joints: Sequence[re.Match[str]]) -> bool:
    """Whether a part that takes any words has taken a joint, too."""
    return any(
        slot.name in _WILD and (slot.start < 0 or any(slot.start < j.start() < slot.end
                                                      for j in joints))
        for slot in command.slots
    )  # fmt: skip


def _items(command: Command, text: str) -> tuple[Command, ...]:
    """Milk and eggs as two commands; the commas are those of the sentence."""
    slot = next((s for s in command.slots if s.name == "item"), None)
    if slot is None:
        return ()
    words = re.findall(r"\w+", str(slot.value))
    said = re.search(r"\W+".join(map(re.escape, words)), text, re.IGNORECASE)
    parts = re.split(
        r"\s*,\s*(?:and\s+)?|\s+and\s+", said.group() if said and words else str(slot.value)
    )
    rest = tuple(s for s in command.slots if s.name != "item")
    return tuple(
        command.model_copy(update={"slots": (*rest, slot.model_copy(update={"value": part}))})
        for part in parts if part.strip()
    )  # fmt: skip


def _once(commands: Sequence[Command]) -> tuple[Command, ...]:
    """Each action once: "A and B and C" is taken apart in more than one way."""
    found: dict[tuple[object, ...], Command] = {}
    for c in commands:
        values = tuple(
            (s.name, s.value) for s in c.slots if s.name not in ("name", "area", "domain")
        )
        found.setdefault((c.intent, c.entities, values), c)
    return tuple(found.values())
