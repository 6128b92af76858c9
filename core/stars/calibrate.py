"""Holding detections against a catalogue: how well the frame lies on the sky, and its zero point."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.catalogues.gaia import GaiaCone
from core.frames import Frame
from core.results import Detections
from core.scoring.matching import match_points

Float64 = NDArray[np.float64]

SEARCH_PX = 20.0
"""How far the frame's coordinates may be off as a whole."""
RADIUS_PX = 3.0
"""Default matching radius: centroids are far better, distorted pictures a little worse."""
MIN_MATCHES = 5
CHANCE_LIMIT = 1e-4
"""Greatest probability of as many matches by chance at which a match is believed."""
CONTROLS = 12
"""Shifted skies on which chance matches are counted."""
BRIGHTEST_PER_STAR = 4
"""Detections tried for each catalogue star: its stars are among the brightest of the frame."""
FEWEST_TRIED = 60
_COLUMNS = ("row", "source_id", "g_mag", "mag", "dx_arcsec", "dy_arcsec", "offset_mag", "used")


def _no_matches() -> pd.DataFrame:
    return pd.DataFrame({name: [] for name in _COLUMNS}, dtype=float)


@dataclass(frozen=True, eq=False)
class Calibration:
    """What matching a frame's stars with a catalogue gives; numbers that cannot be had are NaN.

    Attributes:
        summary: The outcome in one or two sentences for a person.
        n_catalogue: Catalogue stars that should be on the frame.
        n_matched: Pairs; 0 when the match could be chance, and then nothing else is claimed.
        chance_probability: Probability of as many pairs by chance.
        offset_px: ``(x, y)`` by which detections lie off their catalogued places as a whole, pixels.
        offset_arcsec: The same towards east and north.
        rms_arcsec: Scatter per axis about that offset.
        rms_x_arcsec, rms_y_arcsec: The same along east and along north.
        zero_point_mag: Median of G − instrumental magnitude, clipped at 3 σ, without saturated stars.
        scatter_mag: Standard deviation of the stars used about it.
        zero_point_err_mag: Its standard error.
        n_used: Stars it was measured from.
        limiting_mag: G of the faintest detections (their 95th percentile), by this zero point.
        table: One row a pair: ``row`` (in the detections), ``source_id, g_mag, mag, dx_arcsec, dy_arcsec``
            (detection − catalogue towards east and north, offset removed), ``offset_mag`` (G − mag) and
            ``used`` (for the zero point).
    """

    summary: str
    n_catalogue: int = 0
    n_matched: int = 0
    chance_probability: float = 1.0
    offset_px: tuple[float, float] = (np.nan, np.nan)
    offset_arcsec: tuple[float, float] = (np.nan, np.nan)
    rms_arcsec: float = np.nan
    rms_x_arcsec: float = np.nan
    rms_y_arcsec: float = np.nan
    zero_point_mag: float = np.nan
    scatter_mag: float = np.nan
    zero_point_err_mag: float = np.nan
    n_used: int = 0
    limiting_mag: float = np.nan
    table: pd.DataFrame = field(default_factory=_no_matches)

    @property
    def dx_arcsec(self) -> Float64:
        """``(N,)`` residuals towards east, arcseconds."""
        return self.table["dx_arcsec"].to_numpy(float)

    @property
    def dy_arcsec(self) -> Float64:
        """``(N,)`` residuals towards north, arcseconds."""
        return self.table["dy_arcsec"].to_numpy(float)

    @property
    def catalogue_mag(self) -> Float64:
        """``(N,)`` G magnitudes of the matched stars."""
        return self.table["g_mag"].to_numpy(float)

    @property
    def offset_mag(self) -> Float64:
        """``(N,)`` G − instrumental magnitude."""
        return self.table["offset_mag"].to_numpy(float)

    @property
    def used(self) -> NDArray[np.bool_]:
        """``(N,)`` whether a star counted for the zero point."""
        return self.table["used"].to_numpy(bool)


def match_catalogue(
    detections: Detections, frame: Frame, cone: GaiaCone, radius_arcsec: float | None = None
) -> Calibration:
    """Match detections with catalogue stars one to one, after taking out a shift of the whole frame.

    The shift with the most pairs within :data:`SEARCH_PX` is found by letting every pair of a bright
    detection and a star vote. The same is then done with the catalogue moved round the frame
    :data:`CONTROLS` times, where every pair is chance; unless the true sky gives far more pairs than
    these (Poisson probability under :data:`CHANCE_LIMIT`), nothing is claimed.

    Args:
        detections: Stars with ``flux``, ``mag`` and ``saturated``.
        frame: Their frame.
        cone: Catalogue stars around it.
        radius_arcsec: Largest residual of a pair; by default :data:`RADIUS_PX` pixels.
    """
    if frame.wcs is None or frame.pixel_scale_arcsec is None:
        return Calibration("The frame does not say where on the sky it is, so no star can be looked up.")
    scale = frame.pixel_scale_arcsec
    radius_px = RADIUS_PX if radius_arcsec is None else radius_arcsec / scale
    stars, star_xy = _stars_on_frame(frame, cone)
    n = len(stars)
    if n == 0:
        return Calibration(f"The catalogue has no star brighter than G {cone.limit_mag:g} in this field.")
    known = f"{n:,} catalogue star{'' if n == 1 else 's'} brighter than G {cone.limit_mag:g}"
    if n < MIN_MATCHES or len(detections) < MIN_MATCHES:
        return Calibration(f"With {known} in this field there are too few to match.", n_catalogue=n)
    tried = np.argsort(-detections.table["flux"].to_numpy(float), kind="stable")
    tried = tried[: max(BRIGHTEST_PER_STAR * n, FEWEST_TRIED)]
    xy = detections.xy[tried]
    shift = _best_shift(star_xy, xy, radius_px)
    matches = match_points(star_xy + shift, xy, radius_px)
    chance = _chance(len(matches), star_xy, xy, (frame.width, frame.height), radius_px)
    if len(matches) < MIN_MATCHES or chance > CHANCE_LIMIT:
        return Calibration(
            f"Of {known} in this field, {len(matches)} lie near a detection, which could be chance: "
            "the frame's sky coordinates may be wrong. No zero point is claimed.",
            n_catalogue=n,
            chance_probability=chance,
        )
    rows = tried[matches.found_index]
    return _calibrate(
        detections,
        frame,
        cone,
        stars.iloc[matches.truth_index],
        rows,
        n,
        chance,
        star_xy[matches.truth_index],
    )


def _stars_on_frame(frame: Frame, cone: GaiaCone) -> tuple[pd.DataFrame, Float64]:
    """The catalogue stars on the frame and their ``(N, 2)`` places in pixels."""
    if not len(cone):
        return cone.table, np.empty((0, 2))
    places = frame.pixel(cone.table["ra_deg"].to_numpy(), cone.table["dec_deg"].to_numpy())
    if places is None:
        return cone.table.iloc[:0], np.empty((0, 2))
    xy = np.column_stack(places)
    with np.errstate(invalid="ignore"):
        inside = (xy >= -0.5) & (xy <= np.array([frame.width, frame.height]) - 0.5)
    kept = np.flatnonzero(inside.all(axis=1))
    return cone.table.iloc[kept], xy[kept]


def _best_shift(star_xy: Float64, xy: Float64, radius_px: float) -> Float64:
    """``(2,)`` shift of the stars that brings most of them near a detection."""
    from scipy.spatial import KDTree

    near = KDTree(star_xy).query_ball_tree(KDTree(xy), SEARCH_PX + radius_px)
    votes = [xy[j] - star_xy[i] for i, found in enumerate(near) for j in found]
    if not votes:
        return np.zeros(2)
    shifts = np.array(votes)
    tree = KDTree(shifts)
    agreeing = tree.query_ball_point(shifts, radius_px, return_length=True)
    best = shifts[int(np.argmax(agreeing))]
    for _ in range(3):
        best = np.median(shifts[tree.query_ball_point(best, radius_px)], axis=0)
    return np.asarray(best, float)


def _chance(n: int, star_xy: Float64, xy: Float64, size: tuple[int, int], radius_px: float) -> float:
    """Probability of ``n`` or more pairs where every pair is chance, the shift being fitted there too."""
    from scipy.stats import poisson

    turns = np.arange(1, CONTROLS + 1)
    # Steps of the golden ratio spread the moves over the frame; none is near 0 or a whole turn.
    moves = 0.1 + 0.8 * np.column_stack([(turns * 0.618034) % 1, (turns * 0.414214) % 1])
    counts = []
    for move in moves * np.array(size):
        moved = (star_xy + 0.5 + move) % np.array(size) - 0.5
        counts.append(len(match_points(moved + _best_shift(moved, xy, radius_px), xy, radius_px)))
    expected = max(float(np.mean(counts)), 0.5) + 2 * float(np.std(counts))
    return float(poisson.sf(n - 1, expected))


def _calibrate(
    detections: Detections,
    frame: Frame,
    cone: GaiaCone,
    stars: pd.DataFrame,
    rows: NDArray[np.intp],
    n_catalogue: int,
    chance: float,
    star_xy: Float64,
) -> Calibration:
    """Residuals, zero point and sentence of believed pairs."""
    found = detections.table.iloc[rows]
    east, north = _residuals_arcsec(frame, found, stars)
    offset = float(np.median(east)), float(np.median(north))
    east, north = east - offset[0], north - offset[1]
    rms = float(np.sqrt(np.mean(east**2))), float(np.sqrt(np.mean(north**2)))
    difference = stars["g_mag"].to_numpy(float) - found["mag"].to_numpy(float)
    usable = np.isfinite(difference) & ~found["saturated"].to_numpy(bool)
    used = _clip(difference, usable)
    n_used = int(used.sum())
    zero_point = scatter = error = limiting = np.nan
    if n_used >= 3:
        zero_point = float(np.median(difference[used]))
        scatter = float(np.std(difference[used], ddof=1))
        error = 1.2533 * scatter / float(np.sqrt(n_used))  # of a median
        mags = detections.table["mag"].to_numpy(float)
        limiting = zero_point + float(np.percentile(mags[np.isfinite(mags)], 95))
    table = pd.DataFrame(
        {
            "row": rows,
            "source_id": stars["source_id"].to_numpy(),
            "g_mag": stars["g_mag"].to_numpy(float),
            "mag": found["mag"].to_numpy(float),
            "dx_arcsec": east,
            "dy_arcsec": north,
            "offset_mag": difference,
            "used": used,
        }
    )
    shift = np.median(found[["x", "y"]].to_numpy(float) - star_xy, axis=0)
    return Calibration(
        summary=_sentence(len(rows), n_catalogue, cone, float(np.hypot(*rms) / np.sqrt(2)), offset, n_used)
        + (f" The faintest stars found are near G {limiting:.1f}." if n_used >= 3 else ""),
        n_catalogue=n_catalogue,
        n_matched=len(rows),
        chance_probability=chance,
        offset_px=(float(shift[0]), float(shift[1])),
        offset_arcsec=offset,
        rms_arcsec=float(np.hypot(*rms) / np.sqrt(2)),
        rms_x_arcsec=rms[0],
        rms_y_arcsec=rms[1],
        zero_point_mag=zero_point,
        scatter_mag=scatter,
        zero_point_err_mag=error,
        n_used=n_used,
        limiting_mag=limiting,
        table=table,
    )


def _residuals_arcsec(frame: Frame, found: pd.DataFrame, stars: pd.DataFrame) -> tuple[Float64, Float64]:
    """Detection minus catalogue towards east and north, arcseconds."""
    sky = frame.sky(found["x"].to_numpy(float), found["y"].to_numpy(float))
    if sky is None:
        raise ValueError("residuals need a frame with sky coordinates")
    dec = stars["dec_deg"].to_numpy(float)
    east = (sky[0] - stars["ra_deg"].to_numpy(float) + 180) % 360 - 180
    return east * np.cos(np.radians(dec)) * 3600, (sky[1] - dec) * 3600


def _clip(values: Float64, usable: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The usable values within 3 σ of their median, σ from the median absolute deviation."""
    kept = usable.copy()
    for _ in range(5):
        if kept.sum() < 3:
            return kept
        middle = np.median(values[kept])
        sigma = 1.4826 * np.median(np.abs(values[kept] - middle))
        with np.errstate(invalid="ignore"):
            again = usable & (np.abs(values - middle) <= max(3 * sigma, 0.01))
        if (again == kept).all():
            break
        kept = again
    return kept


def _sentence(
    n_matched: int, n_catalogue: int, cone: GaiaCone, rms: float, offset: tuple[float, float], n_used: int
) -> str:
    text = (
        f"{n_matched:,} of {n_catalogue:,} stars of {cone.source} match, to {rms:.2g}″; the frame's "
        f"coordinates are off by {np.hypot(*offset):.2g}″."
    )
    if n_used < 3:
        many = "All" if n_used == 0 else "Nearly all"
        text += f" {many} of them are saturated, so there is no zero point."
    return text
