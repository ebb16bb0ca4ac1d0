"""Value at risk on public indices: our default beside plain historical simulation and GARCH-normal.

python -m bench.finance_market
"""

from __future__ import annotations

import time
from typing import Any

from bench.machine import machine, write_result
from verticals.finance.market.backtests import backtest
from verticals.finance.market.parameters import MarketParameters
from verticals.finance.market.prices import load_reference
from verticals.finance.market.var import forecast_risk

LEVEL, DAYS = 0.99, 1000
METHODS = ("fhs", "hs", "garch_normal")


def measure(name: str) -> dict[str, Any]:
    """Every method on the last days of one index."""
    p = MarketParameters()
    returns = load_reference(name, p).returns
    out: dict[str, Any] = {}
    for method in METHODS:
        begun = time.perf_counter()
        found = forecast_risk(
            returns, (method, "hs"), levels=(LEVEL,), days=DAYS, window=p.window, refit=p.refit
        )
        seconds = time.perf_counter() - begun
        b = backtest(found[method, LEVEL], baseline=found["hs", LEVEL], seed=p.seed)
        out[method] = {
            "pinball_percent": vars(b.pinball),
            "hits": b.hits,
            "expected": b.expected,
            "p_values": {test.name: test.p_value for test in b.tests},
            "basel_zone": b.zone.colour if b.zone else None,
            "seconds": seconds,
        }
    return out


def main() -> None:
    """Measure and write bench/results/finance_market.json."""
    found = {name: measure(name) for name in ("sp500", "nasdaq", "wti")}
    headline = {}
    for name, methods in found.items():
        ours = methods["fhs"]["pinball_percent"]["value"]
        headline[f"{name}: pinball loss at 99%, default"] = ours
        for other in METHODS[1:]:
            headline[f"{name}: ... as a share of {other}'s"] = (
                ours / methods[other]["pinball_percent"]["value"]
            )
        headline[f"{name}: Kupiec p"] = methods["fhs"]["p_values"]["kupiec"]
    write_result(
        "finance_market", {"machine": machine("arch"), "headline": headline, "indices": found}
    )


if __name__ == "__main__":
    main()
