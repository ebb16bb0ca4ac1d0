"""What every page of the finance demo reads: one opened bundle, never changed afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import orjson
import pandas as pd

from apps.demos.finance_pages.fields import Field, form_fields
from apps.demos.words import Words
from core.errors import BundleError

if TYPE_CHECKING:
    from core.deployment.manifest import Manifest
    from core.deployment.predictor import TablePredictor
    from core.deployment.results import Measurement
    from verticals.finance.predictor import CreditPredictor
    from verticals.finance.reasons import ReasonMapping

MOST_EXAMPLES = 6
TEXTS = (Path(__file__).with_name("texts.yaml"), Path(__file__).with_name("labels.yaml"))


@dataclass(frozen=True)
class Desk:
    """An opened bundle and the texts around it; shared by all sessions, so nobody writes to it.

    Attributes:
        predictor: Answers applicants.
        manifest: What the bundle says about itself.
        reference: Held-out rows with the inputs, `pd` and `target`; may be empty.
        policy: The decision policy; `cutoff` at least.
        signer: Public key that signed the bundle, empty for a desk that was not opened from one.
        own: Whether the signer is this user.
        batch: How many applicants' default rate the interval speaks of.
        mapping: Wording of the reasons, and which fields may change.
        protected: Columns of the reference that are used to check fairness only.
        files: Texts of the bundle that pages show, by path.
    """

    predictor: TablePredictor
    manifest: Manifest
    reference: pd.DataFrame
    policy: Mapping[str, Any]
    words: Words
    signer: str = ""
    own: bool = False
    batch: int = 100
    protected: tuple[str, ...] = ()
    mapping: ReasonMapping | None = None
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def cutoff(self) -> float:
        """PD from which the policy declines."""
        return float(self.policy["cutoff"])

    @property
    def examples(self) -> list[dict[str, Any]]:
        """Applicants to start from, safest first: golden inputs of the manifest."""
        return [self.manifest.golden.inputs[i] for i in self._chosen]

    @property
    def example_pds(self) -> list[float]:
        """Their probabilities of default, as packed."""
        return [float(self.manifest.golden.outputs[i]["pd"]) for i in self._chosen]

    @cached_property
    def _chosen(self) -> list[int]:
        """Golden inputs spread evenly from the safest to the riskiest."""
        pds = [float(output["pd"]) for output in self.manifest.golden.outputs]
        order = sorted(range(len(pds)), key=pds.__getitem__)
        if len(order) <= MOST_EXAMPLES:
            return order
        return [
            order[round(i * (len(order) - 1) / (MOST_EXAMPLES - 1))] for i in range(MOST_EXAMPLES)
        ]

    @property
    def has_outcomes(self) -> bool:
        """Whether the reference sample says what became of its loans."""
        return len(self.reference) > 0 and {"pd", "target"} <= set(self.reference.columns)

    @property
    def champion_measurements(self) -> list[Measurement]:
        """What the packed model was measured to do on loans it never saw."""
        measured = self.manifest.measurements
        packed = [m.model for m in measured if m.metric == "pd_interval_coverage"]
        champion = next(iter([*packed, *(m.model for m in measured)]), "")
        return [m for m in measured if m.model in (champion, "champion") and m.split == "test"]

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """The form's fields."""
        return form_fields(self.manifest.input_schema, self.reference)


def open_desk(path: Path) -> Desk:
    """Verify and load a bundle, once for all sessions.

    Args:
        path: A bundle's folder or .zip file.

    Raises:
        BundleError: It is missing, changed, signed by a stranger, or of another case.
    """
    from core.deployment.bundle import Bundle
    from core.deployment.signing import own_key, public_key
    from verticals.finance.reasons import ReasonMapping

    bundle = Bundle.open(path)
    if bundle.manifest.case != "finance":
        raise BundleError(
            f"this bundle belongs to the case {bundle.manifest.case!r}",
            where=str(path),
            remedy=f"Open it with `casekit app {bundle.manifest.case}`",
        )
    reference = bundle.folder / "reference.parquet"
    policy = orjson.loads((bundle.folder / "policy.json").read_bytes())
    wording = (bundle.folder / "reasons.yaml").read_text(encoding="utf-8")
    mapping = ReasonMapping.from_yaml(wording)
    predictor = cast("CreditPredictor", bundle.predictor())
    sample = pd.read_parquet(reference) if reference.exists() else pd.DataFrame()
    texts = {
        name: (bundle.folder / name).read_text(encoding="utf-8")
        for name in bundle.manifest.files
        if name.endswith(".md")
    }
    return Desk(
        predictor=predictor,
        manifest=bundle.manifest,
        reference=sample,
        policy=policy,
        words=Words.load(*TEXTS),
        signer=bundle.signer,
        own=bundle.signer == public_key(own_key()),
        batch=predictor.model.pd_interval.batch,
        protected=tuple(name for name in sample.columns if name in mapping.silent),
        mapping=mapping,
        files=texts,
    )
