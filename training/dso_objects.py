"""One deep-sky object on a frame, real or simulated, as light in levels to add to the sky."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.simulate.clusters import king_fraction_within
from core.simulate.galaxies import galaxy_stamp
from core.simulate.nebulae import nebula_electrons
from core.simulate.objects import Galaxy, Nebula
from core.simulate.scene import Scene
from training.dso_cutouts import MARGIN, Cutout, Objects
from training.dso_sky import StarField, chance, log_uniform

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

SHARES = {"galaxy": 0.3, "nebula": 0.39, "cluster": 0.31}
"""How often an object is of each kind. Crowds hide clusters: a quarter of the boxes are theirs."""
SIMULATED = {"galaxy": 0.25, "nebula": 0.22, "cluster": 0.4}
"""How often it is simulated rather than cut out of a photograph."""
MIN_CLUSTER_SOURCE_PX = 110
WHOLE_FROM_PX = 300
"""Cutouts of nebulae this large may be shown larger than the frame."""


@dataclass(frozen=True, eq=False)
class Placed:
    """Light of one object within a window of the frame.

    Attributes:
        label: Its kind.
        x, y: Column and row of the window's first pixel.
        light: ``(h, w, 3)`` levels to add.
        starless: ``(h, w, 3)`` the same without its stars; the same array where it has none.
        stars: ``(n, 2)`` places, ``(n,)`` peaks and ``(n,)`` colours of stars to draw with those of the
            field, for simulated clusters.
    """

    label: str
    x: int
    y: int
    light: Float32
    starless: Float32
    stars: tuple[Float64, Float64, Float64] | None = None

    @property
    def window(self) -> tuple[slice, slice]:
        """Its rows and columns on the frame."""
        h, w = self.light.shape[:2]
        return slice(self.y, self.y + h), slice(self.x, self.x + w)


def random_object(
    rng: np.random.Generator, objects: Objects, field: StarField, faintest: float, label: str | None = None
) -> Placed | None:
    """An object of any size, brightness and colour; None when it falls outside the frame.

    Args:
        rng: Decides everything.
        objects: The cutouts to choose from; without any of its kind the object is simulated.
        field: The optics.
        faintest: Levels at which an object is lost in the noise; the faintest drawn are below it.
        label: Its kind; any by default.
    """
    label = label or str(rng.choice(list(SHARES), p=list(SHARES.values())))
    side = field.scene.camera.width
    cutouts = objects.cutouts[label]
    if label == "cluster":
        cutouts = [cutout for cutout in cutouts if min(cutout.picture.shape[:2]) >= MIN_CLUSTER_SOURCE_PX]
    simulated = not cutouts or chance(rng, SIMULATED[label])
    if label == "galaxy":
        return _galaxy(rng, None if simulated else cutouts[rng.integers(len(cutouts))], field, faintest)
    if label == "nebula":
        if not simulated:
            return _nebula(rng, cutouts[rng.integers(len(cutouts))], side, field.scene.fwhm_px, faintest)
        return _simulated_nebula(rng, field.scene, faintest)
    if not simulated:
        return _cluster(rng, cutouts[rng.integers(len(cutouts))], side, faintest)
    return _simulated_cluster(rng, field)


def laid(
    picture: NDArray[np.uint8], side: int, centre: Float64, scale: float, turn_rad: float
) -> tuple[int, int, Float32]:
    """A picture turned and scaled onto a frame, as ``(x, y, (h, w, 3))`` of the window it falls into.

    Args:
        picture: ``(h, w, 3)``.
        side: Of the frame.
        centre: ``(2,)`` x and y on the frame of the picture's middle.
        scale: Pixels of the frame a pixel of the picture.
        turn_rad: Turn of the picture.
    """
    image = Image.fromarray(picture)
    if scale < 0.95:
        # Averaged down first: the transform below samples points.
        size = (max(2, round(image.width * scale)), max(2, round(image.height * scale)))
        image = image.resize(size, Image.Resampling.BOX if scale < 0.5 else Image.Resampling.HAMMING)
        scale = 1.0
    cos, sin = np.cos(turn_rad), np.sin(turn_rad)
    half_x = 0.5 * scale * (abs(image.width * cos) + abs(image.height * sin))
    half_y = 0.5 * scale * (abs(image.width * sin) + abs(image.height * cos))
    reach = np.array([half_x, half_y])
    low = np.clip(np.floor(centre - reach), 0, side).astype(int)
    high = np.clip(np.ceil(centre + reach), 0, side).astype(int)
    w, h = (high - low).tolist()
    if w < 2 or h < 2:
        return int(low[0]), int(low[1]), np.zeros((0, 0, 3), np.float32)
    a, b = cos / scale, sin / scale
    dx, dy = low - centre
    matrix = (a, b, a * dx + b * dy + image.width / 2, -b, a, -b * dx + a * dy + image.height / 2)
    turned = image.transform((w, h), Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC)
    return int(low[0]), int(low[1]), np.asarray(turned, np.float32) / np.float32(255.0)


def recoloured(rng: np.random.Generator, light: Float32, label: str, kind: str) -> Float32:
    """The object in the colours small telescopes show: nebulae mostly red, galaxies and clusters pale."""
    grey = light.mean(axis=2, keepdims=True)
    if label == "nebula":
        way = rng.random()
        if kind == "PN":
            way = 0.5 + 0.5 * way
        elif kind == "RfN":
            way = 0.6 + 0.3 * way
        if way < 0.68:
            # Hα, less of it the brighter: the brightest parts bleach.
            tint = np.array([1.0, rng.uniform(0.1, 0.42), rng.uniform(0.05, 0.34)])
            if chance(rng, 0.25):
                tint = np.array([1.0, rng.uniform(0.5, 0.85), rng.uniform(0.2, 0.6)])  # brownish
        elif way < 0.8:
            tint = np.array([rng.uniform(0.4, 0.75), rng.uniform(0.6, 0.9), 1.0])
        elif way < 0.92:
            tint = np.array([rng.uniform(0.15, 0.6), 1.0, rng.uniform(0.75, 1.0)])
        else:
            tint = np.ones(3)
        keep = rng.uniform(0.0, 0.35) if way < 0.92 else 1.0
        peak = light.max(axis=2, keepdims=True)
        return (keep * light + (1.0 - keep) * (0.5 * grey + 0.5 * peak) * tint.astype(np.float32)).astype(
            np.float32
        )
    keep = rng.uniform(0.1, 0.8) if label == "galaxy" else rng.uniform(0.1, 0.6)
    warm = np.array([1.0, rng.uniform(0.85, 1.0), rng.uniform(0.7, 1.05)])
    return ((grey + keep * (light - grey)) * warm.astype(np.float32)).astype(np.float32)


def _galaxy(
    rng: np.random.Generator, cutout: Cutout | None, field: StarField, faintest: float
) -> Placed | None:
    side = field.scene.camera.width
    small = chance(rng, 0.55)
    size = log_uniform(rng, 8, 40) if small else log_uniform(rng, 40, min(360.0, 0.6 * side))
    centre = rng.uniform(-0.03, 1.03, 2) * side
    peak = _peak(rng, 2.5 * faintest, 240.0)
    if cutout is None:
        size = min(size, 90.0)
        scale_arcsec = field.scene.pixel_scale_arcsec
        radius = size / 5.0
        thin = float(rng.uniform(0.15, 1.0))
        bulge = float(rng.uniform(0.0, 0.5))
        galaxy = Galaxy(
            r_half_arcsec=radius * scale_arcsec,
            sersic_n=1.0 if chance(rng, 0.8) else 2.5,
            axis_ratio=thin,
            angle_deg=float(rng.uniform(0.0, 180.0)),
            bulge_fraction=bulge if bulge > 0.15 else 0.0,
            bulge_r_half_arcsec=max(0.3 * radius * scale_arcsec, 0.05),
        )
        stamp, left, bottom = galaxy_stamp(field.scene, galaxy, float(centre[0]), float(centre[1]))
        n = stamp.shape[0]
        x0, y0, x1, y1 = max(left, 0), max(bottom, 0), min(left + n, side), min(bottom + n, side)
        if x0 >= x1 or y0 >= y1:
            return None
        # Stretched as the rest of the frame is: the faint outskirts rise.
        shown = np.arcsinh(stamp / stamp.max() / 0.15) / np.arcsinh(1.0 / 0.15)
        seen = shown[y0 - bottom : y1 - bottom, x0 - left : x1 - left]
        colour = np.array([1.0, rng.uniform(0.85, 1.0), rng.uniform(0.65, 1.0)])
        light = (seen[..., None] * colour * peak).astype(np.float32)
        return Placed("galaxy", x0, y0, light, light)
    light_px = max(cutout.picture.shape[:2]) / (1.0 + 2.0 * MARGIN)
    x, y, light = laid(
        _flipped(rng, cutout.picture), side, centre, size / light_px, rng.uniform(0, 2 * np.pi)
    )
    if not light.size:
        return None
    light = _softened(light, 0.3 * field.scene.fwhm_px) * np.float32(peak)
    light = recoloured(rng, light, "galaxy", cutout.kind)
    return Placed("galaxy", x, y, light, light)


def _nebula(
    rng: np.random.Generator, cutout: Cutout, side: int, fwhm_px: float, faintest: float
) -> Placed | None:
    native = max(cutout.picture.shape[:2])
    if native >= WHOLE_FROM_PX and cutout.kind != "PN":
        size = log_uniform(rng, 120, 1700) * side / 640.0
        reach = 0.5 + 0.35 * min(1.0, size / side)
    else:
        size = log_uniform(rng, 14, 320) * side / 640.0
        reach = 0.5
    centre = (0.5 + rng.uniform(-reach, reach, 2)) * side
    # Most nebulae of such frames are barely there.
    peak = _peak(rng, 2.5 * faintest, 110.0 if chance(rng, 0.75) else 240.0)
    x, y, light = laid(_flipped(rng, cutout.picture), side, centre, size / native, rng.uniform(0, 2 * np.pi))
    if not light.size:
        return None
    light = _softened(light, max(0.3 * fwhm_px, 0.6 * size / native)) ** np.float32(rng.uniform(0.7, 1.6))
    light = recoloured(rng, light * np.float32(peak), "nebula", cutout.kind)
    return Placed("nebula", x, y, light, light)


def _simulated_nebula(rng: np.random.Generator, scene: Scene, faintest: float) -> Placed | None:
    side = scene.camera.width
    scene = dataclasses.replace(scene, seed=int(rng.integers(1 << 31)))
    radius_px = log_uniform(rng, 40, 620) * side / 640.0
    nebula = Nebula(
        kind="emission" if chance(rng, 0.8) else "reflection",
        radius_arcsec=radius_px * scene.pixel_scale_arcsec,
        axis_ratio=float(rng.uniform(0.3, 1.0)),
        angle_deg=float(rng.uniform(0.0, 180.0)),
        texture=float(rng.uniform(0.5, 1.8)),
    )
    x, y = (0.5 + rng.uniform(-0.75, 0.75, 2)) * side
    reach = 1.25 * radius_px
    window = np.clip([x - reach, y - reach, x + reach, y + reach], 0, side).astype(int)
    w, h = int(window[2] - window[0]), int(window[3] - window[1])
    if w < 16 or h < 16:
        return None
    part = dataclasses.replace(scene, camera=dataclasses.replace(scene.camera, width=w, height=h))
    light = np.moveaxis(nebula_electrons(part, nebula, x - window[0], y - window[1]), 0, -1)
    top = float(np.percentile(light.max(axis=2), 99.5))
    if top <= 0.0:
        return None
    peak = _peak(rng, 2.5 * faintest, 120.0)
    shown = (np.clip(light / top, 0.0, 1.4) ** rng.uniform(0.6, 1.0) * peak).astype(np.float32)
    return Placed("nebula", int(window[0]), int(window[1]), shown, shown)


def _cluster(rng: np.random.Generator, cutout: Cutout, side: int, faintest: float) -> Placed | None:
    native = max(cutout.picture.shape[:2])
    globular = cutout.kind == "GCl"
    box = native / (1.0 + 2.0 * MARGIN)
    # Shown larger than it was taken, its stars would be wider than those around it.
    largest = min((0.8 if globular else 0.95) * native, 0.9 * side)
    smallest = min(22.0 if globular else 70.0, 0.5 * largest)
    scale = log_uniform(rng, smallest, largest) / box
    centre = rng.uniform(0.02, 0.98, 2) * side
    turn, flip = rng.uniform(0, 2 * np.pi), rng.integers(8)
    peak = _peak(rng, max(3.0 * faintest, 55.0), 330.0)
    x, y, light = laid(_flip(cutout.picture, flip), side, centre, scale, turn)
    if not light.size:
        return None
    _, _, bare = laid(_flip(cutout.starless, flip), side, centre, scale, turn)
    both = recoloured(rng, np.concatenate([light, bare]) * np.float32(peak), "cluster", cutout.kind)
    light, bare = both[: len(light)], both[len(light) :]
    if not globular:
        bare = np.zeros_like(light)  # what is left between its stars is no light of theirs
    return Placed("cluster", x, y, light, np.minimum(bare, light))


def _simulated_cluster(rng: np.random.Generator, field: StarField) -> Placed:
    """Stars spread by King's profile; a globular also has the glow of the stars too faint to see."""
    side, scene = field.scene.camera.width, field.scene
    centre = rng.uniform(0.03, 0.97, 2) * side
    globular = chance(rng, 0.45)
    core = log_uniform(rng, 2.5, 14) if globular else log_uniform(rng, 15, 70)
    core *= side / 640.0
    tidal = core * float(rng.uniform(12, 30) if globular else rng.uniform(2.5, 6.0))
    n = int(log_uniform(rng, 250, 2500) if globular else log_uniform(rng, 25, 320))
    grid = np.linspace(0.0, tidal, 2001)
    radius = np.interp(rng.random(n), king_fraction_within(grid, core, tidal), grid)
    angle = rng.uniform(0.0, 2.0 * np.pi, n)
    xy = centre + radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    top = field.stretch.light(log_uniform(rng, 40, 0.95 * field.stretch.top))
    low = field.stretch.light(2.0)
    slope = float(rng.uniform(0.8, 1.6) if globular else rng.uniform(0.25, 0.8))
    peak = low * (1.0 - rng.random(n) * (1.0 - (low / top) ** slope)) ** (-1.0 / slope)
    mean = rng.uniform(0.6, 1.2) if globular else rng.uniform(0.0, 0.9)
    colour = np.clip(rng.normal(mean, 0.3, n), -0.3, 2.5)
    if not globular:
        empty = np.zeros((0, 0, 3), np.float32)
        return Placed("cluster", 0, 0, empty, empty, (xy, peak, colour))
    reach = 8.0 * core
    x0, y0 = np.clip(np.floor(centre - reach), 0, side - 1).astype(int)
    x1, y1 = np.clip(np.ceil(centre + reach), x0 + 1, side).astype(int) if side else (0, 0)
    x1, y1 = max(int(x1), int(x0) + 1), max(int(min(max(y1, y0 + 1), side)), int(y0) + 1)
    r2 = (np.arange(x0, x1)[None, :] - centre[0]) ** 2 + (np.arange(y0, y1)[:, None] - centre[1]) ** 2
    soft = np.hypot(core, 0.6 * scene.fwhm_px)
    fade = np.clip(1.0 - np.sqrt(r2) / reach, 0.0, 1.0)
    glow = fade / (1.0 + r2 / soft**2) * log_uniform(rng, 25, 230)
    light = (glow[..., None] * np.array([1.0, rng.uniform(0.9, 1), rng.uniform(0.75, 1)])).astype(np.float32)
    return Placed("cluster", int(x0), int(y0), light, light, (xy, peak, colour))


def _peak(rng: np.random.Generator, plain: float, highest: float) -> float:
    """Levels of an object's brightest part: mostly plain to see, in 1 of 8 down to a quarter of that."""
    lowest = max(plain, 9.0) * (0.25 if chance(rng, 0.125) else 1.0)
    return log_uniform(rng, lowest, max(highest, 1.5 * lowest))


def _flipped(rng: np.random.Generator, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return _flip(picture, int(rng.integers(8)))


def _flip(picture: NDArray[np.uint8], number: int) -> NDArray[np.uint8]:
    """One of the eight ways to turn and mirror a picture."""
    turned = np.rot90(picture, number % 4)
    return np.ascontiguousarray(turned[:, ::-1] if number >= 4 else turned)


def _softened(light: Float32, sigma: float) -> Float32:
    from scipy.ndimage import gaussian_filter

    if sigma < 0.35:
        return light
    return gaussian_filter(light, (sigma, sigma, 0.0), truncate=2.5)
