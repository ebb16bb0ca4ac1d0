"""The credit case's first steps: load a book, check it, split it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.data.corrections import nearest, parse_corrections
from core.data.privacy import PersonalColumn, find_personal, remove_personal
from core.data.quality import Finding, profile, quality_findings
from core.data.schema import Kind, TableSchema, apply_schema, infer_schema
from core.data.sources import fingerprint, read_table, safe_source, source_name
from core.data.splits import folds, split_kind, split_rows
from core.errors import DataError
from verticals.finance.checks import check_dates, check_identifiers, dates_to_check
from verticals.finance.parameters import CreditParameters
from verticals.finance.stages import Checked, Loaded, Roles, Split
from verticals.finance.target import find_target, read_target

# What is known about the embedded books; the client's parameters go before it.
_EMBEDDED: dict[str, dict[str, Any]] = {
    "german_credit": {
        "target": "creditability",
        "positive": "bad",
        "protected": ("personal_status_and_sex", "age_in_years", "foreign_worker"),
        "exposure": "credit_amount",
    },
    "give_me_some_credit": {
        "target": "SeriousDlqin2yrs",
        "positive": 1,
        "protected": ("age",),
    },
}
_USABLE: tuple[Kind, ...] = ("number", "category", "boolean")


def load(parameters: CreditParameters) -> Loaded:
    """Reads the book that `parameters.data` names.

    An embedded book brings its target, protected columns and exposure, where none are given.

    Raises:
        DataError: It cannot be read.
        ModelError: An embedded book is not installed, or is not the pinned one.
    """
    name = parameters.data
    if name not in _EMBEDDED:
        frame = read_table(name)
        digest = fingerprint(frame) if "::" in name else fingerprint(name)
        safe = safe_source(name)  # parameters are written down: no password may stay in them
        return Loaded(frame, parameters.model_copy(update={"data": safe}), safe, digest)
    from core.models.resolver import asset, resolve

    pin, path = asset(name), resolve(name)
    frame = read_table(path).drop(columns="id", errors="ignore")
    known = {k: v for k, v in _EMBEDDED[name].items() if not getattr(parameters, k)}
    if parameters.target not in (None, _EMBEDDED[name]["target"]):
        known.pop("positive", None)
    source = f"{name}: {Path(pin.file).name} of {pin.package} {pin.version}"
    return Loaded(
        frame, parameters.model_copy(update=known), source, pin.sha256, f"{pin.attribution}"
    )


def check(loaded: Loaded) -> Checked:
    """Types the book, finds what is wrong with it, and says which column plays which part.

    Personal data is removed. Left out of the model: leaks (unless kept by a correction),
    identifiers, constants, free text, protected columns, and those of time, group and fold.
    Rows without an outcome are dropped.

    Raises:
        DataError: It cannot be used as it is; names source, row, column and remedy.
        ParameterError: A correction names no column.
    """
    try:
        return _check(loaded)
    except DataError as error:
        name = source_name(loaded.source)
        if name in error.where:
            raise
        where = ", ".join(filter(None, (name, error.where)))
        raise DataError(error.what, where=where, remedy=error.remedy) from None


def split(checked: Checked) -> Split:
    """Train, public and sealed private rows, and folds inside train, as time, group and fold ask.

    Raises:
        DataError: Too few rows, groups, dates or cases of a class.
    """
    roles, target = checked.roles, checked.target
    time, group, fold = (
        None if name is None else checked.frame[name]
        for name in (roles.time, roles.group, roles.fold)
    )
    seed = checked.loaded.parameters.seed
    train, public, private = split_rows(target, time=time, group=group, fold=fold, seed=seed)
    parts = folds(target, train, time=time, group=group, fold=fold, seed=seed)
    kind = split_kind(time=time, group=group, fold=fold)
    return Split(checked, kind, train, public, private, parts)


def check_report(checked: Checked) -> dict[str, pd.DataFrame]:
    """Tables for showing what was found: findings, profile, schema, personal, corrections."""
    findings = [
        {
            "severity": f.severity,
            "kind": f.kind,
            "column": f.column,
            "detail": f.detail,
            "remedy": f.remedy,
            "first rows": ", ".join(str(r + 1) for r in f.rows[:5]),
        }
        for f in checked.findings
    ]
    personal = [
        {"column": p.column, "kinds": ", ".join(p.kinds), "share": p.share, "action": p.action}
        for p in checked.personal
    ]
    names = ["severity", "kind", "column", "detail", "remedy", "first rows"]
    return {
        "findings": pd.DataFrame(findings, columns=names),
        "profile": profile(checked.frame),
        "schema": checked.schema.table().assign(role=lambda t: t["column"].map(_roles(checked))),
        "personal": pd.DataFrame(personal, columns=["column", "kinds", "share", "action"]),
        "corrections": _correction_hints(checked),
    }


def _check(loaded: Loaded) -> Checked:
    p = loaded.parameters
    names = [str(c) for c in loaded.frame.columns]
    raw = loaded.frame.set_axis(names, axis=1)
    given = parse_corrections(p.columns, names)
    target_name = find_target(p.target, raw)
    roles = _named_roles(p, names, target_name)
    target, labelled, findings = read_target(raw[target_name], p.positive)
    inputs, personal, more = _without_personal(raw.drop(columns=target_name), roles, p.columns)
    findings += more
    schema = infer_schema(inputs, _with_roles(p.columns, roles, inputs))
    typed = apply_schema(inputs, schema)
    findings += check_identifiers(typed, raw[target_name], schema, roles)
    findings += check_dates(typed, dates_to_check(schema, roles))
    typed = typed[labelled].reset_index(drop=True)
    candidates = _candidates(schema, roles)
    time = None if roles.time is None else typed[roles.time]
    whole = typed.drop(columns=list(schema.names("identifier")))
    found = quality_findings(typed[candidates], target, time=time, whole=whole)
    leaks = {f.column for f in found if f.kind == "leak"}
    kept = {c for c in leaks if c in given and given[c].keep}
    findings += [f for f in found if f.column not in kept or f.kind != "leak"]
    findings += [_kept_leak(f) for f in found if f.kind == "leak" and f.column in kept]
    findings += _left_out(schema, roles)
    features = tuple(c for c in candidates if c not in leaks - kept)
    if not features:
        raise DataError(
            "no column is left for a model",
            remedy="Look at the kinds in `casekit check` and correct them with `columns`",
        )
    order = {"error": 0, "warning": 1, "info": 2}
    findings.sort(key=lambda f: order[f.severity])
    return Checked(
        loaded,
        typed,
        target,
        replace(roles, features=features),
        schema,
        tuple(findings),
        personal,
    )


def _named_roles(p: CreditParameters, names: list[str], target: str) -> Roles:
    """The roles that parameters name; raises DataError where a column does not exist."""
    named = [(k, getattr(p, k)) for k in ("time", "group", "fold", "exposure")]
    named += [("protected", c) for c in p.protected] + [("proxies", c) for c in p.proxies]
    for role, column in named:
        if column is not None and column not in names:
            raise DataError(
                f"there is no column {column!r}",
                where=f"parameter {role}",
                remedy=nearest(column, names),
            )
        if column == target:
            raise DataError(
                f"{column!r} is the target", where=f"parameter {role}", remedy="Name another column"
            )
    return Roles(target, (), p.time, p.group, p.fold, p.exposure, p.protected, p.proxies)


def _without_personal(
    raw: pd.DataFrame, roles: Roles, corrections: dict[str, str]
) -> tuple[pd.DataFrame, tuple[PersonalColumn, ...], list[Finding]]:
    """The inputs with personal data removed; a personal group column becomes plain numbers."""
    spared = {roles.time, roles.fold, roles.exposure, *roles.protected}
    spared |= {c for c, text in corrections.items() if "keep" in text or "drop" in text}
    personal = find_personal(raw[[c for c in raw if c not in spared]])
    findings = [
        Finding(
            "personal",
            p.column,
            "warning",
            f"personal data: {', '.join(p.kinds)}",
            ("Removed" if p.action == "drop" else "Masked")
            + f"; keep it with columns={{{p.column!r}: 'keep'}} if this is a mistake",
        )
        for p in personal
    ]
    grouped = [p for p in personal if p.column == roles.group]
    clean = remove_personal(raw, tuple(p for p in personal if p not in grouped))
    if grouped:
        clean[roles.group] = pd.factorize(raw[roles.group])[0].astype(np.float64)
        clean.loc[raw[roles.group].isna(), roles.group] = np.nan
    return clean, personal, findings


def _with_roles(corrections: dict[str, str], roles: Roles, inputs: pd.DataFrame) -> dict[str, str]:
    """Corrections of the remaining columns, with the kinds that roles demand."""
    wanted = {roles.group: "category", roles.fold: "number", roles.exposure: "number"}
    if roles.time is not None and not pd.api.types.is_numeric_dtype(inputs[roles.time].dtype):
        wanted[roles.time] = "date"
    demanded = {str(c): kind for c, kind in wanted.items() if c is not None}
    return demanded | {c: text for c, text in corrections.items() if c in inputs.columns}


def _candidates(schema: TableSchema, roles: Roles) -> list[str]:
    """Columns a model might use."""
    kinds: tuple[Kind, ...] = (
        _USABLE if roles.time is None else (*_USABLE, "date")
    )  # then counted in days since
    apart = {roles.time, roles.group, roles.fold, *roles.protected}
    return [c for c in schema.names(*kinds) if c not in apart]


def _kept_leak(finding: Finding) -> Finding:
    return replace(finding, severity="warning", remedy="Kept, as `columns` asks")


def _left_out(schema: TableSchema, roles: Roles) -> list[Finding]:
    """One finding for each column that is no input for what it is."""
    why = {
        "identifier": "it only names rows",
        "constant": "it has one value only",
        "text": "free text is not used",
        "date": "a date says something only beside the application date: name it as `time`",
    }
    if roles.time is not None:
        del why["date"]
    apart = {roles.time, roles.group, roles.fold, *roles.protected}
    return [
        Finding(
            column.kind,
            column.name,
            "info",
            why[column.kind],
            f"Left out of the model; correct the kind with columns={{{column.name!r}: ...}}",
        )
        for column in schema.columns
        if column.kind in why and column.name not in apart
    ]


def _roles(checked: Checked) -> dict[str, str]:
    roles = checked.roles
    named: dict[str, str] = dict.fromkeys(roles.features, "feature")
    named |= dict.fromkeys(roles.proxies, "feature, proxy")
    named |= dict.fromkeys(roles.protected, "protected")
    for role in ("time", "group", "fold"):
        if getattr(roles, role) is not None:
            named[getattr(roles, role)] = role
    if roles.exposure in roles.features:
        named[str(roles.exposure)] = "feature, exposure"
    return {c.name: named.get(c.name, "left out") for c in checked.schema.columns}


def _correction_hints(checked: Checked) -> pd.DataFrame:
    """What may be wrongly guessed, and the entry of `columns` that would change it."""
    rows = []
    for column in checked.schema.columns:
        if "ambiguous" in column.note:
            other = column.note.rpartition("could be ")[2]
            rows.append((column.name, column.note, f"date:{other}"))
        elif column.missing_codes:
            rows.append((column.name, column.note, "missing:"))
        elif column.kind in ("identifier", "constant", "text"):
            rows.append((column.name, f"taken for {column.kind}", "category"))
    rows += [(f.column, f.detail, "keep") for f in checked.findings if f.kind == "leak"]
    return pd.DataFrame(rows, columns=["column", "what was detected", "to change it"])
