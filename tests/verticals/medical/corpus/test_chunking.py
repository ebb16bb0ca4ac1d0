from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from verticals.medical.corpus.chunking import Sizes, chunk, section_at
from verticals.medical.corpus.documents import Document, Section
from verticals.medical.corpus.markdown import split_markdown

SENTENCE = "Patients on apixaban bled less than those on warfarin (2.1% vs. 3.1%). "
WORDS = st.sampled_from(
    [
        "a",
        "Drug",
        "5 mg.",
        "\n",
        "\n\n",
        "## H\n",
        "| x | y |\n",
        "- item\n",
        "é" * 40,
        " ",
        "```\n",
    ]
)


@st.composite
def documents(draw):
    text = " ".join(draw(st.lists(WORDS, max_size=400)))
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=8)))
    spans = list(pairwise(cuts))
    labels = st.sampled_from(["", "RESULTS", "A › B", "A › C", "D"])
    sections = tuple(Section(draw(labels), *span) for span in spans)
    return Document("d", "t", text, sections)


@settings(max_examples=200, deadline=None)
@given(documents(), st.integers(5, 60), st.integers(60, 2000))
def test_passages_are_slices_that_leave_no_word_out(document, target, characters):
    sizes = Sizes(whole=2 * target, target=target, characters=characters)
    passages = chunk(document, sizes)
    last = 0
    for passage in passages:
        assert passage.text == document.text[passage.start : passage.end]
        assert passage.text.strip() == passage.text != ""
        assert passage.start >= last
        assert not document.text[last : passage.start].strip()
        assert len(passage.text) <= characters + 300
        last = passage.end
    assert not document.text[last:].strip()


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=3000))
def test_any_text_can_be_cut(text):
    for passage in chunk(Document("d", "", text), Sizes(20, 10, 200)):
        assert passage.text == text[passage.start : passage.end]


def test_a_short_abstract_is_one_passage():
    text = SENTENCE * 20
    (whole,) = chunk(Document("d", "t", text))
    assert whole.text == text.strip()
    assert not chunk(Document("d", "t", " \n "))


def test_a_long_text_is_cut_between_sentences_near_the_target():
    passages = chunk(Document("d", "t", SENTENCE * 100))
    lengths = [len(p.text.split()) for p in passages]
    assert all(p.text.startswith("Patients") and p.text.endswith("3.1%).") for p in passages)
    assert min(lengths) > 120
    assert max(lengths) < 245


def test_a_word_without_end_is_cut_by_length():
    passages = chunk(Document("d", "t", "x" * 10_000))
    assert max(len(p.text) for p in passages) <= 4000


def test_sections_stay_apart_unless_they_are_short_and_related():
    rows = "".join(f"| drug {n} | {n} mg | once daily with food |\n" for n in range(30))
    source = (
        f"# Title\n\n## Dosing\n\n### Adults\n\n{SENTENCE * 5}\n\n"
        f"### Children\n\n{SENTENCE * 5}\n\n"
        f"## Harm\n\n{SENTENCE * 3}\n\n## Table\n\n### Doses\n\n{rows}\n"
    )
    title, text, sections = split_markdown(source)
    document = Document("d", title, text, sections)
    labels = [p.section for p in chunk(document)]
    assert title == "Title"
    assert labels[:2] == ["Dosing", "Harm"]
    assert labels[2].startswith("Table › Doses")
    for passage in chunk(document):
        assert all(line.count("|") in {0, 4} for line in passage.text.splitlines())
        assert passage.text != "## Table"
    assert section_at(document, document.text.index("Children")) == "Dosing › Children"


def test_headings_inside_a_code_block_are_text():
    _, text, sections = split_markdown("# T\n\n## A\n\n```\n# not a heading\n```\n\n## B\nx")
    assert [s.label for s in sections] == ["A", "B"]
    assert [text[s.start : s.start + 4] for s in sections] == ["## A", "## B"]
