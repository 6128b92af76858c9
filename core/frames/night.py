"""Pictures of the night sky: what networks see of a frame, and what cannot be such a picture.

Networks learned on pictures as smart telescopes share them: a dark sky of some ten levels, noise of a few,
stars drawn in. Pictures of 8 bits are shown as they are. Linear frames (FITS, and deep pictures whose sky is
nearly black) are stretched: the sky of each colour to :data:`SKY_LEVEL`, the noise of a pixel to
:data:`NOISE_LEVELS`, and what is bright drawn in by an inverse hyperbolic sine (Lupton et al. 2004, PASP 116,
133).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.frames.frame import Frame

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

SKY_LEVEL, NOISE_LEVELS, WHITE_LEVEL = 13.0, 3.0, 235.0
LEAST_SIDE_PX = 32
"""Nothing is looked for in less: an object must have something around it."""
LINEAR_SKY = 0.02
"""A deep picture whose median is below this part of white has not been stretched yet."""
BLANK_LEVELS = 4.0
DARK_LEVEL, LEAST_DARK = 110.0, 0.3
"""A night sky has at least this part of its area below this level."""
DAYLIGHT_LEVEL, FLAT_LEVELS, LEAST_FLAT = 75.0, 32, 0.62
"""Where the middle brightness is above the first, at least the last part of a sky has one brightness, give or
take half of the second. Hardly a drawn or real sky fails this; pictures by day, the Moon and Mars do."""
NOISE_ONLY_SIGMA, NOISE_ONLY_STRUCTURE = 5.5, 1.35

_SAMPLE = 1_000_000
_BLOCK = 8


def network_picture(frame: Frame) -> UInt8:
    """``(H, W, 3)`` picture of a frame, row 0 of the frame first; missing pixels are black.

    Args:
        frame: Grey or colour, linear or shown.
    """
    pixels = frame.pixels if frame.is_colour else frame.pixels[..., None]
    white = shown_white(frame)
    channels = [_shown(pixels[..., c], white) for c in range(pixels.shape[2])]
    return np.ascontiguousarray(np.stack(channels * (3 // len(channels)), axis=2))


def shown_white(frame: Frame) -> float | None:
    """The value that is white where the frame is a picture already; None where it is linear."""
    white = frame.saturation
    if frame.row0 != "top" or not white or frame.hdu is not None:
        return None
    values = _sample(frame.pixels)
    if not len(values) or values.min() < -0.02 * white or values.max() > 1.02 * white:
        return None
    if white > 255.0 and float(np.median(values)) < LINEAR_SKY * white:
        return None
    return float(white)


def why_not_sky(picture: UInt8) -> str:
    """Why a picture cannot be one of the night sky, as a sentence for a person; empty when it can.

    Args:
        picture: ``(H, W, 3)``.
    """
    height, width = picture.shape[:2]
    if min(height, width) < LEAST_SIDE_PX:
        return (
            f"The frame has {width} × {height} px; with fewer than {LEAST_SIDE_PX} px along a side "
            "there is no sky around an object to see it against."
        )
    low, high = np.percentile(_sample(picture), [0.1, 99.95])
    if high - low < BLANK_LEVELS:
        return "The frame is blank: all of it has the same brightness."
    blocks = _blocks(picture)
    if float(np.mean(blocks < DARK_LEVEL)) < LEAST_DARK or _is_daylight(blocks):
        return (
            "This does not look like the night sky: there is no dark, even background. "
            "Nothing was searched for: pictures by day and of the Moon or planets show no deep-sky objects."
        )
    if _only_noise(picture, blocks):
        return "The frame holds nothing but noise: no star and no glow stands out of it."
    return ""


def _shown(channel: Float32, white: float | None) -> UInt8:
    """``(H, W)`` levels of one colour."""
    levels = _stretched(channel) if white is None else channel * np.float32(255.0 / white)
    return np.clip(np.rint(np.nan_to_num(levels, nan=0.0)), 0, 255).astype(np.uint8)


def _stretched(channel: Float32) -> Float32:
    values = _sample(channel)
    if not len(values):
        return np.zeros_like(channel)
    sky = float(np.median(values))
    below = values[values <= sky]
    noise = max(_pixel_noise(channel), 0.3 * 1.4826 * float(np.median(sky - below)))
    span = float(np.percentile(values, 99.95)) - sky
    if noise <= 0.0:
        noise = max(span, abs(sky) * 1e-6, 1e-12) / 80.0
    # So that noise is at most NOISE_LEVELS even without any stretch.
    span = max(span, noise * WHITE_LEVEL / NOISE_LEVELS)
    softness = _softness(noise / span)
    shown = np.arcsinh((channel - np.float32(sky)) / np.float32(span * softness))
    gain = np.float32(WHITE_LEVEL / np.arcsinh(1.0 / softness))
    levels: Float32 = (shown * gain + np.float32(SKY_LEVEL)).astype(np.float32)
    return levels


def _softness(noise: float) -> float:
    """Where the stretch bends, as a part of the span, so that noise becomes :data:`NOISE_LEVELS`."""
    low, high = 1e-6, 1e3
    for _ in range(60):
        middle = float(np.sqrt(low * high))
        if WHITE_LEVEL * np.arcsinh(noise / middle) / np.arcsinh(1.0 / middle) > NOISE_LEVELS:
            low = middle
        else:
            high = middle
    return high


def _pixel_noise(channel: Float32) -> float:
    """Noise of a pixel, from differences of pixels two apart: neighbours share some of it."""
    step = max(1, channel.shape[0] // 1000)
    difference = channel[::step, 2:] - channel[::step, :-2]
    difference = difference[np.isfinite(difference)]
    return 1.4826 * float(np.median(np.abs(difference))) / np.sqrt(2.0) if len(difference) else 0.0


def _sample(pixels: NDArray[np.generic]) -> NDArray[np.float64]:
    """At most about a million finite values, evenly spread."""
    flat = pixels.reshape(-1)
    step = max(1, flat.size // _SAMPLE) | 1
    if pixels.ndim == 3 and step % 3 == 0:
        step += 2  # every third value is of the same colour
    values = flat[::step].astype(np.float64)
    return values[np.isfinite(values)]


def _blocks(picture: UInt8) -> Float32:
    """``(h, w)`` mean brightness of blocks of :data:`_BLOCK` pixels a side."""
    height, width = (side // _BLOCK * _BLOCK for side in picture.shape[:2])
    cut = picture[:height, :width]
    shape = (height // _BLOCK, _BLOCK, width // _BLOCK, _BLOCK * 3)
    means: Float32 = cut.reshape(shape).mean(axis=(1, 3), dtype=np.float32)
    return means


def _is_daylight(blocks: Float32) -> bool:
    """Whether a picture is bright and has no even sky: the ground by day, or a planet's."""
    if float(np.median(blocks)) <= DAYLIGHT_LEVEL:
        return False
    counts = np.histogram(blocks, bins=64, range=(0.0, 256.0))[0]
    together = np.convolve(counts, np.ones(FLAT_LEVELS // 4), "valid").max()
    return bool(together < LEAST_FLAT * blocks.size)


def _only_noise(picture: UInt8, blocks: Float32) -> bool:
    """Whether pixels are independent of their neighbours and none stands out."""
    grey = picture.mean(axis=2, dtype=np.float32)
    sigma = float(grey.std())
    if sigma <= 0.0 or float(np.abs(grey - np.median(grey)).max()) > NOISE_ONLY_SIGMA * sigma:
        return False
    return float(blocks.std()) * _BLOCK < NOISE_ONLY_STRUCTURE * sigma
