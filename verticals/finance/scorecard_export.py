"""The scorecard in other people's systems: SQL for a database, PMML 4.4 for a scoring engine.

Both say exactly what `Scorecard.log_odds` and `.points` say; JSON is `Scorecard.to_json`.
"""

from __future__ import annotations

import math
from xml.etree import ElementTree as ET  # builds XML only; nothing is parsed here

from verticals.finance.scorecard import (
    BASE_ODDS,
    BASE_POINTS,
    POINTS_TO_DOUBLE,
    Characteristic,
    Scorecard,
)

_SCALE = POINTS_TO_DOUBLE / math.log(2)
PMML_NAMESPACE = "http://www.dmg.org/PMML-4_4"


def to_sql(scorecard: Scorecard, table: str = "applicants") -> str:
    """A SELECT that adds `log_odds` and `points` to every row; standard SQL, tried on SQLite.

    Args:
        scorecard: What to export.
        table: Name of the table with the scorecard's columns.
    """
    terms = [repr(scorecard.intercept)] + [_case(c) for c in scorecard.characteristics]
    total = "\n    + ".join(terms)
    offset = BASE_POINTS - _SCALE * math.log(BASE_ODDS)
    inner = f"SELECT a.*,\n    {total} AS log_odds\n  FROM {_name(table)} AS a"  # noqa: S608 - quoted
    return (
        "-- log_odds is of default; points are higher for safer applicants\n"
        f"SELECT scored.*, {offset!r} - {_SCALE!r} * log_odds AS points\n"
        f"FROM (\n  {inner}\n) AS scored\n"
    )


def to_pmml(scorecard: Scorecard) -> str:
    """A PMML 4.4 Scorecard whose score is the points, with reason codes by characteristic."""
    root = ET.Element("PMML", {"version": "4.4", "xmlns": PMML_NAMESPACE})
    ET.SubElement(root, "Header", {"description": "casekit scorecard: points, higher is safer"})
    dictionary = ET.SubElement(root, "DataDictionary")
    for c in scorecard.characteristics:
        kind = {"dataType": "string", "optype": "categorical"} if c.groups else {
            "dataType": "double", "optype": "continuous"}  # fmt: skip
        ET.SubElement(dictionary, "DataField", {"name": c.name} | kind)
    points = BASE_POINTS - _SCALE * (math.log(BASE_ODDS) + scorecard.intercept)
    model = ET.SubElement(
        root, "Scorecard",
        {"functionName": "regression", "initialScore": repr(points), "useReasonCodes": "true",
         "reasonCodeAlgorithm": "pointsBelow", "baselineMethod": "max"},
    )  # fmt: skip
    schema = ET.SubElement(model, "MiningSchema")
    for c in scorecard.characteristics:
        ET.SubElement(schema, "MiningField", {"name": c.name, "invalidValueTreatment": "asIs"})
    output = ET.SubElement(model, "Output")
    ET.SubElement(
        output, "OutputField",
        {"name": "points", "feature": "predictedValue", "dataType": "double",
         "optype": "continuous"},
    )  # fmt: skip
    listed = ET.SubElement(model, "Characteristics")
    for c in scorecard.characteristics:
        _characteristic(listed, c)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _characteristic(parent: ET.Element, c: Characteristic) -> None:
    """One characteristic with its attributes; the first whose predicate holds counts."""
    scores = [-_SCALE * c.coefficient * woe for woe in c.woe]
    element = ET.SubElement(
        parent, "Characteristic",
        {"name": c.name, "reasonCode": c.name, "baselineScore": repr(max(scores))},
    )  # fmt: skip

    def attribute(score: float) -> ET.Element:
        return ET.SubElement(element, "Attribute", {"partialScore": repr(score)})

    ET.SubElement(
        attribute(scores[-1]), "SimplePredicate", {"field": c.name, "operator": "isMissing"}
    )
    if c.groups:
        for group, score in zip(c.groups, scores, strict=False):
            found = ET.SubElement(
                attribute(score), "SimpleSetPredicate",
                {"field": c.name, "booleanOperator": "isIn"},
            )  # fmt: skip
            values = ET.SubElement(found, "Array", {"type": "string", "n": str(len(group))})
            values.text = " ".join('"' + v.replace('"', '\\"') + '"' for v in group)
        ET.SubElement(attribute(0.0), "True")  # a category never seen counts as average
        return
    for cut, score in zip(c.splits, scores, strict=False):
        ET.SubElement(
            attribute(score), "SimplePredicate",
            {"field": c.name, "operator": "lessThan", "value": repr(cut)},
        )  # fmt: skip
    ET.SubElement(attribute(scores[len(c.splits)]), "True")


def _case(c: Characteristic) -> str:
    """A CASE expression of one characteristic's log-odds."""
    column = f"a.{_name(c.name)}"
    effects = [repr(c.coefficient * woe) for woe in c.woe]
    whens = [f"WHEN {column} IS NULL THEN {effects[-1]}"]
    if c.groups:
        for group, effect in zip(c.groups, effects, strict=False):
            values = ", ".join("'" + v.replace("'", "''") + "'" for v in group)
            whens.append(f"WHEN {column} IN ({values}) THEN {effect}")
        other = "0.0"
    else:
        whens += [
            f"WHEN {column} < {cut!r} THEN {effect}"
            for cut, effect in zip(c.splits, effects, strict=False)
        ]
        other = effects[len(c.splits)]
    return "CASE " + " ".join(whens) + f" ELSE {other} END"


def _name(name: str) -> str:
    """A quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
