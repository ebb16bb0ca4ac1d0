"""The sentence of a graph that sounds most like what was heard.

Edit distance between sounds (Wagner and Fischer, 1974), against all sentences at once: each state
of the graph keeps the least cost of every beginning of what was heard. Sounds that are easily
taken for one another count half.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from verticals.voice.forms.graph import Arc, Graph
from verticals.voice.recognition.sounding import Sounds

_ALIKE = ("AIOWYaæɑɔəɛɜɪiʊuʌ", "pb", "td", "kɡ", "fv", "szθð", "ʃʒʧʤ", "mnŋ", "lɹw")
_HALF = 0.5


@dataclass(frozen=True)
class Path:
    """A sentence of the graph, beside what was heard."""

    arcs: tuple[Arc, ...]
    """Those that say something."""
    shares: tuple[float, ...]
    """Of each arc: sounds that differ, of its own; 0 is heard as it is."""
    end: int
    cost: float
    """Sounds that differ, in all."""
    share: float
    """Of all sounds."""

    @property
    def words(self) -> str:
        """The sentence."""
        return " ".join(arc.words for arc in self.arcs)


def nearest(graph: Graph, heard: Sequence[str], sounds: Sounds) -> list[Path]:
    """For each text the sentence that sounds most like it.

    Args:
        graph: Of the form.
        heard: Texts; those that sound the same are looked for once.
        sounds: How words sound, one letter a sound, without blanks.
    """
    said = [sounds(text) for text in heard]
    once = sorted(set(said))
    search = _Search(graph, once, sounds)
    found = dict(zip(once, map(search.path, range(len(once))), strict=True))
    return [found[text] for text in said]


class _Search:
    """Least costs of every state (s), text (t) and beginning of it (n + 1), and how they came."""

    def __init__(self, graph: Graph, said: Sequence[str], sounds: Sounds) -> None:
        self._graph, self._said, self._sounds = graph, said, sounds
        width = max(map(len, said), default=0)
        letters = np.array([list(s.ljust(width, "\0")) for s in said]).reshape(len(said), width)
        self._columns = np.arange(width + 1)
        self._cost = np.full((graph.states, len(said), width + 1), np.inf)
        self._cost[0] = self._columns
        self._arc = np.full(self._cost.shape, -1, np.int32)  # by which a state is reached best
        self._begun = np.zeros(self._cost.shape, np.int32)  # and where in the text that begins
        every = set().union(*(sounds(arc.words) for arc in graph.arcs))
        prices = {sound: _prices(letters, sound) for sound in every}
        for number, arc in enumerate(graph.arcs):
            cost, begun = self._after(self._cost[arc.source], sounds(arc.words), prices)
            better = cost < self._cost[arc.target]
            self._cost[arc.target][better] = cost[better]
            self._arc[arc.target][better] = number
            self._begun[arc.target][better] = begun[better]

    def path(self, row: int) -> Path:
        """The best for a text, followed from its end."""
        at = len(self._said[row])
        end = state = min(self._graph.endings, key=lambda s: self._cost[s, row, at])
        least, arcs, shares = float(self._cost[end, row, at]), [], []
        while (number := int(self._arc[state, row, at])) >= 0:
            arc, here = self._graph.arcs[number], self._cost[state, row, at]
            state, at = arc.source, int(self._begun[state, row, at])
            if arc.words:
                arcs.append(arc)
                length = max(len(self._sounds(arc.words)), 1)
                shares.append(float(here - self._cost[state, row, at]) / length)
        spoken = sum(len(self._sounds(arc.words)) for arc in arcs)
        share = least / max(len(self._said[row]), spoken, 1)
        return Path(tuple(reversed(arcs)), tuple(reversed(shares)), end, least, share)

    def _after(
        self, cost: np.ndarray, phrase: str, prices: dict[str, np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        """(t, n + 1) costs once a phrase was said too, and where in the text it begins."""
        columns = self._columns
        begun = np.broadcast_to(columns, cost.shape)
        for sound in phrase:
            left_out, replaced = cost + 1, cost[:, :-1] + prices[sound]
            taken = replaced < left_out[:, 1:]
            new, moved = left_out, begun.copy()
            new[:, 1:][taken] = replaced[taken]
            moved[:, 1:][taken] = begun[:, :-1][taken]
            # What was heard in addition: a cheaper beginning, and one for each sound since.
            level = new - columns
            least = np.minimum.accumulate(level, axis=1)
            source = np.maximum.accumulate(np.where(level == least, columns, 0), axis=1)
            cost, begun = least + columns, np.take_along_axis(moved, source, axis=1)
        return cost, begun


def _prices(letters: np.ndarray, sound: str) -> np.ndarray:
    """(t, n) cost of hearing each letter for a sound."""
    like = next((group for group in _ALIKE if sound in group), sound)
    alike = np.isin(letters, list(like))
    return np.where(letters == sound, 0.0, np.where(alike, _HALF, 1.0))
