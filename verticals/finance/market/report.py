"""The market run's report and results: its sections, its figures, and writing it all down."""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING

import pandas as pd

from core.deployment.report import Section, render_report
from core.deployment.results import Results
from core.deployment.run import Run, write_atomically
from verticals.finance.market.allocation import STRATEGIES, Allocations
from verticals.finance.market.analysis import MarketBacktest, measure, risk_table
from verticals.finance.market.backtests import Backtest, backtest_table
from verticals.finance.market.figures import (
    allocation_figure,
    contribution_figure,
    risk_figure,
    var_figure,
)
from verticals.finance.market.portfolio import risk_contributions, stress_days
from verticals.finance.market.prices import Prices, describe_prices
from verticals.finance.market.verdicts import say, verdict

if TYPE_CHECKING:
    from collections.abc import Sequence


def start_run(prices: Prices) -> Run:
    """Begin the run that keeps what follows; its folder's name depends on settings and prices."""
    return Run.start(
        case="finance",
        name="finance_market_risk",
        parameters=prices.parameters,
        out=prices.parameters.out,
        fingerprint=prices.fingerprint,
    )


def finish_run(
    run: Run, prices: Prices, market: MarketBacktest, allocations: Allocations
) -> Results:
    """Write figures, report.html and, last, results.json into the run's folder."""
    with run.step("report"):
        sections = report_sections(run, prices, market, allocations)
    measurements = measure(market, allocations)
    index = prices.frame.index
    data = {
        "fingerprint": prices.fingerprint,
        "rows": len(prices.frame),
        "source": prices.source,
        "licence": prices.licence,
        "assets": len(prices.frame.columns),
        "first_day": index[0].date().isoformat(),
        "last_day": index[-1].date().isoformat(),
        "notes": list(prices.notes),
    }
    language = prices.parameters.language
    page = render_report(
        run.results(measurements, data, None),
        sections,
        title=say("report", "title", language),
        language=language,
        facts=_facts(market.lead, language),
    )
    write_atomically(run.folder / "report.html", page.encode())
    return run.finish(measurements, data)


def report_sections(
    run: Run, prices: Prices, market: MarketBacktest, allocations: Allocations
) -> list[Section]:
    """The chapters of the report; figures are stored in the run's folder on the way."""
    p, language = prices.parameters, prices.parameters.language
    today, contributions = risk_table(prices), risk_contributions(prices)

    def words(key: str) -> str:
        return say(
            "report", key, language,
            horizon=p.horizon, cost=f"{p.cost:g}", window=p.window, refit=p.refit,
            arch=metadata.version("arch"), skfolio=metadata.version("skfolio"),
        )  # fmt: skip

    return [
        Section(
            words("data"), _list(prices.notes), {prices.source: _named(describe_prices(prices))}
        ),
        Section(
            words("today"),
            words("today_text"),
            {"%": today.reset_index()},
            {words("today"): run.figure("risk_today", risk_figure(today))},
        ),
        Section(
            words("backtests"),
            words("backtests_text") + "\n\n" + _verdicts(market.one_day, language),
            {words("backtests"): backtest_table(market.one_day).reset_index()},
            {words("hits"): run.figure("var_hits", var_figure(market.lead))},
        ),
        Section(
            words("multiday"),
            _verdicts(market.multiday, language),
            {words("multiday"): backtest_table(market.multiday).reset_index()},
        ),
        *_reference_sections(market, words("references"), language),
        Section(
            words("contributions"),
            words("contributions_text"),
            {words("contributions"): _named(contributions.round(1))},
            {
                words("contributions"): run.figure(
                    "contributions", contribution_figure(contributions)
                )
            },
        ),
        Section(words("stress"), "", {words("stress"): stress_table(prices).reset_index()}),
        Section(
            words("allocation"),
            words("allocation_text"),
            {
                words("allocation"): allocation_table(allocations).reset_index(),
                words("weights"): _named((100 * allocations.weights).round(1)),
            },
            {words("allocation"): run.figure("allocations", allocation_figure(allocations))},
        ),
        Section(words("method"), words("method_text")),
    ]


def stress_table(prices: Prices) -> pd.DataFrame:
    """The stress days rounded, with days as text."""
    table = stress_days(prices).round(2)
    return table.set_axis([f"{day:%Y-%m-%d}" for day in table.index]).rename_axis("day")


def allocation_table(allocations: Allocations) -> pd.DataFrame:
    """The comparison with the strategies' full names."""
    return allocations.table.rename(index=STRATEGIES)


def _reference_sections(market: MarketBacktest, title: str, language: str) -> list[Section]:
    if not market.references:
        return []
    found = [b for tests in market.references.values() for b in tests]
    texts = [
        f"**{name}**: {verdict(b, language)}"
        for name, tests in market.references.items()
        for b in tests
        if b.forecast.method == market.lead.forecast.method
    ]
    table = backtest_table(found).reset_index()
    table.insert(0, "index", [name for name, tests in market.references.items() for _ in tests])
    return [Section(title, _list(texts), {title: table})]


def _verdicts(backtests: Sequence[Backtest], language: str) -> str:
    return _list([verdict(b, language) for b in backtests])


def _facts(lead: Backtest, language: str) -> dict[str, str]:
    f = lead.forecast
    zone = say("colour", lead.zone.colour, language) if lead.zone else ""
    return {
        say("report", "fact_hits", language, level=f"{100 * f.level:g}%"): (
            f"{lead.hits} / {lead.expected:g}"
        ),
        "Kupiec p": f"{lead.test('kupiec').p_value:.3f}",
        say("report", "fact_zone", language): zone,
    }


def _list(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _named(table: pd.DataFrame) -> pd.DataFrame:
    return table.rename_axis("asset").reset_index()
