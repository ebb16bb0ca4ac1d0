"""Words' weights add up, find the word that matters, and stay at their place in the passage."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.errors import ModelError
from explain.text import leave_one_out, occlusion, token_attributions

QUESTION = "Which anticoagulant is preferred for atrial fibrillation?"
PASSAGE = "The weather was fine. **Apixaban** is preferred in atrial fibrillation (p < 0.05)."


@pytest.fixture(scope="module")
def minilm() -> tuple[Any, Any]:
    from core.models.transformer import load_transformer

    try:
        return load_transformer("minilm")
    except ModelError as error:
        pytest.skip(str(error))


def cosine(minilm: tuple[Any, Any], ids: list[int], question: str) -> float:
    import torch

    module, tokenizer = minilm

    def pooled(row: list[int]) -> Any:
        tokens = torch.tensor([row])
        states = module(input_ids=tokens, attention_mask=torch.ones_like(tokens))
        return states.last_hidden_state.mean(dim=1)

    with torch.no_grad():
        return float(
            torch.nn.functional.cosine_similarity(
                pooled(ids), pooled(tokenizer.encode(question).ids)
            )
        )


def test_weights_sum_to_the_scores_change_from_an_empty_passage(minilm: tuple[Any, Any]) -> None:
    found = token_attributions(*minilm, QUESTION, PASSAGE)
    ids = minilm[1].encode(PASSAGE).ids
    blank = [ids[0], *[0] * (len(ids) - 2), ids[-1]]
    change = cosine(minilm, ids, QUESTION) - cosine(minilm, blank, QUESTION)
    assert sum(word.weight for word in found) == pytest.approx(change, abs=0.02 * abs(change))


def test_words_stand_where_they_are_written(minilm: tuple[Any, Any]) -> None:
    found = token_attributions(*minilm, QUESTION, PASSAGE)
    assert all(PASSAGE[w.start : w.end] == w.word for w in found)
    assert [w.start for w in found] == sorted(w.start for w in found)
    assert {"Apixaban", "fibrillation"} <= {w.word for w in found}  # pieces are put together


def test_what_the_question_asks_for_outweighs_the_weather(minilm: tuple[Any, Any]) -> None:
    weight = {w.word: w.weight for w in token_attributions(*minilm, QUESTION, PASSAGE)}
    assert min(weight["atrial"], weight["fibrillation"]) > max(
        abs(weight[w]) for w in ("weather", "fine", "The")
    )


@pytest.mark.parametrize("passage", ["", "   ", "\n"])
def test_an_empty_passage_has_no_words(minilm: tuple[Any, Any], passage: str) -> None:
    assert token_attributions(*minilm, QUESTION, passage) == []


def test_a_long_passage_is_read_as_far_as_the_encoder_reads(minilm: tuple[Any, Any]) -> None:
    long = "fibrillation " * 400
    found = token_attributions(*minilm, "fibrillation", long)
    assert 0 < found[-1].end < len(long)


def test_a_cross_encoder_is_explained_in_its_own_score(minilm: tuple[Any, Any]) -> None:
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    torch.manual_seed(0)
    tokenizer = minilm[1]
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=32, num_hidden_layers=2,
        num_attention_heads=2, intermediate_size=64, num_labels=1,
    )  # fmt: skip
    module = BertForSequenceClassification(config).eval()
    found = token_attributions(module, tokenizer, "Is it fine?", "It is fine.")
    encoded = tokenizer.encode("Is it fine?", "It is fine.")
    ids = torch.tensor([encoded.ids])
    blank = ids.clone()
    blank[0, [i for i, part in enumerate(encoded.sequence_ids) if part == 1]] = 0

    def logit(tokens: Any) -> float:
        types = torch.tensor([encoded.type_ids])
        return float(module(input_ids=tokens, token_type_ids=types).logits[0, 0])

    with torch.no_grad():
        change = logit(ids) - logit(blank)
    assert [w.word for w in found] == ["It", "is", "fine", "."]
    assert sum(w.weight for w in found) == pytest.approx(change, abs=0.002)


def test_occlusion_tells_what_the_score_loses_without_a_word() -> None:
    worth = {"good": 2.0, "bad": -1.0}

    def score(texts: Any) -> np.ndarray:
        return np.array([sum(worth.get(word, 0.0) for word in t.split()) for t in texts])

    found = occlusion(score, "a good and bad day")
    assert {w.word: w.weight for w in found} == {
        "a": 0.0, "good": 2.0, "and": 0.0, "bad": -1.0, "day": 0.0,
    }  # fmt: skip
    assert occlusion(score, "...") == []


def test_leaving_one_out_scores_what_is_left() -> None:
    assert leave_one_out(lambda items: float(sum(items)), [1, 2, 4]) == [6.0, 5.0, 3.0]
    assert leave_one_out(lambda items: 1.0, []) == []
