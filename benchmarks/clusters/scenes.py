"""Simulated frames with clusters put into them, of which everything is known.

A frame is that of an instrument at a random place of the whole sky, from the poles to the Milky Way, with
random galaxies and nebulae in a part of them. What stands in it follows from its number and the seed alone.
"""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.catalogues.gaia import separation_deg
from core.frames import Frame
from core.simulate.catalogue_scene import limiting_magnitude, scene_stars
from core.simulate.clusters import king_fraction_within
from core.simulate.geometry import scene_wcs
from core.simulate.presets import preset
from core.simulate.render import STAR_COLUMNS, render
from core.simulate.scene import Scene

Float64 = NDArray[np.float64]

SEED = 5_100_000
SIDE_PX = 512
N_FULL, N_EMPTY = 180, 60
"""Frames with clusters, and without."""
INSTRUMENTS = {"seestar": 0.35, "stellina": 0.25, "vespera": 0.2, "sct8": 0.2}
LATITUDES_DEG = (1.0, 90.0)
"""Of the Galaxy, drawn evenly in the logarithm: the Milky Way holds most of the sky's clusters."""
VISIBLE_SNR = 5.0
"""Stars count from this signal-to-noise ratio on, which they would have were they alone."""
FEWEST, MOST = (30, 400), 20_000
"""Stars of a cluster, those too faint to count included: at least a number drawn from the first range."""
CORE_PX = (5.0, 120.0)
CONTRASTS = (1.15, 1.5, 2.0, 3.0, 6.0, 20.0)
"""Edges of the ranges from which the contrast of open clusters is drawn in turns."""
GLOBULAR_SHARE, ELONGATED_SHARE, CUT_SHARE, BINARY_SHARE = 0.25, 0.35, 0.12, 0.15
CLEAR_CONTRAST = 2.0
"""Clusters of higher contrast should be found; those of a lower one are neither hit nor miss."""
FEWEST_VISIBLE = 40
"""So should only those with so many stars to be counted on the frame."""


@dataclass(frozen=True)
class Injected:
    """A cluster in a frame.

    Attributes:
        kind: ``"open"`` or ``"globular"``.
        x, y: Its middle, in pixels.
        reach_px: Half of the major axis of its outline, as far as its stars can be seen to belong to it: a
            third of the tidal radius, or three core radii where that is more.
        ratio: Minor over major axis.
        angle_deg: Of the major axis, from x towards y.
        core_px: Core radius along the major axis.
        n_visible: Its stars on the frame that count.
        contrast: Stars within the ellipse that holds half of its own over those the field has there.
        field_per_mpix: Stars of the field a million pixels.
    """

    kind: str
    x: float
    y: float
    reach_px: float
    ratio: float
    angle_deg: float
    core_px: float
    n_visible: int
    contrast: float
    field_per_mpix: float

    @property
    def is_clear(self) -> bool:
        """Whether it should be found."""
        return self.contrast > CLEAR_CONTRAST and self.n_visible >= FEWEST_VISIBLE

    def mask(self, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """``(H, W)`` the inside of its outline."""
        away: NDArray[np.bool_] = _ellipse_radius(self, *np.meshgrid(*map(np.arange, shape[::-1]))) <= 1.0
        return away

    def box(self, shape: tuple[int, int]) -> Float64:
        """``(4,)`` around the part of its outline that is on the frame."""
        turn = np.radians(self.angle_deg)
        half = self.reach_px * np.hypot(
            [np.cos(turn), np.sin(turn)], self.ratio * np.array([np.sin(turn), np.cos(turn)])
        )
        limits = np.array(shape[::-1], float) - 0.5
        low, high = (np.clip([self.x, self.y] + side * half, -0.5, limits) for side in (-1.0, 1.0))
        return np.concatenate([low, high])


@dataclass(frozen=True, eq=False)
class ClusterScene:
    """A frame to be made, with its truth.

    Attributes:
        name: Of the frame.
        scene: Telescope, sky and camera.
        stars: The stars of field and clusters.
        clusters: The truth.
    """

    name: str
    scene: Scene
    stars: pd.DataFrame
    clusters: tuple[Injected, ...]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.scene.camera.height, self.scene.camera.width

    def frame(self) -> Frame:
        """The frame as a camera writes it."""
        return render(self.scene, self.stars).frame

    def instances(self) -> NDArray[np.uint16]:
        """``(H, W)`` 0 where no cluster is, else its number from 1; where two overlap, the one whose middle
        is nearer in units of its own size."""
        columns, rows = np.meshgrid(*map(np.arange, self.shape[::-1]))
        found, nearest = np.zeros(self.shape, np.uint16), np.ones(self.shape)
        for number, one in enumerate(self.clusters, start=1):
            away = _ellipse_radius(one, columns, rows)
            found[away <= nearest] = number
            nearest = np.minimum(nearest, away)
        return found


def draw(number: int, *, full: bool, seed: int = SEED) -> ClusterScene:
    """One frame.

    Args:
        number: Which one.
        full: Whether there are clusters in it.
        seed: The benchmark's; others are for development.
    """
    rng = np.random.default_rng([seed, number, int(full)])
    scene = _random_scene(rng)
    stars = scene_stars(scene).table[list(STAR_COLUMNS)]
    limit = limiting_magnitude(scene, VISIBLE_SNR)
    density = _field_density(scene, stars, limit)
    clusters: list[Injected] = []
    parts = [stars]
    for index in range(_how_many(rng) if full else 0):
        one, members = _random_cluster(rng, scene, density, limit, number + index, clusters)
        clusters.append(one)
        parts.append(members)
    everyone = pd.concat(parts, ignore_index=True) if len(parts) > 1 else stars
    name = f"{'full' if full else 'empty'}_{number:04d}"
    return ClusterScene(name, scene, everyone, tuple(clusters))


def all_scenes(n_full: int = N_FULL, n_empty: int = N_EMPTY, seed: int = SEED) -> list[tuple[int, bool]]:
    """Number and kind of each frame of the benchmark."""
    return [*((number, True) for number in range(n_full)), *((number, False) for number in range(n_empty))]


def fingerprint(scene: ClusterScene) -> str:
    """Short hash of what a frame is made of."""
    digest = hashlib.sha256(scene.scene.to_json().encode())
    values = scene.stars[["ra_deg", "dec_deg", "g_mag"]].to_numpy(float)
    digest.update(np.rint(values * 1e5).astype("<i8").tobytes())
    digest.update(repr([dataclasses.astuple(one)[:7] for one in scene.clusters]).encode())
    return digest.hexdigest()[:16]


def _random_scene(rng: np.random.Generator) -> Scene:
    from astropy.coordinates import SkyCoord

    instrument = str(rng.choice(list(INSTRUMENTS), p=list(INSTRUMENTS.values())))
    low, high = np.log(LATITUDES_DEG)
    latitude = float(np.exp(rng.uniform(low, high))) * rng.choice([-1.0, 1.0])
    place = SkyCoord(rng.uniform(0.0, 360.0), latitude, unit="deg", frame="galactic").icrs
    scene = preset(instrument).cropped(SIDE_PX, SIDE_PX)
    busy = rng.random() < 0.4
    extras: dict[str, Any] = {
        "cosmic_rays": int(rng.integers(0, 4)),
        "satellites": int(rng.random() < 0.1),
        "galaxies": int(rng.integers(1, 12)) if busy else 0,
        "nebulae": int(rng.random() < 0.5) if busy else 0,
    }
    return dataclasses.replace(
        scene,
        pointing=dataclasses.replace(
            scene.pointing,
            ra_deg=float(place.ra.deg),
            dec_deg=float(place.dec.deg),
            rotation_deg=float(rng.uniform(0.0, 360.0)),
        ),
        sky=dataclasses.replace(scene.sky, gradient=float(rng.uniform(0.0, 0.3))),
        extras=dataclasses.replace(scene.extras, **extras),
        seed=int(rng.integers(2**31)),
    )


def _how_many(rng: np.random.Generator) -> int:
    return 2 if rng.random() < BINARY_SHARE else 1


def _field_density(scene: Scene, stars: pd.DataFrame, limit: float) -> float:
    """Stars of the field that count, a pixel."""
    away = separation_deg(
        stars["ra_deg"].to_numpy(), stars["dec_deg"].to_numpy(), scene.pointing.ra_deg, scene.pointing.dec_deg
    )
    near = away <= scene.field_radius_deg
    area_px = np.pi * (scene.field_radius_deg * 3600.0 / scene.pixel_scale_arcsec) ** 2
    return float((near & (stars["g_mag"] <= limit)).sum() + 1.0) / area_px


def _random_cluster(
    rng: np.random.Generator,
    scene: Scene,
    density: float,
    limit: float,
    turn: int,
    others: list[Injected],
) -> tuple[Injected, pd.DataFrame]:
    """A cluster and its stars, beside the others that are there."""
    globular = rng.random() < GLOBULAR_SHARE
    low, high = np.log(CORE_PX if not globular else (CORE_PX[0], 0.3 * CORE_PX[1]))
    core = float(np.exp(rng.uniform(low, high)))
    concentration = float(rng.uniform(4.0, 10.0) if not globular else rng.uniform(10.0, 40.0))
    ratio = float(rng.uniform(0.4, 0.8)) if rng.random() < ELONGATED_SHARE and not globular else 1.0
    angle = float(rng.uniform(0.0, 180.0))
    reach = core * min(max(3.0, concentration / 3.0), concentration)
    x, y = _place(rng, reach, others)
    grid = np.linspace(0.0, concentration, 2001)
    half = core * float(np.interp(0.5, king_fraction_within(grid, 1.0, concentration), grid))
    field_inside = density * np.pi * half**2 * ratio
    if globular:
        brightest = limit - float(rng.uniform(0.5, 4.0))
        faintest, slope = brightest + 6.0, 0.3
        count = int(np.exp(rng.uniform(np.log(1000), np.log(MOST))))
    else:
        edges = CONTRASTS[turn % (len(CONTRASTS) - 1) :][:2]
        wanted = float(np.exp(rng.uniform(*np.log(edges))))
        brightest, faintest, slope = limit - float(rng.uniform(4.0, 7.0)), limit + 0.5, 0.25
        count = int(2.0 * (wanted - 1.0) * field_inside / _visible_part(brightest, faintest, limit, slope))
    fewest = int(np.exp(rng.uniform(*np.log(FEWEST))))
    count = int(np.clip(count, fewest, MOST))
    within = king_fraction_within(grid, 1.0, concentration)
    radius = core * np.interp(rng.random(count), within, grid)
    towards = rng.uniform(0.0, 2.0 * np.pi, count)
    along, across = radius * np.cos(towards), ratio * radius * np.sin(towards)
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    xy = np.column_stack([x + cos * along - sin * across, y + sin * along + cos * across])
    bright, faint = 10.0 ** (slope * brightest), 10.0 ** (slope * faintest)
    g_mag = np.log10(rng.uniform(bright, faint, count)) / slope
    camera = scene.camera
    counts = g_mag <= limit
    on_frame = ((xy >= -0.5) & (xy <= np.array([camera.width, camera.height]) - 0.5)).all(axis=1)
    inside = counts & (radius <= half)
    one = Injected(
        kind="globular" if globular else "open",
        x=x,
        y=y,
        reach_px=reach,
        ratio=ratio,
        angle_deg=angle,
        core_px=core,
        n_visible=int((counts & on_frame).sum()),
        contrast=float(1.0 + inside.sum() / field_inside),
        field_per_mpix=density * 1e6,
    )
    return one, _as_stars(rng, scene, xy, g_mag, (g_mag - brightest) / (faintest - brightest))


def _place(rng: np.random.Generator, reach: float, others: list[Injected]) -> tuple[float, float]:
    """A place on the frame, a few cut by its edge; a second cluster stands beside the first."""
    if others:
        first = others[0]
        apart = rng.uniform(0.8, 1.6) * (first.reach_px + reach)
        for _ in range(60):
            towards = rng.uniform(0.0, 2.0 * np.pi)
            x, y = first.x + apart * np.cos(towards), first.y + apart * np.sin(towards)
            if 0.0 <= x < SIDE_PX and 0.0 <= y < SIDE_PX:
                return float(x), float(y)
    margin = 0.0 if rng.random() < CUT_SHARE else min(reach, 0.45 * SIDE_PX)
    x, y = rng.uniform(margin, SIDE_PX - 1.0 - margin, 2)
    return float(x), float(y)


def _visible_part(brightest: float, faintest: float, limit: float, slope: float) -> float:
    bright, faint, seen = (10.0 ** (slope * mag) for mag in (brightest, faintest, limit))
    return (seen - bright) / (faint - bright)


def _as_stars(
    rng: np.random.Generator, scene: Scene, xy: Float64, g_mag: Float64, depth: Float64
) -> pd.DataFrame:
    """Stars at places on the frame, blue to red along their magnitudes."""
    sky = scene_wcs(scene).wcs_pix2world(xy, 0)
    bp_rp = -0.1 + 1.5 * depth + rng.normal(0.0, 0.05, len(xy))
    return pd.DataFrame(
        {
            "ra_deg": sky[:, 0],
            "dec_deg": sky[:, 1],
            "g_mag": g_mag,
            "bp_mag": g_mag + 0.45 * bp_rp,
            "rp_mag": g_mag - 0.55 * bp_rp,
            "real": False,
            "source_id": 0,
        }
    )


def _ellipse_radius(one: Injected, x: Any, y: Any) -> Float64:
    """Distance from the middle, 1 on the outline."""
    turn = np.radians(one.angle_deg)
    along = (x - one.x) * np.cos(turn) + (y - one.y) * np.sin(turn)
    across = (y - one.y) * np.cos(turn) - (x - one.x) * np.sin(turn)
    return np.asarray(np.hypot(along, across / one.ratio) / one.reach_px, float)
