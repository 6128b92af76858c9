"""Random scenes for the sets that are exposed by :mod:`core.simulate`.

Settings are drawn here, apart from those the network is trained on, and from seeds no training uses.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.stars.example import Example, magnitudes
from benchmarks.stars.plain import power_law
from core.simulate.geometry import scene_wcs
from core.simulate.groups import Camera, Extras, Seeing, Sky, Telescope
from core.simulate.photometry import magnitude, surface_electrons
from core.simulate.render import render
from core.simulate.scene import ARCSEC_PER_RADIAN, Scene

PIXEL_UM, APERTURE_MM = 4.0, 250.0
FOCAL_MM = PIXEL_UM / 1000.0 * ARCSEC_PER_RADIAN
"""One arcsecond a pixel: widths in arcseconds are widths in pixels."""
MARGIN_PX = 30
"""Stars stand so far beyond the frame too: their wings reach into it."""
FAINTEST_SNR, BRIGHTEST_SNR = 0.5, 1500.0
PLAIN_FWHM_PX, PLAIN_BETA = 3.0, 3.5


@dataclasses.dataclass(frozen=True)
class Draw:
    """What is drawn for one frame: the scene, and how many stars of SNR ≥ 3 with which slope of counts."""

    scene: Scene
    n_seen: float
    count_slope: float


def typical(rng: np.random.Generator, side: int, seed: int) -> Draw:
    """A few hundred stars, of one image all over the frame, over a flat sky."""
    kind, fwhm_px = _star_image(rng, 2.0, 4.5)
    seeing = Seeing(kind=kind, fwhm_arcsec=fwhm_px, beta=float(rng.uniform(2.5, 5.0)))
    scene = _scene(rng, side, seed, seeing, _sky_e(rng))
    return Draw(scene, _log_uniform(rng, 120, 500), float(rng.uniform(0.4, 0.9)))


def elongated(rng: np.random.Generator, side: int, seed: int) -> Draw:
    """Stars drawn out by drift, by the optics towards the corners, or by both."""
    fwhm_px = float(rng.uniform(2.0, 4.0))
    trailed = rng.random() < 0.75
    seeing = Seeing(
        fwhm_arcsec=fwhm_px,
        beta=float(rng.uniform(2.5, 5.0)),
        trail_arcsec=fwhm_px * float(rng.uniform(0.8, 2.5)) if trailed else 0.0,
        trail_angle_deg=float(rng.uniform(0.0, 180.0)),
        field_ellipticity=0.0 if trailed and rng.random() < 0.5 else float(rng.uniform(0.3, 0.6)),
    )
    scene = _scene(rng, side, seed, seeing, _sky_e(rng))
    return Draw(scene, _log_uniform(rng, 100, 400), float(rng.uniform(0.4, 0.9)))


def artefacts(rng: np.random.Generator, side: int, seed: int) -> Draw:
    """The star image and sky of the plain sets, and every blemish a frame can have."""
    seeing = Seeing(fwhm_arcsec=PLAIN_FWHM_PX, beta=PLAIN_BETA)
    scene = _scene(
        rng,
        side,
        seed,
        seeing,
        200.0,
        read_noise_e=5.0,
        full_well_e=30_000.0,
        blooming=True,
        hot_pixel_fraction=_log_uniform(rng, 1e-4, 2e-3),
    )
    extras = Extras(cosmic_rays=int(rng.integers(20, 120)), satellites=int(rng.integers(1, 4)))
    return Draw(dataclasses.replace(scene, extras=extras), _log_uniform(rng, 80, 300), 0.6)


def field(rng: np.random.Generator, side: int, seed: int) -> Draw:
    """What comes down from a real telescope: nothing is known beforehand, nothing the same all over."""
    kind, fwhm_px = _star_image(rng, 1.8, 5.0)
    seeing = Seeing(
        kind=kind,
        fwhm_arcsec=fwhm_px,
        beta=float(rng.uniform(2.4, 5.0)),
        halo_fraction=float(rng.uniform(0.0, 0.12)),
        trail_arcsec=fwhm_px * float(rng.uniform(0.3, 1.2)) if rng.random() < 0.5 else 0.0,
        trail_angle_deg=float(rng.uniform(0.0, 180.0)),
        field_growth=float(rng.uniform(0.1, 0.8)),
        field_ellipticity=float(rng.uniform(0.0, 0.4)),
    )
    scene = _scene(
        rng,
        side,
        seed,
        seeing,
        _sky_e(rng),
        full_well_e=_log_uniform(rng, 20_000, 100_000),
        blooming=bool(rng.random() < 0.3),
        hot_pixel_fraction=_log_uniform(rng, 2e-5, 1e-3),
        vignetting=float(rng.uniform(0.0, 0.4)),
    )
    extras = Extras(
        cosmic_rays=int(rng.integers(0, 60)),
        satellites=int(rng.random() < 0.4),
        galaxies=int(_log_uniform(rng, 3, 60)),
        nebulae=int(rng.random() < 0.3),
    )
    gradient = Sky(gradient=float(rng.uniform(0.1, 1.0)), gradient_angle_deg=float(rng.uniform(0.0, 360.0)))
    scene = dataclasses.replace(scene, extras=extras, sky=gradient)
    return Draw(scene, _log_uniform(rng, 60, 700), float(rng.uniform(0.4, 0.9)))


def blank(rng: np.random.Generator, side: int, seed: int) -> Draw:
    """Sky alone: even numbers plain, odd ones with a gradient and hot pixels."""
    spoilt = seed % 2
    scene = _scene(
        rng,
        side,
        seed,
        Seeing(),
        _sky_e(rng),
        hot_pixel_fraction=2e-4 if spoilt else 0.0,
    )
    if spoilt:
        angle = float(rng.uniform(0.0, 360.0))
        scene = dataclasses.replace(scene, sky=Sky(gradient=0.6, gradient_angle_deg=angle))
    return Draw(scene, 0.0, 0.6)


KINDS: dict[str, Callable[[np.random.Generator, int, int], Draw]] = {
    "typical": typical,
    "elongated": elongated,
    "artefacts": artefacts,
    "field": field,
    "blank": blank,
}


def draw_scene(kind: str, seed: int, side: int) -> Example:
    """Expose one frame of a kind; the same number gives the same frame."""
    rng = np.random.default_rng([seed, 77])
    draw = KINDS[kind](rng, side, seed)
    scene = draw.scene
    simulation = render(scene, _stars(rng, draw))
    table = simulation.truth.table
    stars = table[table["label"] == "star"]
    camera = scene.camera
    noise_e = float(
        np.sqrt(
            surface_electrons(scene, scene.sky.brightness_mag_arcsec2)
            + camera.dark_e_s * camera.exposure_s
            + camera.read_noise_e**2
        )
    )
    return Example(
        pixels=np.asarray(simulation.frame.grey, np.float32),
        xy=stars[["x", "y"]].to_numpy(float),
        snr=stars["snr"].to_numpy(float),
        mag=magnitudes(stars["flux"].to_numpy(float), noise_e),
        saturation=float(simulation.frame.saturation or np.nan),
        moffat=(PLAIN_FWHM_PX, PLAIN_BETA) if kind == "artefacts" else None,
    )


def _scene(
    rng: np.random.Generator, side: int, seed: int, seeing: Seeing, sky_e: float, **camera: Any
) -> Scene:
    """A scene whose exposure is as long as the sky takes to give ``sky_e`` electrons to a pixel."""
    aperture_mm = APERTURE_MM
    if seeing.kind == "airy":
        aperture_mm = 1.03 * 600e-6 * ARCSEC_PER_RADIAN / seeing.fwhm_arcsec
    facts: dict[str, Any] = {"read_noise_e": _log_uniform(rng, 2.0, 8.0), "full_well_e": 100_000.0, **camera}
    scene = Scene(
        telescope=Telescope(aperture_mm=aperture_mm, focal_mm=FOCAL_MM, wavelength_nm=600.0),
        seeing=seeing,
        camera=Camera(
            width=side,
            height=side,
            pixel_um=PIXEL_UM,
            gain_e_per_adu=facts["full_well_e"] / 62_000.0,
            **facts,
        ),
        seed=seed,
    )
    a_second = surface_electrons(scene, scene.sky.brightness_mag_arcsec2) / scene.camera.exposure_s
    exposure_s = float(np.clip(sky_e / a_second, 0.001, 36_000.0))
    return dataclasses.replace(scene, camera=dataclasses.replace(scene.camera, exposure_s=exposure_s))


def _stars(rng: np.random.Generator, draw: Draw) -> pd.DataFrame:
    """The stars of a scene, as :func:`core.simulate.render.render` wants them."""
    scene = draw.scene
    side = scene.camera.width
    area = ((side + 2 * MARGIN_PX) / side) ** 2
    n = round(draw.n_seen * area * (3.0 / FAINTEST_SNR) ** draw.count_slope)
    snr = power_law(rng, n, FAINTEST_SNR, BRIGHTEST_SNR, draw.count_slope)
    xy = rng.uniform(-MARGIN_PX, side + MARGIN_PX, (n, 2))
    ra, dec = scene_wcs(scene).wcs_pix2world(xy, 0).T if n else (np.empty(0), np.empty(0))
    return pd.DataFrame(
        {
            "ra_deg": ra,
            "dec_deg": dec,
            "g_mag": magnitude(scene, _electrons(scene, snr)),
            "bp_mag": np.nan,
            "rp_mag": np.nan,
            "real": False,
            "source_id": 0,
        }
    )


def _electrons(scene: Scene, snr: NDArray[np.float64]) -> NDArray[np.float64]:
    """Electrons of stars of about these SNR, from the area that a Gaussian as wide would cover."""
    sky_e = surface_electrons(scene, scene.sky.brightness_mag_arcsec2)
    area_px = 4.0 * np.pi * (scene.fwhm_px / 2.355) ** 2 + scene.fwhm_px * scene.trail_px
    variance = area_px * (sky_e + scene.camera.read_noise_e**2)
    # snr² = F² / (V + F)
    return np.asarray((snr**2 + np.sqrt(snr**4 + 4.0 * snr**2 * variance)) / 2.0)


def _star_image(rng: np.random.Generator, low_px: float, high_px: float) -> tuple[str, float]:
    kind = str(rng.choice(["moffat", "moffat", "kolmogorov", "gaussian", "airy"]))
    return kind, float(rng.uniform(low_px, high_px))


def _sky_e(rng: np.random.Generator) -> float:
    return _log_uniform(rng, 40.0, 1200.0)


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))
