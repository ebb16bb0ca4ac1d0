"""The chapters, verdicts and measurements of a decision run."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import yaml

from core.deployment.report import Section
from core.deployment.results import Measurement
from core.deployment.run import Run
from core.evaluation.bootstrap import mean_interval, share_interval
from verticals.driving.deciding import figures
from verticals.driving.deciding.evaluation import Episodes
from verticals.driving.deciding.judging import (
    POLICY,
    RULES,
    SHIELDED,
    TAUGHT,
    collision_table,
    driver_table,
    reason_table,
    trap_table,
)
from verticals.driving.deciding.loading import origin_table
from verticals.driving.deciding.proving import failure_table, gate_table, pass_counts
from verticals.driving.deciding.stages import ROADS, Explained, Judged, Proved, Taught
from verticals.driving.deciding.teaching import curve_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FILE = Path(__file__).with_name("report_texts.yaml")
_MEANS = {"pace": "pace_m_s", "reward": "return", "jerk": "jerk_m_s3"}


@cache
def texts() -> dict[str, Any]:
    """Everything the report says, by chapter and language."""
    found: dict[str, Any] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return found


def verdict(judged: Judged, language: str = "en") -> str:
    """What judging says of every road, as a list in Markdown."""
    said = texts()["verdict"]
    lines = []
    for road in ROADS:
        found = judged.episodes[road]
        ours, n = int(found[SHIELDED].crashed.sum()), len(judged.seeds)
        share = share_interval(ours, n)
        line = said["compared"][language].format(
            road=texts()["road"][road][language], ours=ours, n=n, low=f"{share.low:.0%}",
            high=f"{share.high:.0%}", theirs=int(found[RULES].crashed.sum()),
            pace=f"{found[SHIELDED].pace.mean():.1f}",
            pace_rule=f"{found[RULES].pace.mean():.1f}",
        )  # fmt: skip
        line += " " + said["bare"][language].format(bare=int(found[POLICY].crashed.sum()))
        hit = judged.collisions[road]
        if hit:
            line += " " + said["unavoidable"][language].format(
                hit=len(hit), avoidable=sum(one.avoidable for one in hit)
            )
        lines.append(f"- {line}")
    return "\n".join(lines)


def left_over(judged: Judged, language: str = "en") -> str:
    """The collisions that the shield did not prevent, each looked at again; in Markdown."""
    said = texts()["left"]
    found = [(road, one) for road in ROADS for one in judged.collisions[road]]
    n = len(ROADS) * len(judged.seeds)
    head = said["some" if found else "none"][language].format(
        n=n, roads=len(ROADS), hit=len(found), most=f"{share_interval(len(found), n).high:.1%}"
    )
    lines = [
        said["one" if one.avoidable else "beyond"][language].format(
            road=texts()["road"][road][language], time=f"{one.time_s:.1f}", how=one.how, by=one.by
        )
        for road, one in found
    ]
    return "\n".join([head, "", *(f"- {line}" for line in lines)]).strip()


def measure(judged: Judged, proved: Proved) -> list[Measurement]:
    """What a run writes to results.json; the baseline is the rule driver with the same eyes."""
    found = []
    for road in ROADS:
        rules = judged.episodes[road][RULES]
        for model in (SHIELDED, POLICY, TAUGHT):
            if model in judged.episodes[road]:
                found += _of_driver(road, model, judged.episodes[road][model], rules)
    rule_passes = sum(trace.passed for trace in proved.runs["rule driver, shield"])
    for model in (SHIELDED, POLICY):
        some = proved.runs[model]
        share = share_interval(sum(trace.passed for trace in some), len(some))
        found.append(Measurement(
            metric="scenario_cases_passed", value=share.value, low=share.low, high=share.high,
            n=len(some), split="test", model=model, baseline=rule_passes / len(some),
            baseline_model="rule driver, shield",
        ))  # fmt: skip
    return found


def _of_driver(road: str, model: str, ours: Episodes, rules: Episodes) -> list[Measurement]:
    n = len(ours.seeds)
    pairs = {"crash_rate": (share_interval(int(ours.crashed.sum()), n), rules.crashed.mean())}
    for name, metric in _MEANS.items():
        pairs[metric] = (mean_interval(getattr(ours, name)), getattr(rules, name).mean())
    return [
        Measurement(
            metric=f"{road}_{metric}", value=one.value, low=one.low, high=one.high, n=n,
            split="test", model=model, baseline=float(base), baseline_model=RULES,
        )
        for metric, (one, base) in pairs.items()
    ]  # fmt: skip


def sections(
    judged: Judged, taught: Taught, proved: Proved, explained: Explained, run: Run
) -> list[Section]:
    """The report's chapters; figures are stored in the run's folder on the way."""
    loaded = judged.loaded
    language = loaded.parameters.language
    tables = {
        "origin": origin_table(loaded), "trap": trap_table(loaded), "curve": curve_table(taught),
        "reasons": _translated(reason_table(judged), language),
        "collisions": collision_table(judged), "passes": pass_counts(proved),
        "failure": failure_table(proved), "gate": gate_table(proved),
        "certificate": explained.why.certificate,
    }  # fmt: skip
    drawn = drawings(judged, taught, proved, explained)
    chapters: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {  # tables, figures
        "traffic": (("origin",), ()), "trap": (("trap",), ()),
        "learning": (("curve",), ("learning",)), "judged": ((), ("drivers",)),
        "shield": (("reasons", "collisions"), ("shield",)),
        "scenarios": (("passes", "failure", "gate"), ("surface", "failure")),
        "why": (("certificate",), ("scene", "why", "reads")), "limits": ((), ()),
    }  # fmt: skip
    said = texts()
    out = []
    for name, (shown, pictures) in chapters.items():
        words = said[name][language]
        text = words["text"].format(n=len(judged.seeds))
        captions = {said["tables"][t][language]: tables[t] for t in shown if len(tables[t])}
        if name == "judged":
            text = f"{text}\n\n{verdict(judged, language)}"
            captions |= {said["road"][road][language]: driver_table(judged, road)
                         for road in ROADS}  # fmt: skip
        if name == "shield":
            text = f"{text}\n\n{left_over(judged, language)}"
        if name == "why":
            text = f"{text}\n\n{in_words(explained, language)}"
        files = {said["figures"][f][language]: run.figure(f, drawn[f])
                 for f in pictures}  # fmt: skip
        out.append(Section(words["title"], text, captions, files))
    return out


def drawings(
    judged: Judged, taught: Taught, proved: Proved, explained: Explained
) -> dict[str, Figure]:
    """Figures by name."""
    road = judged.loaded.parameters.road
    return {
        "learning": figures.learning_figure(taught), "drivers": figures.drivers_figure(judged),
        "shield": figures.shield_figure(judged, road), "surface": figures.suite_figure(proved),
        "failure": figures.failure_figure(proved),
        "scene": figures.strip(explained.scene, pictures=1),
        "why": figures.why_figure(explained), "reads": figures.reads_figure(explained),
    }  # fmt: skip


def in_words(explained: Explained, language: str = "en") -> str:
    """The decision and what spoke most for it, in a sentence."""
    why, said = explained.why, texts()
    least = 0.1 * max((part.weight for part in why.parts), default=0.0)
    heavy = [part.name for part in why.parts if part.weight > max(least, 0.0)][:2]
    joint = {"en": " and ", "zh": "、"}[language]
    words: str = said["decided"][language].format(
        action=why.action, chance=f"{why.chances[why.action]:.0%}",
        parts=joint.join(heavy) or said["nothing"][language],
    )  # fmt: skip
    return words


def facts(judged: Judged, proved: Proved) -> dict[str, str]:
    """The headline values, shown large."""
    language = judged.loaded.parameters.language
    said = texts()["facts"]
    n = len(ROADS) * len(judged.seeds)
    crashed = {name: sum(int(judged.episodes[road][name].crashed.sum()) for road in ROADS)
               for name in (SHIELDED, RULES)}  # fmt: skip
    passed = sum(trace.passed for trace in proved.runs[SHIELDED])
    yes, no = said["answers"][language].split("|")
    allowed = proved.verdicts["rule driver, shield", SHIELDED].allowed
    return {
        said["crashes"][language]: f"{crashed[SHIELDED]} / {n}",
        said["rule"][language]: f"{crashed[RULES]} / {n}",
        said["passed"][language]: f"{passed} / {len(proved.runs[SHIELDED])}",
        said["gate"][language]: yes if allowed else no,
    }


def _translated(table: pd.DataFrame, language: str) -> pd.DataFrame:
    """Reasons of the shield in the reader's language."""
    words = texts()["reason"]
    return table.assign(
        reason=[words.get(name, {}).get(language, name) for name in table["reason"]]
    )
