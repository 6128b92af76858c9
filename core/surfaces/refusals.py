"""What cannot be a picture of a planet's surface, told by simple statistics before anything is looked for.

Thresholds were set so that no picture of the Moon or Mars at hand is turned down (Clementine, Viking, THEMIS,
CTX, HiRISE: 300 pictures), while star fields and deep-sky photographs are.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.frames import Frame
from core.surfaces.pictures import surface_picture

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

LEAST_SIDE_PX = 32
"""Nothing is looked for in less: a landform must have something around it."""
BLANK_PART = 0.012
"""A picture of known depth whose contrast is below this part of white is blank: 3 levels of 255."""
MANY_HUES = 0.025
"""Spread of the colours of a picture across their main direction, as a part of white. Surfaces have one hue,
more or less of it; photographs have many."""
STARRY_SKEW, STARRY_LEVEL = 2.0, 45.0
"""Details of stars are bright and never dark: a dark picture with so much skewness shows the sky. Shadows
balance it on the ground; where crater rims are bright it reaches 1.5."""
STARLIT_SKEW = 2.7
"""The same without a dark background: a field full of stars, or a bright nebula."""
NOISE_FALL, NOISE_GRAIN = 2.9, 1.35
"""From blocks of 8 px to blocks of 32 px the contrast of noise falls fourfold, that of ground hardly; and
noise, if it is not smoothed away, has more contrast in its pixels than in the blocks."""
WHITE_NOISE_GRAIN = 5.9
FACE_PX, LEAST_FACE, FACE_VOTES = 320, 1 / 3, 8
"""Faces are looked for in a picture shrunk to the first, from that part of its shorter side upward: smaller
ones are found in one of a hundred pictures of craters."""

_SAMPLE = 1024
"""Most rows and columns that statistics of details look at."""


def why_not_surface(frame: Frame) -> str:
    """Why a frame cannot be a picture of a planet's surface, as a sentence for a person; empty when it can.

    Refused are strips, blank frames, photographs in many colours, star fields and deep-sky objects, noise
    and faces. A grey photograph of something else is not recognised as one.
    """
    height, width = frame.height, frame.width
    if min(height, width) < LEAST_SIDE_PX:
        return (
            f"The frame has {width:,} × {height:,} px; with fewer than {LEAST_SIDE_PX} px along a side "
            "there is no ground around a landform to see it against."
        )
    picture = surface_picture(frame)
    if _is_blank(frame, picture):
        return "The frame is blank: all of it has the same brightness."
    middle = _middle(picture).astype(np.float32)
    if _is_starry(middle):
        return (
            "This looks like the sky: bright points without shadows. Nothing was searched for; landforms "
            "show on pictures of the Moon and of planets."
        )
    if _has_many_hues(frame):
        return (
            "This looks like a colour photograph: the ground of a planet has one hue. Nothing was searched "
            "for; if it is a surface in false colour, save it in grey."
        )
    if _is_noise(middle):
        return "The frame holds nothing but noise: no landform stands out of it."
    if _shows_face(picture):
        return "This looks like a picture of a face. Nothing was searched for: it is no planet's surface."
    return ""


def _is_blank(frame: Frame, picture: UInt8) -> bool:
    if picture.min() == picture.max():
        return True
    if not frame.saturation:
        return False
    low, high = np.nanpercentile(_thin(frame.grey), [0.3, 99.7])
    return bool(high - low < BLANK_PART * frame.saturation)


def _has_many_hues(frame: Frame) -> bool:
    """Whether the colours spread in both directions of the plane of hues."""
    if not frame.is_colour:
        return False
    colours = _thin(frame.pixels).reshape(-1, 3).astype(np.float64)
    colours = colours[np.isfinite(colours).all(axis=1)]
    white = float(np.percentile(colours.mean(axis=1), 99.5)) if len(colours) > 1 else 0.0
    if white <= 0.0:
        return False
    red, green, blue = colours.T / white
    plane = np.cov(red - green, (red + green) / 2.0 - blue)
    return bool(np.sqrt(max(0.0, np.linalg.eigvalsh(plane)[0])) > MANY_HUES)


def _is_starry(grey: Float32) -> bool:
    from scipy.ndimage import gaussian_filter

    details = gaussian_filter(grey, 1.0) - gaussian_filter(grey, 4.0)
    details -= details.mean()
    spread = float(details.std())
    if spread <= 0.0:
        return False
    skew = float(np.mean(details**3, dtype=np.float64)) / spread**3
    is_dark = float(np.median(grey)) < STARRY_LEVEL
    return skew > (STARRY_SKEW if is_dark else STARLIT_SKEW)


def _is_noise(grey: Float32) -> bool:
    fine = float(_blocks(grey, 8).std())
    grain = float(grey.std()) / max(fine, 1e-9)
    wide = _blocks(grey, 32)
    if wide.size < 16:
        return grain > WHITE_NOISE_GRAIN
    return grain > NOISE_GRAIN and fine > NOISE_FALL * float(wide.std())


def _shows_face(picture: UInt8) -> bool:
    """Whether scikit-image's cascade of local binary patterns finds a face (Viola & Jones 2001)."""
    import skimage.data
    from skimage.feature import Cascade
    from skimage.transform import resize

    learned = Path(skimage.data.__file__).with_name("lbpcascade_frontalface_opencv.xml")
    if not learned.is_file():
        return False
    shrink = min(1.0, FACE_PX / max(picture.shape))
    height, width = (max(1, round(side * shrink)) for side in picture.shape)
    small = resize(picture, (height, width), anti_aliasing=shrink < 1.0, preserve_range=True)
    least = max(24, round(LEAST_FACE * min(small.shape)))
    faces = Cascade(str(learned)).detect_multi_scale(
        img=np.rint(small).astype(np.uint8),
        scale_factor=1.2,
        step_ratio=1,
        min_size=(least, least),
        max_size=(FACE_PX, FACE_PX),
        min_neighbor_number=FACE_VOTES,
    )
    return bool(faces)


def _middle(picture: UInt8) -> UInt8:
    """The middle of a picture, at most :data:`_SAMPLE` a side."""
    rows, columns = (slice(max(0, side - _SAMPLE) // 2, None) for side in picture.shape)
    return picture[rows, columns][:_SAMPLE, :_SAMPLE]


def _thin(pixels: Float32) -> Float32:
    """Every n-th row and column, some 300 of each."""
    rows, columns = (max(1, side // 300) for side in pixels.shape[:2])
    return pixels[::rows, ::columns]


def _blocks(grey: Float32, side: int) -> Float32:
    """``(h, w)`` mean brightness of blocks of ``side`` pixels."""
    height, width = (length // side for length in grey.shape)
    cut = grey[: height * side, : width * side].reshape(height, side, width, side)
    means: Float32 = cut.mean(axis=(1, 3), dtype=np.float32)
    return means
