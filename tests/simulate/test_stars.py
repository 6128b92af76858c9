import galsim
import numpy as np
import pytest

from core.simulate.psf import FieldPsf
from core.simulate.stars import Stars, add_stars
from tests.simulate.fields import small_scene

SIDE = 96
SKY_VARIANCE = 225.0


def rendered(scene, x, y, flux):
    light = np.zeros((1, SIDE, SIDE))
    stars = Stars(x, y, flux[:, None], np.full((len(x), 1), SKY_VARIANCE))
    snr = add_stars(light, stars, FieldPsf(scene), np.ones(1))
    return light[0], snr


def drawn_one_by_one(scene, x, y, flux):
    """Each star by an FFT of its own, far beyond the frame, as no one would have the patience to."""
    psf = FieldPsf(scene)
    image = galsim.ImageD(galsim.BoundsI(-SIDE, 2 * SIDE, -SIDE, 2 * SIDE), scale=1.0, init_value=0.0)
    for px, py, light, shares in zip(x, y, flux, psf.shares(x, y), strict=True):
        for node in np.flatnonzero(shares):
            star = psf.images[node].whole.withGSParams(minimum_fft_size=1024) * float(light * shares[node])
            size = int(np.clip(12 * (light / 60) ** 0.3, 24, 120))
            stamp = star.drawImage(nx=2 * size + 1, ny=2 * size + 1, scale=1.0, center=(px, py), dtype=float)
            image[stamp.bounds & image.bounds] += stamp[stamp.bounds & image.bounds]
    return image[galsim.BoundsI(0, SIDE - 1, 0, SIDE - 1)].array


@pytest.mark.parametrize(
    "seeing",
    [
        {},
        {"fwhm_arcsec": 1.5},
        {"kind": "kolmogorov"},
        {"kind": "gaussian", "fwhm_arcsec": 6.0},
        {"field_growth": 0.4, "field_ellipticity": 0.2},
        {"trail_arcsec": 8.0, "trail_angle_deg": 30.0, "defocus_um": 60.0},
    ],
    ids=["moffat", "sharp", "kolmogorov", "gaussian", "varying", "trailed"],
)
def test_stars_differ_from_galsim_s_own_by_less_than_a_hundredth_of_the_noise(seeing):
    rng = np.random.default_rng(3)
    x, y = rng.uniform(-10.0, SIDE + 10.0, (2, 14))
    flux = 10.0 ** rng.uniform(2.0, 6.0, 14)
    scene = small_scene(SIDE, seeing=seeing)
    fast, _ = rendered(scene, x, y, flux)
    slow = drawn_one_by_one(scene, x, y, flux)
    assert np.abs(fast - slow).max() < 0.01 * np.sqrt(SKY_VARIANCE)


@pytest.mark.parametrize("flux", [1e3, 1e5, 1e7])
def test_the_light_of_a_star_is_all_there(flux):
    light, _ = rendered(small_scene(SIDE), np.array([47.3]), np.array([47.8]), np.array([flux]))
    assert light.sum() == pytest.approx(flux, rel=2e-3 if flux < 1e4 else 2e-4)


def test_snr_is_that_of_a_matched_filter():
    scene, flux = small_scene(SIDE), 5_000.0
    light, snr = rendered(scene, np.array([48.2]), np.array([47.9]), np.array([flux]))
    assert snr[0] == pytest.approx(np.sqrt(np.sum(light**2 / (light + SKY_VARIANCE))), rel=1e-3)


def test_no_stars_no_light():
    light, snr = rendered(small_scene(SIDE), *np.zeros((3, 0)))
    assert not light.any()
    assert len(snr) == 0


def test_a_star_outside_shines_in_only_if_it_is_bright():
    scene = small_scene(SIDE)
    place = np.array([-20.0]), np.array([48.0])
    assert rendered(scene, *place, np.array([1e8]))[0].max() > 1.0
    assert not rendered(scene, *place, np.array([1e3]))[0].any()


def test_an_airy_star_has_its_first_dark_ring_where_optics_says():
    scene = small_scene(SIDE, seeing={"kind": "airy"})
    wide = scene.with_settings({"telescope.aperture_mm": "30"})
    light, _ = rendered(wide, np.array([48.0]), np.array([48.0]), np.array([1e6]))
    profile = light[48, 48:68]
    assert np.argmin(profile[: int(1.8 * wide.lam_over_diam_px)]) == pytest.approx(
        1.22 * wide.lam_over_diam_px, abs=0.6
    )
