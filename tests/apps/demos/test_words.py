import re
import string
from pathlib import Path

import apps.demos.finance as demo
from apps.demos.finance_pages.desk import TEXTS
from apps.demos.words import LANGUAGES, Labels, Words

WORDS = Words.load(*TEXTS)
PLACE = Path(str(demo.__file__)).parent
PAGES = [PLACE / "framing.py", PLACE / "finance.py"]
PAGES += sorted((PLACE / "finance_pages").glob("*.py"))


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_text_speaks_every_language():
    wrong = {
        key
        for key, texts in WORDS.texts.items()
        if set(texts) != set(LANGUAGES)
        or not all(isinstance(t, str) and t.strip() for t in texts.values())
        or placeholders(texts["en"]) != placeholders(texts["zh"])
    }
    assert wrong == set()
    assert len(WORDS.texts) > 200


def keys_in_code() -> tuple[set[str], set[str]]:
    """Keys that stand in the code whole, and the beginnings of those put together there."""
    code = "\n".join(path.read_text(encoding="utf-8") for path in PAGES)
    groups = "|".join({key.split(".")[0] for key in WORDS.texts})
    whole = set(re.findall(rf"""["']((?:{groups})\.[a-z_.0-9]+)["']""", code)) - {"reasons.yaml"}
    begun = set(re.findall(rf"""f["']((?:{groups})\.[a-z_.]*)\{{""", code))
    return whole, begun


def test_every_key_the_pages_name_exists():
    whole, begun = keys_in_code()
    assert len(whole) > 40
    assert {key for key in whole if not WORDS.has(key)} == set()
    assert {b for b in begun if not any(key.startswith(b) for key in WORDS.texts)} == set()


def test_no_text_stands_in_the_file_without_being_used():
    whole, begun = keys_in_code()
    unused = {key for key in WORDS.texts if key not in whole and not key.startswith(tuple(begun))}
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
