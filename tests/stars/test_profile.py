import numpy as np
import pandas as pd
import pytest

from core.errors import ParameterInvalid
from core.frames import Frame
from core.results import Detections
from core.stars.profile import fwhm_map, magnitude_histogram, radial_profile
from tests.skies import star_field


def _star(fwhm_px=3.0, beta=3.5, flux=50_000.0):
    field = star_field(1, (96, 96), fwhm_px=fwhm_px, beta=beta, xy=[(48.3, 47.6)], fluxes=[flux])
    return Frame.from_array(field.pixels)


@pytest.mark.parametrize("fwhm_px", [2.0, 3.0, 5.0, 7.0])
@pytest.mark.parametrize("beta", [3.5, None], ids=["moffat", "gaussian"])
def test_the_fit_recovers_an_injected_width(fwhm_px, beta):
    profile = radial_profile(_star(fwhm_px, beta, 1e5), 48.3, 47.6, 4 * fwhm_px)

    assert profile.fwhm_px == pytest.approx(fwhm_px, rel=0.10)
    assert profile.sky == pytest.approx(200, abs=6)
    nearest = np.argmin(profile.radius_px)
    fitted = np.interp(profile.radius_px[nearest], profile.fit_radius_px, profile.fit_values)
    assert fitted == pytest.approx(np.take(profile.values, nearest), rel=0.05)


def test_the_scatter_is_every_pixel_within_the_radius():
    profile = radial_profile(_star(), 48.0, 48.0, 5.0)

    assert len(profile.radius_px) == len(profile.values) == 81
    assert profile.radius_px.max() <= 5.0
    assert (np.diff(profile.bin_radius_px) > 0).all()
    assert profile.bin_values[0] == np.max(profile.values)


@pytest.mark.parametrize(("x", "y"), [(0, 0), (95, 40), (-0.5, 95.5)])
def test_a_star_at_the_edge_has_a_profile(x, y):
    profile = radial_profile(_star(), x, y, 8.0)

    assert len(profile.radius_px) > 20


@pytest.mark.parametrize(
    "pixels",
    [
        np.full((32, 32), np.nan),
        np.full((32, 32), 7.0),
        np.random.default_rng(0).normal(0, 1, (32, 32)),
        np.where(np.hypot(*np.indices((32, 32)) - 16) < 3, -50.0, 0.0),
    ],
    ids=["missing", "constant", "noise", "hole"],
)
def test_what_is_no_star_has_no_fit(pixels):
    profile = radial_profile(Frame.from_array(pixels), 16, 16, 8)

    assert profile.fwhm_px is None
    assert len(profile.fit_radius_px) == 0


def test_missing_pixels_are_left_out():
    pixels = _star().pixels.copy()
    pixels[40:44] = np.nan

    profile = radial_profile(Frame.from_array(pixels), 48.3, 47.6, 10)

    assert np.isfinite(profile.values).all()
    assert profile.fwhm_px == pytest.approx(3.0, rel=0.1)


@pytest.mark.parametrize(("x", "y", "radius"), [(48, 48, 0), (48, 48, np.nan), (-3, 48, 5), (48, 200, 5)])
def test_impossible_profiles_are_refused(x, y, radius):
    with pytest.raises(ParameterInvalid):
        radial_profile(_star(), x, y, radius)


def _stars(**columns):
    n = len(next(iter(columns.values())))
    return Detections(
        pd.DataFrame({"label": ["star"] * n, "score": [1.0] * n, "x": 0.0, "y": 0.0, **columns})
    )


def test_the_map_shows_where_stars_are_wide():
    rng = np.random.default_rng(0)
    x, y = rng.uniform(0, 400, 2000), rng.uniform(0, 200, 2000)
    stars = _stars(x=x, y=y, fwhm_px=2 + x / 100, saturated=np.zeros(2000, bool))

    widths = fwhm_map(stars, (200, 400), cells=8)

    assert widths.shape == (4, 8)
    np.testing.assert_allclose(widths.mean(axis=0), 2 + (np.arange(8) + 0.5) * 0.5, atol=0.1)


def test_cells_with_too_few_stars_and_saturated_stars_are_left_out():
    stars = _stars(
        x=[10, 11, 12, 90, 91], y=[10.0] * 5, fwhm_px=[3.0, 3.0, 9.0, 3.0, 3.0], saturated=[0, 0, 1, 0, 0]
    )

    assert np.isnan(fwhm_map(stars, (100, 100), cells=2)).all()
    assert fwhm_map(stars, (100, 100), cells=2, fewest=2)[0].tolist() == [3.0, 3.0]
    assert np.isnan(fwhm_map(Detections.empty(), (10, 1000))).all()


def test_magnitudes_are_counted_in_whole_bins():
    edges, counts = magnitude_histogram(_stars(mag=[-7.2, -7.4, -6.9, -5.0, np.nan]))

    assert edges.tolist() == [-7.5, -7.0, -6.5, -6.0, -5.5, -5.0, -4.5]
    assert counts.tolist() == [2, 1, 0, 0, 0, 1]
    assert len(magnitude_histogram(Detections.empty())[1]) == 0
