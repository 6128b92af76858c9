"""Stars as every part of the cluster work takes them: places on a plane, motions, parallaxes, brightness."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.catalogues.gaia import GaiaCone
from core.catalogues.tables import SourceTable
from core.clusters.columns import map_columns, read_column
from core.clusters.footprint import Footprint
from core.errors import TableRejected
from core.results import Detections

Float64 = NDArray[np.float64]

MIN_STARS = 10
"""Fewest stars that are looked at: fewer have no structure that could be told from chance."""
MAX_SPREAD_DEG = 60.0
"""Largest distance of a star from the middle of its table: the plane that places are drawn on ends at 90°."""
LARGEST = 1e5
"""Motions (mas a year), parallaxes (mas) and errors beyond it count as not measured: no star has them."""

ERROR_MAG = (0.0, 15.0, 16.0, 17.0, 18.0, 19.0, 20.0, 21.0)
ERROR_PM = (0.02, 0.03, 0.05, 0.08, 0.14, 0.27, 0.57, 1.4)
ERROR_PARALLAX = (0.02, 0.03, 0.045, 0.07, 0.12, 0.24, 0.5, 1.3)
"""Typical errors of Gaia DR3 by G, mas a year and mas (Lindegren et al. 2021, A&A 649, A2)."""


@dataclass(frozen=True, eq=False)
class StarTable:
    """Stars on a plane; what is not known of a star is NaN, and what is known of none is None.

    Attributes:
        name: Of the table they come from.
        row: ``(N,)`` row of each star in that table: those without a place, or again, are left out.
        n_rows: How many rows the table has.
        xy: ``(N, 2)`` places on the plane: gnomonic offsets from :attr:`centre_deg` in arcminutes, east and
            north, or columns and rows in pixels.
        unit: ``"arcmin"`` or ``"px"``.
        centre_deg: ICRS degrees of the plane's origin, or None in pixels.
        pm: ``(N, 2)`` proper motion in mas a year along the plane's axes, or None. On the sky these are east
            and north at the plane's origin; near a pole a star's own (:attr:`own_pm`) point elsewhere.
        pm_error: ``(N, 2)`` its standard errors, mas a year, or None.
        parallax: ``(N,)`` mas, or None.
        parallax_error: ``(N,)`` mas, or None.
        mag: ``(N,)`` magnitudes, or None; of fluxes, −2.5 log10 of them.
        instrumental: Whether magnitudes are those of fluxes, whose zero point is not known.
        colour: ``(N,)`` blue minus red magnitude, or None.
        notes: Sentences a person should see.
    """

    name: str
    row: NDArray[np.int64]
    n_rows: int
    xy: Float64
    unit: Literal["arcmin", "px"]
    centre_deg: tuple[float, float] | None = None
    pm: Float64 | None = None
    pm_error: Float64 | None = None
    parallax: Float64 | None = None
    parallax_error: Float64 | None = None
    mag: Float64 | None = None
    instrumental: bool = False
    colour: Float64 | None = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.xy)

    @cached_property
    def astrometry(self) -> tuple[Float64, Float64] | None:
        """``(N, 2 or 3)`` proper motion and parallax with their errors, or None without proper motions."""
        if self.pm is None or self.pm_error is None:
            return None
        if self.parallax is None or self.parallax_error is None:
            return self.pm, self.pm_error
        return (
            np.column_stack([self.pm, self.parallax]),
            np.column_stack([self.pm_error, self.parallax_error]),
        )

    @property
    def own_pm(self) -> Float64 | None:
        """``(N, 2)`` proper motion in mas a year, east (times cos dec) and north at each star, or None."""
        return None if self.pm is None else turned(self.pm, self.turn_to(self.xy))

    @cached_property
    def typical_error(self) -> float:
        """Median over the measured stars of the largest of their errors (mas a year, mas); 0 without any."""
        errors = self._measured_errors
        return float(np.median(errors.max(axis=1))) if errors.size else 0.0

    @cached_property
    def typical_errors(self) -> Float64:
        """``(2 or 3,)`` medians over the measured stars of their errors (mas a year, mas); 0 without any."""
        errors = self._measured_errors
        return np.asarray(np.median(errors, axis=0)) if errors.size else np.zeros(errors.shape[1])

    @property
    def _measured_errors(self) -> Float64:
        """``(n, 2 or 3)`` errors of the stars of which proper motion and parallax are known."""
        if self.astrometry is None:
            return np.empty((0, 2))
        values, errors = self.astrometry
        return errors[np.isfinite(values).all(axis=1)]

    @cached_property
    def footprint(self) -> Footprint:
        """The part of the plane the stars cover."""
        return Footprint.of(self.xy)

    def take(self, rows: NDArray[np.int64]) -> StarTable:
        """Only some of the stars."""
        columns = ("row", "xy", "pm", "pm_error", "parallax", "parallax_error", "mag", "colour")
        own = {name: getattr(self, name) for name in columns}
        return replace(self, **{name: value[rows] for name, value in own.items() if value is not None})

    def on_plane_at(self, centre_deg: tuple[float, float]) -> StarTable:
        """The same stars on the plane that touches the sky at another place, within 90° of all of them."""
        if self.centre_deg is None:
            return self
        sky = self.sky(self.xy)
        turn = self.turn_to(self.xy) + north_turn(sky, centre_deg)
        pm, error = self.pm, self.pm_error
        return replace(
            self,
            xy=project(sky, centre_deg),
            centre_deg=centre_deg,
            pm=None if pm is None else turned(pm, turn),
            pm_error=None if error is None else turned_errors(error, turn),
        )

    def turn_to(self, xy: Float64) -> Float64:
        """Radians from the plane's axes to east and north at ``(..., 2)`` places on it; 0 in pixels."""
        if self.centre_deg is None:
            return np.zeros(np.shape(xy)[:-1])
        return -north_turn(self.sky(xy), self.centre_deg)

    def sky(self, xy: Float64) -> Float64:
        """``(..., 2)`` ICRS degrees of places on the plane; NaN in pixels."""
        if self.centre_deg is None:
            return np.full(np.shape(xy), np.nan)
        return deproject(xy, self.centre_deg)


def star_table(
    source: SourceTable,
    mapping: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
) -> StarTable:
    """Stars of a table, its columns known by name or chosen by hand.

    Args:
        source: The table.
        mapping: The table's columns by what they hold (see :data:`core.clusters.columns.UNITS`).
        units: Units of the table's columns, where the file gives none or the wrong ones.

    Raises:
        TableRejected: It has no places, too few stars, places off the sky, or units that do not fit.
    """
    chosen = map_columns(source.table.columns, mapping)
    given = units or {}
    values = {
        target: read_column(source, target, column, given.get(column)) for target, column in chosen.items()
    }
    notes = list(source.notes)
    if {"ra_deg", "dec_deg"} <= values.keys():
        place, unit = np.column_stack([values["ra_deg"], values["dec_deg"]]), "arcmin"
        _check_sky(place, chosen)
    elif {"x", "y"} <= values.keys():
        place, unit = np.column_stack([values["x"], values["y"]]), "px"
    else:
        raise TableRejected(
            f"'{source.name}' has no places: it needs columns ra and dec in degrees, or x and y in pixels. "
            f"It has: {', '.join(map(str, source.table.columns[:40]))}.",
            parameter="columns",
            given=list(source.table.columns),
            limit="ra and dec, or x and y",
        )
    row = np.flatnonzero(np.isfinite(place).all(axis=1))
    if len(row) < MIN_STARS:
        raise TableRejected(
            f"'{source.name}' has {len(row)} stars with a place; at least {MIN_STARS} are needed.",
            parameter="stars",
            given=len(row),
            limit=MIN_STARS,
        )
    if len(row) < len(source):
        notes.append(f"{len(source) - len(row):,} rows without a place are left out.")
    again = _repeated(values, row)
    if again.any() and np.count_nonzero(~again) >= MIN_STARS:
        notes.append(
            f"{np.count_nonzero(again):,} rows repeat another in all that is read: they are left out."
        )
        row = row[~again]
    centre = _middle(place[row]) if unit == "arcmin" else None
    kept = {target: column[row] for target, column in values.items()}
    mag, colour = _brightness(kept)
    instrumental = mag is not None and "mag" not in kept
    g_mag = None if instrumental else mag
    pm, pm_error = _with_errors(kept, ("pm_ra_mas_yr", "pm_dec_mas_yr"), g_mag, ERROR_PM, notes)
    if pm is not None and pm_error is not None and centre is not None:
        turn = north_turn(place[row], centre)
        pm, pm_error = turned(pm, turn), turned_errors(pm_error, turn)
    plx, plx_error = _with_errors(kept, ("parallax_mas",), g_mag, ERROR_PARALLAX, notes)
    if plx is not None and np.nanmax(plx, initial=-np.inf) <= 0:
        notes.append("No parallax is positive: there are no distances.")
    if pm is None:
        notes.append("There are no proper motions: only places can tell a cluster from the field.")
    return StarTable(
        name=source.name,
        row=row,
        n_rows=len(source),
        xy=place[row] if centre is None else project(place[row], centre),
        unit="px" if centre is None else "arcmin",
        centre_deg=centre,
        pm=pm,
        pm_error=pm_error,
        parallax=None if plx is None else plx[:, 0],
        parallax_error=None if plx_error is None else plx_error[:, 0],
        mag=mag,
        instrumental=instrumental,
        colour=colour,
        notes=tuple(notes),
    )


def stars_of_detections(found: Detections, name: str = "detections") -> StarTable:
    """A frame's own detections as stars: on the sky where they have a place there, else in pixels.

    Raises:
        TableRejected: There are too few.
    """
    table = found.table
    on_sky = len(table) and table[["ra_deg", "dec_deg"]].notna().all(axis=None)
    place = ["ra_deg", "dec_deg"] if on_sky else ["x", "y"]
    return star_table(SourceTable.from_frame(table[[*place, "flux"]], name))


def stars_of_cone(cone: GaiaCone, name: str = "Gaia") -> StarTable:
    """Stars of a Gaia cone.

    Raises:
        TableRejected: There are too few.
    """
    known = cone.table.dropna(axis="columns", how="all")
    return star_table(SourceTable.from_frame(known, name, notes=cone.notes))


def project(sky_deg: Float64, centre_deg: tuple[float, float]) -> Float64:
    """``(N, 2)`` gnomonic offsets in arcminutes, east and north, of ICRS degrees; NaN from 90° away on."""
    ra, dec = np.radians(sky_deg[..., 0] - centre_deg[0]), np.radians(sky_deg[..., 1])
    sin0, cos0 = np.sin(np.radians(centre_deg[1])), np.cos(np.radians(centre_deg[1]))
    along = sin0 * np.sin(dec) + cos0 * np.cos(dec) * np.cos(ra)
    along = np.where(along > 0, along, np.nan)
    east = np.cos(dec) * np.sin(ra) / along
    north = (cos0 * np.sin(dec) - sin0 * np.cos(dec) * np.cos(ra)) / along
    return np.asarray(np.degrees(np.stack([east, north], axis=-1)) * 60.0)


def deproject(xy_arcmin: Float64, centre_deg: tuple[float, float]) -> Float64:
    """``(..., 2)`` ICRS degrees of gnomonic offsets in arcminutes."""
    east, north = np.moveaxis(np.radians(np.asarray(xy_arcmin, float) / 60.0), -1, 0)
    sin0, cos0 = np.sin(np.radians(centre_deg[1])), np.cos(np.radians(centre_deg[1]))
    ra = centre_deg[0] + np.degrees(np.arctan2(east, cos0 - north * sin0))
    dec = np.degrees(np.arctan2(sin0 + north * cos0, np.hypot(east, cos0 - north * sin0)))
    return np.stack([ra % 360.0, dec], axis=-1)


def north_turn(sky_deg: Float64, centre_deg: tuple[float, float]) -> Float64:
    """``(N,)`` radians from north at the centre to north at each place, towards west, of ICRS degrees.

    That of a direction carried along the great circle between the two.
    """
    ra, dec = np.radians(sky_deg[..., 0] - centre_deg[0]), np.radians(sky_deg[..., 1])
    sin0, cos0 = np.sin(np.radians(centre_deg[1])), np.cos(np.radians(centre_deg[1]))
    across = np.sin(ra) * (sin0 + np.sin(dec))
    along = np.cos(ra) * (1.0 + sin0 * np.sin(dec)) + cos0 * np.cos(dec)
    return np.asarray(np.arctan2(across, along))


def turned(east_north: Float64, turn: Float64) -> Float64:
    """``(N, 2)`` vectors turned by radians from north towards west."""
    east, north = east_north.T
    cos, sin = np.cos(turn), np.sin(turn)
    return np.column_stack([cos * east - sin * north, sin * east + cos * north])


def turned_errors(east_north: Float64, turn: Float64) -> Float64:
    """``(N, 2)`` standard errors of such vectors, as of errors that are not correlated: that is not read."""
    east, north = np.square(east_north).T
    cos, sin = np.square(np.cos(turn)), np.square(np.sin(turn))
    return np.asarray(np.sqrt(np.column_stack([cos * east + sin * north, sin * east + cos * north])))


def _repeated(values: Mapping[str, Float64], row: NDArray[np.int64]) -> NDArray[np.bool_]:
    """``(n,)`` whether a row is an earlier one again: in joined tables stars would crowd with themselves.

    Places alone, which may be rounded, do not tell.
    """
    places = [name for name in ("ra_deg", "dec_deg", "x", "y") if name in values]
    table = pd.DataFrame(values).iloc[row]
    if len(values) == len(places) or not table.duplicated(places).any():
        return np.zeros(len(row), bool)
    return table.duplicated().to_numpy()


def _check_sky(place: Float64, chosen: Mapping[str, str]) -> None:
    for column, name, low, high in ((0, "ra_deg", -360.0, 360.0), (1, "dec_deg", -90.0, 90.0)):
        known = place[np.isfinite(place[:, column]), column]
        if len(known) and (known.min() < low or known.max() > high):
            worst = known.max() if known.max() > high else known.min()
            raise TableRejected(
                f"The column {chosen[name]!r} must be {low:g} to {high:g} degrees; it reaches {worst:g}.",
                parameter=name,
                given=float(worst),
                limit=f"{low:g} to {high:g}",
            )


def _middle(sky_deg: Float64) -> tuple[float, float]:
    """Direction of the mean of the stars' unit vectors."""
    ra, dec = np.radians(sky_deg.T)
    vectors = np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])
    mean = vectors.mean(axis=1)
    mean /= max(float(np.linalg.norm(mean)), 1e-9)
    farthest = float(np.degrees(np.arccos(np.clip((mean @ vectors).min(), -1.0, 1.0))))
    if farthest > MAX_SPREAD_DEG:
        raise TableRejected(
            f"The stars reach {farthest:.0f}° from their middle; cut the table to a field of at most "
            f"{MAX_SPREAD_DEG:g}° radius.",
            parameter="ra_deg",
            given=farthest,
            limit=MAX_SPREAD_DEG,
        )
    return (
        float(np.degrees(np.arctan2(mean[1], mean[0])) % 360.0),
        float(np.degrees(np.arctan2(mean[2], np.hypot(mean[0], mean[1])))),
    )


def _brightness(values: Mapping[str, Float64]) -> tuple[Float64 | None, Float64 | None]:
    mag, colour = values.get("mag"), values.get("colour")
    if mag is None and "flux" in values:
        flux = values["flux"]
        mag = np.full(len(flux), np.nan)
        mag[flux > 0] = -2.5 * np.log10(flux[flux > 0])
    if colour is None and {"blue", "red"} <= values.keys():
        colour = values["blue"] - values["red"]
    some = [None if column is None or np.isnan(column).all() else column for column in (mag, colour)]
    return some[0], some[1]


def _with_errors(
    values: Mapping[str, Float64],
    names: tuple[str, ...],
    mag: Float64 | None,
    typical: tuple[float, ...],
    notes: list[str],
) -> tuple[Float64 | None, Float64 | None]:
    """``(N, k)`` values and standard errors; errors not given, or 0, are those typical of Gaia DR3."""
    if any(name not in values for name in names):
        return None, None
    what = names[0].partition("_mas")[0].replace("_ra", "").replace("pm", "proper motion")
    measured = np.column_stack([values[name] for name in names])
    errors_of = [_error_of(name) for name in names]
    beyond = np.abs(measured) > LARGEST
    for axis, name in enumerate(errors_of):
        beyond[:, axis] |= values.get(name, np.zeros(len(measured))) > LARGEST
    if beyond.any():
        notes.append(
            f"{np.count_nonzero(beyond.any(axis=1)):,} stars have a {what}, or an error of it, that no star "
            "can have: it counts as not measured."
        )
        measured[beyond] = np.nan
    if np.isnan(measured).all(axis=0).any():
        return None, None
    bright = np.full(len(measured), 18.0) if mag is None else np.nan_to_num(mag, nan=18.0)
    assumed = np.interp(bright, ERROR_MAG, typical)
    errors = []
    for name in errors_of:
        given = values.get(name)
        if given is None:
            errors.append(assumed)
            continue
        if np.nanmin(given, initial=0.0) < 0:
            raise TableRejected(f"{name.partition('_mas')[0]} must not be negative.", parameter=name)
        errors.append(np.where((given > 0) & (given <= LARGEST), given, assumed))
    if any(not (values.get(name, np.zeros(1)) > 0).any() for name in errors_of):
        notes.append(f"Errors of the {what} are not given: those typical of Gaia DR3 are assumed.")
    return measured, np.column_stack(errors)


def _error_of(name: str) -> str:
    head, _, tail = name.partition("_mas")
    return f"{head}_error_mas{tail}"


def as_table(stars: StarTable) -> pd.DataFrame:
    """The stars as a table for plots and exports, with their row in the table they come from.

    Motions are east and north at each star, as the table they come from has them.
    """
    sky = stars.sky(stars.xy)
    columns = {"row": stars.row, "x": stars.xy[:, 0], "y": stars.xy[:, 1]}
    columns |= {"ra_deg": sky[:, 0], "dec_deg": sky[:, 1]}
    pm = stars.own_pm
    if pm is not None:
        columns |= {"pm_ra_mas_yr": pm[:, 0], "pm_dec_mas_yr": pm[:, 1]}
    optional = {"parallax_mas": stars.parallax, "mag": stars.mag, "colour": stars.colour}
    return pd.DataFrame({**columns, **{name: value for name, value in optional.items() if value is not None}})
