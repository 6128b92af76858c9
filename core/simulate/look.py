"""The picture a small smart telescope would show of a frame: developed, balanced, stretched and smoothed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.frames import Frame
from core.simulate.photometry import SUN_BP_RP, channel_shares
from core.simulate.scene import Scene

Float64 = NDArray[np.float64]

SKY_LEVEL = 11.0 / 255.0
"""Where the sky ends up: nearly black, as on the screens of such telescopes."""
NOISE_LEVEL = 4.5 / 255.0
"""Standard deviation of the sky's noise in the picture, at most."""
WHITE_PERCENTILE = 99.85
CHROMA_BLUR_PX = 1.6
LUMA_BLUR_PX = 0.55
"""Blur of colour and of brightness: denoising leaves blotches of colour, and stars stay sharp."""
SATURATION = 1.0
MAX_CHROMA = 0.16
"""Most a channel may differ from the mean of the three: sensors and screens bleach bright stars."""


def smart_telescope_look(frame: Frame, scene: Scene) -> NDArray[np.uint8]:
    """``(H, W, 3)`` 8-bit picture of a simulated frame, row 0 at the bottom as in the frame.

    A raw mosaic is developed bilinearly; the sky is subtracted and the channels are balanced so that
    sunlight is white; an arcsinh stretch brings up the faint; colour is smoothed more than brightness.
    """
    from scipy.ndimage import gaussian_filter

    planes = develop(frame, scene)
    white = channel_shares(scene, SUN_BP_RP)[0]
    balanced = (planes - np.median(planes, axis=(1, 2))[:, None, None]) / (white / white.mean())[
        :, None, None
    ]
    luma = gaussian_filter(balanced.mean(axis=0), LUMA_BLUR_PX)
    chroma = np.stack([gaussian_filter(plane - balanced.mean(axis=0), CHROMA_BLUR_PX) for plane in balanced])
    noise = 1.4826 * float(np.median(np.abs(luma - np.median(luma)))) or 1e-6
    bright = max(float(np.percentile(luma, WHITE_PERCENTILE)), 10.0 * noise)
    softness = _softness(noise, bright)
    stretched = np.arcsinh(luma / softness) / np.arcsinh(bright / softness)
    # Brightness and colour keep their ratio, so that stretching does not bleach the stars.
    lift = stretched / np.where(np.abs(luma) > 1e-9, luma, 1e-9)
    colour = MAX_CHROMA * np.tanh(SATURATION * chroma * np.clip(lift, 0.0, None) / MAX_CHROMA)
    picture = (stretched + colour) * (1.0 - SKY_LEVEL) + SKY_LEVEL
    levels: NDArray[np.uint8] = np.clip(np.rint(np.moveaxis(picture, 0, -1) * 255), 0, 255).astype(np.uint8)
    return levels


def develop(frame: Frame, scene: Scene) -> Float64:
    """``(3, H, W)`` planes of a frame: its own, three times the one of mono, or those of the mosaic."""
    if frame.is_colour:
        return np.moveaxis(frame.pixels.astype(float), -1, 0)
    if scene.camera.mode == "mono":
        return np.repeat(frame.pixels[None].astype(float), 3, axis=0)
    from scipy.ndimage import convolve

    raw = frame.pixels.astype(float)
    kernel = np.array([[0.25, 0.5, 0.25], [0.5, 1.0, 0.5], [0.25, 0.5, 0.25]])
    planes = []
    for channel in range(3):
        seen = np.zeros(raw.shape)
        if channel == 1:
            seen[0::2, 1::2], seen[1::2, 0::2] = 1.0, 1.0
        else:
            seen[channel // 2 :: 2, channel // 2 :: 2] = 1.0
        planes.append(convolve(raw * seen, kernel, mode="mirror") / convolve(seen, kernel, mode="mirror"))
    return np.stack(planes)


def _softness(noise: float, bright: float) -> float:
    """The arcsinh scale at which the sky's noise comes out at :data:`NOISE_LEVEL`, by bisection."""
    low, high = 1e-3 * noise, 1e4 * bright
    for _ in range(60):
        middle = np.sqrt(low * high)
        if np.arcsinh(noise / middle) / np.arcsinh(bright / middle) > NOISE_LEVEL:
            low = middle
        else:
            high = middle
    return float(np.sqrt(low * high))
