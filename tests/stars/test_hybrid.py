"""The trained network as a method: what it recovers, what it is not fooled by, and that nothing breaks it."""

import threading

import numpy as np
import pandas as pd
import pytest

from core.errors import ParameterInvalid, WeightsUnavailable
from core.frames import Frame
from core.frames.samples import samples
from core.methods import get_method
from core.scoring.matching import match_points
from core.stars.hybrid import HybridParameters
from tests.skies import star_field
from tests.stars.test_methods import _f1, _odd_frames


def _run(pixels, facts=None, **params):
    method = get_method("stars.hybrid")
    return method.run(Frame.from_array(pixels, **(facts or {})), method.params(**params))


@pytest.mark.parametrize(
    ("n_stars", "fwhm_px", "snr", "least"),
    [(200, 3.0, 5, 0.95), (200, 1.7, 5, 0.92), (150, 6.0, 5, 0.9), (1500, 3.0, 5, 0.85)],
)
def test_injected_stars_are_recovered(n_stars, fwhm_px, snr, least):
    field = star_field(0, (512, 512), n_stars, fwhm_px=fwhm_px, flux=(60, 60_000))

    assert _f1(field, _run(field.pixels).detections, snr) >= least


def test_a_field_without_open_sky_is_seen_in_the_noise_of_its_stars():
    field = star_field(7, (512, 512), 6000, fwhm_px=2.2, flux=(600, 3000), sky=25, read_noise=0)

    stars = _run(field.pixels).detections.table

    matches = match_points(field.truth[["x", "y"]], stars[["x", "y"]], 1.5)
    assert len(matches) >= 2500
    assert len(matches) >= 0.95 * len(stars)


def test_positions_and_snr_of_recovered_stars():
    field = star_field(1, (512, 512), 120, flux=(3000, 100_000))

    stars = _run(field.pixels, {"gain_e_per_adu": 1.0}).detections.table

    matches = match_points(field.truth[["x", "y"]], stars[["x", "y"]], 2.0)
    true, found = field.truth.iloc[matches.truth_index], stars.iloc[matches.found_index]
    assert len(matches) >= 112
    assert np.median(np.abs(found["x"].to_numpy() - true["x"].to_numpy())) < 0.06
    assert np.median(found["network_snr"].to_numpy() / true["snr"].to_numpy()) == pytest.approx(1, abs=0.25)
    assert found["fwhm_px"].median() == pytest.approx(3.0, rel=0.15)


def test_the_score_is_a_probability_and_the_threshold_cuts_it():
    field = star_field(2, (256, 256), 120, flux=(100, 20_000))

    generous, strict = _run(field.pixels, threshold=0.1), _run(field.pixels, threshold=0.9)

    assert generous.detections.table["score"].between(0.1, 1.0).all()
    assert strict.detections.table["score"].between(0.9, 1.0).all()
    assert len(generous.detections) > len(strict.detections) > 20


@pytest.mark.parametrize(("gain", "bias"), [(0.01, 0.0), (37.0, 1e4), (1e-9, -1e-7), (1e12, 0.0)])
def test_gain_and_bias_do_not_matter(gain, bias):
    pixels = star_field(3, (192, 192), 40).pixels.astype(np.float64)

    plain, other = _run(pixels), _run(pixels * gain + bias)

    assert abs(len(plain.detections) - len(other.detections)) <= 1
    matches = match_points(plain.detections.xy, other.detections.xy, 0.1)
    assert len(matches) >= len(plain.detections) - 1


def test_an_empty_sky_has_hardly_any_stars():
    found = [len(_run(star_field(seed, (1024, 1024), 0).pixels).detections) for seed in (7, 11, 12)]

    assert sum(found) <= 12


def test_a_single_star_is_one_star():
    field = star_field(3, (128, 128), xy=[(61.3, 70.8)], fluxes=[20_000.0])

    result = _run(field.pixels)

    assert result.summary == "One star."
    np.testing.assert_allclose(result.detections.xy, [[61.3, 70.8]], atol=0.15)


def test_a_close_pair_is_two_stars():
    field = star_field(5, (96, 96), xy=[(40.0, 48.0), (45.5, 48.0)], fluxes=[20_000.0, 14_000.0])

    found = _run(field.pixels).detections.xy

    assert len(match_points([[40.0, 48.0], [45.5, 48.0]], found, 1.0)) == 2
    assert len(found) == 2


def test_the_flat_top_of_a_saturated_star_is_one_star():
    field = star_field(4, (128, 128), xy=[(40, 40), (90, 80)], fluxes=[3e6, 3e6])
    rng = np.random.default_rng(0)
    pixels = np.minimum(field.pixels, 20_000) + rng.normal(0, 30, (128, 128))

    result = _run(pixels, {"saturation": 19_500.0}, fwhm_px=3.0)

    saturated = result.detections.table[result.detections.table["saturated"]]
    np.testing.assert_allclose(saturated[["x", "y"]].sort_values("x"), [[40, 40], [90, 80]], atol=1)
    assert result.facts["n_saturated"] == 2


def test_hot_pixels_cosmic_rays_and_trails_are_not_stars():
    field = star_field(6, (256, 256), 30, flux=(5000, 50_000), border=20)
    pixels = field.pixels.copy()
    rng = np.random.default_rng(1)
    hot = rng.integers(5, 250, (40, 2))
    pixels[hot[:, 0], hot[:, 1]] += rng.uniform(300, 5000, 40)
    for i in range(256):
        pixels[i, max(0, (i // 2) - 1) : i // 2 + 1] += 250  # a satellite across the frame

    stars = _run(pixels).detections.xy

    matches = match_points(field.truth[["x", "y"]], stars, 2.0)
    assert len(matches) >= 27
    assert len(matches.only_found) <= 4


def test_stars_beside_missing_pixels_are_found_and_none_within():
    field = star_field(5, (256, 256), 40, flux=(5000, 50_000))
    pixels = field.pixels.copy()
    pixels[100:200, 60:160] = np.nan

    result = _run(pixels)

    x, y = result.detections.xy.T
    assert not ((x > 62) & (x < 158) & (y > 102) & (y < 198)).any()
    outside = ~(field.truth["x"].between(55, 165) & field.truth["y"].between(95, 205))
    matches = match_points(field.truth.loc[outside, ["x", "y"]], result.detections.xy, 2.0)
    assert len(matches) >= 0.9 * outside.sum()


def test_stars_at_the_edge_are_turned_down_with_the_reason():
    field = star_field(8, (128, 128), xy=[(0.4, 60), (64, 64)], fluxes=[30_000.0] * 2)

    result = _run(field.pixels, threshold=0.1)

    assert len(result.detections) == 1
    assert result.rejected.table["reason"].str.contains("edge of the frame").all()
    assert len(result.rejected) == 1


def test_colour_frames_are_searched_in_their_mean():
    pixels = star_field(9, (128, 128), 15).pixels

    grey, colour = _run(pixels), _run(np.repeat(pixels[..., None], 3, axis=2))

    np.testing.assert_allclose(grey.detections.xy, colour.detections.xy, atol=0.02)


def test_the_same_frame_gives_the_same_stars_in_any_thread():
    pixels = star_field(10, (160, 160), 40).pixels
    alone, found = _run(pixels).detections.table, []
    threads = [threading.Thread(target=lambda: found.append(_run(pixels).detections.table)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 3
    for table in found:
        pd.testing.assert_frame_equal(alone, table)


def test_the_heat_map_covers_the_frame_and_is_hot_at_stars():
    field = star_field(9, (128, 160), 15, border=5)

    result = _run(field.pixels)

    heat = result.maps["probability"]
    x, y = np.rint(result.detections.xy).astype(int).T
    assert heat.shape == (128, 160)
    assert 0 <= heat.min() <= heat.max() <= 1
    assert np.median([heat[j - 1 : j + 2, i - 1 : i + 2].max() for i, j in zip(x, y, strict=True)]) > 0.8
    assert np.median(heat) < 0.02


@pytest.mark.parametrize(("kind", "pixels"), _odd_frames().items(), ids=_odd_frames())
def test_odd_frames_give_a_result(kind, pixels):
    result = _run(pixels.astype(np.float32))

    stars = kind in ("half missing", "negative sky") or "1e" in kind
    if stars:
        assert 4 <= len(result.detections) <= 18
    elif kind not in ("two values", "infinite"):
        assert len(result.detections) <= 1


@pytest.mark.parametrize("sample", ["moon_tycho", "mars_valles_marineris"])
def test_a_planet_is_said_not_to_be_a_star_field(sample):
    frame = next(each for each in samples() if each.name == sample).read()
    result = get_method("stars.hybrid").run(frame)

    assert len(result.detections) < 100 or "may not be a star field" in result.summary


def test_the_foreground_stars_of_m51_are_found():
    frame = next(one for one in samples() if one.name == "m51_kpno").read()
    stars = [(378, 65.5), (465, 61.5), (347, 188), (223.5, 130.5), (441, 409), (404, 273.5), (206.8, 505.3)]

    found = get_method("stars.hybrid").run(frame).detections

    assert len(match_points(stars, found.xy, 2.0)) == len(stars)


def test_nothing_found_says_what_was_asked_for():
    assert "30 %" in HybridParameters(threshold=0.3).nothing_found


def test_without_its_weights_it_says_so(weights_folder):
    with pytest.raises(WeightsUnavailable, match="not installed"):
        _run(np.zeros((32, 32)))


@pytest.mark.parametrize("threshold", [0.0, 1.0, float("nan")])
def test_impossible_thresholds_are_refused(threshold):
    with pytest.raises(ParameterInvalid, match="threshold"):
        HybridParameters(threshold=threshold)
