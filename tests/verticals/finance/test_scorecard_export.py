"""The exported scorecard, run by SQLite and by a small PMML engine that knows nothing of ours."""

from __future__ import annotations

import shlex
import sqlite3
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from verticals.finance.scorecard import Scorecard, fit_scorecard
from verticals.finance.scorecard_export import PMML_NAMESPACE, to_pmml, to_sql

ODD = 'he said "income"; -- drop'
NS = {"p": PMML_NAMESPACE}


def book(rows: int, seed: int) -> pd.DataFrame:
    """Names and values that need quoting, missing values, cut points hit exactly."""
    rng = np.random.default_rng(seed)
    values = ["it's", 'a "b"', "back\\slash", "x,y", "plain", "two words", "中文"]
    return pd.DataFrame(
        {
            ODD: np.where(rng.random(rows) < 0.1, np.nan, rng.normal(size=rows).round(2)),
            "kind's": pd.Series(rng.choice(values, rows), dtype="str").mask(rng.random(rows) < 0.1),
            "order": rng.integers(0, 9, rows).astype(float),
        }
    )


@pytest.fixture(scope="module")
def card() -> Scorecard:
    frame = book(2_000, 0)
    rng = np.random.default_rng(1)
    z = np.nan_to_num(frame[ODD]) - 0.3 * frame["order"] + 1.0 * (frame["kind's"] == "it's")
    z = z + 0.8 * (frame["kind's"] == 'a "b"') - 0.7 * (frame["kind's"] == "back\\slash")
    target = (z + rng.normal(size=len(frame)) > 0).to_numpy(int)
    card = fit_scorecard(frame, target, features=tuple(frame.columns))
    assert set(card.columns) == set(frame.columns)
    return card


def applicants(card: Scorecard, rows: int) -> pd.DataFrame:
    """New rows, some of a category never seen, some on a cut point."""
    frame = book(rows, 2)
    frame.loc[::50, "kind's"] = "never seen"
    cuts = next(c for c in card.characteristics if c.name == ODD).splits
    frame.loc[: len(cuts) - 1, ODD] = cuts
    return frame


def test_sqlite_gives_what_python_gives(card: Scorecard) -> None:
    frame = applicants(card, 100_000)
    with sqlite3.connect(":memory:") as connection:
        frame.assign(n=np.arange(len(frame))).to_sql('the "book"', connection, index=False)
        found = pd.read_sql_query(to_sql(card, 'the "book"'), connection).sort_values("n")
    np.testing.assert_allclose(found["log_odds"], card.log_odds(frame), rtol=0, atol=1e-9)
    np.testing.assert_allclose(found["points"], card.points(frame), rtol=0, atol=1e-9)


def meets(predicate: ET.Element, row: dict[str, object]) -> bool | None:
    """A PMML predicate: true, false, or None for unknown (PMML 4.4, tree model, predicates)."""
    tag = predicate.tag.removeprefix(f"{{{PMML_NAMESPACE}}}")
    if tag == "True":
        return True
    value = row[predicate.attrib["field"]]
    if tag == "SimplePredicate" and predicate.attrib["operator"] == "isMissing":
        return pd.isna(value)
    if pd.isna(value):
        return None
    if tag == "SimplePredicate":
        assert predicate.attrib["operator"] == "lessThan"
        return float(value) < float(predicate.attrib["value"])
    array = predicate.find("p:Array", NS)
    assert array is not None
    assert array.text is not None
    reader = shlex.shlex(array.text, posix=True)
    reader.whitespace_split, reader.escapedquotes, reader.quotes = True, '"', '"'
    values = list(reader)
    assert len(values) == int(array.attrib["n"])
    return value in values


def pmml_score(model: ET.Element, row: dict[str, object]) -> float:
    """A PMML 4.4 scorecard: initial score plus the first attribute of each that holds."""
    total = float(model.attrib["initialScore"])
    for characteristic in model.findall("p:Characteristics/p:Characteristic", NS):
        attributes = characteristic.findall("p:Attribute", NS)
        holds = next(a for a in attributes if meets(a[0], row))
        total += float(holds.attrib["partialScore"])
    return total


def test_pmml_gives_what_python_gives(card: Scorecard) -> None:
    root = ET.fromstring(to_pmml(card))
    model = root.find("p:Scorecard", NS)
    assert model is not None
    frame = applicants(card, 1_000)
    found = [pmml_score(model, row) for row in frame.to_dict("records")]
    np.testing.assert_allclose(found, card.points(frame), atol=1e-9)


def test_pmml_declares_every_field_it_uses(card: Scorecard) -> None:
    root = ET.fromstring(to_pmml(card))
    assert root.attrib["version"] == "4.4"
    declared = {f.attrib["name"] for f in root.findall("p:DataDictionary/p:DataField", NS)}
    mined = {f.attrib["name"] for f in root.findall(".//p:MiningField", NS)}
    used = {e.attrib["field"] for e in root.iter() if "field" in e.attrib}
    assert used == declared == mined == set(card.columns)


def test_pmml_keeps_the_order_of_the_schema(card: Scorecard) -> None:
    # The XSD asks for these sequences; engines refuse others.
    root = ET.fromstring(to_pmml(card))
    assert [e.tag.split("}")[1] for e in root] == ["Header", "DataDictionary", "Scorecard"]
    model = root[2]
    assert [e.tag.split("}")[1] for e in model] == ["MiningSchema", "Output", "Characteristics"]
