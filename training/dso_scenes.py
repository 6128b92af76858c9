"""Pictures as smart telescopes share them, with deep-sky objects in them: what the detectors learn from.

A scene is composed in the levels of the finished picture, because that is what photographs of objects come
in: a glowing sky, noise as stacking and denoising leave it, objects cut out of photographs or simulated,
stars of :mod:`core.simulate` brought to levels by an arcsinh stretch, then crushed blacks, the edges of the
stack, spoilt pixels and JPEG.

**What is visible.** The light of an object is what it adds to the finished picture (the picture with it less
the picture without it, before JPEG), root mean square over the channels. It is seen where this is above
:data:`SEEN_SIGMA` of the noise of a pixel, :data:`SEEN_LEVELS` levels and a small part of its own peak, after
smoothing. Its surface SNR is its mean light there in units of that noise. It counts as visible when

- its light there is at least :data:`MIN_LEVELS` levels in the mean,
- surface SNR × √(area / 4 px), the area taken as at most :data:`EYE_AREA_PX2`, is at least
  :data:`MIN_SNR`: the eye averages over a patch, not over a whole frame,
- for clusters, its light there is :data:`MIN_OVER_FIELD` times that of the field's stars or more.

Objects below any of these stay in the picture and are hidden: they need not be found, and finding them is no
mistake. Boxes hold what is seen, cut at the frame.

Run as a command: ``python -m training.dso_scenes --help``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import ParameterInvalid
from training.dso_cutouts import LABELS, SPLITS, Objects, Photograph
from training.dso_finish import Finish, Tone, random_finish, satellite_trail, through_jpeg
from training.dso_objects import Placed, random_object
from training.dso_sky import (
    Glow,
    StarField,
    chance,
    field_stars,
    ghost_rings,
    log_uniform,
    noise_levels,
    random_noise,
    random_star_field,
    sky_glow,
)

Float32 = NDArray[np.float32]
UInt8 = NDArray[np.uint8]

EMPTY_SHARE = 0.2
PHOTOGRAPH_SHARE = 0.07
MAX_OBJECTS = 5
INVISIBLE_SHARE, MAX_REDRAWS = 0.15, 4
"""An object that cannot be seen stays so often; otherwise another is drawn, at most so many times."""
SEEN_SIGMA, SEEN_LEVELS = 0.5, 1.5
SEEN_OF_PEAK = {"galaxy": 0.08, "nebula": 0.12, "cluster": 0.16}
"""An object is seen where it has this part of its peak or more, for its box."""
MIN_LEVELS, MIN_SNR, MIN_OVER_FIELD = 4.0, 9.0, 0.9
EYE_AREA_PX2 = 900.0
MIN_BOX_PX, MIN_AREA_PX2 = 6.0, 24.0
STRAY = 0.08
"""Pieces smaller than this part of the largest do not widen the box."""


@dataclass(frozen=True, eq=False)
class DsoScene:
    """A picture and what is in it.

    Attributes:
        picture: ``(H, W, 3)`` as a telescope shares it.
        starless: ``(H, W, 3)`` the same without stars: the same sky, noise and processing.
        boxes: ``(N, 4)`` x_min, y_min, x_max, y_max of what can be seen, from the middle of the first pixel.
        labels: ``(N,)`` numbers into :data:`LABELS`.
        surface_snr: ``(N,)`` mean light of each object where it is seen over the noise of a pixel.
        mask: ``(H, W)`` how visible objects are, 0 to 255: a heat map without classes.
        paired: Whether ``starless`` is true; photographs as they are have none, it repeats the picture.
        hidden: ``(K, 4)`` boxes of what is on the picture and not plain to see.
    """

    picture: UInt8
    starless: UInt8
    boxes: Float32
    labels: NDArray[np.int64]
    surface_snr: Float32
    mask: UInt8
    paired: bool
    hidden: Float32


def draw_dso_scene(seed: int, objects: Objects, side_px: int = 640, split: str = "train") -> DsoScene:
    """The scene of this number; the same number, objects and split give the same scene.

    Args:
        seed: Decides everything.
        objects: What :func:`training.dso_cutouts.load_objects` gave for the split, or ``NO_OBJECTS``.
        side_px: Of the square picture, from 128 to 1024.
        split: Scenes of another split are other scenes.

    Raises:
        ParameterInvalid: ``side_px`` or ``split`` is none of these.
    """
    if not 128 <= side_px <= 1024:
        raise ParameterInvalid(
            f"side_px must be 128 to 1024, got {side_px}.",
            parameter="side_px",
            given=side_px,
            limit=(128, 1024),
        )
    if split not in SPLITS:
        raise ParameterInvalid(
            f"split must be one of {', '.join(SPLITS)}, got {split!r}.",
            parameter="split",
            given=split,
            limit=SPLITS,
        )
    rng = np.random.default_rng([seed, SPLITS.index(split)])
    if objects.photographs and chance(rng, PHOTOGRAPH_SHARE):
        photograph = objects.photographs[rng.integers(len(objects.photographs))]
        return photograph_scene(rng, photograph, side_px)
    return composed_scene(rng, objects, side_px, 0 if chance(rng, EMPTY_SHARE) else _number(rng))


@dataclass(frozen=True)
class Style:
    """How a frame was processed: its pedestal, its noise and its tone, in levels."""

    glow: Glow
    sigma: float
    tone: Tone


def random_style(rng: np.random.Generator) -> Style:
    """Most frames are dark with a coloured pedestal; some are crushed to black, some grey, few extreme."""
    way = rng.random()
    if way < 0.6:
        level, sigma, gain = log_uniform(rng, 7, 19), log_uniform(rng, 0.8, 7.5), 1.0
    elif way < 0.72:
        level, sigma, gain = rng.uniform(17, 42), log_uniform(rng, 0.7, 6.0), 1.0
    elif way < 0.92:
        level, sigma, gain = rng.uniform(8, 18), log_uniform(rng, 0.7, 6.0), rng.uniform(0.9, 1.9)
    elif way < 0.96:
        level, sigma, gain = rng.uniform(40, 105), log_uniform(rng, 4, 20), 1.0
    else:
        level, sigma, gain = rng.uniform(0.5, 4), log_uniform(rng, 0.4, 1.5), 1.0
    spread = min(2.2, 0.3 * level)
    common = np.array([rng.normal(0.8, 1.1), rng.normal(-1.0, 0.5), rng.normal(0.4, 1.2)]) * spread / 1.6
    tint = common * (rng.uniform(1.0, 3.0) if chance(rng, 0.2) else 1.0)
    gradient = 0.0 if chance(rng, 0.3) else log_uniform(rng, 0.5, 0.25 * level + 4.0)
    glow = Glow(float(level), (float(tint[0]), float(tint[1]), float(tint[2])), gradient)
    black = (0.0, 0.0, 0.0)
    if 0.72 <= way < 0.92:
        cut = level + tint + rng.uniform(-1.0, 2.0) * sigma + rng.uniform(0.0, 1.0) * gradient / 2.0
        black = (float(cut[0]), float(cut[1]), float(cut[2]))
    gamma = float(rng.uniform(0.85, 1.2)) if chance(rng, 0.2) else 1.0
    return Style(glow, float(sigma), Tone(black, float(gain), gamma))


def composed_scene(rng: np.random.Generator, objects: Objects, side_px: int, n_objects: int) -> DsoScene:
    """A scene with so many objects, as far as they fall onto the frame and can be seen."""
    style = random_style(rng)
    field = random_star_field(rng, side_px)
    sky = sky_glow(rng, style.glow, side_px)
    noise = random_noise(rng, style.sigma, field.scene.fwhm_px)
    sky += noise_levels(rng, noise, side_px)
    spoil(rng, sky, field)
    shown_sky = style.tone(np.array([style.glow.level + np.array(style.glow.tint)], np.float32))[0]
    finish = random_finish(rng, style.tone, shown_sky, side_px)

    # Crushed blacks swallow what does not stand above them.
    swallowed = max(0.0, float(np.mean(style.tone.black)) - style.glow.level)
    faintest = max(style.sigma, 1.5) + swallowed
    noise_seen = visible_noise(style.tone(sky), finish.seen)
    placed = []
    for _ in range(n_objects):
        item = random_object(rng, objects, field, faintest)
        for _ in range(MAX_REDRAWS):
            if _hopeful(item, sky, noise_seen, finish) or chance(rng, INVISIBLE_SHARE):
                break
            item = random_object(rng, objects, field, faintest)
        if item is not None:
            placed.append(item)

    xy, peak, colour = field_stars(rng, field)
    of_field = field.light(xy, peak, colour)
    members = [field.light(*item.stars) if item.stars is not None else None for item in placed]
    light = of_field
    for own in members:
        light = light + own if own is not None else light
    stars = shown_stars(field, light) + ghost_rings(rng, field, xy, peak)

    bare, full = sky.copy(), sky.copy()
    for item in placed:
        bare[item.window] += item.starless
        full[item.window] += item.light
    picture = finish(screened(full, stars))
    starless = finish(bare)

    crowd = shown_stars(field, of_field) if any(item.label == "cluster" for item in placed) else None
    found, hidden = [], []
    for item, own in zip(placed, members, strict=True):
        added = added_light(item, own, full, light, field, finish)
        seen = judged(item.label, added, noise_seen, crowd)
        if seen is not None and seen.is_plain:
            found.append((item.label, seen))
        elif seen is not None:
            hidden.append(seen.box)
    return DsoScene(
        picture=picture,
        starless=starless,
        boxes=np.array([seen.box for _, seen in found], np.float32).reshape(-1, 4),
        labels=np.array([LABELS.index(label) for label, _ in found], np.int64),
        surface_snr=np.array([seen.surface_snr for _, seen in found], np.float32),
        mask=_mask([seen.soft for _, seen in found], side_px),
        paired=True,
        hidden=np.array(hidden, np.float32).reshape(-1, 4),
    )


def added_light(
    item: Placed,
    own: NDArray[np.float64] | None,
    full: Float32,
    stars_light: NDArray[np.float64],
    field: StarField,
    finish: Finish,
) -> Float32:
    """``(H, W)`` levels an object adds to the finished picture, root mean square over the channels."""
    side = full.shape[0]
    added = np.zeros((side, side), np.float32)
    if item.light.size:
        rows, columns = item.window
        with_it = full[rows, columns]
        difference = finish.tone(with_it) - finish.tone(with_it - item.light)
        added[rows, columns] = np.sqrt(np.mean(difference**2, axis=2))
    if own is not None:
        gain = np.float32(finish.tone.gain)
        difference = gain * (shown_stars(field, stars_light) - shown_stars(field, stars_light - own))
        added = np.hypot(added, np.sqrt(np.mean(difference**2, axis=2)))
    return added * finish.seen


@dataclass(frozen=True, eq=False)
class Seen:
    """What shows of an object on a finished picture.

    Attributes:
        box: ``(4,)`` x_min, y_min, x_max, y_max, from the middle of the first pixel.
        surface_snr: Mean light where it shows over the noise of a pixel.
        soft: ``(H, W)`` how visible it is, from 0 to 1.
        is_plain: Whether it is visible, as the head of this module defines it.
    """

    box: NDArray[np.float64]
    surface_snr: float
    soft: Float32
    is_plain: bool


def judged(label: str, added: Float32, noise: float, crowd: Float32 | None) -> Seen | None:
    """What shows of an object, or None when nothing does.

    Args:
        label: Its kind.
        added: ``(H, W)`` levels it adds.
        noise: Of a pixel, in levels.
        crowd: ``(H, W, 3)`` levels of the field's stars, for clusters.
    """
    from scipy import ndimage

    lit = np.argwhere(added > 0.5)
    if not len(lit):
        return None
    extent = float((lit.max(axis=0) - lit.min(axis=0) + 1).max())
    step = 4 if extent > 200 else 2 if extent > 60 else 1
    side = added.shape[0] // step * step
    cells = added[:side, :side].reshape(side // step, step, side // step, step).mean(axis=(1, 3))
    # Single stars of a cluster run together at a glance; grain does not make a galaxy larger.
    smoothing = extent / (26.0 if label == "cluster" else 70.0)
    smooth = ndimage.gaussian_filter(cells, max(smoothing, 1.0) / step)
    if smooth.max() <= 0.1:
        return None
    least = max(
        SEEN_SIGMA * noise,
        SEEN_LEVELS,
        SEEN_OF_PEAK[label] * float(np.percentile(smooth[smooth > 0.1], 99.0)),
    )
    pieces, n = ndimage.label(smooth > least)
    if n == 0:
        return None
    areas = np.bincount(pieces.ravel())
    areas[0] = 0
    kept = (areas >= STRAY * areas.max())[pieces] & (pieces > 0)
    area = float(kept.sum()) * step**2
    mean = float(cells[kept].mean())
    surface_snr = mean / noise
    rows, columns = np.flatnonzero(kept.any(axis=1)), np.flatnonzero(kept.any(axis=0))
    box = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]) * float(step) - 0.5
    is_plain = (
        mean >= MIN_LEVELS
        and surface_snr * np.sqrt(min(area, EYE_AREA_PX2) / 4.0) >= MIN_SNR
        and (box[2:] - box[:2]).min() >= MIN_BOX_PX
        and area >= MIN_AREA_PX2
    )
    if crowd is not None and label == "cluster":
        around = crowd[:side, :side].mean(axis=2)
        near = around.reshape(side // step, step, side // step, step).mean(axis=(1, 3))[kept].mean()
        is_plain = is_plain and mean >= MIN_OVER_FIELD * float(near)
    soft = np.zeros(added.shape, np.float32)
    strength = np.clip(smooth / (2.0 * least), 0.0, 1.0) * ndimage.binary_dilation(kept, iterations=2)
    soft[:side, :side] = np.repeat(np.repeat(strength, step, axis=0), step, axis=1)
    return Seen(box, surface_snr, soft, bool(is_plain))


def visible_noise(shown: Float32, seen: Float32) -> float:
    """Noise of a pixel of the picture in levels, at least 1: what JPEG and 8 bits leave."""
    step = 2
    grey = shown[::step, ::step].mean(axis=2)
    inside = seen[::step, ::step] > 0
    difference = (grey[:, 1:] - grey[:, :-1])[inside[:, 1:] & inside[:, :-1]]
    if not len(difference):
        return 1.0
    return max(1.0, float(1.4826 * np.median(np.abs(difference)) / np.sqrt(2.0)))


def photograph_scene(rng: np.random.Generator, photograph: Photograph, side_px: int) -> DsoScene:
    """A photograph as it is, turned by quarters and mirrored, somewhere on a black square."""
    picture, boxes = photograph.picture, photograph.boxes.astype(float)
    h, w = picture.shape[:2]
    if chance(rng, 0.5):
        picture = picture[:, ::-1]
        boxes = boxes[:, [2, 1, 0, 3]] * [-1, 1, -1, 1] + [w, 0, w, 0]
    for _ in range(int(rng.integers(4))):
        # A quarter turn brings the last column to the first row.
        picture, (h, w) = np.rot90(picture), (w, h)
        boxes = np.column_stack([boxes[:, 1], h - boxes[:, 2], boxes[:, 3], h - boxes[:, 0]])
    from PIL import Image

    scale = min(side_px / max(h, w), log_uniform(rng, 0.4, 2.5))
    size = (max(1, int(w * scale)), max(1, int(h * scale)))
    small = Image.fromarray(np.ascontiguousarray(picture)).resize(size, Image.Resampling.BICUBIC)
    x, y = rng.integers(0, side_px - size[0] + 1), rng.integers(0, side_px - size[1] + 1)
    canvas = np.zeros((side_px, side_px, 3), np.uint8)
    canvas[y : y + size[1], x : x + size[0]] = small
    fitted = boxes * scale + [x, y, x, y]
    large = (fitted[:, 2:] - fitted[:, :2]).min(axis=1) >= MIN_BOX_PX
    fitted = np.clip(fitted[large] - 0.5, -0.5, side_px - 0.5)
    canvas = through_jpeg(canvas, int(rng.integers(70, 96)), 2)
    mask = np.zeros((side_px, side_px), np.uint8)
    grey = canvas.mean(axis=2)
    snr = []
    for x0, y0, x1, y1 in np.rint(fitted + 0.5).astype(int):
        inside = grey[y0:y1, x0:x1]
        mask[y0:y1, x0:x1] = np.maximum(mask[y0:y1, x0:x1], np.clip(4.0 * inside, 0, 255).astype(np.uint8))
        snr.append(float(inside.mean()))
    return DsoScene(
        picture=canvas,
        starless=canvas.copy(),
        boxes=fitted.astype(np.float32).reshape(-1, 4),
        labels=photograph.labels[large],
        surface_snr=np.array(snr, np.float32),
        mask=mask,
        paired=False,
        hidden=np.zeros((0, 4), np.float32),
    )


def _hopeful(item: Placed | None, sky: Float32, noise: float, finish: Finish) -> bool:
    """Whether an object can be seen on the empty sky; a simulated cluster is always worth a try."""
    if item is None:
        return False
    if item.stars is not None:
        return True
    rows, columns = item.window
    below = sky[rows, columns]
    difference = finish.tone(below + item.light) - finish.tone(below)
    added = np.zeros(sky.shape[:2], np.float32)
    added[rows, columns] = np.sqrt(np.mean(difference**2, axis=2)) * finish.seen[rows, columns]
    seen = judged(item.label, added, noise, None)
    return seen is not None and seen.is_plain


def _number(rng: np.random.Generator) -> int:
    return int(rng.choice(np.arange(1, MAX_OBJECTS + 1), p=[0.58, 0.22, 0.1, 0.06, 0.04]))


def shown_stars(field: StarField, light: NDArray[np.float64]) -> Float32:
    """``(H, W, 3)`` levels of ``(3, H, W)`` light."""
    return np.moveaxis(field.stretch.levels(np.maximum(light, 0.0)), 0, -1)


def screened(levels: Float32, stars: Float32) -> Float32:
    """Stars over a sky: bright on bright does not exceed white."""
    free = np.clip(1.0 - levels / np.float32(255.0), 0.0, 1.0)
    return levels + stars * free


def spoil(rng: np.random.Generator, sky: Float32, field: StarField) -> None:
    """Hot pixels and satellite trails, added in place."""
    side = sky.shape[0]
    if chance(rng, 0.2):
        n = int(log_uniform(rng, 3, 150))
        rows, columns, channels = rng.integers(0, side, n), rng.integers(0, side, n), rng.integers(0, 3, n)
        sky[rows, columns, channels] += rng.exponential(90.0, n).astype(np.float32)
    if chance(rng, 0.05):
        for _ in range(int(rng.integers(1, 4))):
            sky += satellite_trail(rng, side, field.scene.fwhm_px)


def _mask(soft: list[Float32], side_px: int) -> UInt8:
    whole = np.zeros((side_px, side_px), np.float32)
    for one in soft:
        np.maximum(whole, one, out=whole)
    return np.rint(255.0 * whole).astype(np.uint8)


if __name__ == "__main__":
    from training.dso_dataset import main

    raise SystemExit(main())
