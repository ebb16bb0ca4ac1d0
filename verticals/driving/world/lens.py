"""What weather, glass and electronics do to an image."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from verticals.driving.world.cameras import Camera, Imaging
from verticals.driving.world.scene import Ego
from verticals.driving.world.shading import Light
from verticals.driving.world.weather import Weather

Image = NDArray[Any]  # (height, width, 3) uint8 RGB; OpenCV's types say no more

_POOL = (600, 800)  # rows and columns of stored noise
_LEVELS = (0.7, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 18.0, 27.0)  # grey levels of 255


def develop(
    image: Image,
    camera: Camera,
    weather: Weather,
    light: Light,
    *,
    ego: Ego,
    rng: np.random.Generator,
) -> Image:
    """The photograph of an ideal image.

    Args:
        image: As the scene shines.
        camera: Where it sits decides where the sun blinds; its electronics add their flaws.
        weather: Rain and drops.
        light: Where the sun is.
        ego: How fast the world passes by.
        rng: Of this shot.
    """
    imaging = camera.imaging
    if imaging.shutter_s > 0 and ego.speed > 1:
        image = _motion(image, camera, ego.speed * imaging.shutter_s)
    if weather.night or weather.wet > 0.3:
        image = _bloom(image)
    image = _glare(image, camera, light, ego, weather)
    if weather.rain > 0.05:
        image = _streaks(image, weather.rain, rng)
    if weather.drops > 0.05:
        image = _drops(image, weather.drops, rng)
    if imaging.blur > 0.05:
        image = cv2.GaussianBlur(image, (5, 5) if imaging.blur > 0.8 else (3, 3), imaging.blur)
    image = _tone(image, imaging)
    if imaging.noise > 0:
        image = _grain(image, imaging.noise * (2.2 if weather.night else 1.0), rng)
    if imaging.jpeg:
        quality = [cv2.IMWRITE_JPEG_QUALITY, imaging.jpeg]
        image = np.asarray(cv2.imdecode(cv2.imencode(".jpg", image, quality)[1], cv2.IMREAD_COLOR))
    return image


def _motion(image: Image, camera: Camera, metres: float) -> Image:
    """Blur away from the point the camera moves towards, by what near ground passes by."""
    matrix = camera.calibration.matrix
    forward = camera.calibration.camera_from_ego[:3, 0]
    if abs(forward[2]) < 0.3:
        return image
    fx, fy = matrix[0, 0] * forward[0] / forward[2], matrix[1, 1] * forward[1] / forward[2]
    centre = np.array([fx + matrix[0, 2], fy + matrix[1, 2]])
    scale = 1 + metres / 12.0  # as at twelve metres
    total = image
    height, width = image.shape[:2]
    for share, zoom in ((0.5, scale**0.5), (1 / 3, scale)):
        shift = centre * (1 - zoom)
        warp = np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]]])
        moved = cv2.warpAffine(image, warp, (width, height), borderMode=cv2.BORDER_REPLICATE)
        total = cv2.addWeighted(total, 1 - share, moved, share, 0)
    return total


def _bloom(image: Image) -> Image:
    """Bright lamps bleed into the dark around them."""
    small = cv2.resize(image, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    bright = cv2.subtract(small, np.full_like(small, 150))
    halo = cv2.GaussianBlur(bright, (0, 0), 2.5)
    wide = cv2.GaussianBlur(bright, (0, 0), 8)
    both = cv2.add(cv2.convertScaleAbs(halo, alpha=1.2), cv2.convertScaleAbs(wide, alpha=1.5))
    return cv2.add(image, cv2.resize(both, image.shape[1::-1]))


def _glare(image: Image, camera: Camera, light: Light, ego: Ego, weather: Weather) -> Image:
    """A low sun in or near the image veils it and throws ghosts."""
    if weather.night or light.to_sun[2] > 0.9:
        return image
    to_ego = ego.pose()[:3, :3].T @ light.to_sun
    x, y, z = camera.calibration.camera_from_ego[:3, :3] @ to_ego
    power = float(light.sun.mean())
    if z < 0.3 or power < 0.15:
        return image
    matrix = camera.calibration.matrix
    sun = np.array([matrix[0, 0] * x / z + matrix[0, 2], matrix[1, 1] * y / z + matrix[1, 2]])
    height, width = image.shape[:2]
    beyond = np.maximum(np.maximum(-sun, sun - [width, height]), 0)
    strength = power * np.exp(-np.hypot(*beyond) / (0.35 * width))
    if strength < 0.05:
        return image
    rows, columns = np.mgrid[0:height:8, 0:width:8]
    far = np.hypot(columns - sun[0], rows - sun[1]) / width
    veil = strength * (40 * np.exp(-far * 2.2) + 190 * np.exp(-far * 14)) + 8 * strength
    ghost = np.array([width / 2, height / 2]) * 1.6 - 0.6 * sun
    near = np.hypot(columns - ghost[0], rows - ghost[1]) / width
    veil += 22 * strength * (near < 0.04) + 10 * strength * (np.abs(near - 0.09) < 0.012)
    tone = light.sun / max(light.sun.max(), 1e-6)
    full = np.clip(veil[..., None] * tone, 0, 255).astype(np.uint8)
    return cv2.add(image, cv2.resize(full, (width, height)))


@cache
def _noise() -> NDArray[np.float32]:
    """(*_POOL, 3) normal noise of deviation 1."""
    return np.random.default_rng(3).standard_normal((*_POOL, 3), np.float32)


@lru_cache(maxsize=len(_LEVELS))
def _grains(level: float) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """What noise of a deviation adds and takes; every shot uses a window of both."""
    grain = _noise() * np.float32(level)
    return np.clip(grain, 0, 255).astype(np.uint8), np.clip(-grain, 0, 255).astype(np.uint8)


def _grain(image: Image, level: float, rng: np.random.Generator) -> Image:
    """Sensor noise, a little coloured; the nearest of a few levels."""
    more, less = _grains(min(_LEVELS, key=lambda known: abs(known - level)))
    height, width = image.shape[:2]
    if height > _POOL[0] or width > _POOL[1]:
        times = (-(-height // _POOL[0]), -(-width // _POOL[1]), 1)
        more, less = np.tile(more, times), np.tile(less, times)
    y = int(rng.integers(0, more.shape[0] - height + 1))
    x = int(rng.integers(0, more.shape[1] - width + 1))
    window = (slice(y, y + height), slice(x, x + width))
    return np.asarray(cv2.subtract(cv2.add(image, more[window]), less[window]))


def _streaks(image: Image, rain: float, rng: np.random.Generator) -> Image:
    """Falling rain."""
    height, width = image.shape[:2]
    mask = np.zeros((height, width), np.uint8)
    slant = rng.normal(0, 0.12)
    for _ in range(int(60 * rain)):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        length = rng.uniform(0.02, 0.07) * height
        tip = (int(x + slant * length), int(y + length))
        cv2.line(mask, (int(x), int(y)), tip, int(rng.uniform(20, 60)), 1, cv2.LINE_AA)
    return cv2.add(image, cv2.cvtColor(mask, cv2.COLOR_GRAY2RGB))


def _drops(image: Image, amount: float, rng: np.random.Generator) -> Image:
    """Water on the windscreen: blurred lenses that show the scene upside down."""
    height, width = image.shape[:2]
    out = image.copy()
    for _ in range(int(3 + 16 * amount)):
        radius = int(rng.uniform(0.008, 0.03) * width) + 2
        x = int(rng.uniform(radius, width - radius))
        y = int(rng.uniform(radius, height - radius))
        reach = min(3 * radius, x, y, width - x, height - y)
        if reach <= radius:
            continue
        around = image[y - reach : y + reach, x - reach : x + reach]
        side = 2 * radius
        lens = cv2.resize(around[::-1, ::-1], (side, side), interpolation=cv2.INTER_AREA)
        lens = cv2.blur(lens, (3, 3))
        mask = np.zeros((side, side), np.uint8)
        cv2.ellipse(mask, (radius, radius), (radius - 1, int(radius * 0.85)), 0, 0, 360, 210, -1)
        share = cv2.blur(mask, (3, 3))[..., None].astype(np.uint16)
        patch = out[y - radius : y + radius, x - radius : x + radius]
        patch[:] = (lens * share + patch * (255 - share)) // 255
    return out


def _tone(image: Image, imaging: Imaging) -> Image:
    """Contrast, gamma, colour cast and saturation, by table."""
    value = np.arange(256) / 255
    curve = np.clip(0.5 + (value - 0.5) * imaging.contrast, 0, 1) ** imaging.gamma
    table = np.clip(curve[:, None] * np.array(imaging.cast) * 255, 0, 255).astype(np.uint8)
    image = cv2.LUT(image, table.reshape(1, 256, 3))
    if abs(imaging.saturation - 1) < 0.02:
        return image
    grey = np.array([0.299, 0.587, 0.114]) * (1 - imaging.saturation)
    return cv2.transform(image, np.eye(3) * imaging.saturation + grey)
