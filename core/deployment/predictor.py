"""What every bundle offers: plain inputs in, plain outputs out.

Notebooks, apps, services, explanations and monitors speak to a Predictor and to nothing deeper.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import pandas as pd
from pydantic import BaseModel


@runtime_checkable
class Predictor(Protocol):
    """A model behind typed inputs and outputs, whatever runtime holds its weights."""

    @property
    def input_model(self) -> type[BaseModel]:
        """Pydantic model of one input."""

    @property
    def output_model(self) -> type[BaseModel]:
        """Pydantic model of one output."""

    def predict(self, inputs: list[BaseModel]) -> list[BaseModel]:
        """Outputs in the order of the inputs, one each."""


@runtime_checkable
class TablePredictor(Predictor, Protocol):
    """A Predictor whose input is a row: it also takes whole tables, which is far faster."""

    def predict_table(self, frame: pd.DataFrame, *, reasons: bool = True) -> pd.DataFrame:
        """One output row per input row; columns are the fields of `output_model`.

        Args:
            frame: Columns named as the fields of `input_model`; extra columns are ignored.
            reasons: Whether to compute the explanation fields, the slow part of an answer.
        """


@runtime_checkable
class FilePredictor(Predictor, Protocol):
    """A Predictor whose input holds a file, a recording or a picture, as base64 text."""

    @property
    def file_field(self) -> str:
        """The field of `input_model` that holds it."""

    @property
    def file_suffixes(self) -> tuple[str, ...]:
        """Which files it reads, such as (".wav", ".flac")."""


@runtime_checkable
class PicturePredictor(FilePredictor, Protocol):
    """A FilePredictor that can also answer with pictures, such as masks, as base64 PNG text."""

    @property
    def picture_fields(self) -> tuple[str, ...]:
        """The fields of `output_model` that hold them; None where there is none."""

    @property
    def pictures_wanted(self) -> str:
        """The field of `input_model` that, set to true, asks for them."""
