"""The model card (Mitchell et al., 2019) of a home's bundle, as Markdown."""

from __future__ import annotations

from core.deployment.report import metric_markdown, replay_command
from core.deployment.results import Results
from verticals.voice.stages import Explained

_CARD = """# Model card: {case}, a home's voice assistant

Hears a request, turns it into commands for this home's devices, and asks back where it is not sure.

## Intended use
Comfort in a home: lights, climate, covers, media, timers, lists. Not for alarms, medical calls or
anything that must never fail. Locks, garage doors and alarms ask before they open.

## Home and recordings
{areas} areas, {devices} devices. {source}: {rows} recordings, SHA-256 `{fingerprint}`.
{licence}

## Models
Wake phrase "{wake_phrase}": a head on Google's speech embedding, trained from text alone, then
Whisper's forced decoding. Voice activity: Silero. Recognition: {recogniser}, with the home's names
as a hint. Understanding: Home Assistant's sentences (hassil), then the kit's joint intent and slot
model (its card lies in `verticals/voice/weights/intents`). It asks back below a confidence of
{threshold:.2f}, set on {dev_recordings} dev recordings with a wrong action counted {error_cost:g}
times a question.

## Measured
On {test_recordings} recordings of {test_speakers} speakers who tuned nothing, heard once; the wake
phrase on {wake_clips} clips of made-up speakers who trained nothing.
{metrics}

## Limits
- English only. The embedded recordings are synthetic speech, which is easier to hear than people.
- Names that sound alike are told apart by spelling, not by meaning: rename the devices.
- Seed {seed}; versions: {versions}.

## Run again
`{replay}`
"""


def model_card(explained: Explained, results: Results) -> str:
    """The card, every number of which comes from the run's results.

    Args:
        explained: The assistant with its evidence.
        results: Of the same run.
    """
    data = results.data
    parameters = explained.evaluated.fitted.split.checked.loaded.parameters
    return _CARD.format(
        case=results.case, recogniser=parameters.recogniser, error_cost=parameters.error_cost,
        seed=results.seed, metrics=metric_markdown(results), replay=replay_command(results),
        versions=", ".join(f"{k} {v}" for k, v in results.versions.items()),
        **{k: data[k] for k in ("source", "rows", "fingerprint", "licence", "areas", "devices",
                                "wake_phrase", "wake_clips", "threshold", "dev_recordings",
                                "test_recordings", "test_speakers")},
    )  # fmt: skip
