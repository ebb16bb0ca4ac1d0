"""The credit model as everything above sees it: an applicant in, an answer out."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, create_model

from core.data.schema import ColumnSchema, TableSchema
from core.deployment.manifest import Manifest
from verticals.finance.answer import CreditAnswer
from verticals.finance.applicants import typed_applicants, typed_table
from verticals.finance.model import CreditModel
from verticals.finance.policy import Policy
from verticals.finance.reasons import ReasonMapping, reason_table

LONGEST_TEXT = 200  # characters of a category; longer is a mistake or an attack


class CreditPredictor:
    """A packed credit model. It also takes whole tables, which is far faster."""

    output_model = CreditAnswer

    def __init__(
        self, model: CreditModel, schema: TableSchema, mapping: ReasonMapping, policy: Policy
    ) -> None:
        wanted = set(model.columns)
        self.schema = TableSchema(tuple(c for c in schema.columns if c.name in wanted))
        self.model, self.mapping, self.policy = model, mapping, policy
        self.input_model = input_model(self.schema)

    def predict(self, inputs: list[BaseModel]) -> list[BaseModel]:
        """Answers in the order of the applicants; raises DataError on values out of schema."""
        frame = typed_applicants([i.model_dump(by_alias=True) for i in inputs], self.schema)
        rows = self._answer(frame, reasons=True).to_dict("records")
        return [CreditAnswer.model_validate(row) for row in rows]

    def predict_table(self, frame: pd.DataFrame, *, reasons: bool = True) -> pd.DataFrame:
        """One answer per row: pd, pd_low, pd_high, points, decision, reasons.

        Args:
            frame: Columns as in training; extra ones are ignored, a missing one is an error.
            reasons: Whether to explain; the exact Shapley values are the slow part.
        """
        return self._answer(typed_table(frame, self.schema), reasons=reasons)

    def warm_up(self) -> None:
        """Make what the first answer needs, so that no applicant waits for it.

        On a new machine this compiles the explainer, once, which takes some seconds.
        """
        nobody = dict.fromkeys(self.schema.names())
        self._answer(typed_applicants([nobody], self.schema), reasons=True)

    def _answer(self, typed: pd.DataFrame, *, reasons: bool) -> pd.DataFrame:
        """Answers to typed rows."""
        if reasons:
            contributions = self.model.contributions(typed)
            score = contributions.values.sum(axis=1) + contributions.base
        else:
            score = self.model.score(typed)
        probability = self.model.calibrate(score)
        interval = self.model.interval_of(probability)
        answer = pd.DataFrame(
            {
                "pd": probability,
                "pd_low": np.minimum(interval[:, 0], probability),
                "pd_high": np.maximum(interval[:, 1], probability),
                "points": self.policy.points(probability),
            },
            index=typed.index,
        )
        answer["decision"] = self.policy.decide(probability, interval[:, 0], interval[:, 1])
        if reasons:
            answer["reasons"] = reason_table(
                contributions.values, self.model.columns, self.mapping, self.policy.reference
            )
        else:
            answer["reasons"] = [[] for _ in range(len(answer))]
        return answer


def input_model(schema: TableSchema) -> type[BaseModel]:
    """Pydantic model of one applicant; fields carry the client's own column names as aliases."""
    fields: dict[str, Any] = {
        f"x{i}": (_type(column), Field(default=None, alias=column.name, **_limits(column)))
        for i, column in enumerate(schema.columns)
    }
    config = ConfigDict(extra="forbid", allow_inf_nan=False, title="Applicant")
    return create_model("Applicant", __config__=config, **fields)


def _type(column: ColumnSchema) -> Any:
    types = {"number": float, "boolean": bool, "date": date}
    return types.get(column.kind, str) | None


def _limits(column: ColumnSchema) -> dict[str, Any]:
    if column.kind in ("number", "boolean", "date"):
        return {}
    return {"max_length": LONGEST_TEXT, "examples": list(column.categories[:20])}


def open_predictor(folder: Path, manifest: Manifest) -> CreditPredictor:
    """The predictor of a verified bundle folder."""
    policy = orjson.loads((folder / "policy.json").read_bytes())
    language = policy.pop("language")
    predictor = CreditPredictor(
        CreditModel.load(folder / "model"),
        TableSchema.from_json((folder / "schema.json").read_text(encoding="utf-8")),
        ReasonMapping.from_yaml((folder / "reasons.yaml").read_text(encoding="utf-8"), language),
        Policy(**policy),
    )
    predictor.warm_up()
    return predictor
