"""Estimates a risk from a note, laboratory and bedside values together, and shows what each adds.

Trained on the made-up cohort of cohort.py, it demonstrates the method. It is no clinical score.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import orjson

from core.errors import ModelError
from verticals.medical.evidence.sentences import split_sentences
from verticals.medical.patient.cohort import LABS, VITALS
from verticals.medical.patient.fusion import Inputs, build_network, log_odds

if TYPE_CHECKING:
    import torch

    from core.evaluation.calibration import Calibrator

TextKind = Literal["minilm", "hashing"]
HASHED = 384  # columns of hashed words, as many as MiniLM has
SYNTHETIC = "Learned from made-up admissions: it shows a method and says nothing of any patient."
_SENTENCES = 3.0  # keeps a sum of sentence vectors at about length one
_WEIGHTS, _ABOUT = "network.safetensors", "model.json"
_LOGGED = frozenset({0, 1, 2, 3, 4, 8})  # columns of LABS that are skewed


@dataclass(frozen=True)
class Scaling:
    """Means and spreads of the training rows, (columns,) each."""

    mean: tuple[float, ...]
    spread: tuple[float, ...]

    @classmethod
    def of(cls, values: np.ndarray) -> Scaling:
        """Of a matrix with missing values; a column without values is left as it is."""
        known = np.where(np.isnan(values).all(0), 0.0, values)
        spread = np.nanstd(known, 0)
        return cls(
            tuple(map(float, np.nanmean(known, 0))),
            tuple(float(s) if s > 0 else 1.0 for s in spread),
        )

    def apply(self, values: np.ndarray) -> np.ndarray:
        """(n, 2 * columns) float32: scaled and cut at 5 spreads, 0 if missing; then the flags."""
        gone = np.isnan(values)
        scaled = (values - np.array(self.mean)) / np.array(self.spread)
        return np.hstack([np.where(gone, 0, np.clip(scaled, -5, 5)), gone]).astype(np.float32)


@dataclass(frozen=True)
class MultimodalModel:
    """A trained network with the scaling of its inputs and the calibration of its output."""

    network: torch.nn.Module = field(repr=False)
    labs: Scaling
    vitals: Scaling
    calibrator: Calibrator = field(repr=False)
    text: TextKind
    note: str = SYNTHETIC

    def predict(self, notes: Sequence[str], labs: np.ndarray, vitals: np.ndarray) -> np.ndarray:
        """Probability of deterioration within 30 days, (n,).

        Args:
            notes: n texts, "" for a missing one.
            labs: (n, 9) in the order of LABS, NaN for missing.
            vitals: (n, 7) in the order of VITALS, NaN for missing.
        """
        return self.of(self.inputs(notes, labs, vitals))

    def of(self, inputs: Inputs) -> np.ndarray:
        """The same of prepared inputs."""
        return self.calibrator.transform(log_odds(self.network, inputs))

    def inputs(self, notes: Sequence[str], labs: np.ndarray, vitals: np.ndarray) -> Inputs:
        """What the network reads of such rows."""
        return prepared(embedded(notes, self.text), labs, vitals, self.labs, self.vitals)

    def save(self, folder: Path) -> None:
        """Write network.safetensors and model.json into a folder, made if it is not there."""
        from safetensors.torch import save_file

        folder.mkdir(parents=True, exist_ok=True)
        save_file(self.network.state_dict(), folder / _WEIGHTS)
        about = {
            "text": self.text, "note": self.note, "calibrator": self.calibrator.to_json(),
            "labs": {"columns": LABS, **vars(self.labs)},
            "vitals": {"columns": VITALS, **vars(self.vitals)},
        }  # fmt: skip
        (folder / _ABOUT).write_bytes(orjson.dumps(about, option=orjson.OPT_INDENT_2))

    @classmethod
    def load(cls, folder: Path) -> MultimodalModel:
        """The model that `save` wrote.

        Raises:
            ModelError: Files are missing, broken, or of other columns than the kit's.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        from core.evaluation.calibration import Calibrator

        try:
            about = orjson.loads((folder / _ABOUT).read_bytes())
            labs, vitals = (_scaling(about[name]) for name in ("labs", "vitals"))
            columns = (tuple(about["labs"]["columns"]), tuple(about["vitals"]["columns"]))
            network = build_network(_widths(), 0)
            network.load_state_dict(load_file(folder / _WEIGHTS))
            text, calibrator = about["text"], Calibrator.from_json(about["calibrator"])
        except (OSError, SafetensorError, RuntimeError, KeyError, TypeError, ValueError) as error:
            raise ModelError(
                f"the multimodal model cannot be read ({type(error).__name__})",
                where=str(folder),
                remedy="Train it again with fit_multimodal and save it",
            ) from None
        if columns != (LABS, VITALS) or text not in ("minilm", "hashing"):
            raise ModelError("the multimodal model reads other columns", where=str(folder))
        return cls(network.eval(), labs, vitals, calibrator, text, str(about["note"]))


def embedded(
    notes: Sequence[str], kind: TextKind, *, progress: Callable[[int], None] | None = None
) -> np.ndarray:
    """Vectors of notes, (n, 384) float32; zeros for an empty one.

    Args:
        notes: Texts.
        kind: minilm: the vectors of its sentences, summed, so that each finding keeps its own
            voice; a sentence that many notes share is computed once. hashing: words and pairs of
            words, signed and hashed (Weinberger 2009), which needs no weights.
        progress: Called with the number of sentences done.
    """
    out = np.zeros((len(notes), HASHED), np.float32)
    rows = [i for i, note in enumerate(notes) if note.strip()]
    texts = [notes[i] for i in rows]
    if texts and kind == "minilm":
        said = [[text[a:b] for a, b in split_sentences(text)] for text in texts]
        distinct = sorted({sentence for sentences in said for sentence in sentences})
        vectors = dict(zip(distinct, _encoder().encode(distinct, progress=progress), strict=True))
        out[rows] = [sum(vectors[s] for s in sentences) / _SENTENCES for sentences in said]
    elif texts:
        from sklearn.feature_extraction.text import HashingVectorizer

        hashing = HashingVectorizer(n_features=HASHED, ngram_range=(1, 2), norm="l2")
        out[rows] = hashing.transform(texts).toarray()
    return out


def prepared(
    text: np.ndarray, labs: np.ndarray, vitals: np.ndarray, of_labs: Scaling, of_vitals: Scaling
) -> Inputs:
    """Inputs of the network from embedded notes and raw values."""
    present = np.column_stack(
        [np.abs(text).sum(1) > 0, ~np.isnan(labs).all(1), ~np.isnan(vitals).all(1)]
    )
    scale = np.float32(np.sqrt(text.shape[1]))  # unit vectors to columns of spread one
    return Inputs(
        text * scale, of_labs.apply(logged(labs)), of_vitals.apply(vitals),
        present.astype(np.float32),
    )  # fmt: skip


def logged(labs: np.ndarray) -> np.ndarray:
    """Laboratory values with the skewed ones as logarithms, (n, 9) float64."""
    out = labs.astype(float)
    for column in _LOGGED:
        out[:, column] = np.log(np.clip(out[:, column], 1e-3, None))
    return out


def _widths() -> tuple[int, int, int]:
    return HASHED, 2 * len(LABS), 2 * len(VITALS)


def _scaling(state: dict[str, Any]) -> Scaling:
    return Scaling(tuple(map(float, state["mean"])), tuple(map(float, state["spread"])))


@cache
def _encoder() -> Any:
    from core.models.encoder import TextEncoder

    return TextEncoder.open("minilm", threads=1)
