"""Open perception for the demo: the weights that come with the kit, or a client's own bundle."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from apps.demos.driving_pages.desk import TEXTS, Desk, Explainer, Image, Reason
from apps.demos.driving_pages.looking import look
from apps.demos.driving_pages.runtimes import Runtimes
from apps.demos.driving_pages.scenes import scene
from apps.demos.words import Words
from core.errors import BundleError
from verticals.driving.perception.eye import WEIGHTS, Eye, open_eye

if TYPE_CHECKING:
    from verticals.driving.frame import Boxes2D, Floats
    from verticals.driving.perception.network import RoadNetwork
    from verticals.driving.predictor import RoadPredictor
    from verticals.driving.scenarios.running import Policy
    from verticals.driving.scenarios.schema import Case

CASE = "driving"
FIRST = (12, "day")  # the scene that a page shows before anybody chose


def open_desk(bundle: Path | None = None, *, weights: Path = WEIGHTS) -> Desk:
    """Open perception once for all sessions.

    Args:
        bundle: A bundle's folder or .zip file; without one, the weights.
        weights: Folder of road.safetensors.

    Raises:
        BundleError: The bundle is missing, changed, signed by a stranger, or of another case.
        ModelError: The weights are missing or damaged.
    """
    if bundle is not None:
        return _of_bundle(bundle)
    from core.deployment.signing import casekit_home
    from verticals.driving.perception.training import load_network

    file = weights / "road.safetensors"
    eye, network = open_eye(weights), load_network(file)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()[:12]
    home = casekit_home() / "demos" / f"driving-{digest}"
    card = weights / "card.md"
    return desk_of(
        Runtimes(eye, "torch", (weights, home), network=network),
        explain=partial(_explained, network),
        card=card.read_text(encoding="utf-8") if card.exists() else "",
    )


def desk_of(
    runtimes: Runtimes, *, explain: Explainer | None = None, card: str = "",
    second: Callable[[Image], Boxes2D] | None = None,
) -> Desk:  # fmt: skip
    """The desk around opened perception.

    Args:
        runtimes: Perception.
        explain: Says why an object is seen, if that can be said.
        card: What is known of the network.
        second: Another network's pedestrians; by default the one that OpenVINO opens.
    """
    from verticals.driving.scenarios.schema import read_cases

    kind = runtimes.kinds[0]
    camera, pictures = scene(*FIRST, drive=False)
    return Desk(
        runtimes=runtimes, words=Words.load(*TEXTS),
        first=look(runtimes.eye(kind), kind, pictures, "scene", camera=camera),
        second=second or _second, drivers=drivers(), cases=tuple(read_cases()), explain=explain,
        card=card,
    )  # fmt: skip


def drivers() -> dict[str, Callable[[Case], Policy]]:
    """Who can drive the scenarios."""
    from verticals.driving.scenarios.running import constant
    from verticals.driving.scenarios.suite import learned, same
    from verticals.driving.traffic.columns import FASTER
    from verticals.driving.traffic.motion import RULE

    return {"learned": learned(), "rule": same(constant(RULE)), "faster": same(constant(FASTER))}


def _of_bundle(path: Path) -> Desk:
    from core.deployment.bundle import Bundle

    bundle = Bundle.open(path)
    if bundle.manifest.case != CASE:
        raise BundleError(
            f"this bundle belongs to the case {bundle.manifest.case!r}",
            where=str(path),
            remedy=f"Open it with `casekit app {bundle.manifest.case}`",
        )
    predictor = cast("RoadPredictor", bundle.predictor())
    eye: Eye | None = getattr(predictor, "eye", None)
    if eye is None:
        raise BundleError("this bundle decides and does not see", where=str(path),
                          remedy="Open a bundle of the notebook driving_perception")  # fmt: skip
    predictor.warm_up()
    kind = getattr(eye.run, "kind", "onnx")
    card = bundle.folder / "card.md"
    return desk_of(
        Runtimes(eye, kind, (bundle.folder,)),
        card=card.read_text(encoding="utf-8") if card.exists() else "",
    )


def _explained(network: RoadNetwork, image: Image, box: Floats, kind: str) -> Reason:
    """Where the evidence lies; some seconds."""
    from verticals.driving.perception.why import explain_object

    why = explain_object(network, image, box, kind)
    return Reason(why.heat, {"en": why.sentence("en"), "zh": why.sentence("zh")}, why.holds)


@cache
def _opinion() -> Callable[[Image], Boxes2D]:
    """The second opinion, opened once.

    Raises:
        ModelError: It or OpenVINO is not installed.
    """
    from verticals.driving.perception.second_opinion import SecondOpinion

    opened = SecondOpinion.open()
    return lambda image: opened.boxes([image])[0]


def _second(image: Image) -> Boxes2D:
    return _opinion()(image)
