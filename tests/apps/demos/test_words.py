import re
import string
from pathlib import Path

import pytest

from apps.demos.finance_pages.desk import TEXTS
from apps.demos.words import LANGUAGES, Labels, Words

WORDS = Words.load(*TEXTS)
CODE = Path(__file__).resolve().parents[3] / "apps" / "demos"


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("key", sorted(WORDS.texts))
def test_every_text_speaks_every_language(key):
    texts = WORDS.texts[key]
    assert set(texts) == set(LANGUAGES)
    assert all(isinstance(t, str) and t.strip() for t in texts.values())
    assert placeholders(texts["en"]) == placeholders(texts["zh"])


def test_every_key_the_pages_name_exists():
    prefixes = {key.split(".")[0] for key in WORDS.texts}
    code = "\n".join(p.read_text(encoding="utf-8") for p in CODE.rglob("*.py"))
    named = set(re.findall(r'"((?:%s)\.[a-z_]+)"' % "|".join(prefixes), code))
    assert len(named) > 40
    assert {k for k in named if not WORDS.has(k)} == set()


def test_no_text_stands_in_the_file_without_being_used():
    code = "\n".join(p.read_text(encoding="utf-8") for p in CODE.rglob("*.py"))
    shown = {key for key in WORDS.texts if key.split(".")[0] not in ("fields", "values")}
    built = {"tabs", "training", "decision", "metrics"}  # keys put together from parts
    unused = {
        key
        for key in shown
        if f'"{key}"' not in code
        and key.split(".")[0] not in built
        and not re.search(rf'f"{key.split(".")[0]}\.', code)
    }
    assert unused == set()


def test_chinese_is_chinese():
    plain = {
        key for key, texts in WORDS.texts.items() if not re.search(r"[\u4e00-\u9fff]", texts["zh"])
    }
    assert plain <= {"change.to"}


def test_a_language_without_a_text_falls_back_to_english():
    assert Words({"a": {"en": "yes {n}"}})("a", "zh", n=1) == "yes 1"


def test_a_switch_relabels_every_component():
    import gradio as gr

    labels = Labels(Words({"a": {"en": "Name", "zh": "名称"}}))
    box = labels.make(gr.Textbox, {"label": "a", "placeholder": lambda lang: lang.upper()})
    assert (box.label, box.placeholder) == ("Name", "EN")
    (update,) = labels.update("zh")
    assert (update["label"], update["placeholder"]) == ("名称", "ZH")
    assert labels.components == [box]
