"""What a tracker assumes of objects and of the detector before it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class TrackerSettings(BaseModel):
    """Of one class of objects and one detector; the defaults are for cars and PointRCNN's scores.

    A detection's *evidence* is its score minus what a chance detection of its size would have:
    false alarms of a LiDAR detector are large and near, while real objects far away score low.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    score_zero: float = Field(
        default=3.2, description="Score that says nothing, of a box `size_zero` high"
    )
    score_by_size: float = Field(
        default=2.5, description="More score wanted for every doubling of height"
    )
    size_zero: float = Field(default=40.0, gt=0, description="Pixels of height")
    evidence_most: float = Field(
        default=5.0, gt=0, description="That one detection can give or take"
    )
    memory: float = Field(
        default=0.2, gt=0, le=1, description="Weight of a new detection in the mean"
    )
    now: float = Field(
        default=0.4, ge=0, le=1, description="Weight of the present against that mean"
    )
    by_age: float = Field(default=0.6, ge=0, description="Evidence for every e-fold of detections")
    born: float = Field(default=-0.5, description="Evidence from which a detection begins a track")
    shown: float = Field(default=1.5, description="Evidence from which a track is reported")
    lost: float = Field(default=-4.0, description="Evidence below which a track is given up")
    missing: float = Field(
        default=5.0, ge=0, description="Evidence that a second without detection takes"
    )
    longest_s: float = Field(default=2.5, gt=0, description="That an object is remembered unseen")
    noise_m: float = Field(default=0.2, gt=0, description="Of a detected position")
    noise_by_distance: float = Field(
        default=0.015, ge=0, description="... and for every metre of distance"
    )
    acceleration: float = Field(
        default=9.0, gt=0, description="Of objects, metres per second squared"
    )
    acceleration_by_distance: float = Field(
        default=0.4,
        ge=0,
        description="... for every metre: the ego's own turning sweeps far objects",
    )
    speed: float = Field(
        default=12.0, gt=0, description="Spread of an unknown velocity, metres per second"
    )
    gate: float = Field(
        default=6.0, gt=0, description="Squared Mahalanobis distance of a match at most"
    )
