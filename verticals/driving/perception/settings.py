"""What the network is asked, and how large it is."""

from __future__ import annotations

from dataclasses import dataclass

from verticals.driving.frame import OBJECTS

DETECTED = OBJECTS[:-1]  # "other" is never learned: it holds whatever has no class
# LIGHTS and SIGNS repeat the names that world/ draws, and do not import them: the order of a head
# is a promise of the weights that shipped, and must not move when the world gets a new sign.
LIGHTS = ("red", "red_amber", "amber", "green")
SIGNS = (
    "limit_20", "limit_30", "limit_40", "limit_50", "limit_60", "limit_70", "limit_80",
    "limit_100", "end_of_limits", "no_passing", "priority_road", "yield", "stop", "no_vehicles",
    "no_entry", "no_parking", "caution", "curve_left", "curve_right", "road_works",
    "traffic_signals", "pedestrians", "children", "bicycles", "turn_right_ahead",
    "turn_left_ahead", "ahead_only", "keep_right", "keep_left", "roundabout", "crossing",
    "parking", "directions", "name_plate",
)  # fmt: skip
LANES = (2, 1, -1, -2)  # offsets of the lane lines: to the left of the camera, to its right
HEADS = ("surfaces", "objects", "lanes")
STRIDE = 4  # pixels of the image per cell of the maps of objects and lanes
FINE = 2  # ... and of the surfaces
PADDING = 114  # grey of whatever lies outside an image
FOCAL = 512.0  # pixels: the focal length that distances are told at


@dataclass(frozen=True)
class PerceptionSettings:
    """The network's size; images of any size are brought to `width` x `height`."""

    width: int = 512  # pixels
    height: int = 288
    backbone: str = "tf_efficientnet_lite0"  # any timm model with features at strides 2 to 32
    channels: int = 64  # of the maps at stride 4
    heads: tuple[str, ...] = HEADS
