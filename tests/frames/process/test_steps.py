"""Every step of the chain on every kind of frame, and what each is there for, with a number."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from core.frames.process import (
    STEPS,
    BackgroundSubtraction,
    Enhancement,
    NoiseReduction,
    Normalisation,
    ProcessingStep,
)
from core.frames.process.noise import noise_sigma

RNG = np.random.default_rng(0)


def choices(step: type[ProcessingStep]) -> list[ProcessingStep]:
    """The step with each of its methods."""
    methods = next((spec.choices for spec in step.specs() if spec.name == "method"), ())
    return [step.from_mapping({"method": method}) for method in methods] or [step()]


def holes(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(RNG.random(pixels.shape) < 0.2, np.nan, pixels)


EVERY = [chosen for step in STEPS for chosen in choices(step)]
FRAMES = {
    "sky": RNG.normal(1000.0, 20.0, (90, 70)),
    "colour": RNG.normal(100.0, 5.0, (40, 50, 3)),
    "bytes": RNG.integers(0, 255, (60, 60, 3)),
    "constant": np.full((50, 60), 3.0),
    "constant colour": np.full((20, 20, 3), 3.0),
    "one pixel": np.full((1, 1), 5.0),
    "one row": RNG.normal(size=(1, 9)),
    "tiny": RNG.normal(size=(8, 8)),
    "holes": holes(RNG.normal(size=(60, 60))),
    "holes in colour": holes(RNG.normal(size=(60, 60, 3))),
    "one value": np.where(np.arange(400).reshape(20, 20) == 7, 5.0, np.nan),
    "nothing": np.full((9, 9), np.nan),
    "huge": RNG.normal(1e30, 1e28, (64, 64)),
}


@pytest.mark.parametrize("step", EVERY, ids=lambda step: f"{step.name} {getattr(step, 'method', '')}")
@pytest.mark.parametrize("name", FRAMES)
def test_shape_type_and_missing_pixels_are_kept(step: ProcessingStep, name: str) -> None:
    pixels = FRAMES[name].astype(np.float32)
    before = pixels.copy()
    after = step.apply(pixels)
    assert after.shape == pixels.shape
    assert after.dtype == np.float32
    np.testing.assert_array_equal(np.isnan(after), np.isnan(pixels))
    assert np.isfinite(after[~np.isnan(after)]).all()
    np.testing.assert_array_equal(pixels, before)
    assert not np.shares_memory(after, pixels)


def test_a_gradient_is_subtracted_and_stars_stay() -> None:
    y, x = np.mgrid[:512, :512]
    sky = 500.0 + 0.4 * x + 0.2 * y
    pixels = sky + RNG.normal(0.0, 5.0, sky.shape)
    pixels[100, 200] += 4000.0
    flat = BackgroundSubtraction().apply(pixels.astype(np.float32))
    assert abs(np.median(flat)) < 0.5
    assert np.abs([np.median(corner) for corner in (flat[:64, :64], flat[-64:, -64:])]).max() < 2.0
    assert flat[100, 200] == pytest.approx(4000.0, abs=25.0)


def test_noise_is_measured_under_stars_and_gradients() -> None:
    y, x = np.mgrid[:300, :300]
    pixels = RNG.normal(0.0, 7.0, (300, 300)) + 0.5 * x - 2.0 * y
    pixels[::17, ::13] += 1e4
    assert noise_sigma(pixels.astype(np.float32)) == pytest.approx(7.0, rel=0.12)


@pytest.mark.parametrize("step", choices(NoiseReduction), ids=lambda step: step.method)
def test_noise_is_halved_and_a_bright_object_stays(step: NoiseReduction) -> None:
    y, x = np.mgrid[:128, :128]
    galaxy = 400.0 * np.exp(-(np.hypot(x - 64, y - 64) ** 2) / (2 * 8.0**2))
    pixels = (1000.0 + galaxy + RNG.normal(0.0, 10.0, galaxy.shape)).astype(np.float32)
    smooth = step.apply(pixels)
    assert smooth[:32].std() < 0.5 * pixels[:32].std()
    assert smooth[60:69, 60:69].mean() == pytest.approx(pixels[60:69, 60:69].mean(), rel=0.02)


def test_median_takes_out_hot_pixels() -> None:
    pixels = np.full((40, 40), 10.0, np.float32)
    pixels[20, 20] = 60_000.0
    assert NoiseReduction().apply(pixels).max() == 10.0


def test_zero_to_one() -> None:
    pixels = np.linspace(50.0, 150.0, 10_000, dtype=np.float32).reshape(100, 100)
    unit = Normalisation(percentile_low=10.0, percentile_high=90.0).apply(pixels)
    assert np.percentile(unit, [10.0, 90.0]) == pytest.approx([0.0, 1.0], abs=1e-4)
    assert unit.max() > 1.0  # nothing is cut off


def test_noise_units() -> None:
    pixels = RNG.normal(1000.0, 20.0, (200, 200)).astype(np.float32)
    pixels[::20, ::20] = 60_000.0
    scaled = Normalisation(method="noise units").apply(pixels)
    assert np.median(scaled) == pytest.approx(0.0, abs=0.01)
    assert scaled[scaled < 10].std() == pytest.approx(1.0, rel=0.03)


def test_colour_balance_makes_the_sky_neutral() -> None:
    pixels = RNG.normal([100.0, 200.0, 400.0], [5.0, 10.0, 20.0], (100, 100, 3)).astype(np.float32)
    balanced = Normalisation(method="colour balance").apply(pixels)
    medians, spreads = np.median(balanced, axis=(0, 1)), balanced.std(axis=(0, 1))
    assert np.ptp(medians) < 0.5
    assert np.ptp(spreads) < 0.05 * spreads.mean()


@pytest.mark.parametrize("method", ["zero to one", "noise units"])
def test_one_scale_for_all_colours(method: str) -> None:
    pixels = RNG.normal([100.0, 200.0, 400.0], 5.0, (50, 50, 3)).astype(np.float32)
    scaled = Normalisation(method=method).apply(pixels)
    gap = np.diff(np.median(scaled, axis=(0, 1)))
    assert gap[1] / gap[0] == pytest.approx(2.0, rel=0.05)


def test_local_contrast_lifts_a_faint_texture_and_keeps_the_colours() -> None:
    pixels = np.zeros((128, 128, 3), np.float32)
    pixels[:, 64:] = (200.0, 180.0, 160.0)
    texture = RNG.normal(0.0, 1.0, (128, 64)).astype(np.float32)
    pixels[:, :64] += 20.0 + texture[:, :, None]
    enhanced = Enhancement().apply(pixels)
    assert enhanced[:, :64].std() > 2.0 * pixels[:, :64].std()
    np.testing.assert_allclose(
        enhanced[..., 0] - enhanced[..., 2], pixels[..., 0] - pixels[..., 2], atol=1e-3
    )


def test_sharpening_makes_a_star_narrower() -> None:
    y, x = np.mgrid[:41, :41]
    star = (100.0 * np.exp(-((x - 20.0) ** 2 + (y - 20.0) ** 2) / (2 * 3.0**2))).astype(np.float32)
    sharp = Enhancement(method="sharpen").apply(star)
    assert sharp[20, 23] / sharp.max() < 0.95 * star[20, 23] / star.max()
    assert sharp.sum() == pytest.approx(star.sum(), rel=1e-3)


@pytest.mark.parametrize(("gamma", "brighter"), [(0.5, True), (2.0, False)])
def test_gamma(gamma: float, brighter: bool) -> None:
    pixels = np.linspace(0.0, 100.0, 10_000, dtype=np.float32).reshape(100, 100)
    changed = Enhancement(method="gamma", gamma=gamma).apply(pixels)
    assert (changed[30, 50] > pixels[30, 50]) is np.bool_(brighter)
    assert changed[-1, -1] == pytest.approx(100.0, rel=0.01)
