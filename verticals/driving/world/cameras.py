"""Cameras on the ego vehicle: where they sit, how they see, and what their electronics do."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from verticals.driving.frame import Calibration, Floats

_LAYOUTS = {  # name, x, y, yaw in degrees
    "front": (1.6, 0.0, 0), "front_left": (1.4, 0.5, 55), "front_right": (1.4, -0.5, -55),
    "back": (-0.6, 0.0, 180), "back_left": (0.8, 0.5, 110), "back_right": (0.8, -0.5, -110),
}  # fmt: skip


@dataclass(frozen=True)
class Imaging:
    """What happens between the lens and the file."""

    blur: float = 0.5  # pixels, of the optics
    noise: float = 2.0  # grey levels of 255 at mid brightness
    exposure: float = 1.0  # factor on the light
    gamma: float = 1.0  # of the tone curve: above 1 is darker
    cast: tuple[float, float, float] = (1.0, 1.0, 1.0)  # factors on red, green and blue
    saturation: float = 1.0
    contrast: float = 1.0
    shutter_s: float = 0.0  # motion blur
    jpeg: int = 90  # quality; 0 keeps the image as it is


@dataclass(frozen=True, eq=False)
class Camera:
    """One camera."""

    name: str
    calibration: Calibration
    imaging: Imaging = field(default_factory=Imaging)


def mount(
    *,
    position: tuple[float, float, float] = (1.6, 0.0, 1.4),
    yaw: float = 0.0,
    pitch: float = 0.0,
    roll: float = 0.0,
) -> Floats:
    """(4, 4) camera from ego of a camera that looks along x when all angles are zero.

    Args:
        position: Metres, in the ego frame.
        yaw: Radians to the left.
        pitch: Radians upwards.
        roll: Radians clockwise, as the driver sees it.
    """
    (cy, sy), (cp, sp), (cr, sr) = ((np.cos(a), np.sin(a)) for a in (yaw, pitch, roll))
    turn = np.array([[cy, -sy, 0], [sy, cy, 0], [0, 0, 1]])
    tilt = np.array([[cp, 0, -sp], [0, 1, 0], [sp, 0, cp]])
    lean = np.array([[1, 0, 0], [0, cr, -sr], [0, sr, cr]])
    axes = np.array([[0, -1, 0], [0, 0, -1], [1, 0, 0]])  # camera x y z from body x y z
    pose = np.eye(4)
    pose[:3, :3] = axes @ (turn @ tilt @ lean).T
    pose[:3, 3] = -pose[:3, :3] @ np.array(position)
    return pose


def pinhole(
    width: int, height: int, field_of_view: float, pose: Floats, distortion: Floats | None = None
) -> Calibration:
    """A calibration from a horizontal field of view in radians."""
    focal = width / 2 / np.tan(field_of_view / 2)
    matrix = np.array([[focal, 0, (width - 1) / 2], [0, focal, (height - 1) / 2], [0, 0, 1]])
    bend = np.zeros(5) if distortion is None else np.asarray(distortion, float)
    return Calibration(matrix, width, height, bend, pose)


def rig(
    count: int = 1, width: int = 512, height: int = 288, *, distorted: bool = False
) -> list[Camera]:
    """One to six cameras in the usual places, without flaws.

    Raises:
        ValueError: Not one to six.
    """
    if not 1 <= count <= len(_LAYOUTS):
        raise ValueError(f"a rig has 1 to {len(_LAYOUTS)} cameras, not {count}")
    bend = np.array([-0.28, 0.08, 0.0005, -0.0005, 0.0]) if distorted else None
    view = np.radians(70 if count == 1 else 75)
    return [
        Camera(
            name,
            pinhole(width, height, view, mount(position=(x, y, 1.45), yaw=np.radians(yaw)), bend),
        )
        for name, (x, y, yaw) in list(_LAYOUTS.items())[:count]
    ]


def draw_camera(rng: np.random.Generator, width: int = 512, height: int = 288) -> Camera:
    """A dash camera at random: height, tilt, lens and electronics."""
    pose = mount(
        position=(1.5, float(rng.uniform(-0.4, 0.4)), float(rng.uniform(1.1, 1.9))),
        yaw=float(rng.normal(0, 0.06))
        + (float(rng.uniform(-0.6, 0.6)) if rng.random() < 0.15 else 0.0),
        pitch=float(rng.normal(0.0, 0.035)),
        roll=float(rng.normal(0, 0.012)),
    )
    bend = np.zeros(5)
    if rng.random() < 0.4:
        first = float(rng.uniform(-0.3, 0.03))
        # with a second coefficient this large no ray bends back, however far from the middle
        second = 0.5 * first**2 + float(rng.uniform(0, 0.05))
        bend[:4] = first, second, *rng.normal(0, 5e-4, 2)
    calibration = pinhole(width, height, np.radians(rng.uniform(45, 85)), pose, bend)
    return Camera("front", calibration, draw_imaging(rng))


def draw_hand_camera(rng: np.random.Generator, width: int = 512, height: int = 288) -> Camera:
    """A camera in the hand of somebody on foot: eye height, level, narrower than a dash camera."""
    pose = mount(
        position=(0.0, 0.0, float(rng.uniform(1.1, 1.8))),
        pitch=float(rng.normal(-0.05, 0.06)),
        roll=float(rng.normal(0, 0.015)),
    )
    calibration = pinhole(width, height, np.radians(rng.uniform(38, 75)), pose)
    return Camera("front", calibration, draw_imaging(rng))


def draw_imaging(rng: np.random.Generator) -> Imaging:
    """Electronics at random, from good to cheap; many burn out the sky and drown the shadows."""
    return Imaging(
        blur=float(rng.uniform(0.3, 1.0)),
        noise=float(rng.gamma(1.5, 1.6)),
        exposure=float(np.exp(rng.normal(0.15, 0.33))),
        gamma=float(np.exp(rng.normal(0, 0.2))),
        cast=tuple(np.exp(rng.normal(0, 0.035, 3))),
        saturation=float(rng.uniform(0.45, 1.35)),
        contrast=float(rng.uniform(0.9, 1.5)),
        shutter_s=float(rng.choice([0.0, 0.0, 0.004, 0.012])),
        jpeg=int(rng.choice([0, 70, 85, 92, 95])),
    )
