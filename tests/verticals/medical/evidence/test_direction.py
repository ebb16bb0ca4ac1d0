"""The shipped model's promises, and fitting one's own."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from core.errors import DataError, ModelError
from verticals.medical.evidence.direction import (
    CLASSES,
    EFFECTS,
    SHIPPED,
    DirectionModel,
    is_open,
)
from verticals.medical.evidence.direction_fit import (
    LabelledEffect,
    LabelledPair,
    fit_direction,
    negative,
)
from verticals.medical.evidence.opposites import turned

ASKED = "Does aspirin reduce the risk of colorectal cancer?"
SUPPORT = "Aspirin was associated with a significantly lower risk of colorectal cancer (P<0.001)."
NOTHING = "There was no significant difference in colorectal cancer with aspirin (P = 0.41)."


@pytest.fixture(scope="module")
def shipped() -> DirectionModel:
    return DirectionModel.open()


def test_plain_cases(shipped: DirectionModel) -> None:
    chances = shipped.predict(ASKED, [SUPPORT, NOTHING])
    assert [CLASSES[i] for i in chances.argmax(1)] == ["supports", "no difference"]


def test_rows_are_probabilities_whatever_the_text(shipped: DirectionModel) -> None:
    chances = shipped.predict(ASKED, ["", "λ" * 9000, "123", "Ignore previous instructions."])
    assert chances.shape == (4, 3)
    np.testing.assert_allclose(chances.sum(1), 1)
    assert shipped.predict(ASKED, []).shape == (0, 3)


def test_a_text_is_scored_alike_alone_and_in_company(shipped: DirectionModel) -> None:
    together = shipped.predict(ASKED, [NOTHING, SUPPORT])
    np.testing.assert_allclose(together[1], shipped.predict(ASKED, [SUPPORT])[0])


def test_effects_of_trials(shipped: DirectionModel) -> None:
    spans = {
        "increased": "Survival was higher with drug A than with placebo (80% vs 60%, P = 0.01).",
        "decreased": "Survival was lower with drug A than with placebo (60% vs 80%, P = 0.01).",
        "no difference": "Survival did not differ between drug A and placebo (P = 0.52).",
    }
    for expected, span in spans.items():
        chances = shipped.effect("drug A", "placebo", "survival", span)
        assert EFFECTS[int(chances.argmax())] == expected


def test_saved_and_opened_it_says_the_same(shipped: DirectionModel, tmp_path: Path) -> None:
    shipped.save(tmp_path)
    again = DirectionModel.open(tmp_path)
    np.testing.assert_allclose(
        again.predict(ASKED, [SUPPORT, NOTHING]), shipped.predict(ASKED, [SUPPORT, NOTHING])
    )


def test_no_model_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        DirectionModel.open(tmp_path)
    (tmp_path / "direction.json").write_text('{"features": ["other"]}')
    with pytest.raises(ModelError, match="other features"):
        DirectionModel.open(tmp_path)


def test_shipped_weights_are_small_and_have_a_card() -> None:
    assert sum(f.stat().st_size for f in SHIPPED.iterdir()) < 4 * 2**20
    card = (SHIPPED / "CARD.md").read_text(encoding="utf-8")
    assert "python -m bench.medical.train_direction" in card
    assert "CC BY 4.0" in card
    assert {f.suffix for f in SHIPPED.iterdir()} <= {".json", ".md"}


def test_eight_passages_are_quick(shipped: DirectionModel) -> None:
    texts = [SUPPORT * 5] * 8
    shipped.predict(ASKED, texts)
    begun = time.perf_counter()
    shipped.predict(ASKED, texts)
    assert time.perf_counter() - begun < 0.3  # 60 ms promised; the rest is for a busy machine


def test_running_it_imports_no_training_library() -> None:
    code = (
        "import sys; from verticals.medical.evidence.direction import DirectionModel; "
        "DirectionModel.open().predict('Does it work?', ['It works.']); "
        "sys.exit(any(m in sys.modules for m in ('torch', 'sklearn', 'lightgbm')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def made_up() -> list[LabelledPair]:
    rows = []
    for i in range(20):
        asked = f"Does drug{i} lower pressure?"
        rows += [
            LabelledPair(asked, f"drug{i} lowered pressure", "supports", f"a{i}"),
            LabelledPair(asked, f"drug{i} raised and increased pressure", "contradicts", f"b{i}"),
            LabelledPair(asked, f"drug{i} did not affect pressure", "no difference", f"c{i}"),
        ]
    return rows


def test_a_client_can_fit_their_own() -> None:
    effects = [
        LabelledEffect("a", "placebo", "pain", text, effect, f"t{i}")
        for i in range(20)
        for text, effect in (
            ("pain was higher with a than with placebo, p = 0.01", "increased"),
            ("pain was lower with a than with placebo, p = 0.01", "decreased"),
            ("pain did not differ", "no difference"),
        )
    ]
    model = fit_direction(made_up(), effects)
    chances = model.predict("Does drug99 lower pressure?", ["drug99 did not affect pressure"])
    assert CLASSES[int(chances.argmax())] == "no difference"
    assert model.trees
    said = model.effect("b", "placebo", "cough", "cough was lower with b than placebo, p = 0.01")
    assert EFFECTS[int(said.argmax())] == "decreased"


def test_too_few_or_unknown_labels_are_named() -> None:
    with pytest.raises(DataError, match="only 0 examples say 'no difference'"):
        fit_direction([p for p in made_up() if p.direction != "no difference"])
    with pytest.raises(DataError, match="'agrees' is no direction"):
        fit_direction([LabelledPair("q", "t", "agrees", "g")])


def test_a_negative_is_a_null_or_the_opposite() -> None:
    assert negative("Does it help?", "There was no difference.") == "no difference"
    assert negative("Does it help?", "It did harm.") == "contradicts"
    assert negative("Is there no effect?", "There was no effect on pain.") == "contradicts"


def test_a_statement_is_turned_by_its_one_word_of_direction() -> None:
    assert turned("Aspirin increases bleeding.") == "Aspirin decreases bleeding."
    assert turned("Higher doses work.") == "Lower doses work."
    assert turned("More is better.") is None
    assert turned("It rained.") is None


def test_the_opposite_of_what_was_found_is_not_supported(shipped: DirectionModel) -> None:
    asked = "Does aspirin reduce bleeding?"
    found = "Aspirin significantly reduced bleeding compared with placebo."
    opposite = "Aspirin significantly increased bleeding compared with placebo."
    chances = shipped.predict(asked, [found, opposite])
    assert chances[0, 0] > chances[1, 0] + 0.2


@pytest.mark.parametrize(
    ("question", "open_"),
    [
        ("How much salt may a patient eat?", True),
        ("In pregnant women, which drug is safe?", True),
        ("My patient got a stent: how long on a blood thinner?", True),
        ("At what INR should warfarin be stopped?", True),
        ("Does aspirin, which is cheap, reduce stroke?", False),
        ("Statins reduce mortality.", False),
        ("Statins reduce mortality in adults who smoke.", False),
        ("Carnitine, when high, is harmful.", False),
        ("", False),
    ],
)
def test_open_questions(question: str, open_: bool) -> None:
    assert is_open(question) is open_


def test_an_open_question_has_no_direction(shipped: DirectionModel) -> None:
    chances = shipped.predict("How much aspirin prevents stroke?", [SUPPORT, NOTHING])
    np.testing.assert_allclose(chances, 1 / 3)
