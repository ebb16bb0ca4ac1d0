"""What a text says of a question: supports, contradicts or finds no difference.

A calibrated linear model over cues, on numpy alone. `effect` reads a trial's comparison instead.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import orjson

from core.errors import ModelError
from core.evaluation.calibration import Calibrator
from verticals.medical.evidence.frames import FRAME_NAMES, frame_features
from verticals.medical.evidence.linear import Softmax
from verticals.medical.evidence.pairs import PAIR_NAMES, masked_pairs, pair_features

CLASSES = ("supports", "contradicts", "no difference")
EFFECTS = ("increased", "decreased", "no difference")
SHIPPED = Path(__file__).parents[1] / "weights" / "direction"
_DIRECTION, _EFFECT, _TREES = "direction.json", "effect.json", "effect.txt"
_TINY = 1e-6
_YES_OR_NO = re.compile(
    r"\W*(?:is|are|am|does|do|did|can|could|should|shall|will|would|may|might|must|has|have|had|"
    r"was|were)\b",
    re.IGNORECASE,
)
_OPEN = re.compile(
    r"(?:^|[,:;.?!–—-]\s*)\W*(?:and |but |so )?(?:at |in |for |to |with |by |after )?"
    r"(?:what|which|how|when|who|whom|whose|where|why)\b",
    re.IGNORECASE,
)
# Points for and against a difference, and for its direction, where no trained model is at hand.
_NO_DIFFERENCE = {
    "nulls": 1.2, "insignificant_p": 1.5, "crossing_intervals": 1.5, "largest_p": 0.5,
    "trends": 0.3, "significant_p": -1.5, "clear_intervals": -0.8, "significant_words": -0.7,
    "up": -0.3, "down": -0.3, "good": -0.2, "bad": -0.2,
}  # fmt: skip
_INCREASED = {
    "than": 0.3, "near": 0.3, "before": 0.2, "after": 0.2, "plain": 0.4, "pair": 0.15,
    "pair_near": 0.15, "ratio_framed": 0.2, "difference": 0.15, "quality_than": 0.3,
    "quality_plain": 0.4,
}  # fmt: skip


@dataclass(frozen=True)
class DirectionModel:
    """Says what a text says of a question or claim, and of a comparison in a trial.

    Attributes:
        pairs: Of a question or claim and a text; classes as in `CLASSES`.
        calibrators: One a class, on its log-odds; probabilities are then scaled to sum to one.
        comparison: Of intervention, comparator, outcome and span; classes as in `EFFECTS`.
        trees: LightGBM text that `comparison` is averaged with; empty for none.
    """

    pairs: Softmax
    calibrators: tuple[Calibrator, ...]
    comparison: Softmax
    trees: str = ""

    @classmethod
    def open(cls, path: Path | None = None) -> DirectionModel:
        """Open the model in a folder, by default the one that the kit ships.

        Raises:
            ModelError: The folder has no such model, or one of another version of the features.
        """
        folder = path or SHIPPED
        try:
            state = orjson.loads((folder / _DIRECTION).read_bytes())
            effect = folder / _EFFECT
            comparison = orjson.loads(effect.read_bytes()) if effect.is_file() else None
            if tuple(state["features"]) != PAIR_NAMES or (
                comparison and tuple(comparison["features"]) != FRAME_NAMES
            ):
                raise ModelError(
                    "the direction model was fitted on other features", where=str(folder),
                    remedy="Fit it again: python -m bench.medical.train_direction",
                )  # fmt: skip
            pairs = Softmax.from_dict(state["model"])
            calibrators = tuple(Calibrator.from_json(c) for c in state["calibrators"])
        except (OSError, KeyError, ValueError) as error:
            raise ModelError(
                f"the direction model cannot be read ({error})", where=str(folder),
                remedy="Fit one: python -m bench.medical.train_direction",
            ) from None  # fmt: skip
        trees = folder / _TREES
        return cls(
            pairs, calibrators,
            Softmax.from_dict(comparison["model"]) if comparison else ruled_effect(),
            trees.read_text(encoding="utf-8") if trees.is_file() else "",
        )  # fmt: skip

    def save(self, folder: Path) -> None:
        """Write JSON (and LightGBM text) that `open` reads back."""
        folder.mkdir(parents=True, exist_ok=True)
        state = {
            "features": PAIR_NAMES, "classes": CLASSES, "model": self.pairs.to_dict(),
            "calibrators": [c.to_json() for c in self.calibrators],
        }  # fmt: skip
        (folder / _DIRECTION).write_bytes(orjson.dumps(state) + b"\n")
        effect = {
            "features": FRAME_NAMES, "classes": EFFECTS, "model": self.comparison.to_dict(),
        }  # fmt: skip
        (folder / _EFFECT).write_bytes(orjson.dumps(effect) + b"\n")
        if self.trees:
            (folder / _TREES).write_text(self.trees, encoding="utf-8")

    def predict(self, question: str, evidence_texts: Sequence[str]) -> np.ndarray:
        """What each text says of a question or claim.

        Args:
            question: Question or claim; "yes" to it is `supports`. An open question ("how
                much …?") can't be answered with yes: every direction is equally likely then.
            evidence_texts: Sentences or passages.

        Returns:
            (n, 3) probabilities over `CLASSES`; rows sum to one.
        """
        if not evidence_texts:
            return np.zeros((0, len(CLASSES)))
        if is_open(question):
            return np.full((len(evidence_texts), len(CLASSES)), 1 / len(CLASSES))
        features = np.array([pair_features(question, text) for text in evidence_texts])
        raw = self.pairs.probabilities(features, masked_pairs(question, evidence_texts))
        return calibrated(raw, self.calibrators)

    def effect(self, intervention: str, comparator: str, outcome: str, span: str) -> np.ndarray:
        """What a trial's result says of an outcome under the intervention, not the comparator.

        Returns:
            (3,) probabilities over `EFFECTS`.
        """
        features = frame_features(intervention, comparator, outcome, span)[None]
        return np.asarray(self.effects(features)[0])

    def effects(self, features: np.ndarray) -> np.ndarray:
        """`effect` of many rows of `frame_features`, (n, 35) → (n, 3)."""
        chances = self.comparison.probabilities(features)
        if self.trees:
            import lightgbm

            chances = (chances + lightgbm.Booster(model_str=self.trees).predict(features)) / 2
        return chances

    def with_effect(self, comparison: Softmax, trees: str = "") -> DirectionModel:
        """The same model with another reading of trials."""
        return replace(self, comparison=comparison, trees=trees)


def is_open(question: str) -> bool:
    """Whether a question asks for more than yes or no: "which", "how much", "when"."""
    found = _OPEN.search(question)
    if found is None or _YES_OR_NO.match(question):
        return False
    return found.start() == 0 or question.rstrip().endswith("?")


def calibrated(raw: np.ndarray, calibrators: Sequence[Calibrator]) -> np.ndarray:
    """(n, k) probabilities, each class mapped by its calibrator and rows scaled to one."""
    if not calibrators:
        return raw
    mapped = np.column_stack(
        [c.transform(p) for c, p in zip(calibrators, log_odds(raw).T, strict=True)]
    )
    return np.asarray(mapped / mapped.sum(axis=1, keepdims=True))


def log_odds(chances: np.ndarray) -> np.ndarray:
    """Log-odds of probabilities, kept finite."""
    p = np.clip(chances, _TINY, 1 - _TINY)
    return np.asarray(np.log(p / (1 - p)))


def ruled_effect() -> Softmax:
    """Reads a comparison by points set by hand: nothing was fitted to any trial."""
    none = np.array([_NO_DIFFERENCE.get(name, 0.0) for name in FRAME_NAMES])
    more = np.array([_INCREASED.get(name, 0.0) for name in FRAME_NAMES])
    width = len(FRAME_NAMES)
    return Softmax(
        np.zeros(width), np.ones(width), np.vstack([more, -more, none]), np.array([0.0, 0.0, 0.3])
    )
