"""The sky of a smart telescope's picture, in levels of 0 to 255: its glow, its noise and its stars."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from core.simulate.halo import add_halos
from core.simulate.photometry import SUN_BP_RP, channel_shares
from core.simulate.presets import preset
from core.simulate.psf import FieldPsf
from core.simulate.scene import Scene
from core.simulate.stars import Stars, add_stars

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

TELESCOPES = ("vespera", "stellina", "seestar")
OUTSIDE_PX = 24
"""Stars are drawn so far beyond the frame: their wings reach into it."""
PLAIN_LEVEL = 25.0
"""Peak of the faintest stars that are plain to see; frames are drawn by how many of these they have."""
FAINTEST_LEVEL = 2.5
MAX_STARS = 9000
MAX_BRIGHT = 260
"""Most stars of a frame that may be half as bright as white, or more."""


def chance(rng: np.random.Generator, probability: float) -> bool:
    """True in so many cases of one."""
    return bool(rng.random() < probability)


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """A number whose logarithm is uniform."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


@dataclass(frozen=True)
class Stretch:
    """How brightness becomes levels: ``top · asinh(light / knee) / asinh(1 / knee)``, a channel at a time.

    A star whose peak has light 1 reaches ``top``.
    """

    knee: float
    top: float

    def levels(self, light: Float64) -> Float32:
        """Levels of light, at most ``top``."""
        scaled = np.arcsinh(light.astype(np.float32) * np.float32(1.0 / self.knee))
        return np.minimum(scaled * np.float32(self.top / np.arcsinh(1.0 / self.knee)), np.float32(self.top))

    def light(self, level: float) -> float:
        """Light that gives a level."""
        return float(self.knee * np.sinh(level / self.top * np.arcsinh(1.0 / self.knee)))


@dataclass(frozen=True, eq=False)
class StarField:
    """The optics of a frame, and how its stars are shown.

    Attributes:
        scene: Telescope and star image; the frame is square.
        stretch: From light to levels.
        tint: ``(3,)`` colour of white stars.
        saturation: 1 keeps the colours of black bodies; more exaggerates them.
        fringe_px: ``(3,)`` sigma by which each channel is out of focus.
    """

    scene: Scene
    stretch: Stretch
    tint: Float64
    saturation: float
    fringe_px: Float64

    @cached_property
    def psf(self) -> FieldPsf:
        """The images of its stars."""
        return FieldPsf(self.scene)

    def flux(self, peak: Float64, bp_rp: Float64) -> Float64:
        """``(N, 3)`` light of stars of given peak and colour."""
        sun = channel_shares(self.scene, SUN_BP_RP)[0]
        colours = (channel_shares(self.scene, bp_rp) / sun) ** self.saturation
        colours /= colours.max(axis=1, keepdims=True)
        seeing = self.scene.seeing
        covered = 1.2 * self.scene.fwhm_px * (self.scene.fwhm_px + self.scene.trail_px)
        return (peak * covered / (1.0 - seeing.halo_fraction))[:, None] * colours * self.tint

    def light(self, xy: Float64, peak: Float64, bp_rp: Float64) -> Float64:
        """``(3, H, W)`` light of stars at ``(N, 2)`` pixels."""
        from scipy.ndimage import gaussian_filter

        side = self.scene.camera.width
        light = np.zeros((3, side, side))
        if not len(xy):
            return light
        flux = self.flux(peak, bp_rp)
        # Stars are drawn out to where they fade into a tenth of a level.
        invisible = self.stretch.light(0.1) / 0.002
        variance = np.full_like(flux, invisible**2)
        x, y, halo = xy[:, 0].copy(), xy[:, 1].copy(), self.scene.seeing.halo_fraction
        add_stars(light, Stars(x, y, flux * (1.0 - halo), variance), self.psf, np.ones(3))
        add_halos(light, Stars(x, y, flux, variance), self.scene)
        for channel, sigma in enumerate(self.fringe_px):
            if sigma > 0.15:
                light[channel] = gaussian_filter(light[channel], sigma, truncate=3.0)
        return light


def random_star_field(rng: np.random.Generator, side_px: int) -> StarField:
    """Optics and stretch of a frame: stars 1.2 to 7 px wide, round or trailed, soft or with fringes."""
    scene = preset(str(rng.choice(TELESCOPES)))
    scale = scene.pixel_scale_arcsec
    fwhm_px = log_uniform(rng, 3.4, 6.5) if chance(rng, 0.14) else log_uniform(rng, 1.2, 3.2)
    trailed = chance(rng, 0.3)
    uniform = chance(rng, 0.7)
    seeing = dataclasses.replace(
        scene.seeing,
        fwhm_arcsec=fwhm_px * scale,
        beta=float(rng.uniform(2.2, 5.0)),
        halo_fraction=0.0 if chance(rng, 0.4) else float(rng.uniform(0.02, 0.2)),
        field_growth=0.0 if uniform else float(rng.uniform(0.05, 0.5)),
        field_ellipticity=0.0 if uniform else float(rng.uniform(0.05, 0.3)),
        trail_arcsec=float(rng.uniform(0.5, 2.2)) * fwhm_px * scale if trailed else 0.0,
        trail_angle_deg=float(rng.uniform(0.0, 180.0)),
    )
    camera = dataclasses.replace(scene.camera, width=side_px, height=side_px, vignetting=0.0)
    scene = dataclasses.replace(scene, seeing=seeing, camera=camera)
    tints = np.array([[1, 1, 1], [1, 1, 1], [1, 0.95, 0.72], [1, 0.9, 0.6], [0.92, 1, 0.9], [0.88, 0.93, 1]])
    tint = tints[rng.integers(len(tints))] * rng.uniform(0.93, 1.0, 3)
    fringes = chance(rng, 0.6)
    return StarField(
        scene=scene,
        stretch=Stretch(
            knee=log_uniform(rng, 0.006, 0.25), top=float(rng.choice([255.0, 255.0, 235.0, 205.0]))
        ),
        tint=tint / tint.max(),
        saturation=float(rng.uniform(0.5, 1.7)),
        fringe_px=fwhm_px * rng.uniform(0, [0.2, 0.1, 0.4]) if fringes else np.zeros(3),
    )


def field_stars(rng: np.random.Generator, field: StarField) -> tuple[Float64, Float64, Float64]:
    """Places ``(N, 2)``, peaks and colours of a frame's stars: from a handful to the Milky Way."""
    side = field.scene.camera.width
    share = (side / 640.0) ** 2
    slope = float(rng.uniform(0.45, 1.0))
    crowded = 3600 if field.scene.fwhm_px < 2.6 else 1800 if field.scene.fwhm_px < 3.4 else 600
    n_plain = log_uniform(rng, 260, crowded) * share
    plain, lowest = field.stretch.light(PLAIN_LEVEL), field.stretch.light(FAINTEST_LEVEL)
    # Too many bright stars would leave no sky: the counts are then steeper.
    while n_plain * (plain / 0.5) ** slope > MAX_BRIGHT * share and slope < 2.5:
        slope += 0.1
    lowest = max(lowest, plain * (n_plain / MAX_STARS) ** (1.0 / slope))
    n = int(n_plain * (plain / lowest) ** slope)
    peak = np.minimum(lowest * (1.0 - rng.random(n)) ** (-1.0 / slope), 60.0)
    colour = np.clip(rng.normal(0.95, 0.45, n) - 0.12 * np.log(peak / lowest), -0.3, 2.8)
    xy = rng.uniform(-OUTSIDE_PX, side + OUTSIDE_PX, (n, 2))
    if chance(rng, 0.5):
        xy, peak, colour = thinned(rng, xy, peak, colour, side)
    if chance(rng, 0.3):
        extra = int(rng.integers(1, 4))
        xy = np.vstack([xy, rng.uniform(0, side, (extra, 2))])
        peak = np.append(peak, [log_uniform(rng, 3.0, 250.0) for _ in range(extra)])
        colour = np.append(colour, rng.choice([-0.2, 0.1, 0.9, 1.6], extra))
    return xy, peak, colour


def ghost_rings(rng: np.random.Generator, field: StarField, xy: Float64, peak: Float64) -> Float32:
    """``(H, W, 3)`` levels of a faint disc of reflected light beside the brightest star, or nothing."""
    side = field.scene.camera.width
    levels = np.zeros((side, side, 3), np.float32)
    if not len(peak) or peak.max() < 3.0 or not chance(rng, 0.3):
        return levels
    x, y = xy[int(np.argmax(peak))] + rng.normal(0.0, 6.0, 2)
    radius = log_uniform(rng, 14.0, 80.0)
    distance = np.hypot(np.arange(side) - x, np.arange(side)[:, None] - y)
    disc = 1.0 / (1.0 + np.exp(np.clip((distance - radius) / rng.uniform(1.5, 6.0), -30, 30)))
    if chance(rng, 0.4):
        disc *= np.clip(distance / radius, 0.0, 1.0)
    colour = rng.uniform(0.5, 1.0, 3) * log_uniform(rng, 3.0, 22.0)
    return (disc[..., None] * colour).astype(np.float32)


@dataclass(frozen=True)
class Glow:
    """Level of the empty sky.

    Attributes:
        level: Mean of the channels.
        tint: What each channel has more than the mean.
        gradient: Rise in levels from one corner to the opposite one.
    """

    level: float
    tint: tuple[float, float, float]
    gradient: float


def sky_glow(rng: np.random.Generator, glow: Glow, side_px: int) -> Float32:
    """``(H, W, 3)`` levels of the empty sky: a pedestal, a slope and a bend, each with its colour."""
    along = np.linspace(-0.5, 0.5, side_px, dtype=np.float32)
    angle = rng.uniform(0.0, 2.0 * np.pi)
    slope = np.cos(angle) * along[None, :] + np.sin(angle) * along[:, None]
    centre = rng.uniform(-0.6, 0.6, 2)
    bend = (along[None, :] - centre[0]) ** 2 + (along[:, None] - centre[1]) ** 2
    levels = np.empty((side_px, side_px, 3), np.float32)
    bent = float(rng.normal(0.0, 0.5))
    for channel in range(3):
        share = rng.uniform(0.6, 1.4)
        levels[..., channel] = glow.level + glow.tint[channel] + glow.gradient * share * (slope + bent * bend)
    return levels


@dataclass(frozen=True)
class Noise:
    """Noise of a frame, as stacking and denoising leave it.

    Attributes:
        sigma: Standard deviation in levels.
        width_px: Sigma of the smoothing that left it.
        chroma: Part of the variance that each channel has for itself.
        blotch: Strength of wide blotches over that of the grain.
        blotch_px: Their sigma.
        streak: Strength of streaks over that of the grain: the pattern of a sensor, dragged along by drift.
        streak_angle_rad: Their direction.
    """

    sigma: float
    width_px: float
    chroma: float
    blotch: float
    blotch_px: float
    streak: float
    streak_angle_rad: float


def random_noise(rng: np.random.Generator, sigma: float, fwhm_px: float) -> Noise:
    """Noise of this strength, grain or blotches; wider in frames whose stars are wide."""
    return Noise(
        sigma=sigma,
        width_px=float(rng.uniform(0.35, 0.9)) * max(0.6, (fwhm_px / 2.2) ** 0.7),
        chroma=float(rng.uniform(0.35, 1.0)),
        blotch=float(rng.uniform(0.5, 1.5)) if chance(rng, 0.25) else float(rng.uniform(0.0, 0.35)),
        blotch_px=log_uniform(rng, 2.0, 9.0),
        streak=float(rng.uniform(0.2, 0.8)) if chance(rng, 0.3) else 0.0,
        streak_angle_rad=float(rng.uniform(0.0, np.pi)),
    )


def noise_levels(rng: np.random.Generator, noise: Noise, side_px: int) -> Float32:
    """``(H, W, 3)`` noise of mean 0, drawn in Fourier space."""
    from scipy import fft

    fy = np.fft.fftfreq(side_px)[:, None].astype(np.float32)
    fx = np.fft.rfftfreq(side_px)[None, :].astype(np.float32)
    squared = fx**2 + fy**2
    shape = _unit(np.exp(-2.0 * (np.pi * noise.width_px) ** 2 * squared))
    if noise.blotch > 0.0:
        shape = shape + noise.blotch * _unit(np.exp(-2.0 * (np.pi * noise.blotch_px) ** 2 * squared))
    if noise.streak > 0.0:
        along = fx * np.cos(noise.streak_angle_rad) + fy * np.sin(noise.streak_angle_rad)
        across = squared - along**2
        widths = 14.0**2 * along**2 + noise.width_px**2 * across
        shape = shape + noise.streak * _unit(np.exp(-2.0 * np.pi**2 * widths))
    shape = _unit(shape)
    drawn = rng.standard_normal((4, 2, *shape.shape), dtype=np.float32)
    common, own = np.sqrt(1.0 - noise.chroma), np.sqrt(noise.chroma)
    levels = np.empty((side_px, side_px, 3), np.float32)
    for channel in range(3):
        mixed = common * drawn[3] + own * drawn[channel]
        levels[..., channel] = fft.irfft2(shape * (mixed[0] + 1j * mixed[1]), s=(side_px, side_px))
    return levels * np.float32(noise.sigma * side_px / np.sqrt(2.0))


def _unit(shape: Float32) -> Float32:
    """The spectrum of noise of variance 1, up to what the transform's size asks for."""
    return shape / np.sqrt(np.mean(shape**2, dtype=np.float64)).astype(np.float32)


def thinned(
    rng: np.random.Generator, xy: Float64, peak: Float64, colour: Float64, side: int, most: float = 0.9
) -> tuple[Float64, Float64, Float64]:
    """Dark clouds and star clouds: some places keep fewer stars.

    Args:
        rng: Decides everything.
        xy, peak, colour: Of the stars.
        side: Of the frame.
        most: Greatest spread of the logarithm of their density.
    """
    from scipy.ndimage import map_coordinates

    coarse = rng.normal(0.0, 1.0, (6, 6))
    at = (xy[:, ::-1].T + OUTSIDE_PX) / (side + 2 * OUTSIDE_PX) * 5.0
    density = np.exp(rng.uniform(0.2, most) * map_coordinates(coarse, at, order=3, mode="nearest"))
    kept = rng.random(len(xy)) < density / np.percentile(density, 80) if len(xy) else np.zeros(0, bool)
    return xy[kept], peak[kept], colour[kept]
