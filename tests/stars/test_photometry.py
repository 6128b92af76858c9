import numpy as np
import pytest
from astropy.wcs import WCS

from core.frames import Frame
from core.scoring.matching import match_points
from core.stars.background import subtract_background
from core.stars.photometry import centroids, measure_sources, peak_share
from core.stars.shapes import measure_shapes
from tests.skies import star_field, star_image


def _measure(frame, xy, fwhm_px=3.0, radius_px=3.0, saturation=None):
    sky = subtract_background(frame, saturation=saturation)
    x, y = np.asarray(xy, float).T
    return measure_sources(
        frame, sky, x, y, fwhm_px=fwhm_px, aperture_radius_px=radius_px, saturation=saturation
    )


def _grid(n, step, start):
    places = start + step * np.arange(n)
    return np.stack(np.meshgrid(places, places), axis=-1).reshape(-1, 2)


def test_injected_fluxes_come_back_with_honest_errors():
    xy = _grid(12, 40, 25) + np.random.default_rng(0).uniform(-0.5, 0.5, (144, 2))
    field = star_field(0, (490, 490), xy=xy, fluxes=np.full(144, 5000.0), beta=None)
    frame = Frame.from_array(field.pixels, gain_e_per_adu=1.0)

    table = _measure(frame, xy)

    expected = 5000 * (1 - np.exp(-4 * np.log(2)))  # a Gaussian within one FWHM
    assert table["flux"].mean() == pytest.approx(expected, rel=0.03)
    pulls = (table["flux"] - table["flux"].mean()) / table["flux_err"]
    assert pulls.std() == pytest.approx(1.0, abs=0.2)
    np.testing.assert_allclose(table["snr"], table["flux"] / table["flux_err"], rtol=1e-6)
    np.testing.assert_allclose(table["mag"], -2.5 * np.log10(table["flux"]), rtol=1e-6)


def test_windowed_centroids_scatter_as_little_as_the_noise_allows():
    xy = _grid(12, 40, 25) + np.random.default_rng(1).uniform(-0.5, 0.5, (144, 2))
    field = star_field(1, (490, 490), xy=xy, fluxes=np.full(144, 6000.0))
    sky = subtract_background(Frame.from_array(field.pixels))

    x, y = centroids(sky, *np.rint(xy).T, 3.0)

    rms = np.sqrt(np.mean((np.column_stack([x, y]) - xy) ** 2))
    bound = 3.0 / (2.355 * field.truth["snr"].mean())
    assert rms < 1.6 * bound


@pytest.mark.parametrize(("ratio", "ellipticity"), [(1.0, 0.0), (0.7, 0.3), (0.5, 0.5)])
def test_shapes_of_injected_sources(ratio, ellipticity):
    image = (1e4 * star_image(41, 20.2, 19.7, 4.0, None, ratio)).astype(np.float32)

    shapes = measure_shapes(image, np.array([20.2]), np.array([19.7]), 4.0)

    assert shapes.fwhm_px[0] == pytest.approx(np.sqrt(ratio) * 4.0, rel=0.06)
    assert shapes.ellipticity[0] == pytest.approx(ellipticity, abs=0.04)
    if ratio < 1:
        assert shapes.theta_deg[0] == pytest.approx(0, abs=1)


def test_the_position_angle_turns_from_x_to_y():
    image = (1e4 * star_image(41, 20, 20, 5.0, None, 0.5)).astype(np.float32)

    upright = measure_shapes(np.ascontiguousarray(image.T), np.array([20.0]), np.array([20.0]), 4.0)

    assert abs(upright.theta_deg[0]) == pytest.approx(90, abs=1)


def test_concentration_tells_hot_pixels_from_stars():
    field = star_field(2, (128, 128), xy=[(40, 40)], fluxes=[20_000.0])
    pixels = field.pixels.copy()
    pixels[90, 90] += 5000

    star, hot = _measure(Frame.from_array(pixels), [(40, 40), (90, 90)])["concentration"]

    assert 0.6 < star < 1.1
    assert hot > 5


def test_peak_share_of_a_wide_star_is_its_central_density():
    assert peak_share(20.0, 100.0) == pytest.approx(4 * np.log(2) / (np.pi * 20**2), rel=0.01)


def test_saturation_edges_and_missing_pixels_are_flagged():
    field = star_field(3, (128, 128), xy=[(30, 30), (64, 64), (1.5, 90), (100, 30)], fluxes=[1e5] * 4)
    pixels = field.pixels.copy()
    pixels[60:69, 60:69] = np.nan
    pixels[28:33, 28:33] = np.minimum(pixels[28:33, 28:33], 5000)

    table = _measure(Frame.from_array(pixels), [(30, 30), (64, 64), (1.5, 90), (100, 30)], saturation=5000.0)

    assert table["saturated"].tolist()[0]
    assert table["edge"].tolist() == [False, False, True, False]
    assert table["missing"].iloc[1] == 1
    assert table["missing"].iloc[3] == 0


def test_one_saturated_colour_saturates_a_star():
    field = star_field(3, (64, 64), xy=[(30, 30)], fluxes=[20_000.0])
    colour = np.repeat(field.pixels[..., None], 3, axis=2)
    colour[30, 30, 0] = 9999

    assert _measure(Frame.from_array(colour), [(30, 30)], saturation=9999)["saturated"].item()


def test_magnitudes_are_of_the_flux_a_second_and_sky_positions_need_a_wcs():
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix, wcs.wcs.cdelt = [150.0, 20.0], [33.0, 33.0], [-0.001, 0.001]
    pixels = star_field(3, (64, 64), xy=[(32, 32)], fluxes=[20_000.0]).pixels

    plain = _measure(Frame.from_array(pixels), [(32, 32)])
    placed = _measure(Frame.from_array(pixels, wcs=wcs, header={"EXPTIME": 100.0}), [(32, 32)])

    assert plain[["ra_deg", "dec_deg", "fwhm_arcsec"]].isna().all(axis=None)
    assert placed["ra_deg"].item() == pytest.approx(150.0)
    assert placed["dec_deg"].item() == pytest.approx(20.0)
    assert placed["fwhm_arcsec"].item() == pytest.approx(placed["fwhm_px"].item() * 3.6)
    assert placed["mag"].item() - plain["mag"].item() == pytest.approx(5.0)
    rate = _measure(Frame.from_array(pixels, unit="electron/s", header={"EXPTIME": 100.0}), [(32, 32)])
    assert rate["mag"].item() == plain["mag"].item()


def test_many_sources_are_measured_in_pieces_as_in_one(monkeypatch):
    field = star_field(4, (256, 256), 200)
    frame, xy = Frame.from_array(field.pixels), field.truth[["x", "y"]].to_numpy()
    whole = _measure(frame, xy)
    monkeypatch.setattr("core.stars.shapes.CHUNK_PIXELS", 500)

    pieces = _measure(frame, xy)

    assert whole.equals(pieces)
    assert len(match_points(xy, pieces[["x", "y"]], 0.5)) == 200
