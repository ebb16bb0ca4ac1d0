"""A new intent from ten sentences of a client: what the model reads before and after."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import DataError
from verticals.voice.spoken import REQUESTS
from verticals.voice.understanding.fewshot import add_intents
from verticals.voice.understanding.model import IntentModel
from verticals.voice.understanding.words import Example

EXAMPLE = Path(__file__).with_name("new_intent.yaml")


class NewIntent(BaseModel):
    """What a client writes to teach an intent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    intent: str
    sentences: tuple[str, ...] = Field(min_length=3, description="About ten ways to say it")
    tries: tuple[str, ...] = Field(default=(), description="Sentences to try it on")


def read_intent(path: Path = EXAMPLE) -> NewIntent:
    """A new intent from its YAML file: intent, sentences, tries.

    Raises:
        DataError: It cannot be read; names the field.
    """
    try:
        return NewIntent.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError) as error:
        raise DataError(
            f"it cannot be read: {error}", where=str(path), remedy="Write it as new_intent.yaml is"
        ) from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise DataError(
            first["msg"].lower(), where=f"{path}, {'.'.join(map(str, first['loc']))}",
            remedy="Give intent, and at least three sentences",
        ) from None  # fmt: skip


def taught(new: NewIntent, *, model: IntentModel | None = None) -> pd.DataFrame:
    """Teach a model an intent, in seconds, and try it on other sentences.

    What the model knows is held fast by the embedded home's requests, as it reads them.

    Args:
        new: The intent.
        model: Is not changed; the shipped one by default.

    Returns:
        One row a sentence to try: what was read before and after, and how surely.
    """
    known = model or IntentModel.open()
    texts = [row["text"] for row in yaml.safe_load(REQUESTS.read_text(encoding="utf-8"))]
    others = [Example(t, r.intent) for t, r in zip(texts, known.predict(texts), strict=True)]
    learned = add_intents(known, [Example(s, new.intent) for s in new.sentences], others=others)
    rows = zip(new.tries, known.predict(new.tries), learned.predict(new.tries), strict=True)
    found = [(text, before.intent, after.intent, after.confidence) for text, before, after in rows]
    return pd.DataFrame(found, columns=["sentence", "read before", "read after", "confidence"])
