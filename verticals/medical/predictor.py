"""The medical predictor: a question in, evidence or a refusal out; opened from a bundle."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import orjson
from pydantic import BaseModel

from core.errors import CasekitError
from core.models.resolver import cache_folder
from verticals.medical.answer import Answer, Question
from verticals.medical.answering import Engine, answer, open_engine

if TYPE_CHECKING:
    from core.deployment.manifest import Manifest

# Inside a bundle.
DOCUMENTS, VECTORS, SETTINGS = "corpus/documents.jsonl", "corpus/vectors.safetensors", "engine.json"
WEIGHTS, ENCODER = "weights", "encoder"


class MedicalPredictor:
    """Answers questions from one corpus."""

    input_model = Question
    output_model = Answer

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def predict(self, inputs: list[BaseModel]) -> list[BaseModel]:
        """Answers in the order of the questions.

        A question or a patient that cannot be read is an abstention that says why: one bad line
        of thousands must not take the others with it.
        """
        return [self._answer(cast("Question", question)) for question in inputs]

    def _answer(self, question: Question) -> Answer:
        try:
            return answer(question, self.engine)
        except CasekitError as error:
            return Answer(status="abstained", reason=f"Not read: {error}", confidence=0.0)

    def warm_up(self) -> None:
        """Read what the first answer needs."""
        self.predict([Question.model_construct(question="Is it warm?", patient=None,
                                               filters=None, limit=1)])  # fmt: skip


def open_predictor(folder: Path, manifest: Manifest) -> MedicalPredictor:
    """The predictor of a verified bundle.

    The corpus is unpacked once into the cache, under the bundle's own fingerprint; its vectors
    come with the bundle, so nothing is encoded again.

    Args:
        folder: The bundle's files.
        manifest: What it says of itself.
    """
    from safetensors.numpy import load_file

    from verticals.medical.corpus.ingest import ingest

    settings = orjson.loads((folder / SETTINGS).read_bytes())
    place = cache_folder().parent / "corpora" / manifest.data.fingerprint[:16]
    corpus = ingest(folder / DOCUMENTS, place).corpus
    engine = open_engine(
        corpus, place / "index", encoder=str(folder / ENCODER), weights=folder / WEIGHTS,
        generator=settings["generator"],
        vectors=load_file(folder / VECTORS)["vectors"],
    )  # fmt: skip
    abstention = replace(engine.abstention, threshold=float(settings["threshold"]))
    return MedicalPredictor(replace(engine, abstention=abstention))
