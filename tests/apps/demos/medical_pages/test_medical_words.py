from __future__ import annotations

import re
import string
from pathlib import Path

import apps.demos.medical as demo
from apps.demos.medical_pages.ask import EXAMPLES
from apps.demos.medical_pages.desk import TEXTS
from apps.demos.words import LANGUAGES, Words
from verticals.medical.answer import GRADES
from verticals.medical.retrieval.features import FEATURE_NAMES
from verticals.medical.wording import check_question

WORDS = Words.load(*TEXTS)
PLACE = Path(str(demo.__file__)).parent
PAGES = [PLACE / "framing.py", PLACE / "medical.py"]
PAGES += sorted((PLACE / "medical_pages").glob("*.py"))
CODE = "\n".join(path.read_text(encoding="utf-8") for path in PAGES)
GROUPS = "|".join({key.split(".")[0] for key in WORDS.texts})
WHOLE = set(re.findall(rf"""["']((?:{GROUPS})\.[a-z_.0-9]+)["']""", CODE))
BEGUN = set(re.findall(rf"""f["']((?:{GROUPS})\.[a-z_.]*)\{{""", CODE))
LOOKED_UP = {"people.", "ranks.", "measures."}  # kept for names that data brings


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_text_speaks_every_language() -> None:
    for key, texts in WORDS.texts.items():
        assert set(texts) == set(LANGUAGES), key
        assert placeholders(texts["en"]) == placeholders(texts["zh"]), key
        assert re.search(r"[\u4e00-\u9fff，：]", texts["zh"]), key
    assert len(WORDS.texts) > 120


def test_every_key_the_pages_name_exists_and_every_text_is_used() -> None:
    # "evidence" and "nearest" are put together with their lead
    assert {key for key in WHOLE if not WORDS.has(key)} == set()
    used = WHOLE | {f"{key}_lead" for key in WHOLE}
    begun = tuple(BEGUN | LOOKED_UP)
    assert {key for key in WORDS.texts if key not in used and not key.startswith(begun)} == set()


def test_every_grade_and_direction_has_a_word() -> None:
    for grade in GRADES:
        assert WORDS.has(f"grades.{grade.replace(' ', '_')}")
    for side in ("supports", "contradicts", "no_difference", "unclear"):
        assert WORDS.has(f"directions.{side}")


def test_every_feature_of_the_ranker_has_a_word() -> None:
    assert {name for name in FEATURE_NAMES if not WORDS.has(f"ranks.{name}")} == set()


def test_the_examples_are_questions_that_are_taken() -> None:
    assert [check_question(example) for example in EXAMPLES] == list(EXAMPLES)
