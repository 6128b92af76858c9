"""Pictures of the ground with all that is known of them: what the networks of surfaces learn from.

A scene is a window of a region of real relief (:mod:`training.surface_relief`), turned, mirrored, at 0.35 to
2.5 times its scale; some are fractal ground without a region. Its valleys and ridges are those that
:mod:`training.surface_lines` finds in it at this scale; on fractal ground what it finds is chance and
counts neither way. Where ground is enlarged finer relief is added, for a blurred ground teaches that blur
is plain. Craters from 3 to 200 px, fresh to worn away, and in half of the scenes valleys and ridges are cut
into it (:mod:`training.surface_shapes`). The sun stands anywhere and 10° to 80° from the vertical
(:mod:`training.surface_light`). Ground differs in brightness: smoothly, as maria and highlands, by steep
slopes, rays and dark halos. Three ways of seeing it are drawn: a camera's picture, a map under a high sun
whose relief hardly shows, and a thermal picture by day, as THEMIS takes it, where slopes towards the sun
are warm and ground differs in patches. Then come blur, noise, stripes, seams of mosaics, JPEG and missing
corners; levels are at last those of :func:`core.surfaces.pictures.surface_picture`.

**What must be found.** A crater must be found when it is :data:`LEAST_WANTED_PX` wide or more, its middle is
on the picture, less than half of its rim lies in later craters, and the wall towards the sun differs from the
wall away from it, or the rim from what surrounds it, by :data:`LEAST_CONTRAST` levels and the noise. What is
smaller, hidden or doubtful stays in the picture and counts neither way, and so do valleys and ridges that the
light does not show.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from core.frames import Frame
from core.surfaces.pictures import surface_picture
from training.dso_cutouts import SPLITS
from training.dso_sky import chance, log_uniform
from training.surface_camera import (
    MAP,
    OPTICAL,
    THERMAL,
    WAYS,
    expose,
    random_albedo,
    random_camera,
    random_hole,
    random_seam,
    spoiled,
)
from training.surface_light import Sun, cast_shadows, reflectance, slopes
from training.surface_lines import find_lines
from training.surface_relief import KM_PER_PX, Region
from training.surface_shapes import (
    DrawnCrater,
    DrawnLine,
    add_crater,
    add_line,
    fractal_fields,
    random_craters,
    random_line,
)
from training.surface_truth import (
    IGNORE,
    IS_PLAIN,
    IS_RIDGE,
    IS_VALLEY,
    RIM_INSIDE,
    RIM_OUTSIDE,
    TrueCrater,
    lay_craters,
    window_around,
)

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

SIDE_PX = 512
SCALES = (0.35, 2.5)
NO_REGION_SHARE, LINES_SHARE, CRATERS_SHARE, SEAM_SHARE, HOLE_SHARE = 0.12, 0.55, 0.85, 0.1, 0.08
UPRIGHT_BELOW = 0.72
"""Scale below which a window that is turned freely would not fit into a region."""
INCIDENCE_DEG = {OPTICAL: (25.0, 80.0), MAP: (10.0, 35.0), THERMAL: (35.0, 75.0)}
STEEPNESS, EXAGGERATION = (0.05, 0.4), (0.7, 6.0)
"""Slope of the steeper parts of the ground (its 90th percentile) after heights were multiplied by so much."""
BRIGHT_SLOPES = {OPTICAL: 0.3, MAP: 1.1, THERMAL: 0.2}
"""How much brighter a slope of 45° may be, as a logarithm."""
LEAST_WANTED_PX, LEAST_KNOWN_PX, LEAST_SEGMENT_PX = 6.0, 3.5, 8.0
"""Diameters: of a crater that must be found; that is told of at all; whose floor and rim are told apart."""
LARGEST_SHARE = 1.2
"""A crater wider than so many sides of the picture is no crater on it, and its rim counts neither way."""
LEAST_CONTRAST, LEAST_LINE_CONTRAST = 8.0, 2.5
"""Levels: a crater's walls, and a line against what surrounds it, must differ so much and by the noise."""
OVER_PATCHES = 0.5
"""And by this part of the deviation that differences of the ground's own brightness make."""
OVER_GROUND, STEEPEST_LINE = 1.5, 0.5
"""Depth over width of a drawn line, over the usual slope of its ground, and at most."""
MOST_COVERED = 0.5
THROWN_REACH = 2.0
"""Radii around a crater's middle within which it changes the ground."""


@dataclass(frozen=True)
class SceneFacts:
    """What else is known of a scene.

    Attributes:
        way: Of seeing: one of :data:`training.surface_camera.WAYS`.
        region: Of the ground, or an empty string.
        km_per_px: Kilometres a pixel.
        sun_azimuth_deg: Direction towards the sun on the picture, from x towards y; None where it has two.
        incidence_deg: Of the sun, from the vertical.
        noise: Standard deviation in levels.
    """

    way: str
    region: str
    km_per_px: float
    sun_azimuth_deg: float | None
    incidence_deg: float
    noise: float


@dataclass(frozen=True, eq=False)
class SurfaceScene:
    """A picture of the ground.

    Attributes:
        picture: ``(H, W)`` grey levels as methods see them.
        classes: ``(H, W)`` numbers in :data:`core.surfaces.kinds.SEGMENTS`, or
            :data:`training.surface_truth.IGNORE`.
        craters: On it; those not ``wanted`` count neither way.
        facts: What else is known.
    """

    picture: UInt8
    classes: UInt8
    craters: tuple[TrueCrater, ...]
    facts: SceneFacts

    @cached_property
    def circles(self) -> Float64:
        """``(N, 4)`` x, y and diameter of the craters in pixels, and 1 for those that must be found."""
        known = [(one.x, one.y, one.diameter_px, one.wanted) for one in self.craters]
        return np.array(known, float).reshape(-1, 4)


@dataclass(eq=False)
class Ground:
    """A piece of ground, as it is being made.

    Attributes:
        height: ``(H, W)`` metres.
        classes: ``(H, W)`` without craters.
        seen: ``(H, W)`` where there is ground.
        craters: On it, before any are drawn.
        px_m: Metres a pixel.
        region: Its name.
    """

    height: Float32
    classes: UInt8
    seen: Bool
    craters: list[TrueCrater]
    px_m: float
    region: str


def draw_surface_scene(
    seed: int, regions: Sequence[Region] = (), side_px: int = SIDE_PX, split: str = "train"
) -> SurfaceScene:
    """The scene of this number; the same number, regions and split give the same scene.

    Args:
        seed: Decides everything.
        regions: What :func:`training.surface_relief.load_regions` gave for the split.
        side_px: Of the square picture.
        split: Scenes of another split are other scenes.
    """
    rng = np.random.default_rng([seed, SPLITS.index(split), 11])
    if regions and not chance(rng, NO_REGION_SHARE):
        ground = random_window(rng, regions[int(rng.integers(len(regions)))], side_px)
    else:
        ground = fractal_ground(rng, side_px)
    way = str(rng.choice(list(WAYS), p=list(WAYS.values())))
    sun = Sun(float(rng.uniform(0.0, 360.0)), float(rng.uniform(*INCIDENCE_DEG[way])))
    ground.classes = find_lines(ground.height, ground.px_m, ground.craters)
    if not ground.region:  # chance has neither valleys nor ridges: what passes for one counts neither way
        ground.classes[ground.classes != IS_PLAIN] = IGNORE
    exaggerate(rng, ground)
    fresh = np.zeros((side_px, side_px), np.float32)
    drawn = cut_and_pile(rng, ground, fresh)
    if chance(rng, HOLE_SHARE):
        ground.seen &= ~random_hole(rng, side_px)

    light, bare, seamed = lit_ground(rng, ground, fresh, sun, way)
    camera = random_camera(rng, way)
    clear, gain = expose(rng, light, ground.seen, camera)
    missing = int(rng.choice([0, 0, 0, 255, round(float(clear.mean()))]))
    picture = spoiled(rng, clear, ground.seen, camera, missing)

    bare *= np.float32(gain)
    craters = judged_craters(ground, drawn, bare, clear, sun, camera.noise)
    classes = ground.classes
    hide_unseen_lines(classes, bare, clear, camera.noise)
    hide_giant_rims(classes, ground.craters)
    lay_craters(classes, craters, LEAST_SEGMENT_PX)
    classes[~ground.seen] = IGNORE
    facts = SceneFacts(
        way=way,
        region=ground.region,
        km_per_px=ground.px_m / 1000.0,
        sun_azimuth_deg=None if seamed else sun.azimuth_deg,
        incidence_deg=sun.incidence_deg,
        noise=camera.noise,
    )
    shown = surface_picture(Frame.from_array(picture))
    kept = tuple(one for one in craters if one.diameter_px >= LEAST_KNOWN_PX)
    return SurfaceScene(shown, classes, kept, facts)


def random_window(rng: np.random.Generator, region: Region, side_px: int) -> Ground:
    """A piece of a region, turned, mirrored, larger or smaller."""
    scale = log_uniform(rng, *SCALES) * side_px / SIDE_PX
    turn = float(rng.integers(4)) * 90.0 + float(rng.normal(0.0, 2.0))
    if scale * SIDE_PX / side_px > UPRIGHT_BELOW:
        turn = float(rng.uniform(0.0, 360.0))
    reach = side_px / scale / 2.0 * (abs(np.cos(np.radians(turn))) + abs(np.sin(np.radians(turn))))
    middle = []
    for length in region.height.shape[::-1]:
        spare = max(length / 2.0 - reach, 0.04 * length)
        middle.append(float(length / 2.0 + rng.uniform(-spare, spare)))
    return window(rng, region, side_px, scale, turn, chance(rng, 0.5), np.array(middle))


def window(
    rng: np.random.Generator,
    region: Region,
    side_px: int,
    scale: float,
    turn_deg: float,
    mirrored: bool,
    middle: Float64,
) -> Ground:
    """A piece of a region.

    Args:
        rng: Decides the finer relief.
        region: The ground.
        side_px: Of the square picture.
        scale: Pixels of the picture for one of the region.
        turn_deg: Of the picture's x axis on the region, from x towards y.
        mirrored: Whether the picture's x axis points the other way.
        middle: ``(x, y)`` on the region of the middle of the picture.
    """
    import cv2

    cos, sin = np.cos(np.radians(turn_deg)), np.sin(np.radians(turn_deg))
    axes = np.array([[cos, -sin], [sin, cos]]) @ np.diag([-1.0 if mirrored else 1.0, 1.0])
    back = np.empty((2, 3))
    back[:, :2] = axes / scale
    back[:, 2] = middle - back[:, :2] @ np.full(2, (side_px - 1) / 2.0)
    size, how = (side_px, side_px), cv2.WARP_INVERSE_MAP
    relief = region.height
    if scale < 1.0:
        relief = cv2.GaussianBlur(relief, (0, 0), 0.45 / scale)
    height = cv2.warpAffine(relief, back, size, flags=how | cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    seen = cv2.warpAffine(region.seen.astype(np.uint8), back, size, flags=how | cv2.INTER_NEAREST) > 0
    if scale > 0.8:
        height = height + finer_relief(rng, height, scale)
    craters = []
    for one in region.craters:
        x, y = scale * axes.T @ (np.array([one.x, one.y]) - middle) + (side_px - 1) / 2.0
        reach = THROWN_REACH * scale * one.major_px
        if not (-reach < x < side_px + reach and -reach < y < side_px + reach):
            continue
        along = axes.T @ [np.cos(np.radians(one.angle_deg)), np.sin(np.radians(one.angle_deg))]
        angle = float(np.degrees(np.arctan2(along[1], along[0])) % 180.0)
        craters.append(
            dataclasses.replace(
                one,
                x=float(x),
                y=float(y),
                major_px=one.major_px * scale,
                minor_px=one.minor_px * scale,
                angle_deg=angle,
            )
        )
    px_m = 1000.0 * region.km_per_px / scale
    plain = np.full(height.shape, IS_PLAIN, np.uint8)
    return Ground(np.asarray(height, np.float32), plain, seen, craters, px_m, region.name)


def finer_relief(rng: np.random.Generator, height: Float32, scale: float, even: bool = False) -> Float32:
    """``(H, W)`` metres of relief finer than there is: rough where what is there is rough, or all alike."""
    import cv2

    rough = height - cv2.GaussianBlur(height, (0, 0), 1.2 * scale)
    rough = np.sqrt(cv2.GaussianBlur(rough * rough, (0, 0), 14.0 * scale))
    if even:
        rough = np.full_like(rough, np.percentile(rough[::4, ::4], 40.0))
    fine = fractal_fields(rng, height.shape[0], rng.uniform(0.4, 0.9), 3.5 * scale, 1.6)[0]
    return np.asarray(np.float32(rng.uniform(0.1, 0.7)) * rough * fine, np.float32)


def fractal_ground(rng: np.random.Generator, side_px: int) -> Ground:
    """Ground without a region: plains, and rougher in places."""
    hurst = float(rng.uniform(0.6, 1.0))
    rolling, other = fractal_fields(rng, side_px, hurst, log_uniform(rng, 0.1, 1.5) * side_px, 2.0)
    px_m = 1000.0 * KM_PER_PX
    height = rolling * np.exp(np.float32(rng.uniform(0.0, 0.5)) * other) * np.float32(2.0 * px_m)
    shape = (side_px, side_px)
    plain = np.full(shape, IS_PLAIN, np.uint8)
    return Ground(height.astype(np.float32), plain, np.ones(shape, bool), [], px_m, "")


def exaggerate(rng: np.random.Generator, ground: Ground) -> None:
    """Multiply heights, so that the slopes of the ground can be seen under most suns."""
    slope_x, slope_y = slopes(ground.height[::2, ::2], 2.0 * ground.px_m)
    usual = max(float(np.percentile(np.hypot(slope_x, slope_y), 90.0)), 1e-4)
    low, high = EXAGGERATION if ground.region else (0.0, np.inf)
    ground.height *= np.float32(np.clip(log_uniform(rng, *STEEPNESS) / usual, low, high))


def cut_and_pile(rng: np.random.Generator, ground: Ground, fresh: Float32) -> list[TrueCrater]:
    """Draw valleys, ridges and craters into the ground, and give the craters, the oldest first.

    Args:
        rng: Decides everything.
        ground: Its heights and classes change.
        fresh: ``(H, W)`` logarithm of the brightness of fresh ground, changed.
    """
    side = ground.height.shape[0]
    if chance(rng, LINES_SHARE):
        for _ in range(int(rng.integers(1, 6))):
            line = plain_to_see(random_line(rng, side), ground)
            there = add_line(rng, ground.height, line, ground.px_m)
            ground.classes[there] = IS_VALLEY if line.is_valley else IS_RIDGE
    if not chance(rng, CRATERS_SHARE):
        return []
    drawn: list[DrawnCrater] = random_craters(rng, side)
    for one in drawn:
        add_crater(ground.height, fresh, one, ground.px_m)
    # Their floors and walls are as rough as the ground around them.
    ground.height += finer_relief(rng, ground.height, 0.8, even=True)
    return [one.truth for one in drawn]


def plain_to_see(line: DrawnLine, ground: Ground) -> DrawnLine:
    """A line, steep enough for its ground: it stands out of the slopes that are usual there."""
    import cv2

    width = max(line.widths_px)
    places = np.rint(np.concatenate(line.paths)).astype(int)
    places = places[((places >= 0) & (places < ground.height.shape[0])).all(axis=1)]
    if not len(places):
        return line
    smooth = cv2.GaussianBlur(ground.height, (0, 0), max(width / 5.0, 0.6))
    slope_x, slope_y = slopes(smooth, ground.px_m)
    usual = float(np.median(np.hypot(slope_x, slope_y)[places[:, 1], places[:, 0]]))
    return dataclasses.replace(line, steepness=max(line.steepness, min(OVER_GROUND * usual, STEEPEST_LINE)))


def lit_ground(
    rng: np.random.Generator, ground: Ground, fresh: Float32, sun: Sun, way: str
) -> tuple[Float32, Float32, bool]:
    """``(H, W)`` light, the same were all ground equally bright, and whether there are two suns."""
    import cv2

    slope_x, slope_y = slopes(ground.height, ground.px_m)
    plain = reflectance(slope_x[::4, ::4], slope_y[::4, ::4], sun, 0.0)
    relief = float(plain.std()) / float(np.cos(np.radians(sun.incidence_deg)))
    albedo = random_albedo(rng, ground.height, relief, way)
    # Ground that slid from steep slopes is fresh.
    bright = rng.uniform(0.0, BRIGHT_SLOPES[way])
    fresh = fresh + np.float32(bright) * np.minimum(np.hypot(slope_x, slope_y), 0.6)
    lunar, ambient = float(rng.uniform(0.0, 1.0)), float(rng.uniform(0.0, 0.08))
    patches = np.float32(rng.choice([-1.0, 1.0]))

    def under(light: Sun, albedo: Float32 | float) -> Float32:
        if way == THERMAL:
            # Warm slopes; what is dark, or fine sand, is warm too. Heat spreads a little.
            lit = cv2.GaussianBlur(reflectance(slope_x, slope_y, light, 0.0), (0, 0), 0.7)
            flat = np.float32(np.cos(np.radians(light.incidence_deg)))
            return np.asarray((lit - flat) + flat * (patches * albedo - 0.3 * fresh), np.float32)
        lit = reflectance(slope_x, slope_y, light, lunar) * cast_shadows(ground.height, ground.px_m, light)
        return np.asarray(np.exp(albedo + fresh) * (lit + np.float32(ambient)), np.float32)

    light, bare = under(sun, albedo), under(sun, 0.0)
    if not chance(rng, SEAM_SHARE):
        return light, bare, False
    turned = chance(rng, 0.6)
    other = Sun(sun.azimuth_deg + float(rng.normal(0.0, 50.0)), sun.incidence_deg) if turned else sun
    beyond = under(other, albedo) if turned else light
    gain = np.float32(rng.uniform(0.85, 1.15))
    part = random_seam(rng, light.shape[0])
    return light * (1.0 - part) + gain * beyond * part, bare, turned


def judged_craters(
    ground: Ground,
    drawn: Sequence[TrueCrater],
    bare: Float32,
    clear: Float32,
    sun: Sun,
    noise: float,
) -> list[TrueCrater]:
    """All craters on the picture, and whether each must be found.

    Args:
        ground: With the craters it had.
        drawn: Those drawn into it, the oldest first.
        bare: ``(H, W)`` levels, were all of the ground equally bright.
        clear: ``(H, W)`` levels without noise.
        sun: The light.
        noise: Standard deviation in levels.
    """
    patchy = clear - bare
    side = clear.shape[0]
    every = [*ground.craters, *drawn]
    hidden = covered_parts(every, len(ground.craters))
    judged = []
    for one, part in zip(every, hidden, strict=True):
        x, y = round(one.x), round(one.y)
        on_picture = 0 <= x < side and 0 <= y < side
        if one.diameter_px > LARGEST_SHARE * side or (on_picture and not ground.seen[y, x]):
            continue
        asked = LEAST_CONTRAST + noise / min(1.0, one.diameter_px / 12.0)
        shown = contrast(one, bare, sun) >= asked + OVER_PATCHES * deviation(one, patchy)
        if not (shown or one.wanted):
            continue  # a pit that may be no crater, and that nobody sees
        wanted = bool(
            one.wanted and shown and on_picture and one.diameter_px >= LEAST_WANTED_PX and part < MOST_COVERED
        )
        judged.append(dataclasses.replace(one, wanted=wanted))
    return judged


def covered_parts(craters: Sequence[TrueCrater], first: int) -> Float64:
    """``(N,)`` part of each rim that lies within later craters.

    Args:
        craters: The oldest first.
        first: Only those from here on cover others.
    """
    turn = np.radians(np.arange(0.0, 360.0, 15.0))
    x, y = np.empty((2, len(craters), len(turn)))
    for number, one in enumerate(craters):
        cos, sin = np.cos(np.radians(one.angle_deg)), np.sin(np.radians(one.angle_deg))
        along, across = one.major_px * np.cos(turn), one.minor_px * np.sin(turn)
        x[number], y[number] = one.x + cos * along - sin * across, one.y + sin * along + cos * across
    under = np.zeros(x.shape, bool)
    for number in range(max(first, 1), len(craters)):
        if craters[number].major_px > 3.0:
            under[:number] |= craters[number].away(x[:number], y[:number]) < 1.0
    return np.asarray(under.mean(axis=1) if len(craters) else np.zeros(0))


def deviation(one: TrueCrater, levels: Float32) -> float:
    """Standard deviation of levels in and around a crater."""
    there = window_around(one, 1.3, levels.shape)
    return 0.0 if there is None else float(levels[there].std())


def contrast(one: TrueCrater, levels: Float32, sun: Sun) -> float:
    """Levels by which a crater's walls differ, or its rim from what surrounds it, whichever is more."""
    there = window_around(one, 1.6, levels.shape)
    if there is None:
        return 0.0
    rows, columns = np.ogrid[there]
    levels, away = levels[there], one.away(columns, rows)
    east, south = sun.towards
    side = ((columns - one.x) * east + (rows - one.y) * south) / one.major_px
    wall = (away > 0.3) & (away < 1.05)
    near, far = wall & (side > 0.15), wall & (side < -0.15)
    rim, around = (away > 0.75) & (away < 1.1), (away > 1.25) & (away < 1.6)
    found = [
        abs(float(levels[a].mean()) - float(levels[b].mean()))
        for a, b in ((near, far), (rim, around), (away < 0.8, around))
        if a.any() and b.any()
    ]
    return max(found, default=0.0)


def hide_unseen_lines(classes: UInt8, bare: Float32, clear: Float32, noise: float) -> None:
    """Mark valleys and ridges that the light does not show as counting neither way.

    Args:
        classes: ``(H, W)``, changed.
        bare: ``(H, W)`` levels, were all of the ground equally bright.
        clear: ``(H, W)`` levels without noise.
        noise: Standard deviation in levels.
    """
    import cv2

    def detail(levels: Float32) -> Float32:
        fine = levels - cv2.GaussianBlur(levels, (0, 0), 5.0)
        return np.asarray(np.sqrt(cv2.GaussianBlur(fine * fine, (0, 0), 5.0)), np.float32)

    lines = (classes == IS_VALLEY) | (classes == IS_RIDGE)
    asked = LEAST_LINE_CONTRAST + 0.4 * noise + OVER_PATCHES * detail(clear - bare)
    classes[lines & (detail(bare) < asked)] = IGNORE


def hide_giant_rims(classes: UInt8, craters: Sequence[TrueCrater]) -> None:
    """Mark the rims of craters that are too wide for the picture as counting neither way."""
    rows, columns = np.ogrid[: classes.shape[0], : classes.shape[1]]
    for one in craters:
        if one.diameter_px > LARGEST_SHARE * classes.shape[0]:
            away = one.away(columns, rows)
            classes[(away > 1.0 - RIM_INSIDE) & (away < 1.0 + RIM_OUTSIDE)] = IGNORE
