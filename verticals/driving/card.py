"""The model card (Mitchell et al., 2019) of a perception bundle, as Markdown."""

from __future__ import annotations

from core.deployment.report import metric_markdown, replay_command
from core.deployment.results import Results

_CARD = """# Model card: {case}, perception of roads

Says of one photograph what every pixel is, which objects stand where and how far, where the lane
lines run, what lights show and signs say, how sure it is, and whether the photograph is unlike
anything it learned from.

## Intended use
Assisting people who test, label and study driving. Not for steering a vehicle: no network of this
size on one camera is safe enough alone.

## Data
{source}: {rows} images, SHA-256 `{fingerprint}`. {licence}
Taught by {train_images} images of {train_sequences} sequences, chosen and calibrated on
{validation_images} of {validation_sequences}, measured once on {test_images} of {test_sequences};
no sequence is in two parts.

## Network
EfficientNet-Lite0 (ImageNet weights, Apache-2.0), a feature pyramid and heads for surfaces,
objects and lanes. The {chosen} network was the better one on the validation images.

## Measured
{metrics}

## Limits
- A network that was taught on rendered streets alone sees real ones worse: the kit's README says by
  how much on CamVid and Penn-Fudan. Teach it on your own cameras before you rely on it.
- Distances without a calibrated camera assume a lens of 60 degrees.
- Objects below 12 pixels of a 288-pixel image are neither promised nor judged.
- Seed {seed}; versions: {versions}.

## Run again
`{replay}`
"""


def model_card(results: Results) -> str:
    """The card, every number of which comes from the run's results.

    Args:
        results: Of the run.
    """
    return _CARD.format(
        case=results.case, seed=results.seed, metrics=metric_markdown(results),
        replay=replay_command(results),
        versions=", ".join(f"{k} {v}" for k, v in results.versions.items()), **results.data,
    )  # fmt: skip
