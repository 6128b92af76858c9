import numpy as np
import pytest

from core.frames import Frame
from core.stars.background import subtract_background
from core.stars.psf import gaussian_kernel, measure_profile
from tests.skies import star_field, star_image


def _profile(pixels):
    return measure_profile(subtract_background(Frame.from_array(pixels)))


@pytest.mark.parametrize("fwhm_px", [1.5, 2.0, 3.0, 4.5, 7.0])
@pytest.mark.parametrize("beta", [3.5, None], ids=["moffat", "gaussian"])
def test_the_width_of_injected_stars_is_recovered_within_a_tenth(fwhm_px, beta):
    flux = (2000 * fwhm_px, 200_000 * fwhm_px)
    field = star_field(3, (384, 384), 60, fwhm_px=fwhm_px, beta=beta, flux=flux)

    profile = _profile(field.pixels)

    assert profile.fwhm_px == pytest.approx(fwhm_px, rel=0.10)
    assert profile.n_stars >= 20


def test_the_exponent_of_the_wings_is_recovered():
    field = star_field(3, (512, 512), 60, fwhm_px=5.0, beta=3.5, flux=(10_000, 1_000_000))

    assert _profile(field.pixels).beta == pytest.approx(3.5, abs=0.3)


def test_galaxies_that_outnumber_stars_do_not_set_the_width():
    rng = np.random.default_rng(5)
    field = star_field(4, (512, 512), 15, fwhm_px=2.5, flux=(20_000, 60_000), border=20)
    pixels = field.pixels.copy()
    for x, y, fwhm_px in zip(*rng.integers(30, 480, (2, 40)), rng.uniform(4, 12, 40), strict=True):
        pixels[y - 25 : y + 26, x - 25 : x + 26] += 60_000 * star_image(51, 25, 25, fwhm_px, None)

    assert _profile(pixels).fwhm_px == pytest.approx(2.5, rel=0.10)


def test_hot_pixels_do_not_set_the_width():
    field = star_field(4, (512, 512), 40, fwhm_px=4.0, flux=(20_000, 200_000))
    pixels = field.pixels.copy()
    rows, columns = np.random.default_rng(1).integers(0, 512, (2, 400))
    pixels[rows, columns] += 20_000

    assert _profile(pixels).fwhm_px == pytest.approx(4.0, rel=0.10)


def test_too_few_stars_have_no_width():
    assert _profile(star_field(1, (128, 128), 0).pixels) is None
    assert _profile(star_field(1, (128, 128), xy=[(60, 60)], fluxes=[1e5]).pixels) is None


def test_a_large_frame_is_measured_on_its_pieces():
    tile = star_field(2, (1024, 1024), 300, fwhm_px=3.5, flux=(5000, 500_000)).pixels

    assert _profile(np.tile(tile, (3, 2))).fwhm_px == pytest.approx(3.5, rel=0.05)


@pytest.mark.parametrize("fwhm_px", [0.8, 1.5, 3.0, 12.0])
def test_the_kernel_is_odd_symmetric_and_sums_to_one(fwhm_px):
    kernel = gaussian_kernel(fwhm_px)

    assert kernel.shape[0] == kernel.shape[1]
    assert kernel.shape[0] % 2 == 1
    assert kernel.sum() == pytest.approx(1.0, rel=1e-5)
    np.testing.assert_allclose(kernel, kernel[::-1, ::-1], rtol=1e-5)
