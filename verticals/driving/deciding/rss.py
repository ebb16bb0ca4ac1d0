"""Safe distances of Responsibility-Sensitive Safety (Shalev-Shwartz, Shammah, Shashua, 2017).

Section and definition numbers are those of arXiv:1708.06374. Plain numbers in, metres or m/s^2
out; compiled so that the shield can call them in every simulation step.
"""

# ruff: noqa: PLR0917 - compiled functions take plain numbers by position

from __future__ import annotations

import math
from typing import NamedTuple

from verticals.driving.traffic.compiling import compiled


class Duties(NamedTuple):
    """What the ego may count on, and what it owes. Seconds, m/s^2, metres, m/s."""

    response: float = 0.3  # of the ego, from seeing to braking
    accelerate: float = 2.0  # the ego at most, until it responds
    brake: float = 5.0  # the ego at least, once it responds
    strongest: float = 8.0  # the ego at most, if all else has failed
    front_brake: float = 6.5  # the one in front at most
    their_response: float = 0.8  # of a vehicle behind or crossing
    their_brake: float = 4.0  # a vehicle behind at least
    their_accelerate: float = 1.5  # a vehicle that crosses at most
    margin: float = 1.0  # metres kept when all have stopped
    aside: float = 0.4  # metres kept to the side
    walk: float = 2.0  # the pace of a person who may step out of hiding


@compiled
def safe_gap(behind, front, response, accelerate, brake, front_brake):  # type: ignore[no-untyped-def]
    """Least gap between bumpers of two that drive the same way (Definition 1).

    Args:
        behind: Speed of the one behind.
        front: Speed of the one in front.
        response: Seconds until the one behind brakes.
        accelerate: Its acceleration until then.
        brake: Its braking from then on.
        front_brake: Braking of the one in front.
    """
    fastest = behind + response * accelerate
    travelled = behind * response + 0.5 * accelerate * response**2 + fastest**2 / (2 * brake)
    return max(0.0, travelled - front**2 / (2 * front_brake))


@compiled
def braking_needed(behind, gap, front, response, front_brake):  # type: ignore[no-untyped-def]
    """Constant braking after `response` that just avoids one who brakes as hard as it can.

    `braking_needed(...) > brake` says the same as `gap < safe_gap(..., accelerate=0, brake, ...)`.
    """
    room = gap + front**2 / (2 * front_brake) - behind * response
    if room <= 0:
        return math.inf
    return behind**2 / (2 * room)
