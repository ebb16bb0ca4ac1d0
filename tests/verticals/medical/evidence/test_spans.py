"""Finding the sentence that tells a result, and answering from results."""

from __future__ import annotations

import numpy as np

from verticals.medical.evidence.conclude import (
    NULL,
    SIGNIFICANT,
    fit_reader,
    question_features,
    read_sentences,
    relevance,
    result_features,
)
from verticals.medical.evidence.spans import (
    Comparison,
    ReadReport,
    find,
    fit_finder,
    found_features,
    rarity_of,
    read_report,
)


def reports(n: int) -> tuple[list[ReadReport], list[np.ndarray]]:
    rng = np.random.default_rng(0)
    read, told = [], []
    for i in range(n):
        sentences = [
            ("METHODS", f"We enrolled {i + 20} adults."),
            ("RESULTS", f"Pain was lower with drug{i} than with placebo (P = 0.01)."),
            ("RESULTS", "Weight was similar in both."),
        ]
        order = rng.permutation(3)
        asked = Comparison(f"drug{i}", "placebo", "pain")
        sentences = [sentences[k] for k in order]
        rarity = rarity_of(s for _, s in sentences)
        read.append(read_report(asked, sentences, rarity))
        told.append(order == 1)
    return read, told


def test_the_finder_learns_where_the_result_stands() -> None:
    read, told = reports(60)
    finder = fit_finder(read[:40], told[:40])
    chances = find(finder, read[40:])
    assert all(t[int(c.argmax())] for c, t in zip(chances, told[40:], strict=True))
    features = found_features(read[40], chances[0])
    np.testing.assert_allclose(features[:35], read[40].frames[int(chances[0].argmax())])


def test_results_lean_the_way_their_sentences_do() -> None:
    questions = ["Does tea help sleep?"] * 40
    texts = ["Tea significantly improved sleep (P = 0.01)."] * 20
    texts += ["Tea did not improve sleep (P = 0.6)."] * 20
    reader = fit_reader(questions, texts, np.repeat([SIGNIFICANT, NULL], 20))
    chances = read_sentences(reader, "Does milk help sleep?", ["Milk did not improve sleep."])
    assert chances[0, NULL] > chances[0, SIGNIFICANT]
    three = np.column_stack([chances, np.zeros(1)])
    assert np.isfinite(result_features(three, np.zeros(1))).all()


def test_the_closer_sentence_matters_more() -> None:
    found = relevance("Does tea help sleep?", ["Tea and sleep.", "Cars."], np.array([0.5, 0.1]))
    assert found[0] > found[1]
    assert np.isfinite(question_features("Is tea safe?")).all()
