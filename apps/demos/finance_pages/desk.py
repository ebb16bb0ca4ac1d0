"""What every page of the finance demo reads: one opened bundle, never changed afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pandas as pd

from apps.demos.finance_pages.fields import Field, form_fields
from apps.demos.words import Words
from core.errors import BundleError

if TYPE_CHECKING:
    from core.deployment.manifest import Manifest
    from core.deployment.predictor import TablePredictor

MOST_EXAMPLES = 6
TEXTS = Path(__file__).with_name("texts.yaml")


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
    protected: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def cutoff(self) -> float:
        """PD from which the policy declines."""
        return float(self.policy["cutoff"])

    @property
    def examples(self) -> list[dict[str, Any]]:
        """Applicants to start from: the manifest's golden inputs, safest first."""
        return self.manifest.golden.inputs[:MOST_EXAMPLES]

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """The form's fields."""
        return form_fields(self.manifest.input_schema, self.reference)
