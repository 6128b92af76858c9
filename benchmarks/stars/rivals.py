"""Everything that is compared: the classical tools as their manuals show them, and this project's methods.

A rival is given a frame and a threshold in its own units and gives back places. Where a set has one known
star image, rivals that ask for it are told the true one; elsewhere they are told the width that
:func:`core.stars.psf.measure_profile` measures on the frame.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import sep
from numpy.typing import NDArray
from scipy import ndimage

from benchmarks.stars.example import Example, Floats
from benchmarks.stars.plain import moffat_kernel
from core.errors import AlmagestError, WeightsUnavailable
from core.frames import Frame
from core.methods import Method, get_method, methods
from core.stars.background import subtract_background
from core.stars.psf import ASSUMED_FWHM_PX, gaussian_kernel, measure_profile

SEP_THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9, 1.05, 1.25, 1.6, 2.2, 3.5)
SEP_DEFAULT_THRESHOLDS = (0.9, 1.05, 1.2, 1.35, 1.6, 2.0, 2.6, 3.5, 5.0)
"""In standard deviations of the unfiltered frame, as ``sep`` counts. With a star's image of 3 px FWHM as the
filter, 0.8 is 4.3 of the filtered one; the default kernel is narrower and leaves more noise."""
PEAK_THRESHOLDS = (2.5, 3.0, 3.5, 3.9, 4.3, 4.7, 5.2, 6.5)
FILTERED_THRESHOLDS = (2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 6.0, 8.0, 11.0)
"""In standard deviations of the frame filtered with the shape of a star."""
PROBABILITIES = (0.02, *(round(0.05 * step, 2) for step in range(1, 20)), 0.98)
"""Scores at and above which detections of a network are kept: it runs once, at the lowest."""


@dataclass(frozen=True, eq=False)
class View:
    """A frame as rivals get it: with what may be known of its star image.

    Attributes:
        frame: The frame.
        moffat: FWHM in pixels and β of its star image, or None when that is to be measured.
    """

    frame: Frame
    moffat: tuple[float, float] | None = None

    @classmethod
    def of(cls, example: Example) -> View:
        """The view of a simulated frame."""
        return cls(example.frame, example.moffat)

    @cached_property
    def sky(self) -> tuple[NDArray[np.float32], float]:
        """The frame less its background, and its noise; see :func:`sky_taken_away`."""
        return sky_taken_away(self.frame)

    @cached_property
    def fwhm_px(self) -> float:
        """Width of the stars."""
        if self.moffat is not None:
            return self.moffat[0]
        saturation = self.frame.saturation
        sky = subtract_background(self.frame, saturation=saturation)
        profile = measure_profile(sky, None if saturation is None else self.frame.grey >= saturation)
        return ASSUMED_FWHM_PX if profile is None else profile.fwhm_px

    @cached_property
    def kernel(self) -> NDArray[np.float32]:
        """``(k, k)`` image of a star: the true one, or a Gaussian of the measured width."""
        if self.moffat is not None:
            return moffat_kernel(*self.moffat)
        return gaussian_kernel(self.fwhm_px)

    @cached_property
    def filtered(self) -> Floats:
        """``(H, W)`` frame in standard deviations, filtered with the star image: its matched-filter SNR."""
        data, noise = self.sky
        kernel = self.kernel.astype(float)
        return np.asarray(
            ndimage.correlate(data / noise, kernel / np.sqrt(np.sum(kernel**2)), mode="nearest")
        )


@dataclass(frozen=True)
class Setting:
    """A threshold in the rival's own units, and which of its cuts are on."""

    threshold: float
    cuts: str = ""


Finder = Callable[[View, float], Mapping[str, Floats]]
"""``finder(view, threshold)`` gives ``(N, 2)`` places, or ``(N, 3)`` with scores, by the name of the cuts."""


@dataclass(frozen=True)
class Rival:
    """A way to find stars.

    Attributes:
        name: What results call it.
        title: What a person calls it.
        thresholds: Those tried on validation frames, growing.
        find: Finds stars.
        by_score: It runs once at the lowest threshold, and the others keep what has that score.
        method: Name of the project's method it is, if it is one.
    """

    name: str
    title: str
    thresholds: tuple[float, ...]
    find: Finder
    by_score: bool = False
    method: str | None = None

    def sweep(self, view: View, thresholds: Sequence[float] | None = None) -> dict[Setting, Floats]:
        """``(N, 2)`` places by setting, for some thresholds or all of them."""
        wanted = self.thresholds if thresholds is None else tuple(thresholds)
        if self.by_score:
            return {
                Setting(threshold, cuts): places[places[:, 2] >= threshold, :2]
                for cuts, places in self.find(view, self.thresholds[0]).items()
                for threshold in wanted
            }
        return {
            Setting(threshold, cuts): places
            for threshold in wanted
            for cuts, places in self.find(view, threshold).items()
        }


def sky_taken_away(frame: Frame) -> tuple[NDArray[np.float32], float]:
    """``(H, W)`` frame less ``sep``'s background, and its noise, as ``sep``'s manual does it."""
    pixels = np.ascontiguousarray(frame.grey, dtype=np.float32)
    background = sep.Background(pixels)
    return pixels - background.back(), max(float(background.globalrms), 1e-9)


def sep_default(view: View, threshold: float) -> dict[str, Floats]:
    """``sep`` with all its defaults."""
    data, noise = view.sky
    return {"": _extract(data, threshold, noise)}


def sep_psf(view: View, threshold: float) -> dict[str, Floats]:
    """``sep`` with the star image as its filter, and otherwise its defaults."""
    data, noise = view.sky
    return {"": _extract(data, threshold, noise, filter_kernel=view.kernel)}


def matched_filter(view: View, threshold: float) -> dict[str, Floats]:
    """Peaks of the frame filtered with the star image, refined by a parabola along each axis.

    No blends are split and nothing is turned down: what white noise leaves to find, drawn for reference.
    """
    filtered = view.filtered
    peaks = (filtered == ndimage.maximum_filter(filtered, 5)) & (filtered > threshold)
    peaks[[0, -1]] = peaks[:, [0, -1]] = False
    y, x = np.nonzero(peaks)
    shifts = []
    for before, after in (
        (filtered[y, x - 1], filtered[y, x + 1]),
        (filtered[y - 1, x], filtered[y + 1, x]),
    ):
        bend = 2.0 * filtered[y, x] - before - after
        shifts.append(np.divide(after - before, 2.0 * bend, out=np.zeros(len(x)), where=bend > 0))
    return {"": np.column_stack([x + np.clip(shifts[0], -0.5, 0.5), y + np.clip(shifts[1], -0.5, 0.5)])}


def daofind(view: View, threshold: float) -> dict[str, Floats]:
    """photutils' DAOStarFinder, with its own cuts on sharpness and roundness and with none."""
    from photutils.detection import DAOStarFinder

    return _photutils(DAOStarFinder, view, threshold, ("roundness1", "roundness2"), (-1.0, 1.0), (0.2, 1.0))


def iraffind(view: View, threshold: float) -> dict[str, Floats]:
    """photutils' IRAFStarFinder, with its own cuts on sharpness and roundness and with none."""
    from photutils.detection import IRAFStarFinder

    return _photutils(IRAFStarFinder, view, threshold, ("roundness",), (0.0, 0.2), (0.5, 2.0))


def ours(name: str, parameter: str) -> Finder:
    """A finder that runs one of the project's methods, all but its threshold at their defaults."""

    def find(view: View, threshold: float) -> dict[str, Floats]:
        method = get_method(name)
        try:
            result = method.run(view.frame, method.params.from_mapping({parameter: threshold}))
        except WeightsUnavailable:
            raise
        except AlmagestError:
            return {"": np.empty((0, 3))}  # a threshold so low that the method itself refuses it
        table = result.detections.table[["x", "y", "score"]].to_numpy(float)
        return {"": table if parameter == "threshold" else table[:, :2]}

    return find


CLASSICAL = (
    Rival("sep.default", "SEP, default kernel", SEP_DEFAULT_THRESHOLDS, sep_default),
    Rival("sep.psf", "SEP, kernel as the stars", SEP_THRESHOLDS, sep_psf),
    Rival("photutils.daofind", "photutils DAOStarFinder", PEAK_THRESHOLDS, daofind),
    Rival("photutils.iraf", "photutils IRAFStarFinder", PEAK_THRESHOLDS, iraffind),
    Rival("matched", "Matched filter, peaks alone", FILTERED_THRESHOLDS, matched_filter),
)


def rivals(only: str | None = None) -> dict[str, Rival]:
    """Every rival by name, or one: the classical ones, and each star method that can run here."""
    found = {rival.name: rival for rival in CLASSICAL if only in (None, rival.name)}
    for method in methods("stars").values():
        rival = _rival_of(method) if only in (None, method.name) else None
        if rival is not None and _can_run(method):
            found[rival.name] = rival
    return found


def _rival_of(method: Method) -> Rival | None:
    """The method as a rival; None when it has no threshold to choose."""
    names = {spec.name: spec for spec in method.params.specs()}
    if "threshold" in names and (names["threshold"].high or 2.0) <= 1.0:
        spec = names["threshold"]
        within = tuple(p for p in PROBABILITIES if (spec.low or 0.0) <= p)
        finder = ours(method.name, "threshold")
        return Rival(method.name, method.title, within, finder, by_score=True, method=method.name)
    if "threshold_sigma" in names:
        finder = ours(method.name, "threshold_sigma")
        return Rival(method.name, method.title, FILTERED_THRESHOLDS, finder, method=method.name)
    return None


def _can_run(method: Method) -> bool:
    """Whether the weights it needs are there."""
    noise = np.random.default_rng(0).normal(100.0, 5.0, (128, 128))
    try:
        method.run(Frame.from_array(noise))
    except WeightsUnavailable:
        return False
    return True


def _extract(
    data: NDArray[np.float32],
    threshold: float,
    noise: float,
    **options: NDArray[np.float32],
) -> Floats:
    """``sep.extract``, with more memory where a low threshold needs it."""
    for pixels, parts in ((1_000_000, 1024), (8_000_000, 32_768)):
        sep.set_extract_pixstack(pixels)
        sep.set_sub_object_limit(parts)
        try:
            objects = sep.extract(data, threshold, err=noise, **options)
        except Exception as error:  # sep raises bare Exception for everything
            if "overflow" not in str(error) and "buffer full" not in str(error):
                raise
        else:
            return np.column_stack([objects["x"], objects["y"]])
    return np.empty((0, 2))


def _photutils(
    kind: Callable[..., Callable[[NDArray[np.float32]], Any]],
    view: View,
    threshold: float,
    roundness: Sequence[str],
    roundness_range: tuple[float, float],
    sharpness_range: tuple[float, float],
) -> dict[str, Floats]:
    """Run a finder of photutils without its cuts, then make them: the same as running it twice."""
    from photutils.utils.exceptions import NoDetectionsWarning

    data, noise = view.sky
    finder = kind(threshold * noise, fwhm=view.fwhm_px, sharpness_range=None, roundness_range=None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NoDetectionsWarning)
        table = finder(data)
    if table is None:
        return {"default cuts": np.empty((0, 2)), "no cuts": np.empty((0, 2))}
    names = ("x_centroid", "y_centroid", "sharpness", *roundness)
    columns = {name: np.asarray(table[name], float) for name in names}
    places = np.column_stack([columns["x_centroid"], columns["y_centroid"]])
    there = np.isfinite(places).all(axis=1)
    keep = (columns["sharpness"] > sharpness_range[0]) & (columns["sharpness"] < sharpness_range[1])
    for name in roundness:
        keep &= (columns[name] > roundness_range[0]) & (columns[name] < roundness_range[1])
    return {"default cuts": places[keep & there], "no cuts": places[there]}
