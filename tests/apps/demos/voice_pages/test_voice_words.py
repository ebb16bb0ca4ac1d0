from __future__ import annotations

import re
import string
from pathlib import Path

import apps.demos.voice as demo
from apps.demos.voice_pages.desk import TEXTS
from apps.demos.words import LANGUAGES, Words
from verticals.voice.action.calls import ACTIONS
from verticals.voice.home.model import Home

WORDS = Words.load(*TEXTS)
PLACE = Path(str(demo.__file__)).parent
PAGES = [PLACE / "framing.py", PLACE / "voice.py"]
PAGES += sorted((PLACE / "voice_pages").glob("*.py"))
CODE = "\n".join(path.read_text(encoding="utf-8") for path in PAGES)
GROUPS = "|".join({key.split(".")[0] for key in WORDS.texts})
WHOLE = set(re.findall(rf"""["']((?:{GROUPS})\.[A-Za-z_.0-9]+)["']""", CODE))
BEGUN = tuple(re.findall(rf"""f["']((?:{GROUPS})\.[a-z_.]*)\{{""", CODE))
TABLES = ("history.", "devices.")  # a page's head is put together with its title and lead


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_text_speaks_every_language() -> None:
    for key, texts in WORDS.texts.items():
        assert set(texts) == set(LANGUAGES), key
        assert placeholders(texts["en"]) == placeholders(texts["zh"]), key
    assert len(WORDS.texts) > 200


def test_every_key_the_pages_name_exists_and_every_text_is_used() -> None:
    assert {key for key in WHOLE if not WORDS.has(key)} == set()
    unused = {
        key for key in WORDS.texts if key not in WHOLE and not key.startswith((*BEGUN, *TABLES))
    }
    assert unused == set()


def test_every_intent_that_acts_and_every_kind_of_device_has_a_name() -> None:
    named = {key.removeprefix("intents.") for key in WORDS.texts if key.startswith("intents.")}
    assert {i for i in ACTIONS if i not in named and i.startswith("Hass")} <= {
        "HassOpenCover", "HassCloseCover", "HassStopMoving", "HassLawnMowerStartMowing",
        "HassLawnMowerDock",
    }  # fmt: skip
    assert {e.domain for e in Home.open().entities if not WORDS.has(f"domains.{e.domain}")} == set()
