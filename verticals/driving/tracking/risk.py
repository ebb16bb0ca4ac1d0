"""How soon objects are met: time to collision and headway, for each of them at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from verticals.driving.frame import Floats


@dataclass(frozen=True)
class Risks:
    """Of n objects, seen from the ego; infinite where nothing will happen."""

    time_to_collision_s: Floats  # (n,) until both bodies touch if both go on as now
    headway_s: Floats  # (n,) until the ego's front is where the object's rear is; in lane only
    gap_m: Floats  # (n,) from the ego's front to the object's rear along the way; in lane only


def risks(
    positions: Floats,
    velocities: Floats,
    sizes: Floats,
    *,
    ego_speed: float,
    ego_size: tuple[float, float] = (4.5, 1.9),
    lane_width: float = 3.5,
) -> Risks:
    """Time to collision and headway.

    Bodies are taken as rectangles along the ego's axes, so the time to collision is when two
    intervals overlap in both directions (Hayward, 1972, in two dimensions): a car that passes
    beside the ego is not met, however near.

    Args:
        positions: (n, 2) of the centres, ego axes from the ego's centre, metres.
        velocities: (n, 2) relative to the ego, metres per second.
        sizes: (n, 2) along and across, metres.
        ego_speed: Metres per second over ground.
        ego_size: Length and width, metres.
        lane_width: Objects whose centre is within half of it are ahead in the same lane.
    """
    reach = (sizes + np.asarray(ego_size)) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        first = (-np.sign(velocities) * reach - positions) / velocities
        last = (np.sign(velocities) * reach - positions) / velocities
    still = velocities == 0
    over = np.abs(positions) <= reach
    first = np.where(still, np.where(over, -np.inf, np.inf), first)
    last = np.where(still, np.where(over, np.inf, -np.inf), last)
    begins, ends = first.max(axis=1), last.min(axis=1)
    meets = (begins <= ends) & (ends >= 0)
    ahead = (positions[:, 0] > 0) & (np.abs(positions[:, 1]) <= lane_width / 2)
    gap = np.where(ahead, np.maximum(positions[:, 0] - reach[:, 0], 0.0), np.inf)
    headway = gap / ego_speed if ego_speed > 0 else np.full(len(gap), np.inf)
    return Risks(np.where(meets, np.maximum(begins, 0.0), np.inf), headway, gap)
