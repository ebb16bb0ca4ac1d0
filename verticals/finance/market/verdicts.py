"""What a backtest says, in plain sentences, failures first called by their name."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from verticals.finance.market.backtests import Backtest


@cache
def _texts() -> dict[str, dict[str, dict[str, str]]]:
    text = files("verticals.finance.market").joinpath("texts.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text)


def say(group: str, key: str, language: str, **values: Any) -> str:
    """A sentence of texts.yaml in one language."""
    return _texts()[group][key][language].format(**values)


def verdict(backtest: Backtest, language: str = "en") -> str:
    """One paragraph: hits against expectation, every test, the zone."""
    f = backtest.forecast
    level, name = f"{100 * f.level:g}%", say("method", f.method, language)
    if f.horizon > 1:
        return say(
            "verdict", "overlapping", language,
            method=name, horizon=f.horizon, level=level,
            rate=f"{backtest.hit_rate.value:.1f}", low=f"{backtest.hit_rate.low:.1f}",
            high=f"{backtest.hit_rate.high:.1f}", expected=f"{100 * (1 - f.level):g}",
            separate=len(f.var) // f.horizon,
        )  # fmt: skip
    counts = {"hits": backtest.hits, "n": len(f.var), "expected": round(backtest.expected, 1)}
    sentences = [say("verdict", "hits", language, method=name, level=level, **counts)]
    for test, key in (
        ("kupiec", "kupiec"),
        ("christoffersen_independence", "independence"),
        ("conditional_coverage", "coverage"),
        ("acerbi_szekely_z2", "es"),
    ):
        result = backtest.test(test)
        ending = "pass" if result.passed else "fail"
        if test == "kupiec" and not result.passed:
            ending = "many" if backtest.hits > backtest.expected else "few"
        sentences.append(say("verdict", f"{key}_{ending}", language, p=show_p(result.p_value)))
    zone = backtest.zone
    if zone is not None:
        colour = say("colour", zone.colour, language)
        sentences.append(
            say("verdict", "zone", language, days=zone.days, colour=colour, hits=zone.hits)
        )
    return (" " if language == "en" else "").join(sentences)


def show_p(value: float) -> str:
    """A p-value with its sign, in as many decimals as tell it from the limit of 0.05."""
    if value < 0.001:
        return "< 0.001"
    return f"= {value:.5f}" if f"{value:.3f}" == "0.050" else f"= {value:.3f}"
