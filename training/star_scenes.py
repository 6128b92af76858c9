"""Random star fields to train the star detector on: every kind of optics, sky, camera and blemish.

A field is one 512 × 512 frame of :mod:`core.simulate` with settings drawn over wide ranges, seen as the
network sees it: less its sky, in units of its noise.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.frames import Frame
from core.simulate.geometry import scene_wcs
from core.simulate.groups import Camera, Extras, Pointing, Seeing, Sky, Telescope
from core.simulate.photometry import magnitude, surface_electrons
from core.simulate.render import Simulation, render
from core.simulate.scene import ARCSEC_PER_RADIAN, Scene
from core.stars.background import Sky as SubtractedSky
from core.stars.background import subtract_background
from core.stars.psf import ASSUMED_FWHM_PX, measure_profile
from training.drawing import draw_all

SIDE_PX = 512
MARGIN_PX = 24
"""Stars are drawn so far beyond the frame: their wings reach into it."""
FAINTEST_SNR, BRIGHTEST_SNR = 0.7, 4000.0
PIXEL_UM = 5.0
FOCAL_MM = PIXEL_UM / 1000.0 * ARCSEC_PER_RADIAN
"""One arcsecond a pixel: widths in arcseconds are widths in pixels."""
_AIRY_WAVELENGTH_NM = 600.0


@dataclass(frozen=True, eq=False)
class Field:
    """A frame as the network sees it, and its stars.

    Attributes:
        image: ``(H, W)`` float16, sky taken away, in standard deviations of the sky's noise.
        xy: ``(N, 2)`` x and y of the stars in pixels.
        snr: ``(N,)`` signal-to-noise ratio a filter matched to the star's true image would reach.
        flux: ``(N,)`` light in standard deviations of the noise of a pixel.
        fwhm_px: Width of the stars as it is measured on the frame, or what is assumed when it cannot be.
    """

    image: NDArray[np.float16]
    xy: NDArray[np.float32]
    snr: NDArray[np.float32]
    flux: NDArray[np.float32]
    fwhm_px: float


def chance(rng: np.random.Generator, probability: float) -> bool:
    """True in so many cases of one."""
    return bool(rng.random() < probability)


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """A number whose logarithm is uniform."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def random_scene(seed: int) -> Scene:
    """The settings of one field. A third of the scenes are plain, the others have blemishes."""
    rng = np.random.default_rng([seed, 0])
    plain = chance(rng, 0.35)
    kind = str(rng.choice(["moffat", "moffat", "moffat", "kolmogorov", "gaussian", "airy"]))
    fwhm_px = log_uniform(rng, 1.5, 7.0)
    aperture_mm = 1.03 * _AIRY_WAVELENGTH_NM * 1e-6 * ARCSEC_PER_RADIAN / fwhm_px if kind == "airy" else 100.0
    full_well_e = log_uniform(rng, 15_000, 200_000)
    bits = 16 if chance(rng, 0.9) else 12
    n_stacked = 1 if chance(rng, 0.6) else int(log_uniform(rng, 2, 200))
    scene = Scene(
        pointing=Pointing(ra_deg=180.0, dec_deg=0.0, rotation_deg=0.0),
        telescope=Telescope(
            aperture_mm=aperture_mm,
            focal_mm=FOCAL_MM,
            obstruction=float(rng.choice([0.0, 0.0, 0.25, 0.4])),
            wavelength_nm=_AIRY_WAVELENGTH_NM,
        ),
        seeing=Seeing(
            kind=kind,
            fwhm_arcsec=fwhm_px,
            beta=float(rng.uniform(2.2, 6.0)),
            halo_fraction=0.0 if plain or chance(rng, 0.5) else float(rng.uniform(0.01, 0.2)),
            defocus_um=0.0
            if plain or chance(rng, 0.85)
            else float(rng.uniform(0.5, 2.0)) * fwhm_px * PIXEL_UM * FOCAL_MM / aperture_mm,
            trail_arcsec=0.0
            if plain or chance(rng, 0.7)
            else float(rng.uniform(0.3, 2.0 if chance(rng, 0.8) else 6.0)) * fwhm_px,
            trail_angle_deg=float(rng.uniform(0.0, 180.0)),
            field_growth=0.0 if plain or chance(rng, 0.4) else float(rng.uniform(0.0, 1.2)),
            field_ellipticity=0.0 if plain or chance(rng, 0.4) else float(rng.uniform(0.0, 0.5)),
        ),
        sky=Sky(
            gradient=0.0 if plain or chance(rng, 0.3) else float(rng.uniform(0.0, 1.5)),
            gradient_angle_deg=float(rng.uniform(0.0, 360.0)),
        ),
        camera=Camera(
            mode="rgb" if not plain and chance(rng, 0.15) else "mono",
            width=SIDE_PX,
            height=SIDE_PX,
            pixel_um=PIXEL_UM,
            n_stacked=n_stacked,
            read_noise_e=log_uniform(rng, 1.0, 12.0),
            gain_e_per_adu=full_well_e / (2.0**bits - 3000.0 if bits == 16 else 2.0**bits - 600.0),
            bias_adu=500.0,
            full_well_e=full_well_e,
            bits=bits,
            blooming=chance(rng, 0.15),
            hot_pixel_fraction=0.0 if plain or chance(rng, 0.5) else log_uniform(rng, 1e-5, 3e-3),
            vignetting=0.0 if plain or chance(rng, 0.5) else float(rng.uniform(0.0, 0.6)),
        ),
        extras=Extras(
            cosmic_rays=0 if plain or chance(rng, 0.5) else int(log_uniform(rng, 2, 120)),
            satellites=0 if plain or chance(rng, 0.7) else int(rng.integers(1, 4)),
            galaxies=0 if plain or chance(rng, 0.55) else int(log_uniform(rng, 2, 120)),
            nebulae=0 if plain or chance(rng, 0.85) else int(rng.integers(1, 4)),
        ),
        seed=seed,
    )
    # The exposure is as long as the sky takes to give so many electrons to a pixel.
    sky_e = log_uniform(rng, 5.0, min(3000.0, 0.3 * full_well_e))
    a_second = surface_electrons(scene, scene.sky.brightness_mag_arcsec2) / scene.camera.exposure_s
    exposure_s = float(np.clip(sky_e / a_second, 0.001, 36_000.0))
    return dataclasses.replace(scene, camera=dataclasses.replace(scene.camera, exposure_s=exposure_s))


def random_stars(scene: Scene) -> pd.DataFrame:
    """Stars for a scene: from a handful to a crowd, of steep or flat counts, some of them in a cluster."""
    rng = np.random.default_rng([scene.seed, 1])
    slope = float(rng.uniform(0.2, 1.1))
    n_seen = log_uniform(rng, 6, 1500)
    if slope < 0.45:
        n_seen *= 0.6  # so many bright ones would leave no sky
    per_seen = (3.0 / FAINTEST_SNR) ** slope
    n = int(min(n_seen * per_seen, 6000)) if not chance(rng, 0.02) else 0
    share = rng.random(n)
    snr = FAINTEST_SNR * (1.0 - share * (1.0 - (FAINTEST_SNR / BRIGHTEST_SNR) ** slope)) ** (-1.0 / slope)
    low, high = -MARGIN_PX, SIDE_PX + MARGIN_PX
    xy = rng.uniform(low, high, (n, 2))
    if chance(rng, 0.12):
        members = rng.random(n) < rng.uniform(0.2, 0.8)
        spread = log_uniform(rng, 15, 120) * rng.standard_t(3, (n, 2))
        xy[members] = (rng.uniform(0, SIDE_PX, 2) + spread)[members]
    ra, dec = scene_wcs(scene).wcs_pix2world(xy, 0).T if n else (np.empty(0), np.empty(0))
    return pd.DataFrame(
        {
            "ra_deg": ra,
            "dec_deg": dec,
            "g_mag": np.clip(magnitude(scene, electrons_of(scene, snr)), -30.0, 40.0),
            "bp_mag": np.nan,
            "rp_mag": np.nan,
            "real": False,
            "source_id": 0,
        }
    )


def electrons_of(scene: Scene, snr: NDArray[np.float64]) -> NDArray[np.float64]:
    """Electrons in one exposure of stars of these SNR, over what a Gaussian image effectively covers."""
    camera = scene.camera
    sky_e = surface_electrons(scene, scene.sky.brightness_mag_arcsec2) + camera.dark_e_s * camera.exposure_s
    width_px = float(np.hypot(max(scene.fwhm_px, 1.0), scene.defocus_px))
    covered_px = 4.0 * np.pi * (width_px / 2.3548) ** 2 + width_px * scene.trail_px
    variance = covered_px * (sky_e + camera.read_noise_e**2)
    n = camera.n_stacked
    # snr² = (n F)² / (n V + n F) for the light F of one exposure
    own = snr**2 / n
    return (own + np.sqrt(own**2 + 4.0 * own * variance)) / 2.0


def processed(frame: Frame, seed: int) -> Frame:
    """What software does to frames before people share them: resampling, a stretch to 8 bits, JPEG.

    Most frames are left as they are.
    """
    rng = np.random.default_rng([seed, 2])
    pixels = frame.grey
    what = rng.choice(["nothing", "resampled", "stretched"], p=[0.78, 0.14, 0.08])
    if what == "nothing":
        return frame
    from scipy import ndimage

    if what == "resampled" or chance(rng, 0.5):
        # Half a pixel's shift and a little smoothing, as registering and stacking leave: noise of
        # neighbouring pixels is no longer independent. The best possible SNR of a star stays the same.
        pixels = ndimage.gaussian_filter(pixels, float(rng.uniform(0.3, 0.8)), mode="nearest")
    saturation = frame.saturation
    if what == "stretched":
        low, high = np.percentile(pixels, [0.5, 99.7])
        noise = np.median(np.abs(pixels - np.median(pixels))) * 1.4826
        low = min(low, np.median(pixels) - 3.0 * noise)
        knee = max(float(rng.uniform(2.0, 30.0)) * noise, 1e-6)
        scaled = np.arcsinh((pixels - low) / knee) / np.arcsinh(max(high - low, 30.0 * noise) / knee)
        pixels = np.rint(np.clip(scaled, 0.0, 1.0) * 255.0).astype(np.float32)
        saturation = 255.0
    return Frame.from_array(np.asarray(pixels, np.float32), saturation=saturation)


def draw_field(seed: int) -> Field:
    """The field with this number; the same number gives the same field."""
    scene = random_scene(seed)
    simulation = render(scene, random_stars(scene))
    return as_field(simulation, processed(simulation.frame, seed))


def as_field(simulation: Simulation, frame: Frame) -> Field:
    """A simulation, perhaps processed since, as the network sees it."""
    sky = subtract_background(frame, saturation=frame.saturation)
    image = np.clip(sky.data / sky.noise, -60_000.0, 60_000.0).astype(np.float16)
    table = simulation.truth.table
    stars = table[table["label"] == "star"]
    xy = stars[["x", "y"]].to_numpy(np.float32)
    row, column = np.clip(np.rint(xy[:, ::-1]).astype(int).T, 0, SIDE_PX - 1)
    noise_e = sky.noise[row, column] * sky.scale * (simulation.frame.gain_e_per_adu or 1.0)
    shares = 1.0 if simulation.scene.n_planes == 1 else 3.0
    flux = stars["flux"].to_numpy(float) / shares / noise_e
    fwhm_px = measured_width(sky, None if frame.saturation is None else frame.grey >= frame.saturation)
    return Field(image, xy, stars["snr"].to_numpy(np.float32), flux.astype(np.float32), fwhm_px)


def measured_width(sky: SubtractedSky, saturated: NDArray[np.bool_] | None) -> float:
    """What the method takes for the width of the stars, in pixels."""
    profile = measure_profile(sky, saturated)
    return ASSUMED_FWHM_PX if profile is None else profile.fwhm_px


def draw_bank(folder: Path, seeds: Iterable[int], workers: int) -> list[Path]:
    """Draw the fields of these numbers into files that are not there yet, and return the files of all."""
    folder.mkdir(parents=True, exist_ok=True)
    seeds = list(seeds)
    missing = [seed for seed in seeds if not bank_file(folder, seed).exists()]
    draw_all(_draw_into, [(folder, seed) for seed in missing], workers, "drawing star fields")
    return [bank_file(folder, seed) for seed in seeds]


def bank_file(folder: Path, seed: int) -> Path:
    """Where a bank keeps a field."""
    return folder / f"{seed:09d}.npz"


def load_field(path: Path) -> Field:
    """A field from its file."""
    with np.load(path) as arrays:
        named = {name: arrays[name] for name in ("image", "xy", "snr", "flux")}
        return Field(**named, fwhm_px=float(arrays["fwhm_px"]))


def _draw_into(folder: Path, seed: int) -> None:
    field = draw_field(seed)
    path = bank_file(folder, seed)
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        np.savez(file, **vars(field))
    part.replace(path)
