"""Population, intervention, comparison and outcome of a question and its evidence, where found.

Patterns of phrases, for precision: what is found is verbatim, what is not found stays empty.
(The frame: Richardson et al., 1995.)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from verticals.medical.answer import Pico

_WORD = r"[\w%α-ωΑ-Ω'/+.-]*\w\)?"
# Words that end a noun phrase; "and" does not, "of" and "with" do not.
_ENDING = (
    r"(?:in|on|for|to|is|are|was|were|be|been|does|do|did|can|could|should|would|will|may|might|"
    r"has|have|had|than|versus|vs|compared|that|which|who|whether|as|by|from|after|before|during|"
    r"among|at|if|when|while|because|but|however|reduces?d?|improves?d?|increases?d?|decreases?d?|"
    r"lowers?|lowered|prevents?|prevented|affects?|affected|influences?|causes?|leads?|led|"
    r"resulted|results|showed|shows|significantly|not|no|or|better|more|less|effective|superior|"
    r"inferior|safe|associated|followed|received|receiving|randomi[sz]ed|using|used|"
    r"predicts?|worsens?|raises?|delays?|treats?|helps?|and (?:placebo|control|usual))\b"
)
_PHRASE = rf"(?:(?!{_ENDING}){_WORD})(?:[ -](?!{_ENDING}){_WORD}){{0,7}}"
_ACTS = (
    r"(?:reduces?|improves?|increases?|decreases?|lowers?|prevents?|affects?|influences?|raises?|"
    r"delays?|worsens?|shortens?|prolongs?|relieves?|alleviates?|cause|causes|predicts?|lead to|"
    r"leads to|protect against|protects against|slows?)"
)
_GROUP = (
    r"(?:patients?|adults?|women|men|children|infants?|neonates?|newborns?|adolescents?|people|"
    r"persons|individuals|subjects|participants|volunteers|smokers|survivors|outpatients|"
    r"inpatients|veterans|athletes|residents|girls|boys|mothers|diabetics|toddlers)"
)
_CONTROL = (
    r"(?:placebo|sham(?: \w+)?|usual care|standard care|standard of care|standard treatment|"
    r"conventional (?:therapy|treatment|care)|no treatment|no intervention|saline|"
    r"waiting list|wait-?list(?: control)?|routine care|control(?: group)?)"
)
_VERSUS = r"(?:versus|vs\.?|compared (?:with|to)|in comparison (?:with|to)|against)"
_THE = r"(?:the |an? |any )?"
_POPULATION = (
    (
        rf"\b((?:(?!{_ENDING})[\w-]+ ){{0,3}}{_GROUP} "
        rf"(?:with|undergoing|aged|at|having|suffering from|admitted|hospitali[sz]ed for|"
        rf"treated for|after|living with) (?:at |the |an? )?{_PHRASE})"
    ),
    (
        rf"\b(?:in|among|for|of) {_THE}"
        rf"((?:(?!{_ENDING}|all |these |our |with )[\w-]+ ){{1,3}}{_GROUP})\b"
    ),
    rf"\bwith ({_PHRASE}) were (?:randomi[sz]ed|randomly|enrolled|included)",
)
_INTERVENTION = (
    (rf"\b(?:effects?|efficacy|effectiveness|impact|influence|safety|benefits?|use|role) of {_THE}"
    rf"({_PHRASE})"),
    rf"\b(?:does|do|can|could|should|will|would|did|is|are) {_THE}({_PHRASE}) {_ACTS}\b",
    (rf"\b(?:is|are) {_THE}({_PHRASE}) (?:better|superior|safer|(?:more|less|as) \w+|effective|"
    rf"safe|inferior|non-?inferior|useful|beneficial)\b"),
    rf"\b({_PHRASE}),? {_VERSUS} {_THE}{_PHRASE}",
    (rf"\b(?:received?|receiving|allocated to|assigned to|randomi[sz]ed to|treated with)"
    rf"(?: receive)?(?: either)? {_THE}({_PHRASE}) (?:or|versus|vs|and {_CONTROL})\b"),
    rf"\b(?:in|with) the ({_PHRASE}) (?:group|arm)\b",
    rf"^({_PHRASE}) (?:for|in|improves|reduces|increases|decreases|prevents)\b",
    (rf"\b({_PHRASE}) (?:significantly )?(?:reduced|improved|increased|decreased|"
    r"lowered|prevented)\b"),
)  # fmt: skip
_COMPARISON = (
    rf"\b{_VERSUS} {_THE}((?:{_CONTROL})|{_PHRASE})",
    (
        rf"\b(?:better|superior|inferior|more effective|less effective|higher|lower|greater|fewer|"
        rf"less|more|shorter|longer|worse|safer)\b[^.;]{{0,60}}? than "
        rf"(?:in |with |for |those (?:in|on) )?{_THE}({_PHRASE})"
    ),
    rf"\b(?:or|and) ((?:matching |oral )?{_CONTROL})\b",
    rf"\b({_CONTROL}) (?:group|arm)\b",
    rf"\b({_CONTROL})[- ]controlled\b",
)
_OUTCOME = (
    (
        rf"\b(?:effects?|efficacy|effectiveness|impact|influence) of [^.;?]{{3,80}}? on {_THE}"
        rf"({_PHRASE})"
    ),
    (
        rf"\b(?:does|do|can|could|should|will|would|did) [^.;?]{{3,80}}? {_ACTS} {_THE}"
        rf"(?:risk of |rate of |incidence of |levels? of )?({_PHRASE})"
    ),
    rf"\bprimary (?:outcome|end-?point)s?(?: measures?)? (?:was|were|is|are) {_THE}({_PHRASE})",
    (
        rf"(?:^|[.;:] |, )(?:the |there was (?:an? |no )?|a )?({_PHRASE}) (?:was|were) (?:\w+ly )?"
        r"(?:lower|higher|reduced|increased|decreased|improved|similar|greater|shorter|longer|"
        r"not different|comparable|less|more|better|worse)\b"
    ),
    (
        rf"\bno (?:significant |statistically significant )?differences? (?:was |were )?"
        rf"(?:found |observed |seen )?in {_THE}({_PHRASE})"
    ),
    (
        rf"\b(?:reduced?|reducing|reduces|improved?|improving|improves|increased?|increases|"
        rf"decreased?|decreases|prevents?|lowers?) (?:the |risk of |rate of |incidence of )*"
        rf"({_PHRASE})"
    ),
)
_EMPTY = re.compile(
    r"(?:it|they|we|this|that|these|those|there|he|she|its|their|our|his|her|one|both|all|each|"
    r"results|conclusions?|treatments?|groups?|patients?|study|trial|effects?|differences?|"
    r"baseline|time|the|a|an|two|three|either|days|weeks|months|years|outcomes?|interventions?|"
    r"control|other|studies|subjects|participants|some|throughout|course|\W*\w{1,2})",
    re.IGNORECASE,
)
_COUNT = re.compile(r"^\d[\d,.]*\s+")  # "120 healthy volunteers"
_MOST = 5_000  # characters that are read
_LONGEST = 90  # of a field


def pico(question: str, text: str) -> Pico:
    """The four parts of a clinical question, each verbatim from the question or the text.

    Args:
        question: What is asked; it is looked at first.
        text: Evidence that may name what the question leaves out; may be empty.

    Returns:
        Fields that no pattern found are empty.
    """
    sources = (question[:_MOST], text[:_MOST])
    intervention = _first(_INTERVENTION, sources, ())
    comparison = _first(_COMPARISON, sources, (intervention,))
    population = _first(_POPULATION, sources, ())
    outcome = _first(_OUTCOME, sources, (intervention, comparison))
    return Pico(
        population=population, intervention=intervention, comparison=comparison, outcome=outcome
    )


def _first(patterns: tuple[str, ...], sources: tuple[str, ...], taken: tuple[str, ...]) -> str:
    """The first phrase worth showing that is not taken by another part."""
    known = {t.lower() for t in taken if t}
    for source in sources:
        for pattern in patterns:
            for phrase in _phrases(pattern, source):
                if phrase.lower() not in known:
                    return phrase
    return ""


def _phrases(pattern: str, source: str) -> Iterator[str]:
    for match in re.finditer(pattern, source, re.IGNORECASE):
        phrase = _COUNT.sub("", match.group(1)).strip(" .,-'")
        if phrase.count("(") != phrase.count(")"):
            phrase = phrase.rstrip(")") if phrase.count(")") else phrase
        words = phrase.lower().split()
        plain = all(_EMPTY.fullmatch(word) for word in words)
        if phrase and not plain and len(phrase) <= _LONGEST and not phrase[0].isdigit():
            yield phrase
