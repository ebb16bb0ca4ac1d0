"""The hand-over: bundle, audit report and results of a credit run."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import orjson
import pandas as pd
from pydantic import BaseModel

from core.deployment.bundle import write_bundle
from core.deployment.manifest import DataRecord, Manifest, promise
from core.deployment.report import render_report
from core.deployment.results import Results
from core.deployment.run import Run, versions, write_atomically
from verticals.finance.card import model_card
from verticals.finance.explanation import Explained
from verticals.finance.predictor import CreditPredictor
from verticals.finance.report import TITLES, facts, sections
from verticals.finance.scorecard_export import to_pmml, to_sql

TASK = "Probability that a loan goes bad, with its 90% interval, a decision and its reasons."
GOLDEN = 20  # made-up applicants whose answers are stored, for replay
REFERENCE = 5_000  # held-out rows kept as the monitoring reference


@dataclass(frozen=True)
class Packed:
    """Where everything is."""

    bundle: Path
    report: Path
    results: Results


def pack(explained: Explained, run: Run) -> Packed:
    """Write the bundle, the report and, last, the run's results.

    Args:
        explained: The champion with its evidence and reasons.
        run: Receives the files; finished afterwards.
    """
    evaluated = explained.evaluated
    split = evaluated.fitted.split
    checked, model = split.checked, evaluated.fitted.champion
    measurements = (*evaluated.measurements, *explained.measurements)
    data = _data(explained)
    draft = run.results(measurements, data, run.bundle)
    language = checked.loaded.parameters.language
    report = render_report(
        draft, sections(explained, run, language), title=TITLES[language], language=language,
        facts=facts(explained, language),
    )  # fmt: skip
    predictor = CreditPredictor(model, checked.schema, explained.mapping, explained.policy)
    golden = _applicants(predictor, checked.frame, split.test, checked.loaded.parameters.seed)
    manifest = Manifest(
        case=run.case, task=TASK, run_id=run.id, versions=versions(),
        measurements=list(measurements), licences=_licences(explained),
        data=DataRecord(
            fingerprint=checked.loaded.fingerprint, rows=len(checked.frame),
            source=checked.loaded.source, licence=checked.loaded.licence,
        ),
        **promise(predictor, golden),
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        files = _files(explained, Path(folder), language)
        files["report.html"] = report.encode()
        files["card.md"] = model_card(explained, draft).encode()
        write_bundle(run.bundle, manifest=manifest, files=files)
    place = run.folder / "report.html"
    write_atomically(place, report.encode())
    return Packed(run.bundle, place, run.finish(measurements, data, run.bundle))


def _files(explained: Explained, folder: Path, language: str) -> dict[str, Path | bytes]:
    """Everything the predictor and a reviewer need, by path inside the bundle."""
    fitted = explained.evaluated.fitted
    fitted.champion.save(folder / "model")
    files: dict[str, Path | bytes] = {f"model/{p.name}": p for p in (folder / "model").iterdir()}
    policy = asdict(explained.policy) | {"language": language}
    files |= {
        "schema.json": fitted.split.checked.schema.to_json().encode(),
        "reasons.yaml": explained.mapping.to_yaml().encode(),
        "policy.json": orjson.dumps(policy, option=orjson.OPT_INDENT_2),
        "scorecard.json": fitted.scorecard.to_json().encode(),
        "scorecard.sql": to_sql(fitted.scorecard).encode(),
        "scorecard.pmml": to_pmml(fitted.scorecard).encode(),
    }
    reference = folder / "reference.parquet"
    _reference(explained).to_parquet(reference, index=False)
    files["reference.parquet"] = reference
    return files


def _reference(explained: Explained) -> pd.DataFrame:
    """Held-out rows with outcome and PD: what monitoring compares new applicants with."""
    fitted = explained.evaluated.fitted
    checked = fitted.split.checked
    rows = fitted.split.test
    if len(rows) > REFERENCE:
        rng = np.random.default_rng(checked.loaded.parameters.seed)
        rows = np.sort(rng.choice(rows, REFERENCE, replace=False))
    wanted = (*fitted.champion.columns, *checked.roles.protected)
    if checked.roles.exposure:
        wanted = (*wanted, checked.roles.exposure)
    sample = checked.frame[list(dict.fromkeys(wanted))].iloc[rows].reset_index(drop=True)
    probability = fitted.champion.pd(sample[list(fitted.champion.columns)])
    return sample.assign(pd=probability, target=checked.target[rows])


def _applicants(
    predictor: CreditPredictor, frame: pd.DataFrame, rows: np.ndarray, seed: int
) -> Sequence[BaseModel]:
    """Made-up applicants: real values, drawn column by column, so that no row is a person's."""
    rng = np.random.default_rng(seed)
    mixed = pd.DataFrame(
        {
            name: frame[name].iloc[rng.choice(rows, GOLDEN)].to_numpy(object)
            for name in predictor.schema.names()
        }
    )
    records = mixed.where(mixed.notna(), None).to_dict("records")
    return [predictor.input_model.model_validate(record) for record in records]


def _data(explained: Explained) -> dict[str, object]:
    split = explained.evaluated.fitted.split
    checked = split.checked
    return {
        "fingerprint": checked.loaded.fingerprint,
        "rows": len(checked.frame),
        "source": checked.loaded.source,
        "licence": checked.loaded.licence,
        "target": checked.roles.target,
        "bad_rate": round(float(checked.target.mean()), 6),
        "features": list(checked.roles.features),
        "protected": list(checked.roles.protected),
        "split": split.kind,
        "train_rows": len(split.train),
        "public_rows": len(split.public),
        "private_rows": len(split.private),
    }


def _licences(explained: Explained) -> dict[str, str]:
    loaded = explained.evaluated.fitted.split.checked.loaded
    data = {"data": loaded.licence} if loaded.licence else {}
    return data | {"model": "Of whoever holds the data it was trained on"}
