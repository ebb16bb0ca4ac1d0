"""The hand-over: bundle, evidence report and results of a literature run."""

from __future__ import annotations

import tempfile
from pathlib import Path

import orjson

from core.deployment.bundle import write_bundle
from core.deployment.manifest import DataRecord, Manifest, promise
from core.deployment.report import render_report
from core.deployment.run import Run, versions, write_atomically
from core.models.resolver import asset
from verticals.medical.answer import Question
from verticals.medical.card import model_card
from verticals.medical.predictor import (
    DOCUMENTS,
    ENCODER,
    SETTINGS,
    VECTORS,
    WEIGHTS,
    MedicalPredictor,
)
from verticals.medical.report import TITLES, facts, sections
from verticals.medical.stages import Explained, Packed

TASK = "Evidence for a clinical question, quoted and cited, or a refusal with its reason."
GOLDEN = 8  # test questions whose answers are stored, for replay
TOLERANCE = 1e-3  # of probabilities: runtimes round int8 products differently between machines


def pack(explained: Explained, run: Run) -> Packed:
    """Write the bundle, the report and, last, the run's results.

    Args:
        explained: The engine with its evidence, and one answer explained.
        run: Receives the files; finished afterwards.
    """
    evaluated = explained.evaluated
    loaded = evaluated.fitted.split.checked.loaded
    language, data = loaded.parameters.language, _data(explained)
    draft = run.results(evaluated.measurements, data, run.bundle)
    report = render_report(
        draft, sections(explained, run, language), title=TITLES[language], language=language,
        facts=facts(explained, language),
    )  # fmt: skip
    golden = [
        Question(question=q.question, patient=None, filters=None, limit=5)
        for q in evaluated.fitted.split.test[:GOLDEN]
    ]
    manifest = Manifest(
        case=run.case, task=TASK, run_id=run.id, versions=versions(),
        measurements=list(evaluated.measurements), licences=_licences(explained),
        data=DataRecord(
            fingerprint=loaded.fingerprint, rows=len(loaded.corpus), source=loaded.source,
            licence=loaded.licence,
        ),
        **promise(MedicalPredictor(evaluated.fitted.engine), golden, tolerance=TOLERANCE),
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        files = _files(explained, Path(folder))
        files["report.html"] = report.encode()
        files["card.md"] = model_card(explained, draft).encode()
        write_bundle(run.bundle, manifest=manifest, files=files)
    place = run.folder / "report.html"
    write_atomically(place, report.encode())
    results = run.finish(evaluated.measurements, data, run.bundle)
    return Packed(run.bundle, place, results)


def _files(explained: Explained, folder: Path) -> dict[str, Path | bytes]:
    """Everything the predictor needs, by path inside the bundle."""
    from safetensors.numpy import save_file

    fitted = explained.evaluated.fitted
    engine = fitted.engine
    for path in (DOCUMENTS, VECTORS):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
    engine.corpus.export(folder / DOCUMENTS)
    save_file({"vectors": engine.index.vectors()}, folder / VECTORS)
    engine.encoder.save(folder / ENCODER)
    for name, model in (
        ("reranker", engine.reranker), ("support", engine.support),
        ("direction", engine.direction), ("abstain", engine.abstention),
    ):  # fmt: skip
        model.save(folder / WEIGHTS / name)
    settings = {
        "threshold": engine.abstention.threshold,
        "generator": fitted.split.checked.loaded.parameters.generator,
    }
    files: dict[str, Path | bytes] = {
        file.relative_to(folder).as_posix(): file for file in folder.rglob("*") if file.is_file()
    }
    files[SETTINGS] = orjson.dumps(settings, option=orjson.OPT_INDENT_2)
    return files


def _data(explained: Explained) -> dict[str, object]:
    split = explained.evaluated.fitted.split
    checked, loaded = split.checked, split.checked.loaded
    return {
        "fingerprint": loaded.fingerprint,
        "rows": len(loaded.corpus),
        "source": loaded.source,
        "licence": loaded.licence,
        "documents": int(checked.facets["documents"].sum()),
        "passages": len(loaded.corpus),
        "dev_questions": len(split.dev),
        "test_questions": len(split.test),
        "questions_from_titles": checked.drawn_from_titles,
        "threshold": explained.evaluated.fitted.engine.abstention.threshold,
    }


def _licences(explained: Explained) -> dict[str, str]:
    loaded = explained.evaluated.fitted.split.checked.loaded
    names = ("minilm", "drug_names", "drug_interactions")
    licences = {name: asset(name).attribution for name in names}
    return licences | ({"corpus": loaded.licence} if loaded.licence else {})
