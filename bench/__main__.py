"""Runs the benchmarks, and renders their results into the README.

    python -m bench                 every benchmark, then the README
    python -m bench scoring         one of them, then the README
    python -m bench --render        only the README, from bench/results/*.json

Each benchmark is a module of this package that writes bench/results/NAME.json; what a reader wants
first stands in its `headline`, an object by name of numbers, or of
{"value": ..., "low": ..., "high": ..., "baseline": ...}.
"""

from __future__ import annotations

import argparse
import json
import pkgutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import bench
from bench.machine import RESULTS

README = Path(__file__).resolve().parents[1] / "README.md"
START, END = "<!-- bench:start -->", "<!-- bench:end -->"
NOT_BENCHMARKS = ("__main__", "machine", "packages")


def names() -> list[str]:
    """Every benchmark of the package."""
    found = [module.name for module in pkgutil.iter_modules(bench.__path__)]
    return [name for name in found if name not in NOT_BENCHMARKS]


def render(results: Path = RESULTS) -> str:
    """The README's block: a table of every result's headline, and where it was measured."""
    lines = []
    for path in sorted(results.glob("*.json")):
        found = json.loads(path.read_text(encoding="utf-8"))
        rows = [(k, v) for k, v in (found.get("headline") or _scalars(found)).items()]
        if not rows:
            continue
        place = found.get("machine", {})
        where = ", ".join(str(place[k]) for k in ("processor", "cores") if k in place)
        lines += [f"**{path.stem}** ({where} cores)" if where else f"**{path.stem}**", ""]
        lines += ["| measured | value |", "|---|---|"]
        lines += [f"| {name.replace('_', ' ')} | {_shown(value)} |" for name, value in rows]
        lines.append("")
    body = "\n".join(lines) if lines else "Nothing measured yet: `make bench`.\n"
    return f"{START}\n{body}{END}"


def write_readme(readme: Path = README) -> None:
    """Replace the README's block."""
    text = readme.read_text(encoding="utf-8")
    head, start, rest = text.partition(START)
    _, end, tail = rest.partition(END)
    if not start or not end:
        raise SystemExit(f"{readme} has no {START} ... {END}")
    readme.write_text(head + render() + tail, encoding="utf-8")


def main() -> int:
    """Run what was asked for; returns 1 if a benchmark failed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help=f"of {', '.join(names())}; all by default")
    parser.add_argument("--render", action="store_true", help="only write the README")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(names())
    if unknown:
        parser.error(f"no benchmark named {', '.join(sorted(unknown))}")
    failed = []
    for name in [] if arguments.render else arguments.names or names():
        print(f"Measuring {name}", flush=True)
        if subprocess.run([sys.executable, "-m", f"bench.{name}"], check=False).returncode:
            failed.append(name)
    write_readme()
    if failed:
        print(f"Failed: {', '.join(failed)}", file=sys.stderr)
    return int(bool(failed))


def _scalars(found: dict[str, Any]) -> dict[str, float]:
    return {k: v for k, v in found.items() if isinstance(v, int | float)}


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        if "value" not in value:
            return ", ".join(f"{name} {_shown(part)}" for name, part in value.items())
        text = _shown(value["value"])
        if "low" in value:
            text += f" [{_shown(value['low'])}, {_shown(value['high'])}]"
        return text + (f"; baseline {_shown(value['baseline'])}" if "baseline" in value else "")
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


if __name__ == "__main__":
    sys.exit(main())
