"""The model card (Mitchell et al., 2019) of a literature bundle, as Markdown."""

from __future__ import annotations

from core.deployment.report import metric_markdown, replay_command
from core.deployment.results import Results
from verticals.medical.answer import DISCLAIMER
from verticals.medical.stages import Explained

_CARD = """# Model card: {case}, literature question answering

Quotes what a corpus says on a clinical question, with citation, or says that it does not know.

## Intended use
{disclaimer} For clinicians and those who prepare evidence for them. Not for patients on their own,
not for emergencies, not as a device.

## Corpus
{source}: {documents} documents, {passages} passages, SHA-256 `{fingerprint}`.
{licence}

## Models
Search: BM25 and sentence vectors ({encoder}), merged and ranked again by LightGBM. Support and
abstention: LightGBM and logistic regression over the same evidence. Direction: see its card in
`weights/direction`. All were trained by the kit; data, licences and numbers stand on their cards.
It abstains below a confidence of {threshold:.2f}, set on {dev_questions} dev questions with an
unfounded answer counted {error_cost:g} times a withheld one.

## Measured
On {test_questions} test questions, asked once{titles}.
{metrics}

## Limits
- The questions of the embedded corpus were written for casekit and not reviewed by clinicians.
- A quote is verbatim; whether it applies to the patient is for the clinician to say.
- Seed {seed}; versions: {versions}.

## Run again
`{replay}`
"""


def model_card(explained: Explained, results: Results) -> str:
    """The card, every number of which comes from the run's results.

    Args:
        explained: The engine with its evidence.
        results: Of the same run.
    """
    data = results.data
    parameters = explained.evaluated.fitted.split.checked.loaded.parameters
    titles = " (the documents' own titles: no labels were given)"
    return _CARD.format(
        case=results.case, disclaimer=DISCLAIMER, encoder=parameters.encoder,
        error_cost=parameters.error_cost, seed=results.seed,
        titles=titles if data["questions_from_titles"] else "",
        metrics=metric_markdown(results),
        versions=", ".join(f"{k} {v}" for k, v in results.versions.items()),
        replay=replay_command(results),
        **{k: data[k] for k in ("source", "documents", "passages", "fingerprint", "licence",
                                "threshold", "dev_questions", "test_questions")},
    )  # fmt: skip
