"""Both star finders: what they recover, what they refuse, and that nothing breaks them."""

import threading

import numpy as np
import pandas as pd
import pytest

from core.errors import ParameterInvalid
from core.frames import Frame
from core.frames.samples import samples
from core.methods import get_method
from core.scoring.matching import match_points
from core.stars import extraction
from tests.skies import star_field

METHODS = ("stars.sep", "stars.daofind")
both = pytest.mark.parametrize("name", METHODS)


def _run(name, pixels, facts=None, **params):
    method = get_method(name)
    return method.run(Frame.from_array(pixels, **(facts or {})), method.params(**params))


def _f1(field, detections, snr):
    """F1 with stars fainter than ``snr`` neither hits nor misses."""
    matches = match_points(field.truth[["x", "y"]], detections.xy, 2.0)
    wanted = field.truth["snr"].to_numpy() >= snr
    hits = wanted[matches.truth_index].sum()
    return 2 * hits / (wanted.sum() + hits + len(matches.only_found))


@pytest.mark.parametrize(
    ("name", "n_stars", "snr", "least"),
    [
        ("stars.sep", 200, 5, 0.96),
        ("stars.sep", 200, 10, 0.975),
        ("stars.sep", 1500, 5, 0.82),
        ("stars.daofind", 200, 5, 0.91),
        ("stars.daofind", 200, 10, 0.95),
        ("stars.daofind", 1500, 5, 0.82),
    ],
)
def test_injected_stars_are_recovered(name, n_stars, snr, least):
    field = star_field(0, (512, 512), n_stars, flux=(60, 60_000))

    assert _f1(field, _run(name, field.pixels).detections, snr) >= least


@both
def test_positions_fluxes_and_widths_of_recovered_stars(name):
    field = star_field(1, (512, 512), 120, flux=(3000, 100_000))

    stars = _run(name, field.pixels, {"gain_e_per_adu": 1.0}).detections.table

    matches = match_points(field.truth[["x", "y"]], stars[["x", "y"]], 2.0)
    true, found = field.truth.iloc[matches.truth_index], stars.iloc[matches.found_index]
    assert len(matches) >= 112
    assert np.median(np.abs(found["x"].to_numpy() - true["x"].to_numpy())) < 0.05
    ratio = found["flux"].to_numpy() / true["flux"].to_numpy()
    assert np.subtract(*np.percentile(ratio, [75, 25])) / np.median(ratio) < 0.05
    assert found["fwhm_px"].median() == pytest.approx(3.0, rel=0.15)
    assert found["ellipticity"].median() < 0.1


@both
def test_an_empty_sky_has_hardly_any_stars(name):
    result = _run(name, star_field(7, (512, 512), 0).pixels)

    assert len(result.detections) <= 6
    assert result.facts["noise_rms"] == pytest.approx(15, rel=0.03)
    assert any("assumed" in warning for warning in result.warnings)


@both
def test_a_single_star_is_one_star(name):
    field = star_field(3, (128, 128), xy=[(61.3, 70.8)], fluxes=[20_000.0])

    result = _run(name, field.pixels)

    assert result.summary == "One star."
    np.testing.assert_allclose(result.detections.xy, [[61.3, 70.8]], atol=0.1)


@both
def test_saturated_stars_are_kept_and_marked(name):
    field = star_field(4, (256, 256), 10, flux=(2000, 4000), border=20)
    xy = np.vstack([field.truth[["x", "y"]], [[50, 50], [200, 60]]])
    fluxes = [*field.truth["flux"], 1e6, 1e6]
    pixels = np.minimum(star_field(4, (256, 256), xy=xy, fluxes=fluxes).pixels, 10_000)

    result = _run(name, pixels, {"saturation": 10_000.0}, fwhm_px=3.0)
    relaxed = _run(name, pixels, {"saturation": 10_000.0}, fwhm_px=3.0, saturation_level=20_000.0)

    assert result.facts["n_saturated"] == 2
    assert "two are saturated" in result.summary
    assert relaxed.facts["n_saturated"] == 0


@both
def test_stars_beside_missing_pixels_are_found_and_none_within(name):
    field = star_field(5, (256, 256), 40, flux=(5000, 50_000))
    pixels = field.pixels.copy()
    pixels[100:200, 60:160] = np.nan

    result = _run(name, pixels)

    x, y = result.detections.xy.T
    assert not ((x > 62) & (x < 158) & (y > 102) & (y < 198)).any()
    outside = ~(field.truth["x"].between(55, 165) & field.truth["y"].between(95, 205))
    matches = match_points(field.truth.loc[outside, ["x", "y"]], result.detections.xy, 2.0)
    assert len(matches) >= 0.9 * outside.sum()
    assert "15 % of the pixels are missing." in result.warnings


@both
def test_hot_pixels_trails_and_edges_are_rejected_with_the_reason(name):
    field = star_field(6, (256, 256), 30, flux=(5000, 50_000), border=20)
    pixels = field.pixels.copy()
    pixels[40, 60] += 5000
    pixels[200, 60:90] += 1500
    pixels[120, 0] += 30_000

    result = _run(name, pixels, fwhm_px=3.0)

    assert match_points([[60, 40], [74, 200], [0, 120]], result.detections.xy, 3.0).only_truth.size == 3
    reasons = " ".join(result.rejected.table["reason"])
    assert "hot pixel" in reasons
    assert "edge of the frame" in reasons


@pytest.mark.parametrize(
    ("name", "params", "words"),
    [
        ("stars.sep", {"min_snr": 30.0}, "below threshold after photometry: SNR"),
        ("stars.sep", {"max_ellipticity": 0.1}, "too elongated: ellipticity"),
        ("stars.sep", {"max_width": 1.0}, "wider than a star: FWHM"),
        ("stars.sep", {"max_concentration": 1.0, "fwhm_px": 5.0}, "sharper than a star"),
        ("stars.sep", {"edge_margin_px": 60.0}, "touches the edge of the frame"),
        ("stars.daofind", {"roundness_limit": 0.05}, "outside ±0.05"),
        ("stars.daofind", {"sharpness_low": 0.7}, "below 0.7"),
        ("stars.daofind", {"sharpness_high": 0.3}, "above 0.3"),
    ],
)
def test_each_cut_says_why(name, params, words):
    field = star_field(8, (256, 256), 60, flux=(2000, 100_000))

    result = _run(name, field.pixels, **params)

    assert result.rejected.table["reason"].str.contains(words, regex=False).any()


@both
def test_rejected_and_accepted_together_are_every_candidate(name):
    field = star_field(8, (256, 256), 60, flux=(2000, 100_000))

    plain, strict = _run(name, field.pixels), _run(name, field.pixels, min_snr=20.0)

    assert len(strict.detections) < len(plain.detections)
    assert len(strict.detections) + len(strict.rejected) == len(plain.detections) + len(plain.rejected)


@both
def test_colour_frames_are_searched_in_their_mean(name):
    pixels = star_field(9, (128, 128), 15).pixels

    grey, colour = _run(name, pixels), _run(name, np.repeat(pixels[..., None], 3, axis=2))

    np.testing.assert_allclose(grey.detections.xy, colour.detections.xy, atol=1e-3)


@both
def test_the_same_frame_gives_the_same_stars(name):
    pixels = star_field(10, (256, 256), 80).pixels

    first, second = _run(name, pixels), _run(name, pixels)

    pd.testing.assert_frame_equal(first.detections.table, second.detections.table)
    assert first.facts == second.facts


@both
def test_results_carry_maps_facts_timings_and_units(name):
    result = _run(name, star_field(9, (128, 160), 15).pixels)

    assert {key: values.shape for key, values in result.maps.items()} == {
        "background": (128, 160),
        "noise": (128, 160),
    }
    assert all(values.dtype == np.float32 for values in result.maps.values())
    assert {"fwhm_px", "background_median", "noise_rms", "n_saturated", "depth_mag"} <= set(result.facts)
    assert set(result.timings) == {"background", "fwhm", "search", "photometry", "screening", "total"}
    assert result.detections.units["fwhm_px"] == "pix"
    table = result.detections.table
    np.testing.assert_allclose(table["score"], table["snr"] / (table["snr"] + 5))
    assert table["flux"].is_monotonic_decreasing


def _odd_frames():
    rng = np.random.default_rng(0)
    base = star_field(1, (96, 96), 12, flux=(3000, 50_000)).pixels
    huge = base.copy()
    huge[50, 50] = 1e30
    return {
        "all zero": np.zeros((64, 64)),
        "constant": np.full((64, 64), 7.0),
        "all missing": np.full((64, 64), np.nan),
        "half missing": np.where(np.arange(96) < 48, np.nan, base),
        "one pixel": np.ones((1, 1)),
        "tiny": rng.normal(0, 1, (8, 8)),
        "one row": rng.normal(10, 1, (1, 50)),
        "strip": rng.normal(10, 1, (30, 400)),
        "narrow": rng.normal(0, 1, (300, 2)),
        "one pixel of 1e30": huge,
        "in units of 1e28": base * np.float32(1e28),
        "in units of 1e-22": base * np.float32(1e-22),
        "denormal": np.full((20, 20), 1e-42),
        "as large as float32 goes": rng.uniform(-3e38, 3e38, (40, 40)),
        "negative sky": base - 1000,
        "infinite": np.where(base > 1000, np.inf, base),
        "checkerboard": np.indices((96, 96)).sum(axis=0) % 2 * 1000.0,
        "two values": (rng.random((200, 200)) > 0.5) * 1.0,
        "ramp": np.arange(96 * 96.0).reshape(96, 96),
        "black picture": np.rint(np.maximum(rng.normal(0, 0.2, (96, 96, 3)), 0)),
    }


@both
@pytest.mark.parametrize(("kind", "pixels"), _odd_frames().items(), ids=_odd_frames())
def test_odd_frames_give_a_result(name, kind, pixels):
    result = _run(name, pixels.astype(np.float32))

    stars = kind in ("half missing", "negative sky") or "1e" in kind
    if stars:
        assert 4 <= len(result.detections) <= 16
    elif kind not in ("two values", "infinite"):
        assert len(result.detections) == 0
        assert result.summary.startswith("No stars")


def test_a_frame_that_fills_the_buffers_is_searched_again(monkeypatch):
    monkeypatch.setattr(extraction, "PIXEL_BUFFER", (300, 16_000_000))
    field = star_field(2, (256, 256), 80, flux=(20_000, 200_000))

    result = _run("stars.sep", field.pixels, fwhm_px=3.0)

    assert any("more memory" in warning for warning in result.warnings)
    assert len(result.detections) >= 70


def test_a_threshold_that_takes_in_everything_is_refused(monkeypatch):
    monkeypatch.setattr(extraction, "PIXEL_BUFFER", (500, 500))
    field = star_field(2, (256, 256), 200, flux=(20_000, 200_000))

    with pytest.raises(ParameterInvalid, match="raise threshold_sigma"):
        _run("stars.sep", field.pixels, fwhm_px=3.0)


def test_threads_do_not_disturb_each_other():
    pixels = star_field(11, (256, 256), 100).pixels
    alone = _run("stars.sep", pixels).detections.xy
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(_run("stars.sep", pixels).detections.xy))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 4
    assert all(np.array_equal(xy, alone) for xy in found)


@pytest.mark.parametrize(
    ("sample", "name", "least", "most", "fwhm_px"),
    [
        ("isaac_psr_j1740", "stars.sep", 1800, 2800, 2.7),
        ("isaac_psr_j1740", "stars.daofind", 1400, 2400, 2.7),
        ("m44", "stars.sep", 900, 1600, 1.8),
        ("m51_kpno", "stars.sep", 200, 450, 2.35),
    ],
)
def test_real_frames(sample, name, least, most, fwhm_px):
    frame = next(one for one in samples() if one.name == sample).read()

    result = get_method(name).run(frame)

    assert least <= len(result.detections) <= most
    assert result.facts["fwhm_px"] == pytest.approx(fwhm_px, rel=0.15)


def test_the_foreground_stars_of_m51_are_found_by_both():
    frame = next(one for one in samples() if one.name == "m51_kpno").read()
    stars = [(378, 65.5), (465, 61.5), (347, 188), (223.5, 130.5), (441, 409), (404, 273.5), (206.8, 505.3)]

    for name in METHODS:
        found = get_method(name).run(frame).detections
        assert len(match_points(stars, found.xy, 2.0)) == len(stars), name


@both
def test_the_flat_top_of_a_saturated_star_is_one_star(name):
    field = star_field(4, (128, 128), xy=[(40, 40), (90, 80)], fluxes=[3e6, 3e6])
    rng = np.random.default_rng(0)
    pixels = np.minimum(field.pixels, 20_000) + rng.normal(0, 30, (128, 128))

    result = _run(name, pixels, {"saturation": 19_500.0}, fwhm_px=3.0)

    table = result.detections.table
    saturated = table[table["saturated"]]
    np.testing.assert_allclose(saturated[["x", "y"]].sort_values("x"), [[40, 40], [90, 80]], atol=1)


@pytest.mark.parametrize("method", METHODS)
def test_the_noise_of_a_black_sky_is_not_stars(method):
    sky = np.random.default_rng(8).normal(0.0, 6.0, (512, 512))
    picture = np.clip(np.rint(sky), 0, 255).astype(np.float32)
    assert len(get_method(method).run(Frame.from_array(picture)).detections) < 30


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("sample", ["moon_tycho", "mars_valles_marineris"])
def test_a_planet_is_said_not_to_be_a_star_field(method, sample):
    frame = next(each for each in samples() if each.name == sample).read()
    assert "may not be a star field" in get_method(method).run(frame).summary


@pytest.mark.parametrize("unit", ["adu", "electron", ""])
def test_fluxes_have_the_unit_of_the_pixels(unit):
    found = _run("stars.sep", star_field(5, (128, 128), 20).pixels, {"unit": unit})

    for column in ("flux", "flux_err", "peak", "background"):
        assert found.detections.units.get(column, "") == unit
    assert found.rejected.units == found.detections.units
