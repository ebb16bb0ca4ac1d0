"""The hand-over: bundle, regression report and results of a home's run."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import orjson

from core.data.audio import SAMPLE_RATE, read_audio
from core.deployment.bundle import write_bundle
from core.deployment.manifest import DataRecord, Manifest, promise
from core.deployment.report import render_report
from core.deployment.run import Run, versions, write_atomically
from core.models.resolver import asset
from verticals.voice.card import model_card
from verticals.voice.data import REQUESTS
from verticals.voice.home.reading import EMBEDDED
from verticals.voice.predictor import (
    HOME,
    MODEL_FILE,
    PACKED_MODEL,
    RECOGNISER,
    SETTINGS,
    WAKE,
    HomePredictor,
    HomeRequest,
)
from verticals.voice.recognition.whisper import EMBEDDED as EMBEDDED_RECOGNISER
from verticals.voice.report import TITLES, facts, sections
from verticals.voice.stages import Explained, Packed
from verticals.voice.wake.training import EXAMPLES

TASK = "What a spoken or typed request to a home means, and what it would do there."
GOLDEN = 6  # requests whose answers are stored, for replay
_OF_TODAY = ("HassGetWeather", "HassGetCurrentTime", "HassGetCurrentDate")  # answers that change
# Of confidences: runtimes round int8 products differently between machines.
TOLERANCE = 0.05


def pack(explained: Explained, run: Run) -> Packed:
    """Write the bundle, the report and, last, the run's results.

    Args:
        explained: The assistant with its evidence, and one request explained.
        run: Receives the files; finished afterwards.
    """
    evaluated = explained.evaluated
    fitted = evaluated.fitted
    loaded = fitted.split.checked.loaded
    language, data = loaded.parameters.language, _data(explained)
    draft = run.results(evaluated.measurements, data, run.bundle)
    report = render_report(
        draft, sections(explained, run, language), title=TITLES[language], language=language,
        facts=facts(explained, language),
    )  # fmt: skip
    manifest = Manifest(
        case=run.case, task=TASK, run_id=run.id, versions=versions(),
        measurements=list(evaluated.measurements), licences=_licences(explained),
        data=DataRecord(
            fingerprint=loaded.fingerprint, rows=len(loaded.recordings), source=loaded.source,
            licence=loaded.licence,
        ),
        **promise(HomePredictor(fitted.assistant.parts), _golden(explained), tolerance=TOLERANCE),
    )  # fmt: skip
    files = _files(explained)
    files["report.html"] = report.encode()
    files["card.md"] = model_card(explained, draft).encode()
    write_bundle(run.bundle, manifest=manifest, files=files)
    place = run.folder / "report.html"
    write_atomically(place, report.encode())
    results = run.finish(evaluated.measurements, data, run.bundle)
    return Packed(run.bundle, place, results)


def _golden(explained: Explained) -> list[HomeRequest]:
    """Typed requests of the sample, and two spoken ones; a client's voices stay with the client."""
    fitted = explained.evaluated.fitted
    loaded = fitted.split.checked.loaded

    def lasting(text: str) -> bool:
        commands = fitted.assistant.understand(text).commands
        return not any(command.intent in _OF_TODAY for command in commands)

    if loaded.source != REQUESTS:
        texts = [t for t in loaded.home.vocabulary().sentences if lasting(t)][:GOLDEN]
        return [HomeRequest(text=text) for text in texts or [loaded.parameters.request]]
    kept = [r for r in fitted.split.test if r.text is not None and lasting(r.text)]
    typed = [HomeRequest(text=r.text) for r in kept[: GOLDEN - 2]]
    return [*typed, *(HomeRequest(audio=_flac(r.path)) for r in kept[:2])]


def _flac(path: Path) -> str:
    """A recording as base64, in the smallest of the lossless forms."""
    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, read_audio(path), SAMPLE_RATE, format="FLAC")
    return base64.b64encode(buffer.getvalue()).decode()


def _files(explained: Explained) -> dict[str, Path | bytes]:
    """Everything the predictor needs, by path inside the bundle."""
    fitted = explained.evaluated.fitted
    parameters = fitted.split.checked.loaded.parameters
    settings = {
        "recogniser": parameters.recogniser, "threshold": fitted.threshold,
        "threads": parameters.threads, "endpoint": parameters.endpoint,
    }  # fmt: skip
    files: dict[str, Path | bytes] = {
        f"{WAKE}/{file.name}": file
        for file in fitted.wake_folder.iterdir()
        if file.is_file() and file.name != EXAMPLES  # what it learned from stays here
    }
    files[HOME] = Path(parameters.home) if parameters.home else EMBEDDED
    own = Path(parameters.recogniser)
    if (own / MODEL_FILE).is_file():
        settings["recogniser"] = RECOGNISER
        for file in own.iterdir():
            name = PACKED_MODEL if file.name == MODEL_FILE else file.name
            files[f"{RECOGNISER}/{name}"] = file
    files[SETTINGS] = orjson.dumps(settings, option=orjson.OPT_INDENT_2)
    return files


def _data(explained: Explained) -> dict[str, object]:
    fitted = explained.evaluated.fitted
    split, loaded = fitted.split, fitted.split.checked.loaded
    return {
        "fingerprint": loaded.fingerprint,
        "rows": len(loaded.recordings),
        "source": loaded.source,
        "licence": loaded.licence,
        "devices": len(loaded.home.entities),
        "areas": len(loaded.home.areas),
        "dev_recordings": len(split.dev),
        "test_recordings": len(split.test),
        "test_speakers": len({r.speaker for r in split.test}),
        "wake_phrase": fitted.wake.phrase,
        "wake_clips": fitted.wake.clips,
        "threshold": fitted.threshold,
    }


def _licences(explained: Explained) -> dict[str, str]:
    loaded = explained.evaluated.fitted.split.checked.loaded
    names = ("silero_vad", "speech_embedding", "minilm", "piper_joe", "kokoro")
    licences = {name: asset(name).attribution for name in names}
    if loaded.parameters.recogniser == EMBEDDED_RECOGNISER:
        licences["recogniser"] = asset("whisper_tiny_en").attribution
    else:
        licences["recogniser"] = f"{loaded.parameters.recogniser}: see where it came from"
    return licences | ({"recordings": loaded.licence} if loaded.licence else {})
