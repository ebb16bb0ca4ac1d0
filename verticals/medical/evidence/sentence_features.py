"""What trees see of a sentence: how near it is to a question, which words meet, where it stands."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from verticals.medical.retrieval.features import content
from verticals.medical.retrieval.lexical import stems

Rarity = Callable[[Sequence[str]], np.ndarray]  # stems to inverse document frequencies
FEATURE_NAMES = (
    "cosine",  # of question and sentence
    "cosine_below_best",  # of the passage
    "cosine_z",  # standard deviations above the passage's mean
    "cosine_place",  # 0 for the nearest sentence of the passage
    "cosine_before",
    "cosine_after",
    "cosine_own",  # without what all sentences of the passage share
    "cosine_with_before",  # of this sentence and half of the one before
    "passage_cosine",  # of question and passage
    "centrality",  # cosine of sentence and passage
    "words",  # share of the question's words, by rarity
    "words_below_best",
    "words_place",
    "words_before",  # of the sentence before
    "words_after",
    "words_with_before",  # of both together
    "words_with_title",
    "words_new",  # those that the title lacks
    "words_only_here",  # those that no other sentence has
    "words_of_sentence",  # the shared words' part of all that is rare in the sentence
    "rarest",  # rarity of the rarest shared word
    "pairs",  # share of the question's neighbouring words that are neighbours here
    "title_words",
    "question_words",  # how many
    "rarity",  # of the sentence's words, on average
    "position",  # 0 for the first sentence, towards 1 for the last
    "sentences_left",
    "sentences",  # of the passage
    "characters",
    "stems",
    "digits",
    "finding",  # says that something was shown or concluded
    "statistic",  # gives a p-value or a confidence interval
    "change",  # says that something rises, falls or goes with something
    "opening",  # begins as results and conclusions do
    "negation",
    "doubt",
    "aim",  # says what was asked, not what was found
    "method",  # says what was done, not what was found
    "result_label",  # begins with RESULTS, CONCLUSIONS, ...
    "other_label",  # begins with BACKGROUND, METHODS, ...
    "rise",  # 1 if it speaks of a rise, + 2 if the question does, + 4 if that speaks of a fall
    "fall",  # the same of a fall
    "heading",  # all capitals, or very short
)
_PATTERNS = {
    "digits": r"\d",
    "finding": r"conclu|suggest|demonstrat|show|found|indicat|reveal|thus|therefore|recommend"
    r"|should|these (?:results|findings|data)|here we",
    "statistic": r"\bp ?[<=>]|95% ?ci|confidence",
    "change": r"significant|associat|increas|decreas|reduc|higher|lower",
    "opening": r"^(?:here|we|our|these|this|in conclusion|conclusion|results|thus|overall)\b",
    "negation": r"\bno\b|\bnot\b|without|fail|lack|neither|unaffected|independent",
    "doubt": r"\bmay\b|might|could|possib|potential|remain|unknown|unclear|little is known",
    "aim": r"\baim|objective|we (?:sought|investigated|examined|assess|evaluat|conducted|performed"
    r"|studied)|to (?:determine|investigate|assess|evaluate|examine)|whether",
    "method": r"\b(?:were|was) (?:randomi|measured|performed|collected|recruited|assigned|enrolled"
    r"|included|analy[sz]ed)|randomly|medline|searched",
    "result_label": r"^(?:results?|findings?|main|conclusions?|interpretation)\b",
    "other_label": r"^(?:background|objectives?|aims?|purpose|methods?|design|settings?"
    r"|participants|patients|measurements|context|interventions?)\b",
}
_CUES = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in _PATTERNS.items()}
_RISE = re.compile(
    r"increas|higher|elevat|enhanc|improv|promot|induc|activat|greater|more ", re.IGNORECASE
)
_FALL = re.compile(
    r"decreas|lower|reduc|inhibit|suppress|less |impair|attenuat|block|prevent", re.IGNORECASE
)
_SHORT = 25  # characters; below, a sentence is hardly one


def sentence_features(
    question: str,
    question_vector: np.ndarray,
    sentences: Sequence[str],
    vectors: np.ndarray,
    rarity: Rarity,
    *,
    title: str = "",
) -> np.ndarray:
    """Features of all sentences of one passage.

    Args:
        question: What they are read for.
        question_vector: (d,) of length one.
        sentences: Of the passage, in order; at least one.
        vectors: (n, d) theirs, of length one.
        rarity: Inverse document frequency of stems.
        title: Of the passage's document.

    Returns:
        (n, len(FEATURE_NAMES)) float32.
    """
    columns = _near(question_vector, vectors)
    columns |= _words(question, sentences, rarity, title)
    columns |= _cues(question, sentences)
    return np.stack([np.asarray(columns[name], np.float32) for name in FEATURE_NAMES], axis=1)


def _near(question: np.ndarray, vectors: np.ndarray) -> dict[str, np.ndarray]:
    """What the vectors say."""
    cosine = vectors @ question
    middle = vectors.mean(axis=0)
    own = _unit(vectors - middle)
    before = np.concatenate([vectors[:1], vectors[:-1]])
    centre = _unit(middle[None])[0]
    return {
        "cosine": cosine, "cosine_below_best": cosine - cosine.max(),
        "cosine_z": (cosine - cosine.mean()) / (cosine.std() + 1e-6),
        "cosine_place": _places(cosine), "cosine_before": _shifted(cosine, 1),
        "cosine_after": _shifted(cosine, -1), "cosine_own": own @ question,
        "cosine_with_before": _unit(vectors + 0.5 * before) @ question,
        "passage_cosine": np.full(len(vectors), centre @ question),
        "centrality": vectors @ centre,
    }  # fmt: skip


def _words(
    question: str, sentences: Sequence[str], rarity: Rarity, title: str
) -> dict[str, np.ndarray]:
    """Which words of the question meet where."""
    order = content(question)
    asked = list(dict.fromkeys(order))
    weights = rarity(asked)
    total = float(weights.sum()) or 1.0
    split = [stems(s) for s in sentences]
    sets = [set(s) for s in split]
    named = set(stems(title))
    here = np.array([[w in s for w in asked] for s in sets], bool).reshape(len(sets), len(asked))
    in_title = np.array([w in named for w in asked], bool)
    previous = np.concatenate([np.zeros_like(here[:1]), here[:-1]])
    shares = here @ weights / total
    rare = _rarities(split, rarity)
    weight = np.array([sum(rare[w] for w in s) for s in sets])
    pairs, n = set(pairwise(order)), len(sets)
    return {
        "words": shares, "words_below_best": shares - shares.max(), "words_place": _places(shares),
        "words_before": _shifted(shares, 1), "words_after": _shifted(shares, -1),
        "words_with_before": (here | previous) @ weights / total,
        "words_with_title": (here | in_title) @ weights / total,
        "words_new": (here & ~in_title) @ weights / total,
        "words_only_here": (here & (here.sum(axis=0) == 1)) @ weights / total,
        "words_of_sentence": here @ weights / np.maximum(weight, 1e-6),
        "rarest": (here * weights).max(axis=1, initial=0.0),
        "pairs": np.array([len(pairs & set(pairwise(s))) / max(len(pairs), 1) for s in split]),
        "title_words": np.full(n, in_title @ weights / total),
        "question_words": np.full(n, len(order)),
        "rarity": weight / [max(len(s), 1) for s in sets],
        "stems": np.array([len(s) for s in split]),
    }  # fmt: skip


def _cues(question: str, sentences: Sequence[str]) -> dict[str, np.ndarray]:
    """How the sentences are worded, and where they stand."""
    n = len(sentences)
    at = np.arange(n)
    turn = 2 * bool(_RISE.search(question)) + 4 * bool(_FALL.search(question))
    out = {
        "position": at / n, "sentences_left": n - at, "sentences": np.full(n, n),
        "characters": np.array([len(s) for s in sentences]),
        "heading": np.array([s.isupper() or len(s) < _SHORT for s in sentences]),
        "rise": np.array([bool(_RISE.search(s)) * (1 + turn) for s in sentences]),
        "fall": np.array([bool(_FALL.search(s)) * (1 + turn) for s in sentences]),
    }  # fmt: skip
    return out | {
        name: np.array([bool(cue.search(s)) for s in sentences]) for name, cue in _CUES.items()
    }


def _rarities(split: Sequence[Sequence[str]], rarity: Rarity) -> dict[str, float]:
    """How rare every stem of some sentences is."""
    distinct = sorted({word for words in split for word in words})
    return dict(zip(distinct, rarity(distinct).tolist(), strict=True))


def _places(values: np.ndarray) -> np.ndarray:
    """(n,) place of every value, 0 for the highest."""
    places = np.empty(len(values), int)
    places[np.argsort(-values, kind="stable")] = np.arange(len(values))
    return places


def _shifted(values: np.ndarray, by: int) -> np.ndarray:
    """Values of the neighbour before (1) or after (-1); 0 where there is none."""
    out = np.zeros(len(values))
    if by > 0:
        out[1:] = values[:-1]
    else:
        out[:-1] = values[1:]
    return out


def _unit(vectors: np.ndarray) -> np.ndarray:
    out: np.ndarray = vectors / (np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-6)
    return out
