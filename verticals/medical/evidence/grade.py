"""How strong a document's kind of evidence is: publication types first, title and text second.

The order follows the usual pyramid (Guyatt et al., 1995; OCEBM levels, 2011). It grades the
design that a document names, not how well the study was done.
"""

from __future__ import annotations

import re
from functools import cache

from verticals.medical.answer import Grade
from verticals.medical.corpus.documents import Document

# Publication types as PubMed spells them, lower case; the first grade that matches wins.
_TYPES: tuple[tuple[Grade, frozenset[str]], ...] = (
    ("guideline", frozenset({
        "guideline", "practice guideline", "consensus development conference",
        "consensus development conference, nih", "consensus statement",
    })),
    ("systematic review", frozenset({
        "systematic review", "meta-analysis", "network meta-analysis", "umbrella review",
    })),
    ("randomised trial", frozenset({
        "randomized controlled trial", "randomised controlled trial", "equivalence trial",
        "pragmatic clinical trial", "adaptive clinical trial", "rct",
        "randomized controlled trial, veterinary",
    })),
    ("cohort study", frozenset({
        "observational study", "cohort study", "cohort studies", "case-control studies",
        "case-control study", "cross-sectional studies", "cross-sectional study",
        "retrospective studies", "prospective studies", "twin study", "validation study",
        "observational study, veterinary",
    })),
    ("case report", frozenset({"case reports", "case report", "case series"})),
)  # fmt: skip
# Types that are never a study, whatever their titles promise.
_NO_STUDY = frozenset({
    "editorial", "comment", "news", "newspaper article", "published erratum",
    "retraction of publication", "expression of concern", "biography", "interview",
    "clinical trial protocol", "clinical trial protocols as topic", "patient education handout",
})  # fmt: skip
_NOT_YET = r"\b(?:study|trial|review) protocol\b|\bprotocol (?:for|of)\b|\bdesign and rationale\b"
_ABOUT_GUIDELINES = (
    r"\b(?:adherence|compliance|concordance|conform\w*|implement\w*|impact|effects? of|awareness|"
    r"knowledge|barriers?|applicab\w*|validation|evaluation|comparison|critique|uptake|survey|"
    r"according to|based on|guideline-(?:based|directed|concordant|recommended|adherent)|"
    r"before and after|attitudes?|apprais\w+|quality of)\b"
)
_TITLE: tuple[tuple[Grade, str], ...] = (
    ("systematic review",
     (r"\bsystematic (?:literature |scoping )?review|\bmeta-?\s?analys[ei]s\b|\bumbrella review|"
     r"\bsystematic overview|\bpooled analysis of (?:\w+ )?(?:randomi[sz]ed|trials|studies)|"
     r"\bcochrane review")),
    ("randomised trial",
     (r"(?<!non)(?<!non-)(?<!non )(?<!mendelian )\brandomi[sz]ed\b(?! trials\b)|"
     r"\brandomi[sz]ed trials?\b|\brandom allocation\b|\b(?:double|single|triple)-?\s?blind|"
     r"\bplacebo-?\s?controlled\b|\brct\b")),
    ("cohort study",
     (r"\bcohorts?\b|\bcase-?\s?control\b|\bcross-?\s?sectional\b|\bobservational\b|"
     r"\bretrospective\b|\bprospective\b|\bregist(?:ry|er)(?:-based)?\b|\bpopulation-based\b|"
     r"\blongitudinal\b|\bfollow-?\s?up study\b|\bnon-?\s?randomi[sz]ed\b|\bpropensity score|"
     r"\breal-world\b|\bsurveillance study\b|\bmendelian randomi[sz]ation\b")),
    ("case report",
     (r"\bcase reports?\b|\bcase series\b|\breports? of (?:a|one|two|three|four|five|\d+) "
     r"(?:\w+ ){0,2}cases?\b|\ba (?:\w+ ){0,2}case of\b|\b(?:two|three|four|five) cases of\b|"
     r"\b\d+[- ](?:year|month|day)-old\b|\b(?:a|an) (?:unusual|rare|fatal) (?:case|cause|"
     r"presentation|complication)\b")),
)  # fmt: skip
_GUIDELINE = (
    r"\bguidelines?\b|\bconsensus (?:statement|recommendations?|document|conference|report)\b|"
    r"\bposition (?:statement|paper)\b|\bpractice (?:parameters?|advisory|bulletin)\b|"
    r"\bscientific statement\b|\bstandards of (?:medical )?care\b|\brecommendation statement\b|"
    r"\brecommendations (?:of|from) the\b|\bclinical pathway of the\b"
)
_TEXT: tuple[tuple[Grade, str], ...] = (
    ("systematic review",
     (r"\b(?:this|a|our|present) (?:systematic review|meta-?analysis)\b|\bwe (?:systematically )?"
     r"(?:searched|reviewed) (?:\w+ ){0,4}(?:medline|pubmed|embase|cochrane|literature)|"
     r"\b(?:medline|pubmed|embase)\b[^.]{0,80}\bwere (?:systematically )?searched\b|"
     r"\bdata sources?\b[^.]{0,40}\b(?:medline|pubmed|embase|cochrane)\b")),
    ("randomised trial",
     (r"\b(?:were|was|are|been) (?:\w+ )?(?:randomly (?:assigned|allocated|divided|selected to)|"
     r"randomi[sz]ed (?:to|into|in|between|at|\d|equally|1))|"
     r"\bwe (?:randomly (?:assigned|allocated)|randomi[sz]ed)\b|"
     r"(?<!non)(?<!non-)(?<!non )\brandomi[sz]ed,? (?:\w+[-, ]+){0,4}(?:trial|study)\b|"
     r"\bdouble-?blind,? (?:\w+[-, ]+){0,3}(?:trial|study|placebo)")),
    ("cohort study",
     (r"\b(?:cohort|case-control|cross-sectional|observational|retrospective|prospective|"
     r"longitudinal|population-based) (?:\w+[- ]){0,3}(?:study|studies|analysis|review|survey|"
     r"data|design|cohort)\b|\b(?:hazard|odds) ratios?\b[^.]{0,80}\bfollow-?up\b|"
     r"\b(?:medical|patient|hospital) records (?:\w+ )?were (?:\w+ )?reviewed\b|"
     r"\bwere (?:retrospectively|prospectively) (?:\w+ )?(?:reviewed|studied|followed|"
     r"analy[sz]ed|evaluated|enrolled)\b|\bwe (?:retrospectively|prospectively)\b")),
    ("case report",
     (r"\bwe (?:report|describe|present) (?:here )?(?:a|an|the|one|two|three) (?:\w+ ){0,3}"
     r"(?:case|patient|man|woman|boy|girl|infant)s?\b|"
     r"^\W*(?:a|an) \d+[- ]year-old (?:\w+ ){0,3}(?:man|woman|male|female|boy|girl|patient)")),
)  # fmt: skip
# A text without any of these cannot match its pattern; looking for them costs a tenth of it.
_HINTS: dict[Grade, tuple[str, ...]] = {
    "systematic review": (
        "systematic", "meta", "searched", "reviewed", "medline", "pubmed", "embase", "cochrane",
    ),
    "randomised trial": ("randomi", "randomly", "blind"),
    "cohort study": (
        "cohort", "case-control", "cross-sectional", "observational", "retrospective",
        "prospective", "longitudinal", "population-based", "follow-up", "followup", "records",
    ),
    "case report": ("we report", "we describe", "we present", "-old", "year old"),
}  # fmt: skip
_TEXT_READ = 4000  # characters: an abstract; further down, methods of other studies are told


def grade(document: Document) -> Grade:
    """The kind of evidence a document is.

    Publication types decide if they name a design. Otherwise an issuing organisation makes a
    guideline, then cues in the title decide, then cues in the text.

    Args:
        document: With whatever of types, organisation, title and text is known.
    """
    types = {kind.strip().lower() for kind in document.publication_types}
    for name, kinds in _TYPES:
        if types & kinds:
            return name
    if types & _NO_STUDY:
        return "other"
    if document.organisation or document.id.startswith("guideline:"):
        return "guideline"
    return _from_title(document.title) or _from_text(document.text[:_TEXT_READ]) or "other"


def _from_title(title: str) -> Grade | None:
    if _found(_NOT_YET, title):
        return "other"
    if _found(_GUIDELINE, title) and not _found(_ABOUT_GUIDELINES, title):
        return "guideline"
    return next((name for name, pattern in _TITLE if _found(pattern, title)), None)


def _from_text(text: str) -> Grade | None:
    low = text.lower()
    hinted = ((n, p) for n, p in _TEXT if any(hint in low for hint in _HINTS[n]))
    return next((name for name, pattern in hinted if _found(pattern, text)), None)


def _found(pattern: str, text: str) -> bool:
    return _compiled(pattern).search(text) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)
