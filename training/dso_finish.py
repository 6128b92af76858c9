"""What happens to a picture between the telescope and the person: crushed blacks, wedges, blemishes, JPEG."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.dso_sky import chance, log_uniform

Float32 = NDArray[np.float32]
UInt8 = NDArray[np.uint8]


@dataclass(frozen=True)
class Tone:
    """Levels cut at the black point and multiplied, then bent by a power."""

    black: tuple[float, float, float] = (0.0, 0.0, 0.0)
    gain: float = 1.0
    gamma: float = 1.0

    def __call__(self, levels: Float32) -> Float32:
        """``(…, 3)`` levels after it, from 0 to 255."""
        shown = np.clip((levels - np.float32(self.black)) * np.float32(self.gain), 0.0, 255.0)
        if self.gamma != 1.0:
            shown = np.float32(255.0) * (shown / np.float32(255.0)) ** np.float32(self.gamma)
        return shown


@dataclass(frozen=True, eq=False)
class Finish:
    """Everything done to the whole picture, the same with and without stars.

    Attributes:
        tone: Of the levels.
        seen: ``(H, W)`` 1 where the stack has data and 0 beyond its edges.
        beyond: ``(3,)`` levels beyond the edges.
        sharpening: Strength of the unsharp mask.
        sharpening_px: Its sigma.
        salt: ``(n, 3)`` row, column and level of single pixels spoilt afterwards.
        salt_last: Whether they were spoilt after the compressions.
        qualities: Of the JPEG compressions, one after the other.
        subsampling: Of the colours, as Pillow counts it: 0 none, 2 half in both directions.
    """

    tone: Tone
    seen: Float32
    beyond: tuple[float, float, float]
    sharpening: float
    sharpening_px: float
    salt: NDArray[np.int64]
    salt_last: bool
    qualities: tuple[int, ...]
    subsampling: int

    def __call__(self, levels: Float32) -> UInt8:
        """``(H, W, 3)`` picture as shared."""
        from scipy.ndimage import gaussian_filter

        shown = self.tone(levels)
        if self.sharpening > 0.0:
            blurred = np.empty_like(shown)
            for channel in range(3):
                gaussian_filter(
                    shown[..., channel], self.sharpening_px, output=blurred[..., channel], truncate=2.5
                )
            shown = shown + self.sharpening * (shown - blurred)
        shown = self.stacked(shown)
        picture = np.clip(np.rint(shown), 0, 255).astype(np.uint8)
        if not self.salt_last:
            picture[self.salt[:, 0], self.salt[:, 1]] = self.salt[:, 2:]
        for quality in self.qualities:
            picture = through_jpeg(picture, quality, self.subsampling)
        if self.salt_last and len(self.salt):
            picture = picture.copy()
            picture[self.salt[:, 0], self.salt[:, 1]] = self.salt[:, 2:]
        return picture

    def stacked(self, shown: Float32) -> Float32:
        """With the edges of the stack."""
        return np.float32(self.beyond) + (shown - np.float32(self.beyond)) * self.seen[..., None]


def random_finish(rng: np.random.Generator, tone: Tone, sky: Float32, side_px: int) -> Finish:
    """Edges, sharpening, spoilt pixels and compression of a frame whose empty sky is shown at ``sky``."""
    dark = chance(rng, 0.7)
    beyond = np.zeros(3) if dark else sky * rng.uniform(0.2, 0.8)
    n_salt = int(log_uniform(rng, 60, 260) * (side_px / 640.0) ** 2) if chance(rng, 0.35) else 0
    salt = np.column_stack(
        [rng.integers(0, side_px, (2 * n_salt, 2)), np.repeat([255, 0], n_salt).astype(np.int64)]
    )
    first = (int(rng.integers(80, 97)),) if chance(rng, 0.4) else ()
    last = int(rng.integers(70, 82)) if chance(rng, 0.55) else int(rng.integers(55, 98))
    return Finish(
        tone=tone,
        seen=stack_edges(rng, side_px) if chance(rng, 0.33) else np.ones((side_px, side_px), np.float32),
        beyond=(float(beyond[0]), float(beyond[1]), float(beyond[2])),
        sharpening=float(rng.uniform(0.3, 1.3)) if chance(rng, 0.3) else 0.0,
        sharpening_px=float(rng.uniform(0.8, 2.0)),
        salt=salt,
        salt_last=chance(rng, 0.8),
        qualities=(*first, last),
        subsampling=0 if chance(rng, 0.5) else 2,
    )


def stack_edges(rng: np.random.Generator, side_px: int) -> Float32:
    """``(H, W)`` 1 within the stack: its frames turned a little, or it is a band of a wider picture."""
    middle = side_px / 2.0 + rng.normal(0.0, 0.03, 2) * side_px
    along = np.arange(side_px, dtype=np.float32)
    x, y = along[None, :] - middle[0], along[:, None] - middle[1]
    seen = np.ones((side_px, side_px), np.float32)
    if chance(rng, 0.3):
        turns = [float(rng.choice([0.0, np.pi / 2]))]
        half = np.array([0.6, rng.uniform(0.2, 0.42)]) * side_px
        if chance(rng, 0.3):
            turns[0] += rng.normal(0.0, 0.1)
    else:
        turns = [float(rng.normal(0.0, 0.2))]
        if chance(rng, 0.35):
            turns.append(turns[0] + float(rng.normal(0.0, 0.25)))
        half = rng.uniform(0.44, 0.62, 2) * side_px
    for turn in turns:
        u, v = x * np.cos(turn) + y * np.sin(turn), -x * np.sin(turn) + y * np.cos(turn)
        inside = (np.abs(u) < half[0]) & (np.abs(v) < half[1])
        seen *= np.where(
            inside, np.float32(1), np.float32(0 if turn == turns[0] else rng.choice([0, 0, 0.8]))
        )
    return seen


def satellite_trail(rng: np.random.Generator, side_px: int, width_px: float) -> Float32:
    """``(H, W, 3)`` levels of one straight trail, steady or flashing."""
    angle, x, y = rng.uniform(0.0, np.pi), *rng.uniform(0.0, side_px, 2)
    along = np.arange(side_px, dtype=np.float32)
    dx, dy = along[None, :] - np.float32(x), along[:, None] - np.float32(y)
    across = dx * np.float32(np.sin(angle)) - dy * np.float32(np.cos(angle))
    profile = np.exp(-0.5 * (across / np.float32(width_px / 2.355)) ** 2)
    if chance(rng, 0.3):
        run = dx * np.float32(np.cos(angle)) + dy * np.float32(np.sin(angle))
        profile *= 0.5 + 0.5 * np.sin(run / np.float32(log_uniform(rng, 8, 80)))
    colour = rng.uniform(0.75, 1.0, 3) * log_uniform(rng, 6.0, 120.0)
    return profile[..., None] * colour.astype(np.float32)


def through_jpeg(picture: UInt8, quality: int, subsampling: int) -> UInt8:
    """The picture as it comes back from a JPEG file."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality, subsampling=subsampling)
    with Image.open(file) as image:
        return np.asarray(image)
