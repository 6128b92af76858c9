"""Which column of a table holds what, by the names that surveys use, and in which unit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.catalogues.tables import SourceTable
from core.errors import TableRejected

UNITS: dict[str, str] = {
    "ra_deg": "deg",
    "dec_deg": "deg",
    "x": "pix",
    "y": "pix",
    "pm_ra_mas_yr": "mas/yr",
    "pm_dec_mas_yr": "mas/yr",
    "parallax_mas": "mas",
    "pm_ra_error_mas_yr": "mas/yr",
    "pm_dec_error_mas_yr": "mas/yr",
    "parallax_error_mas": "mas",
    "mag": "mag",
    "colour": "mag",
    "blue": "mag",
    "red": "mag",
    "flux": "",
}
"""What is looked for in a table, with the unit it is turned into."""

ALIASES: dict[str, tuple[str, ...]] = {
    "ra_deg": ("ra_deg", "ra_icrs", "ra", "raj2000", "_raj2000", "raicrs", "alpha", "right_ascension",
               "alpha_j2000"),
    "dec_deg": ("dec_deg", "de_deg", "de_icrs", "dec_icrs", "dec", "dej2000", "decj2000", "_dej2000",
                "deicrs", "delta", "declination", "delta_j2000"),
    "x": ("x", "x_px", "xcentroid", "x_centroid", "x_image"),
    "y": ("y", "y_px", "ycentroid", "y_centroid", "y_image"),
    "pm_ra_mas_yr": ("pm_ra_mas_yr", "pmra", "pm_ra", "pm_ra_cosdec", "mu_alpha", "pmra_cosdec"),
    "pm_dec_mas_yr": ("pm_dec_mas_yr", "pmdec", "pmde", "pm_dec", "mu_delta"),
    "parallax_mas": ("parallax_mas", "parallax", "plx", "varpi"),
    "pm_ra_error_mas_yr": ("pm_ra_error_mas_yr", "pmra_error", "e_pmra", "pm_ra_error", "pmra_err"),
    "pm_dec_error_mas_yr": ("pm_dec_error_mas_yr", "pmdec_error", "e_pmde", "e_pmdec", "pm_dec_error",
                            "pmdec_err"),
    "parallax_error_mas": ("parallax_error_mas", "parallax_error", "e_plx", "e_parallax", "plx_error",
                           "parallax_err"),
    "mag": ("g_mag", "phot_g_mean_mag", "gmag", "g", "mag", "magnitude", "vmag", "v"),
    "colour": ("bp_rp", "colour", "color", "b_v"),
    "blue": ("bp_mag", "phot_bp_mean_mag", "bpmag", "bp", "bmag"),
    "red": ("rp_mag", "phot_rp_mean_mag", "rpmag", "rp"),
    "flux": ("flux", "phot_g_mean_flux", "flux_auto"),
}  # fmt: skip
"""Names by which a column is known, compared without case and signs, first match first."""

IDENTIFIERS = ("source_id", "source", "gaiadr3", "gaiaedr3", "gaiadr2", "id")
"""Names of the column that says which star it is, compared likewise."""

_ANGLE = r"^([+-]?)\s*(\d{1,3})[\s:]+(\d{1,2})[\s:]+(\d{1,2}(?:\.\d*)?)$"
"""Sign, hours or degrees, minutes and seconds of angles as most are written."""


def map_columns(columns: Iterable[str], by_hand: Mapping[str, str] | None = None) -> dict[str, str]:
    """Which column holds what.

    Args:
        columns: The table's own names.
        by_hand: What a person chose: the table's column by a name of :data:`UNITS`; it goes before any guess.

    Returns:
        The table's column by the name of :data:`UNITS`, for those found.

    Raises:
        TableRejected: A column chosen by hand is not there, or is for nothing that is used.
    """
    known = {_plain(column): column for column in reversed(list(columns))}
    chosen = dict(by_hand or {})
    for target, column in chosen.items():
        if target not in UNITS:
            raise TableRejected(
                f"A column cannot stand for {target!r}; it may stand for: {', '.join(UNITS)}.",
                parameter="mapping",
                given=target,
                limit=", ".join(UNITS),
            )
        if column not in known.values():
            raise TableRejected(
                f"The table has no column {column!r}; it has: {', '.join(list(known.values())[::-1][:40])}.",
                parameter="mapping",
                given=column,
            )
    for target, names in ALIASES.items():
        match = next((known[name] for name in map(_plain, names) if name in known), None)
        if target not in chosen and match is not None:
            chosen[target] = match
    return chosen


def identifier_of(columns: Iterable[str]) -> str | None:
    """The column that says which star it is, or None."""
    known = {_plain(column): column for column in reversed(list(columns))}
    return next((known[name] for name in map(_plain, IDENTIFIERS) if name in known), None)


def read_column(
    source: SourceTable, target: str, column: str, unit: str | None = None
) -> NDArray[np.float64]:
    """``(N,)`` values of a column in the unit of :data:`UNITS`; what is not a finite number is NaN.

    A right ascension written in parts (``"05:35:17"``) is in hours, a declination in degrees.

    Args:
        source: The table.
        target: What the column holds.
        column: Its name in the table.
        unit: Its unit, where a person gave it; else the file's; else it is taken to be the wanted one.

    Raises:
        TableRejected: Its values are no numbers, or its unit measures something else.
    """
    values = source.table[column]
    given = unit or source.units.get(column, "")
    if target in ("ra_deg", "dec_deg") and not pd.api.types.is_numeric_dtype(values):
        return _written_angles(values, target, column, given)
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(float, na_value=np.nan, copy=True)
    if len(numbers) and not np.isfinite(numbers).any() and values.notna().any():
        raise TableRejected(f"The column {column!r} holds no numbers.", parameter=target, given=column)
    numbers[~np.isfinite(numbers)] = np.nan
    return np.asarray(numbers * _factor(given, UNITS[target], column), float)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _factor(given: str, wanted: str, column: str) -> float:
    """What to multiply by; magnitudes, pixels and fluxes are taken as they are."""
    if not given or wanted in ("mag", "pix", "") or given.replace(" ", "") == wanted:
        return 1.0
    from astropy import units

    try:
        return float(units.Unit(given).to(units.Unit(wanted)))
    except (ValueError, TypeError, units.UnitsError):
        raise TableRejected(
            f"The column {column!r} is in {given!r}, which cannot be turned into {wanted}.",
            parameter=column,
            given=given,
            limit=wanted,
        ) from None


def _written_angles(values: Any, target: str, column: str, given: str) -> NDArray[np.float64]:
    """``(N,)`` degrees of text: of numbers in the unit given, and of angles in parts."""
    text = values.astype(str).str.strip()
    numbers = pd.to_numeric(text, errors="coerce").to_numpy(float, copy=True)
    if np.isfinite(numbers).any():
        numbers *= _factor(given, UNITS[target], column)
    split = text.str.contains(r"\d\s*[:hdms° ]", regex=True).to_numpy() & ~np.isfinite(numbers)
    unit = "hourangle" if target == "ra_deg" else "deg"
    numbers[split] = _in_parts(text[split], 15.0 if target == "ra_deg" else 1.0)
    split &= np.isnan(numbers)
    numbers[split] = _angles(text[split].tolist(), unit)
    if not np.isfinite(numbers).any():
        raise TableRejected(f"The column {column!r} holds no angles.", parameter=target, given=column)
    return np.asarray(numbers, float)


def _in_parts(text: Any, scale: float) -> NDArray[np.float64]:
    """``(N,)`` degrees of angles that are written as most are, NaN where they are not."""
    found = text.str.extract(_ANGLE)
    whole, minutes, seconds = found[[1, 2, 3]].to_numpy(float, na_value=np.nan).T
    angle = scale * (whole + minutes / 60.0 + seconds / 3600.0)
    angle[~((minutes < 60.0) & (seconds <= 60.0))] = np.nan
    return np.asarray(np.where(found[0] == "-", -angle, angle), float)


def _angles(text: list[str], unit: str) -> NDArray[np.float64]:
    """``(N,)`` degrees of angles written any way, NaN where they are none: halved until those are alone."""
    from astropy.coordinates import Angle

    try:
        return np.asarray(Angle(text, unit=unit).deg) if text else np.empty(0)
    except ValueError:
        if len(text) == 1:
            return np.array([np.nan])
        middle = len(text) // 2
        return np.concatenate([_angles(text[:middle], unit), _angles(text[middle:], unit)])
