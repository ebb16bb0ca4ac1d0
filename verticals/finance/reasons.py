"""Adverse-action reasons: from contributions to at most four specific, principal reasons.

Follows Regulation B (12 CFR 1002.9) and CFPB Circular 2022-03: reasons are specific, they relate
to factors the score really used, and a protected attribute or its proxy is never one. What a
column is called in a notice stands in YAML, so a lawyer can read and change it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import DataError, ParameterError

MOST_REASONS = 4
_TEXTS = Path(__file__).parent / "reason_texts"


class ReasonText(BaseModel):
    """One reason and the columns it stands for.

    `changeable` columns may be varied in "what would change it", only towards `direction` and
    within `minimum` and `maximum`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str
    features: tuple[str, ...] = Field(min_length=1)
    en: str = Field(min_length=1)
    zh: str = Field(min_length=1)
    changeable: bool = False
    direction: Literal["lower", "higher", "any"] = "any"
    minimum: float | None = None
    maximum: float | None = None


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    draft: bool = Field(description="Whether nobody has confirmed the wording yet.")
    silent: tuple[str, ...] = Field((), description="Protected columns and declared proxies.")
    reasons: tuple[ReasonText, ...]


@dataclass(frozen=True)
class ReasonMapping:
    """Wording for every column that may be named, and the columns that never may."""

    reasons: tuple[ReasonText, ...]
    silent: frozenset[str] = frozenset()
    draft: bool = False
    language: Literal["en", "zh"] = "en"

    @classmethod
    def from_yaml(cls, text: str, language: Literal["en", "zh"] = "en") -> ReasonMapping:
        """Read a mapping.

        Raises:
            ParameterError: The YAML lacks or mistypes a field, or maps a column twice.
        """
        try:
            read = _File.model_validate(yaml.safe_load(text))
        except yaml.YAMLError as error:
            raise ParameterError(
                "the reasons are not YAML", where=str(getattr(error, "problem_mark", "")).strip(),
                remedy="Compare with verticals/finance/reason_texts/german_credit.yaml",
            ) from error  # fmt: skip
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise ParameterError(
                f"the reasons are not valid: {first['msg']}",
                where=".".join(map(str, first["loc"])),
                remedy="Each needs code, features, en and zh",
            ) from error
        named = [name for reason in read.reasons for name in reason.features]
        twice = {name for name in named if named.count(name) > 1}
        if twice:
            raise ParameterError(
                "a column stands behind two reasons", where=", ".join(sorted(twice)),
                remedy="Keep it under one code",
            )  # fmt: skip
        return cls(read.reasons, frozenset(read.silent), read.draft, language)

    def to_yaml(self) -> str:
        """YAML text that `from_yaml` reads back."""
        state = _File(draft=self.draft, silent=tuple(sorted(self.silent)), reasons=self.reasons)
        values = state.model_dump(mode="json", exclude_defaults=True) | {"draft": self.draft}
        return yaml.safe_dump(values, allow_unicode=True, sort_keys=False)

    def text(self, reason: ReasonText) -> str:
        """The reason in the mapping's language."""
        return reason.zh if self.language == "zh" else reason.en

    def covering(self, columns: Sequence[str]) -> ReasonMapping:
        """The same mapping, once every one of these columns has its wording.

        Raises:
            ParameterError: Names the column without wording and how to add it.
        """
        known = {name for reason in self.reasons for name in reason.features} | self.silent
        missing = [name for name in columns if name not in known]
        if missing:
            raise ParameterError(
                "a column the score uses has no wording for a notice",
                where=f"column {missing[0]!r}" + (f" and {len(missing) - 1} more" * (
                    len(missing) > 1)),
                remedy="Add it to reasons.yaml with a code, `en` and `zh`, or declare it a proxy",
            )  # fmt: skip
        return self


def shipped_mapping(name: str, language: Literal["en", "zh"] = "en") -> ReasonMapping | None:
    """The wording that comes with an embedded book, if it has one."""
    path = _TEXTS / f"{name}.yaml"
    if not name.isidentifier():  # a client's path, not the name of an embedded book
        return None
    return ReasonMapping.from_yaml(path.read_text(encoding="utf-8"), language) if (
        path.exists()
    ) else None  # fmt: skip


def read_mapping(path: str, language: Literal["en", "zh"] = "en") -> ReasonMapping:
    """A client's own, confirmed wording.

    Raises:
        ParameterError: The file is not there, or is not a mapping.
    """
    file = Path(path)
    if not file.is_file():
        raise ParameterError(
            "the file of reasons is not there", where=str(file),
            remedy="Start from the reasons.yaml in the bundle of an earlier run",
        )  # fmt: skip
    return ReasonMapping.from_yaml(file.read_text(encoding="utf-8"), language)


def draft_mapping(columns: Iterable[str], language: Literal["en", "zh"] = "en") -> ReasonMapping:
    """Wording made from column names, to be confirmed by a person before any notice leaves."""
    reasons = tuple(
        ReasonText(code=f"D{i:02d}", features=(name,), en=_spoken(name), zh=_spoken(name))
        for i, name in enumerate(columns, 1)
    )
    return ReasonMapping(reasons, draft=True, language=language)


def silenced(mapping: ReasonMapping, names: Iterable[str]) -> ReasonMapping:
    """The mapping with protected columns and proxies taken out of what may be named."""
    return replace(mapping, silent=mapping.silent | frozenset(names))


def reason_effects(
    values: np.ndarray,
    columns: Sequence[str],
    mapping: ReasonMapping,
    reference: Mapping[str, float],
) -> np.ndarray:
    """Log-odds of default that each reason adds against the reference, (n, reasons).

    Args:
        values: (n, columns) contributions in log-odds.
        columns: Raw columns, in order.
        mapping: Wording; silent columns add to no reason.
        reference: Contribution of the reference applicant by column.
    """
    mapping.covering(columns)
    group = np.zeros((len(columns), len(mapping.reasons)))
    for r, reason in enumerate(mapping.reasons):
        for name in reason.features:
            if name in columns and name not in mapping.silent:
                group[list(columns).index(name), r] = 1.0
    against = values - np.array([reference.get(name, 0.0) for name in columns])
    return against @ group


def reason_table(
    values: np.ndarray,
    columns: Sequence[str],
    mapping: ReasonMapping,
    reference: Mapping[str, float],
    *,
    top: int = MOST_REASONS,
) -> list[list[dict[str, Any]]]:
    """At most `top` reasons a row, strongest first, as fields of `answer.Reason`.

    Only reasons that raise the risk against the reference are given; a row better than the
    reference in everything has none.
    """
    effects = reason_effects(values, columns, mapping, reference)
    if not len(effects):
        return []
    top = min(top, effects.shape[1])
    best = np.argpartition(-effects, top - 1, axis=1)[:, :top]
    order = np.take_along_axis(effects, best, axis=1).argsort(axis=1)[:, ::-1]
    best = np.take_along_axis(best, order, axis=1)
    strength = np.take_along_axis(effects, best, axis=1)
    heads = [
        (r.code, mapping.text(r), [f for f in r.features if f not in mapping.silent])
        for r in mapping.reasons
    ]
    raises = strength > 0
    # One flat list, cut into rows afterwards: tables have many rows.
    found = [
        {"code": code, "text": text, "features": features, "effect": effect}
        for (code, text, features), effect in zip(
            map(heads.__getitem__, best[raises].tolist()), strength[raises].tolist(), strict=True
        )
    ]
    stops = raises.sum(axis=1).cumsum()
    starts = stops - raises.sum(axis=1)
    return [found[a:b] for a, b in zip(starts.tolist(), stops.tolist(), strict=True)]


def reference_of(
    values: np.ndarray, columns: Sequence[str], approved: np.ndarray
) -> dict[str, float]:
    """The reference applicant: mean contribution of approved training rows, by column.

    Raises:
        DataError: Nobody is approved.
    """
    if not approved.any():
        raise DataError(
            "no training row is approved at this cut-off, so reasons have no reference",
            remedy="Choose a higher cut-off",
        )
    return dict(zip(columns, values[approved].mean(axis=0).tolist(), strict=True))


def _spoken(name: str) -> str:
    """A column's name as words."""
    words = "".join(f" {c.lower()}" if c.isupper() else c for c in name)
    return " ".join(words.replace("_", " ").replace(".", " ").split()).capitalize()
