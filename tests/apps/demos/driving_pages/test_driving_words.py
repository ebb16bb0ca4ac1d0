from __future__ import annotations

import re
import string
from pathlib import Path

import apps.demos.driving as demo
from apps.demos.driving_pages.desk import TEXTS
from apps.demos.driving_pages.opening import drivers
from apps.demos.driving_pages.stage import COLOURS, LAYERS
from apps.demos.words import LANGUAGES, Words
from verticals.driving.deciding.shield import REASONS
from verticals.driving.deploying.routes import ROUTES
from verticals.driving.frame import OBJECTS, SURFACES
from verticals.driving.perception.settings import LIGHTS, SIGNS
from verticals.driving.scenarios.schema import Criteria, read_cases
from verticals.driving.world.weather import WEATHERS

WORDS = Words.load(*TEXTS)
PLACE = Path(str(demo.__file__)).parent
PAGES = [PLACE / "framing.py", PLACE / "driving.py"]
PAGES += sorted((PLACE / "driving_pages").glob("*.py"))
CODE = "\n".join(path.read_text(encoding="utf-8") for path in PAGES)
GROUPS = "|".join({key.split(".")[0] for key in WORDS.texts})
WHOLE = set(re.findall(rf"""["']((?:{GROUPS})\.[A-Za-z_.0-9]+)["']""", CODE))
BEGUN = tuple(re.findall(rf"""f["']((?:{GROUPS})\.[a-z_.]*)\{{""", CODE))


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def named(group: str) -> set[str]:
    return {key.removeprefix(f"{group}.") for key in WORDS.texts if key.startswith(f"{group}.")}


def test_every_text_speaks_every_language() -> None:
    plain = {"runtimes.onnx", "runtimes.openvino", "runtimes.executorch", "speed.mib",
             "site.comma", "say.between", "say.end", "decide.variant"}  # fmt: skip
    for key, texts in WORDS.texts.items():
        assert set(texts) == set(LANGUAGES), key
        if not key.startswith("say."):  # English counts one and many, Chinese only many
            assert placeholders(texts["en"]) == placeholders(texts["zh"]), key
        assert re.search(r"[\u4e00-\u9fff]", texts["zh"]) or key in plain, key
    assert len(WORDS.texts) > 200


def test_every_key_the_pages_name_exists_and_every_text_is_used() -> None:
    assert {key for key in WHOLE if not WORDS.has(key)} == {"film.mp4"}  # a file
    assert {b for b in BEGUN if not any(key.startswith(b) for key in WORDS.texts)} == set()
    unused = {key for key in WORDS.texts if key not in WHOLE and not key.startswith(BEGUN)}
    assert unused == set()


def test_everything_that_can_be_seen_has_a_name() -> None:
    assert set(OBJECTS) == named("objects") == set(COLOURS)
    assert set(SURFACES) == named("surfaces")
    assert set(LIGHTS) == named("lights")
    assert set(SIGNS) == named("signs")
    assert set(WEATHERS) == named("weathers")
    assert set(LAYERS) == named("layers")


def test_everything_that_can_happen_in_a_scenario_has_a_name() -> None:
    cases = read_cases()
    assert {case.scenario.name for case in cases} == named("scenarios")
    assert {key for case in cases for key in case.values} == named("sweeps")
    assert set(Criteria.model_fields) == named("criteria")
    assert {str(k) for k in range(len(REASONS))} == named("shield")
    assert set(drivers()) == named("drivers")
    assert set(ROUTES) == named("runtimes")
