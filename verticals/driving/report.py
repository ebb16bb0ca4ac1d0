"""The chapters of a perception report: what a safety board and a client read, in order."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import yaml

from core.deployment.report import Section
from core.deployment.run import Run
from explain.vision import draw_heat
from verticals.driving.data.privacy import hide_people
from verticals.driving.frame import Frame, View
from verticals.driving.parameters import Language
from verticals.driving.perception import figures
from verticals.driving.stages import Evaluated, Explained

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLES = {"en": "Perception report", "zh": "感知评估报告"}
_TEXTS = Path(__file__).with_name("report_texts.yaml")
_CHAPTERS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {  # tables, figures
    "images": (("contents", "findings"), ()),
    "teaching": (("duel",), ("seen",)),
    "surfaces": ((), ("surfaces",)),
    "objects": (("slices",), ("objects", "distance")),
    "confidence": ((), ("reliability",)),
    "why": (("certificate",), ("heat",)),
    "runtimes": (("exports",), ()),
    "limits": ((), ()),
}
_SHOWN = 6  # pictures


def sections(
    explained: Explained, exports: pd.DataFrame, run: Run, language: Language
) -> list[Section]:  # fmt: skip
    """The report's chapters with their tables and figures.

    Args:
        explained: Everything that was found.
        exports: What each runtime loses and costs.
        run: Keeps the figures as files too.
        language: en or zh.
    """
    texts = yaml.safe_load(_TEXTS.read_text(encoding="utf-8"))
    evaluated = explained.evaluated
    checked = evaluated.fitted.split.checked
    tables = {
        "contents": checked.contents, "findings": checked.findings, "duel": evaluated.fitted.duel,
        "slices": _narrow(evaluated.tables.get("slices", pd.DataFrame())),
        "certificate": explained.why.certificate, "exports": exports,
    }  # fmt: skip
    drawn = drawings(explained)
    out = []
    for name, (shown, pictures) in _CHAPTERS.items():
        words = texts[name][language]
        text = words["text"]
        if name == "why":
            text = f"{text}\n\n{explained.why.sentence(language)}"
        captions = {texts["tables"][t][language]: tables[t] for t in shown if len(tables[t])}
        files = {
            texts["figures"][f][language]: _kept(run, f, drawn[f]) for f in pictures if f in drawn
        }
        out.append(Section(words["title"], text, captions, files))
    return out


def _narrow(slices: pd.DataFrame) -> pd.DataFrame:
    """The columns that fit a page."""
    wanted = ["slice", "bin", "objects", "recall", "low", "high", "precision"]
    return slices[[name for name in wanted if name in slices]]


def _kept(run: Run, name: str, drawn: Any) -> Path | bytes:
    """A figure as a file of the run, a picture as PNG."""
    if hasattr(drawn, "savefig"):
        return run.figure(name, drawn)
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(drawn).save(buffer, "PNG")
    return buffer.getvalue()


def drawings(explained: Explained) -> Mapping[str, Figure | Any]:
    """Figures and pictures by name, as far as there is something to draw."""
    evaluated, judged = explained.evaluated, explained.evaluated.judged
    chosen, name = evaluated.fitted.chosen, other_name(evaluated)
    drawn: dict[str, Any] = {"seen": seen_picture(evaluated)}
    beside = evaluated.beside
    if judged.surfaces:
        more = {name: beside.surfaces} if beside and beside.surfaces else {}
        drawn["surfaces"] = figures.surfaces_figure({chosen: judged.surfaces, **more})
    if judged.detections:
        extra = {name: beside.detections} if beside and beside.detections else {}
        drawn["objects"] = figures.detections_figure({chosen: judged.detections, **extra})
    if judged.distance:
        drawn["distance"] = figures.distance_figure(judged.distance)
    confidences = {n: c for n, c in (("surfaces", judged.pixels), ("objects", judged.boxes)) if c}
    if confidences:
        drawn["reliability"] = figures.reliability_figure(confidences)
    drawn["heat"] = draw_heat(explained.picture, explained.why.heat)
    return drawn


def other_name(evaluated: Evaluated) -> str:
    """Of the network that was not chosen."""
    return "taught" if evaluated.fitted.chosen == "shipped" else "shipped"


def seen_picture(evaluated: Evaluated) -> Any:
    """Some test images with what was seen in them, side by side: (h, w, 3) uint8."""
    fitted = evaluated.fitted
    private = fitted.split.checked.loaded.parameters.private
    both = list(zip(fitted.split.test, evaluated.sights, strict=True))
    pictures = []
    for frame, sight in both[:: max(1, len(both) // _SHOWN)][:_SHOWN]:
        image = frame.view.image
        if private:
            shown = Frame({"camera": View(image, boxes=sight.boxes)})
            image = hide_people(shown).views["camera"].image
        pictures.append(figures.draw_sight(image, sight))
    return figures.montage(pictures, columns=3, width=384)


def facts(explained: Explained, language: str) -> dict[str, str]:
    """The headline values, shown large."""
    names = {"en": ("Surfaces, mean IoU", "Objects, AP50", "Distance error", "Lane lines, F1"),
             "zh": ("表面平均 IoU", "目标 AP50", "距离误差", "车道线 F1")}[language]  # fmt: skip
    found = {m.metric: m.value for m in explained.evaluated.measurements}
    values = (("miou", "{:.2f}"), ("ap50", "{:.2f}"), ("distance_error", "{:.0%}"),
              ("lane_f1", "{:.2f}"))  # fmt: skip
    return {
        name: form.format(found[key]) if key in found else "–"
        for name, (key, form) in zip(names, values, strict=True)
    }


def export_table(exports: pd.DataFrame) -> pd.DataFrame:
    """What a client asks of each runtime: may it be used, what is lost, what does it cost."""
    columns = ["kind", "used", "miou_loss", "worst_class", "ap50_loss", "mib", "resident_mib",
               "frames_a_second", "times_torch", "refused"]  # fmt: skip
    return exports[columns]
