import numpy as np
import pandas as pd
import pytest
from astropy.wcs import WCS

from core.catalogues.gaia import GaiaCone, cone
from core.frames import Frame
from core.frames.samples import samples
from core.frames.sky import field_of_view
from core.methods import get_method
from core.results import Detections
from core.stars.calibrate import match_catalogue

SIZE = 600
SCALE_DEG = 2.0 / 3600


def _frame():
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix = [120.0, 30.0], [SIZE / 2, SIZE / 2]
    wcs.wcs.cdelt = [-SCALE_DEG, SCALE_DEG]
    return Frame.from_array(np.zeros((SIZE, SIZE)), wcs=wcs)


def _cone(frame, xy, mags, limit_mag=15.0):
    ra, dec = frame.sky(*np.asarray(xy, float).T)
    table = pd.DataFrame({"source_id": np.arange(len(ra)), "ra_deg": ra, "dec_deg": dec, "g_mag": mags})
    return GaiaCone(table, limit_mag, 2016.0, "a made-up catalogue")


def _stars(xy, mags, saturated=False):
    x, y = np.asarray(xy, float).T
    flux = 10 ** (-0.4 * np.asarray(mags, float))
    return Detections(
        pd.DataFrame(
            {"label": "star", "score": 0.9, "x": x, "y": y, "flux": flux, "mag": mags, "saturated": saturated}
        )
    )


def _scene(n=40, extra=100, shift=(0.0, 0.0), jitter_px=0.05, scatter_mag=0.05, zero_point=22.5, seed=0):
    """Catalogue stars, of which 90 % are detected, among fainter detections that are in no catalogue."""
    rng = np.random.default_rng(seed)
    frame = _frame()
    xy, g = rng.uniform(20, SIZE - 20, (n, 2)), rng.uniform(10, 15, n)
    seen = rng.random(n) < 0.9
    found = np.vstack(
        [xy[seen] + shift + rng.normal(0, jitter_px, (seen.sum(), 2)), rng.uniform(0, SIZE, (extra, 2))]
    )
    mags = np.concatenate(
        [g[seen] - zero_point + rng.normal(0, scatter_mag, seen.sum()), rng.uniform(-7, -4, extra)]
    )
    return frame, _cone(frame, xy, g), _stars(found, mags), int(seen.sum())


@pytest.mark.parametrize("shift", [(0.0, 0.0), (7.3, -4.1), (-12.0, 14.0)])
def test_injected_offset_residual_and_zero_point_are_recovered(shift):
    frame, catalogue, stars, n_seen = _scene(shift=shift)

    found = match_catalogue(stars, frame, catalogue)

    assert abs(found.n_matched - n_seen) <= 2
    assert found.offset_px == pytest.approx(shift, abs=0.05)
    assert found.offset_arcsec == pytest.approx((-2 * shift[0], 2 * shift[1]), abs=0.1)
    assert found.rms_arcsec == pytest.approx(0.1, rel=0.5)
    assert found.zero_point_mag == pytest.approx(22.5, abs=4 * found.zero_point_err_mag)
    assert found.scatter_mag == pytest.approx(0.05, rel=0.4)
    assert found.zero_point_err_mag == pytest.approx(
        1.25 * found.scatter_mag / np.sqrt(found.n_used), rel=0.01
    )
    assert found.limiting_mag == pytest.approx(22.5 - 4.2, abs=0.4)
    assert found.chance_probability < 1e-6


def test_pairs_are_given_star_by_star():
    frame, catalogue, stars, _ = _scene()

    found = match_catalogue(stars, frame, catalogue)

    table = found.table
    assert len(table) == found.n_matched == len(found.dx_arcsec) == len(found.used)
    assert table["row"].is_unique
    assert table["source_id"].is_unique
    np.testing.assert_allclose(stars.table["mag"].to_numpy()[table["row"].astype(int)], table["mag"])
    np.testing.assert_allclose(found.offset_mag, found.catalogue_mag - table["mag"])
    assert np.median(found.dx_arcsec) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("seed", range(25))
def test_a_random_catalogue_is_never_believed(seed):
    rng = np.random.default_rng(1000 + seed)
    frame = _frame()
    catalogue = _cone(frame, rng.uniform(0, SIZE, (30, 2)), rng.uniform(10, 15, 30))
    stars = _stars(rng.uniform(0, SIZE, (1500, 2)), rng.uniform(-12, -5, 1500))

    found = match_catalogue(stars, frame, catalogue)

    assert found.n_matched == 0
    assert np.isnan(found.zero_point_mag)
    assert "No zero point is claimed" in found.summary


def test_variable_stars_and_wrong_pairs_do_not_move_the_zero_point():
    frame, catalogue, stars, _ = _scene()
    stars.table.loc[stars.table.index[:4], "mag"] += 3.0

    found = match_catalogue(stars, frame, catalogue)

    assert found.zero_point_mag == pytest.approx(22.5, abs=0.05)
    assert (~found.used).sum() >= 4


def test_saturated_stars_do_not_count():
    frame, catalogue, stars, _ = _scene()
    bright = stars.table["mag"] < np.percentile(stars.table["mag"], 10)
    stars.table.loc[bright, "mag"] += 1.0
    stars.table["saturated"] = bright

    found = match_catalogue(stars, frame, catalogue)

    assert found.zero_point_mag == pytest.approx(22.5, abs=0.05)
    assert found.n_used < found.n_matched


def test_only_saturated_stars_have_no_zero_point():
    frame, catalogue, stars, _ = _scene()
    stars.table["saturated"] = True

    found = match_catalogue(stars, frame, catalogue)

    assert found.n_matched > 30
    assert np.isnan(found.zero_point_mag)
    assert "All of them are saturated" in found.summary


def test_a_frame_without_sky_coordinates_is_told_kindly():
    _, catalogue, stars, _ = _scene()

    found = match_catalogue(stars, Frame.from_array(np.zeros((SIZE, SIZE))), catalogue)

    assert found.n_matched == 0
    assert "does not say where on the sky" in found.summary


@pytest.mark.parametrize(
    ("n_catalogue", "n_stars", "words"),
    [(0, 50, "no star brighter than G 15"), (3, 50, "too few to match"), (40, 0, "too few to match")],
)
def test_too_little_to_match_is_told_kindly(n_catalogue, n_stars, words):
    rng = np.random.default_rng(0)
    frame = _frame()
    catalogue = _cone(frame, rng.uniform(0, SIZE, (n_catalogue, 2)), np.full(n_catalogue, 12.0))
    stars = _stars(rng.uniform(0, SIZE, (n_stars, 2)), np.full(n_stars, -8.0))

    found = match_catalogue(stars, frame, catalogue)

    assert found.n_matched == 0
    assert words in found.summary
    assert len(found.table) == 0


@pytest.mark.parametrize(
    ("sample", "matched", "rms_px"), [("m44", 60, 0.6), ("ic1396", 110, 0.4), ("isaac_psr_j1740", 0, None)]
)
def test_real_frames(sample, matched, rms_px):
    frame = next(one for one in samples() if one.name == sample).read()
    field = field_of_view(frame)

    stars = get_method("stars.sep").run(frame).detections
    found = match_catalogue(stars, frame, cone(field.ra_deg, field.dec_deg, field.radius_deg))

    assert found.n_matched >= matched
    if rms_px is None:
        assert found.summary == "The catalogue has no star brighter than G 10 in this field."
    else:
        assert found.rms_arcsec < rms_px * frame.pixel_scale_arcsec
