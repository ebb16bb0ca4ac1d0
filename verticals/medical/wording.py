"""Is this a question the model can take? Not empty, not endless, and in English."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Any

from core.errors import DataError

LONGEST = 2_000  # characters
_SURE = 0.9  # probability of another language before a question is refused
_LATIN = 0.5  # share of letters that must be Latin
_ENOUGH = 25  # characters that tell a language
# Those written in Latin letters that many clinicians ask in: among all 97 that the library knows,
# drug names make Latin or Malagasy of good English.
LANGUAGES = [
    "en",
    "es",
    "fr",
    "de",
    "it",
    "pt",
    "nl",
    "pl",
    "tr",
    "sv",
    "da",
    "no",
    "fi",
    "id",
    "vi",
]


def check_question(text: str) -> str:
    """The question, trimmed and normalised, or an error that says what to change.

    Args:
        text: As a user typed it.

    Raises:
        DataError: Empty, longer than `LONGEST`, without letters, or not in English.
    """
    if len(text) > LONGEST:
        raise DataError(
            f"the question has {len(text):,} characters; at most {LONGEST:,} are read",
            where="question",
            remedy="Ask in one or two sentences",
        )
    question = " ".join(unicodedata.normalize("NFKC", text).split())
    letters = [c for c in question if c.isalpha()]
    if not letters:
        raise DataError(
            "the question is empty",
            where="question",
            remedy="Ask in a sentence, such as 'Does metformin lower mortality in diabetes?'",
        )
    language = _other_language(question, letters)
    if language:
        raise DataError(
            f"the question seems to be in another language than English ({language})",
            where="question",
            remedy="Ask in English: the encoder and the literature are English",
        )
    return question


def _other_language(question: str, letters: list[str]) -> str:
    """Code of the language if it is surely not English, else nothing."""
    # Greek letters are part of medical English (TNF-α), so only a share decides.
    latin = sum("LATIN" in unicodedata.name(c, "") for c in letters)
    if latin < _LATIN * len(letters):
        return "not Latin script"
    if len(question) < _ENOUGH:
        return ""
    code, probability = _identifier().classify(question)
    return str(code) if code != "en" and probability > _SURE else ""


@cache
def _identifier() -> Any:
    """The language model, read once: it takes longer than an answer."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(LANGUAGES)
    return identifier
