"""The report: one page that loads nothing, and shows what it is given as text."""

from __future__ import annotations

import re
import shlex
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from core.deployment.report import Section, metric_table, render_report, replay_command
from core.deployment.results import Measurement, Results

EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>"
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20


@pytest.fixture
def results() -> Results:
    """Results in which a stranger chose every text."""
    auc = Measurement(metric="roc_auc", value=0.7953, low=0.76, high=0.83, n=300, split="test",
                      model=EVIL, baseline=0.77, baseline_model="scorecard")  # fmt: skip
    return Results(
        case="finance", run_id="finance_credit_risk-0123456789", seed=1,
        parameters={"data": "it's; rm -rf $HOME.csv", "protected": ["age", "sex"], "out": "runs",
                    "target": None, "budget": 60.0},
        versions={"python": "3.11.7"}, data={"fingerprint": "f" * 64, "rows": 10, "source": EVIL},
        results=[auc], timings={"fit": 1.5}, bundle="bundle",
    )  # fmt: skip


class Tags(HTMLParser):
    """Every tag with its attributes, as a browser would read them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def page(results: Results, language: str = "en") -> str:
    table = pd.DataFrame({EVIL: [EVIL, None], "share": [0.123456, float("nan")]})
    text = f"Read this: {EVIL} [link](https://evil.example) ![x](https://evil.example/x.png)"
    sections = [Section(EVIL, text, {EVIL: table}, {EVIL: PNG})]
    return render_report(results, sections, title=EVIL, language=language, facts={EVIL: EVIL})


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_is_given_is_shown_as_text_and_nothing_is_loaded(
    results: Results, language: str
) -> None:
    tags = Tags(page(results, language)).found
    assert not [tag for tag, _ in tags if tag in ("script", "iframe", "object", "link", "base")]
    assert not [a for _, a in tags if any(name.startswith("on") for name in a)]
    sources = [a["src"] or "" for _, a in tags if "src" in a]
    assert sources
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    targets = [a["href"] or "" for tag, a in tags if "href" in a]
    assert all(target.startswith("#") for target in targets)
    assert ("html", {"lang": language}) in tags


def test_every_anchor_leads_somewhere(results: Results) -> None:
    tags = Tags(page(results)).found
    ids = {a["id"] for _, a in tags if "id" in a}
    assert {(a["href"] or "#")[1:] for _, a in tags if "href" in a} <= ids


def test_metrics_come_from_the_results(results: Results) -> None:
    table = BeautifulSoup(page(results), "html.parser").select_one("#metrics table")
    assert table
    cells = [cell.get_text() for cell in table.select("tbody td")]
    assert cells[:3] == ["roc_auc", EVIL, "test"]
    low, high = cells[4].split(" – ")
    shown = [float(text) for text in (cells[3], low, high, cells[5], cells[6])]
    assert shown == pytest.approx([0.7953, 0.76, 0.83, 300, 0.77], abs=5e-4)
    assert cells[7] == "scorecard"
    assert len(table.select("tbody tr")) == len(metric_table(results))


def test_another_command_than_a_run_may_repeat_it(results: Results) -> None:
    shown = render_report(results, [], title="t", command="casekit regress BUNDLE <folder>")
    assert BeautifulSoup(shown, "html.parser").pre.text == "casekit regress BUNDLE <folder>"  # type: ignore[union-attr]
    assert replay_command(results) not in shown


def test_the_replay_command_survives_a_shell(results: Results) -> None:
    words = shlex.split(replay_command(results))
    assert words[:4] == ["casekit", "run", "finance", "finance_credit_risk"]
    assert "data=it's; rm -rf $HOME.csv" in words
    assert 'protected=["age","sex"]' in words
    assert not [w for w in words if w.startswith(("out=", "target="))]


def test_the_page_forbids_scripts_to_itself(results: Results) -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page(results))
    assert policy
    assert "default-src 'none'" in policy.group(1)


def test_a_figure_may_be_a_file(results: Results, tmp_path: Path) -> None:
    place = tmp_path / "figure.png"
    place.write_bytes(PNG)
    sections = [Section("One", figures={"A figure": place})]
    found = Tags(render_report(results, sections, title="t")).found
    assert [a["alt"] for tag, a in found if tag == "img"] == ["A figure"]
