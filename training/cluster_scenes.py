"""Pictures with star clusters in them: what the networks of clusters learn from.

A scene has the optics, the stars and the processing of :mod:`training.dso_sky`, and is shown in one of two
ways: as smart telescopes share pictures (stretched, coloured, compressed), or as the networks see a linear
frame of a survey or of a camera (:func:`core.frames.night.network_picture` of what the sensor counts). Its
clusters follow King's profile: from 30 to 20,000 stars, core radii of 5 to 120 px at a side of 512 px (2.5
to 36 px for globulars), from hopeless to obvious, round, elongated, double, and cut by the frame's edge; the
stars too faint to be drawn one by one are a glow. Fields are those of the whole sky, from a handful of stars
to the Milky Way with its clouds. Galaxies and nebulae, and photographs of them, are no clusters. Some scenes
hold clusters out of photographs, and some are photographs.

**What must be found.** A star is seen when its peak is 6.3 σ/FWHM above the sky, which is a signal-to-noise
ratio of 5 under a filter of its shape. A cluster must be found when its stars that are seen, or the brighter
ones of them, are :data:`LEAST_SEEN` or more, outnumber those of the field :data:`LEAST_CONTRAST` − 1 times
within the ellipse that holds half of its own, and stand :data:`LEAST_SIGMA` above chance there; or when its
light as a whole is :data:`LEAST_GLOW` σ of a pixel there, and as bright as that of the field's stars. Others
stay in the picture, and their area counts neither way.

Run as a command: ``python -m training.cluster_scenes --help``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from skimage.morphology import convex_hull_image

from core.clusters.kinds import GLOBULAR, OPEN
from core.frames import Frame
from core.frames.night import NOISE_LEVELS, network_picture
from core.simulate.clusters import king_density, king_fraction_within
from training.cluster_photographs import ClusterPhotograph, laid_on_sky, shown_whole
from training.cluster_truth import TrueCluster, instance_map
from training.dso_cutouts import NO_OBJECTS, SPLITS, Objects
from training.dso_finish import random_finish, through_jpeg
from training.dso_objects import random_object
from training.dso_scenes import Style, random_style, screened, shown_stars, spoil
from training.dso_sky import (
    OUTSIDE_PX,
    StarField,
    chance,
    ghost_rings,
    log_uniform,
    noise_levels,
    random_noise,
    random_star_field,
    sky_glow,
    thinned,
)

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

SIDE_PX = 512
N_OPTICS, OPTICS_SEED = 48, 20_260
"""Star images are dear to make: so many are made, and each scene takes one of them."""
PHOTOGRAPH_SHARE, LAID_SHARE, SURVEY_SHARE, EMPTY_SHARE = 0.18, 0.14, 0.5, 0.2
NO_CLUSTER_SHARE = 0.45
"""Of the photographs that are shown whole: galaxies and nebulae."""
LINEAR_SHARE, LINEAR_GAIN, LINEAR_FWHM_PX, DARKEST_PERCENT = 0.35, (0.5, 30.0), 3.0, 10.0
"""Of them as well: shown as linear frames, so much brighter, with noise of this grain, on their darkest."""
DOUBLE_SHARE, THIRD_SHARE, CUT_SHARE, ELONGATED_SHARE, GLOBULAR_SHARE = 0.2, 0.05, 0.15, 0.35, 0.33
OBJECT_SHARE, CLOUDY_SHARE, GREY_SHARE = 0.5, 0.35, 0.55
CORE_PX, GLOBULAR_CORE_PX = (5.0, 120.0), (2.5, 36.0)
CONCENTRATION, GLOBULAR_CONCENTRATION = (3.5, 12.0), (9.0, 42.0)
FEWEST, MOST = 30, 20_000
CONTRAST, HOPELESS_SHARE = (1.4, 40.0), 0.15
RICH_SHARE = 0.45
"""Open clusters drawn by the number of their stars, whatever the field; the others by their contrast."""
BRIGHT_SHARE = 0.3
"""Open clusters whose stars are all brighter than most of the field's: near ones, such as Praesepe."""
MOST_BRIGHT = 300
"""Stars that such a cluster has at most, where its contrast does not tell how many."""
MOST_IN_CORE = 3.0
"""Stars of those in the square of the core radius: denser ones are globular clusters to the eye."""
SEEN_PEAK_SIGMA, LEAST_SEEN_LEVELS = 6.3, 3.0
DRAWN_OF_SEEN = 0.45
"""Stars fainter than this part of one that is seen are not drawn one by one."""
FIELD_SEEN, CROWDING = (25.0, 6500.0), 0.14
"""Stars seen on a frame of 512²; at most so many in the square of a star's width."""
MAX_BRIGHT, BRIGHT_LIGHT, BRIGHTEST = 140, 0.5, 40.0
LEAST_CONTRAST, LEAST_SEEN, LEAST_SIGMA, LEAST_GLOW = 1.6, 15, 3.5, 0.8
BRIGHTER = (1.0, 3.0, 10.0, 30.0)
"""Times the faintest star that is seen: limits above which stars are counted."""
LEAST_APART = 0.6
"""Middles of two clusters stand at least this part of their reaches apart."""
LEAST_ON_FRAME = 0.15
"""A cluster of which less is on the frame is not asked for."""


@dataclass(frozen=True, eq=False)
class ClusterScene:
    """A picture and its clusters.

    Attributes:
        picture: ``(H, W, 3)`` as the network sees it.
        clusters: What is in it; numbers of :attr:`instances` less 1.
        instances: ``(H, W)`` 0 where no cluster is, else the number of one.
        way: How it was made: ``"survey"``, ``"shared"`` or ``"photograph"``.
    """

    picture: UInt8
    clusters: tuple[TrueCluster, ...]
    instances: UInt8
    way: str


@dataclass(frozen=True, eq=False)
class Members:
    """The stars of a cluster.

    Attributes:
        truth: Where it is; not yet judged.
        xy, peak, colour: ``(N, 2)`` and ``(N,)`` of those drawn one by one.
        glow: Light of all others, or 0.
        glow_colour: Of them.
        core_px, tidal_px: Of the profile.
        half_px: Semi-major axis of the ellipse that holds half of its stars.
    """

    truth: TrueCluster
    xy: Float64
    peak: Float64
    colour: Float64
    glow: float
    glow_colour: float
    core_px: float
    tidal_px: float
    half_px: float


def draw_cluster_scene(
    seed: int,
    photographs: Sequence[ClusterPhotograph] = (),
    objects: Objects = NO_OBJECTS,
    side_px: int = SIDE_PX,
    split: str = "train",
) -> ClusterScene:
    """The scene of this number; the same number, photographs, objects and split give the same scene.

    Args:
        seed: Decides everything.
        photographs: What :func:`training.cluster_photographs.load_photographs` gave for the split.
        objects: What :func:`training.dso_cutouts.load_objects` gave for it, for galaxies and nebulae.
        side_px: Of the square picture.
        split: Scenes of another split are other scenes.
    """
    rng = np.random.default_rng([seed, SPLITS.index(split), 5])
    if photographs and chance(rng, PHOTOGRAPH_SHARE):
        return photograph_scene(rng, photographs, side_px)
    return drawn_scene(rng, photographs, objects, side_px, chance(rng, SURVEY_SHARE))


def photograph_scene(
    rng: np.random.Generator, photographs: Sequence[ClusterPhotograph], side_px: int
) -> ClusterScene:
    """A photograph, with clusters or without."""
    wanted = not chance(rng, NO_CLUSTER_SHARE)
    some = [one for one in photographs if bool(one.clusters) == wanted] or list(photographs)
    levels, clusters = shown_whole(rng, some[int(rng.integers(len(some)))], side_px)
    # What lies beyond the photograph, a rectangle however turned, is no part of a cluster.
    covered = convex_hull_image(levels.max(axis=2) > 0.0).astype(np.uint8)
    if chance(rng, LINEAR_SHARE):
        black = np.percentile(levels[covered > 0], DARKEST_PERCENT, axis=0)
        planes = linear_of(np.maximum(levels - black, 0.0)) * log_uniform(rng, *LINEAR_GAIN)
        picture = survey_picture(rng, planes, LINEAR_FWHM_PX)
    else:
        picture = through_jpeg(np.rint(levels).astype(np.uint8), int(rng.integers(72, 97)), 2)
    instances = instance_map(clusters, (side_px, side_px)) * covered
    return ClusterScene(picture, clusters, instances, "photograph")


def drawn_scene(
    rng: np.random.Generator,
    photographs: Sequence[ClusterPhotograph],
    objects: Objects,
    side_px: int,
    survey: bool,
) -> ClusterScene:
    """A drawn sky with clusters, or without."""
    field = optics(int(rng.integers(N_OPTICS)), side_px)
    style = random_style(rng)
    width = field.scene.fwhm_px
    sigma = NOISE_LEVELS if survey else style.sigma
    seen = field.stretch.light(max(SEEN_PEAK_SIGMA * sigma / width, 1.0 if survey else LEAST_SEEN_LEVELS))
    xy, peak, colour = sky_stars(rng, field, seen)
    density = float(np.sum(peak >= seen)) / (side_px + 2.0 * OUTSIDE_PX) ** 2 + 1.0 / side_px**2
    cut_out = [one for one in photographs if one.can_be_laid]
    laid = bool(cut_out) and chance(rng, LAID_SHARE)
    members: list[Members] = []
    for _ in range(0 if laid or chance(rng, EMPTY_SHARE) else _how_many(rng)):
        one = random_members(rng, field, seen, density, members)
        if all(_is_apart(one.truth, other.truth) for other in members):
            members.append(one)
    own = [field.light(one.xy, one.peak, one.colour) + glow_light(field, one) for one in members]
    of_field = field.light(xy, peak, colour)
    light = of_field + sum(own)

    extra = np.zeros((side_px, side_px, 3), np.float32)
    known: tuple[TrueCluster, ...] = ()
    if laid:
        photograph = cut_out[int(rng.integers(len(cut_out)))]
        window, levels, known = laid_on_sky(rng, photograph, side_px, sigma)
        extra[window] += levels
    if chance(rng, OBJECT_SHARE):
        for _ in range(int(rng.integers(1, 4))):
            kind = "galaxy" if chance(rng, 0.6) else "nebula"
            item = random_object(rng, objects, field, max(sigma, 1.5), kind)
            if item is not None:
                extra[item.window] += item.light
    unit = field.stretch.light(sigma)  # light of one standard deviation of the noise
    if survey:
        picture = survey_picture(rng, light / unit + linear_of(extra), field.scene.fwhm_px)
    else:
        picture = shared_picture(rng, field, style, light, extra, xy, peak)
    known += tuple(
        judged(one, light_of_one, of_field, xy, peak, seen, unit, side_px)
        for one, light_of_one in zip(members, own, strict=True)
    )
    instances = instance_map(known, (side_px, side_px))
    return ClusterScene(picture, known, instances, "survey" if survey else "shared")


@lru_cache(maxsize=N_OPTICS)
def optics(number: int, side_px: int) -> StarField:
    """One of the telescopes. Five of six show stars alike all over the frame."""
    field = random_star_field(np.random.default_rng([OPTICS_SEED, number]), side_px)
    if number % 6:
        seeing = dataclasses.replace(field.scene.seeing, field_growth=0.0, field_ellipticity=0.0)
        field = dataclasses.replace(field, scene=dataclasses.replace(field.scene, seeing=seeing))
    return field


def sky_stars(rng: np.random.Generator, field: StarField, seen: float) -> tuple[Float64, Float64, Float64]:
    """Places ``(N, 2)``, peaks and colours of the field's stars: from a dozen to the Milky Way.

    Args:
        rng: Decides everything.
        field: The optics.
        seen: Peak of the faintest star that is seen.
    """
    side = field.scene.camera.width
    share = (side / 512.0) ** 2
    crowd = min(FIELD_SEEN[1], CROWDING * 512.0**2 / field.scene.fwhm_px**2)
    # Fields of the Milky Way, where most clusters stand, are drawn more often than others.
    n_seen = FIELD_SEEN[0] * (crowd / FIELD_SEEN[0]) ** float(rng.random() ** 0.75) * share
    slope = float(rng.uniform(0.45, 1.0))
    # Too many bright stars would leave no sky: the counts are then steeper.
    while n_seen * (seen / BRIGHT_LIGHT) ** slope > MAX_BRIGHT * share and slope < 2.5:
        slope += 0.1
    lowest = DRAWN_OF_SEEN * seen
    n = rng.poisson(n_seen * DRAWN_OF_SEEN**-slope * ((side + 2 * OUTSIDE_PX) / side) ** 2)
    peak = np.minimum(lowest * (1.0 - rng.random(n)) ** (-1.0 / slope), BRIGHTEST)
    colour = np.clip(rng.normal(0.95, 0.45, n) - 0.12 * np.log(peak / lowest), -0.3, 2.8)
    xy = rng.uniform(-OUTSIDE_PX, side + OUTSIDE_PX, (n, 2))
    if chance(rng, CLOUDY_SHARE):
        return thinned(rng, xy, peak, colour, side, most=0.5)
    return xy, peak, colour


def random_members(
    rng: np.random.Generator, field: StarField, seen: float, density: float, others: Sequence[Members]
) -> Members:
    """A cluster of any kind, beside those that are there.

    Args:
        rng: Decides everything.
        field: The optics.
        seen: Peak of the faintest star that is seen.
        density: Stars of the field that are seen, a pixel.
        others: The clusters that are there.
    """
    side = field.scene.camera.width
    globular = chance(rng, GLOBULAR_SHARE)
    core = log_uniform(rng, *(GLOBULAR_CORE_PX if globular else CORE_PX)) * side / 512.0
    concentration = float(rng.uniform(*(GLOBULAR_CONCENTRATION if globular else CONCENTRATION)))
    elongated = chance(rng, ELONGATED_SHARE)
    ratio = float(rng.uniform(0.75, 0.95) if globular else rng.uniform(0.4, 0.85)) if elongated else 1.0
    reach = core * min(max(3.0, concentration / 3.0), concentration)
    angle = float(rng.uniform(0.0, np.pi))
    x, y = _place(rng, side, reach, [one.truth for one in others])
    grid = np.linspace(0.0, concentration, 2001)
    within = king_fraction_within(grid, 1.0, concentration)
    half = core * float(np.interp(0.5, within, grid))
    if globular:
        count = int(log_uniform(rng, 1000, MOST))
        top = seen * log_uniform(rng, 0.5, 40.0)
        low, slope = top / 250.0, float(rng.uniform(0.6, 0.9))
    else:
        low, top = DRAWN_OF_SEEN * seen, seen * log_uniform(rng, 4.0, 250.0)
        slope = float(rng.uniform(0.35, 0.8))
        contrast = rng.uniform(1.03, 1.5) if chance(rng, HOPELESS_SHARE) else log_uniform(rng, *CONTRAST)
        bright = chance(rng, BRIGHT_SHARE)
        if bright:
            low = seen * log_uniform(rng, 1.5, 25.0)
            top, slope = min(low * log_uniform(rng, 10.0, 400.0), BRIGHTEST), float(rng.uniform(0.15, 0.5))
        seen_part = (min(low / seen, 1.0) ** slope - (low / top) ** slope) / (1.0 - (low / top) ** slope)
        count = int(2.0 * (contrast - 1.0) * density * np.pi * half**2 * ratio / seen_part)
        if chance(rng, RICH_SHARE):
            core_512 = core * 512.0 / side
            most = min(MOST_BRIGHT if bright else 0.3 * MOST, FEWEST + MOST_IN_CORE * core_512**2)
            count = int(log_uniform(rng, FEWEST, most))
        count = int(np.clip(count, FEWEST, MOST))
    peak = low * (1.0 - rng.random(count) * (1.0 - (low / top) ** slope)) ** (-1.0 / slope)
    mean = rng.uniform(0.6, 1.2) if globular else rng.uniform(0.0, 0.9)
    colour = np.clip(rng.normal(mean, 0.3, count), -0.3, 2.5)
    radius = core * np.interp(rng.random(count), within, grid)
    towards = rng.uniform(0.0, 2.0 * np.pi, count)
    along, across = radius * np.cos(towards), ratio * radius * np.sin(towards)
    cos, sin = np.cos(angle), np.sin(angle)
    xy = np.column_stack([x + cos * along - sin * across, y + sin * along + cos * across])
    drawn = peak >= DRAWN_OF_SEEN * seen
    # Real globulars hold far more faint stars than are counted here.
    glow = float(peak[~drawn].sum()) * (log_uniform(rng, 0.5, 6.0) if globular else 1.0)
    return Members(
        truth=TrueCluster(GLOBULAR if globular else OPEN, x, y, reach, ratio, angle),
        xy=xy[drawn],
        peak=peak[drawn],
        colour=colour[drawn],
        glow=glow,
        glow_colour=float(mean),
        core_px=core,
        tidal_px=core * concentration,
        half_px=half,
    )


def glow_light(field: StarField, one: Members) -> Float64:
    """``(3, H, W)`` light of a cluster's stars that are not drawn one by one."""
    side = field.scene.camera.width
    if one.glow <= 0.0:
        return np.zeros((3, side, side))
    truth = one.truth
    radius = truth.away(np.arange(side)[None, :], np.arange(side)[:, None]) * truth.reach_px
    core = float(np.hypot(one.core_px, 0.6 * field.scene.fwhm_px))
    tidal = one.tidal_px * core / one.core_px
    grid = np.linspace(0.0, tidal, 2001)
    density = king_density(grid, core, tidal)
    whole = 2.0 * np.pi * truth.ratio * float(np.trapezoid(density * grid, grid))
    flux = field.flux(np.array([one.glow]), np.array([one.glow_colour]))[0]
    light: Float64 = flux[:, None, None] * (king_density(radius, core, tidal) / whole)
    return light


def judged(
    one: Members,
    own: Float64,
    of_field: Float64,
    xy: Float64,
    peak: Float64,
    seen: float,
    unit: float,
    side_px: int,
) -> TrueCluster:
    """The truth of a cluster, and whether it must be found.

    Args:
        one: The cluster.
        own, of_field: ``(3, H, W)`` light of its stars, and of those of the field.
        xy, peak: Of the stars of the field.
        seen: Peak of the faintest star that is seen.
        unit: Light of one standard deviation of the noise of a pixel.
        side_px: Of the frame.
    """
    truth = one.truth
    core = dataclasses.replace(truth, reach_px=one.half_px)
    on_frame = ((one.xy > -0.5) & (one.xy < side_px - 0.5)).all(axis=1)
    others_on_frame = ((xy > -0.5) & (xy < side_px - 0.5)).all(axis=1)
    rows, columns = np.arange(side_px)[:, None], np.arange(side_px)[None, :]
    middle = core.away(columns, rows) <= 1.0
    area = max(float(middle.sum()), 1.0)
    near = on_frame & (core.away(one.xy[:, 0], one.xy[:, 1]) <= 1.0)
    by_stars, contrasts = False, []
    for limit in (seen * each for each in BRIGHTER):
        n_inside = int((near & (one.peak >= limit)).sum())
        n_seen = int((on_frame & (one.peak >= limit)).sum())
        n_field = max(int((others_on_frame & (peak >= limit)).sum()), 1) * area / side_px**2
        contrasts.append(1.0 + n_inside / n_field)
        by_stars |= (
            contrasts[-1] >= LEAST_CONTRAST
            and n_seen >= LEAST_SEEN
            and n_inside / np.sqrt(n_inside + n_field) >= LEAST_SIGMA
        )
    light, beside = (float(each[:, middle].mean()) if middle.any() else 0.0 for each in (own, of_field))
    by_light = light >= LEAST_GLOW * unit and light >= beside and area >= 30.0
    whole = np.pi * truth.reach_px**2 * truth.ratio
    part = float((truth.away(columns, rows) <= 1.0).sum()) / min(whole, side_px**2)
    wanted = bool((by_stars or by_light) and part >= LEAST_ON_FRAME)
    n_seen = int((on_frame & (one.peak >= seen)).sum())
    return dataclasses.replace(truth, wanted=wanted, contrast=contrasts[0], n_seen=n_seen)


def shared_picture(
    rng: np.random.Generator,
    field: StarField,
    style: Style,
    light: Float64,
    extra: Float32,
    xy: Float64,
    peak: Float64,
) -> UInt8:
    """``(H, W, 3)`` picture as a smart telescope shares it.

    Args:
        rng: Decides everything.
        field: The optics.
        style: Of the processing.
        light: ``(3, H, W)`` of the stars.
        extra: ``(H, W, 3)`` levels of objects.
        xy, peak: Of the field's stars, for reflections of the brightest.
    """
    side = field.scene.camera.width
    sky = sky_glow(rng, style.glow, side)
    sky += noise_levels(rng, random_noise(rng, style.sigma, field.scene.fwhm_px), side)
    spoil(rng, sky, field)
    shown_sky = style.tone(np.array([style.glow.level + np.array(style.glow.tint)], np.float32))[0]
    finish = random_finish(rng, style.tone, shown_sky, side)
    stars = shown_stars(field, light) + ghost_rings(rng, field, xy, peak)
    return finish(screened(sky + extra, stars))


def linear_of(levels: Float32) -> Float32:
    """``(3, H, W)`` standard deviations of the noise, as a linear frame has them, of ``(H, W, 3)`` levels.

    A photograph's levels are stretched: that is undone roughly, its noise being a standard deviation of 3.
    """
    return np.moveaxis((levels / 255.0) ** 1.5 * (255.0 / NOISE_LEVELS), -1, 0)


def survey_picture(rng: np.random.Generator, planes: NDArray[np.floating], fwhm_px: float) -> UInt8:
    """``(H, W, 3)`` picture that the networks see of a linear frame, grey or in colour.

    Args:
        rng: Decides everything.
        planes: ``(3, H, W)`` light above the sky in standard deviations of its noise.
        fwhm_px: Of stars, which the grain of correlated noise goes with.
    """
    side = planes.shape[-1]
    if chance(rng, GREY_SHARE):
        planes = planes.mean(axis=0, keepdims=True)
    along = np.linspace(-0.5, 0.5, side)
    angle = rng.uniform(0.0, 2.0 * np.pi)
    slope = np.cos(angle) * along[None, :] + np.sin(angle) * along[:, None]
    planes = planes + (0.0 if chance(rng, 0.4) else log_uniform(rng, 0.2, 6.0)) * slope
    # A sky of so many electrons' square root: bright stars bring noise of their own.
    sky_e = log_uniform(rng, 8.0, 150.0)
    noise = np.sqrt(1.0 + np.maximum(planes, 0.0) / sky_e)
    if chance(rng, 0.3):
        grain = np.moveaxis(noise_levels(rng, random_noise(rng, 1.0, fwhm_px), side), -1, 0)
        planes = planes + noise * grain[: len(planes)]
    else:
        planes = planes + noise * rng.standard_normal(planes.shape, dtype=np.float32)
    if chance(rng, 0.3):
        n = int(log_uniform(rng, 3, 120))
        rows, columns = rng.integers(0, side, (2, n))
        planes[:, rows, columns] += rng.exponential(60.0, n)
    full = log_uniform(rng, 60.0, 6000.0)
    pixels = np.moveaxis(np.minimum(planes, full), 0, -1).astype(np.float32)
    frame = Frame.from_array(pixels[..., 0] if len(planes) == 1 else pixels, "survey.fits", row0="bottom")
    return network_picture(frame)


def _how_many(rng: np.random.Generator) -> int:
    way = rng.random()
    return 3 if way < THIRD_SHARE else 2 if way < THIRD_SHARE + DOUBLE_SHARE else 1


def _is_apart(one: TrueCluster, other: TrueCluster) -> bool:
    """Whether two clusters are two to the eye."""
    apart = np.hypot(one.x - other.x, one.y - other.y)
    return bool(apart >= LEAST_APART * (one.reach_px + other.reach_px))


def _place(
    rng: np.random.Generator, side: int, reach: float, others: Sequence[TrueCluster]
) -> tuple[float, float]:
    """Anywhere, a few cut by the frame's edge; further clusters stand beside the first, or by themselves."""
    if others and chance(rng, 0.6):
        first = others[0]
        apart = rng.uniform(0.8, 1.6) * (first.reach_px + reach)
        for _ in range(60):
            towards = rng.uniform(0.0, 2.0 * np.pi)
            x, y = first.x + apart * np.cos(towards), first.y + apart * np.sin(towards)
            if 0.0 <= x < side and 0.0 <= y < side:
                return float(x), float(y)
    margin = -0.3 * reach if chance(rng, CUT_SHARE) else min(reach, 0.45 * side)
    x, y = rng.uniform(margin, side - margin, 2)
    return float(x), float(y)


if __name__ == "__main__":
    from training.cluster_data import main

    raise SystemExit(main())
