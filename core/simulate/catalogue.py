"""The stars of a simulated field: real ones from Gaia, and below its limit a statistical population."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from core.catalogues.gaia import (
    ARCHIVE_URL,
    CACHE,
    MAX_ONLINE_RADIUS_DEG,
    ONLINE_LIMIT_MAG,
    GaiaCone,
    cone,
)
from core.errors import CatalogueUnavailable, ParameterInvalid
from core.simulate.catalogue_counts import G_EDGES
from core.simulate.catalogue_faint import faint_stars

COLUMNS = ("ra_deg", "dec_deg", "g_mag", "bp_mag", "rp_mag", "real", "source_id")
MAX_STARS = 200_000
"""About the most stars of a field that are drawn; the faintest are left out."""
MAX_RADIUS_DEG = 35.0
FAINTEST_MAG = float(G_EDGES[-1])
MAX_SEED = 2**63 - 1


@dataclass(frozen=True, eq=False)
class StarCatalogue:
    """The stars of a field, brightest first.

    Attributes:
        table: One row a star with :data:`COLUMNS`: ``ra_deg, dec_deg`` (ICRS, at ``epoch`` where proper
            motions are known), ``g_mag, bp_mag, rp_mag`` (Vega; NaN where unknown), ``real`` (False for
            the statistical population) and ``source_id`` (Gaia's; negative: minus the Hipparcos number;
            0 for a star that is not real).
        real_limit_mag: Stars to this G are real.
        limit_mag: Faintest G there is; brighter than what was asked for in very rich fields.
        source: Where the real stars come from, in words.
        notes: Sentences a person should see.
    """

    table: pd.DataFrame
    real_limit_mag: float
    limit_mag: float
    source: str
    notes: tuple[str, ...] = ()

    @property
    def n_real(self) -> int:
        """Stars that are on the sky."""
        return int(self.table["real"].sum())

    @property
    def n_statistical(self) -> int:
        """Stars that were drawn at random."""
        return len(self.table) - self.n_real

    @property
    def sentence(self) -> str:
        """Which stars are real, for a person."""
        if not len(self.table):
            return f"There is no star brighter than G = {self.limit_mag:g} here."
        real = f"{self.n_real:,} real stars ({self.source})"
        if not self.n_statistical:
            return f"{real}."
        if not self.n_real:
            return (
                f"No real star of this field is known ({self.source}); "
                f"{self.n_statistical:,} are drawn at random from a model of the Galaxy."
            )
        return f"{real}; {self.n_statistical:,} fainter ones are drawn at random from a model of the Galaxy."


def stars_for(
    ra_deg: float,
    dec_deg: float,
    radius_deg: float,
    *,
    limit_mag: float,
    epoch: float | None = None,
    online: bool = False,
    seed: int = 0,
    timeout_s: float = 30.0,
    url: str = ARCHIVE_URL,
    cache: Path = CACHE,
) -> StarCatalogue:
    """The stars within a circle on the sky.

    With the same seed a star that is drawn at random stays what it is when the circle or the limit
    changes, save where :data:`MAX_STARS` cuts the faintest off.

    Args:
        ra_deg, dec_deg: Centre, ICRS degrees.
        radius_deg: Radius in degrees, at most :data:`MAX_RADIUS_DEG`.
        limit_mag: Faintest G wanted, at most :data:`FAINTEST_MAG`.
        epoch: Julian year; stars of the archive are moved there. None for the catalogue's own, 2016.0.
        online: Ask the archive for real stars to G = 20. Where it is out of reach, or the circle is too
            large for it, the offline copy to G = 10 serves, and a note says so.
        seed: Decides the statistical population.
        timeout_s, url, cache: As in :func:`core.catalogues.gaia.cone`.

    Raises:
        ParameterInvalid: The place, the radius, the limit or the seed is out of bounds.
    """
    bounds = {
        "radius_deg": (radius_deg, 0.0, MAX_RADIUS_DEG, " degrees"),
        "limit_mag": (limit_mag, -2.0, FAINTEST_MAG, " mag"),
        "seed": (seed, 0, MAX_SEED, ""),
    }
    for name, (value, low, high, unit) in bounds.items():
        if not low <= value <= high:
            raise ParameterInvalid(
                f"{name} must be {low:g} to {high:g}{unit}, got {value!r}.",
                parameter=name,
                given=value,
                limit=f"{low:g} to {high:g}",
            )
    notes: tuple[str, ...] = ()
    real: GaiaCone | None = None
    if online and radius_deg > MAX_ONLINE_RADIUS_DEG:
        notes = (
            f"The field is too large for the Gaia archive (at most {MAX_ONLINE_RADIUS_DEG:g}° of radius), "
            "so the real stars are those of the offline catalogue.",
        )
    elif online:
        try:
            real = cone(
                ra_deg,
                dec_deg,
                radius_deg,
                epoch=epoch,
                online=True,
                limit_mag=min(limit_mag, ONLINE_LIMIT_MAG),
                timeout_s=timeout_s,
                url=url,
                cache=cache,
            )
        except CatalogueUnavailable as refusal:
            notes = (f"{refusal.message} The real stars are those of the offline catalogue.",)
    if real is None:
        real = cone(ra_deg, dec_deg, radius_deg, epoch=epoch, limit_mag=limit_mag)
    drawn, reached, expected = faint_stars(
        ra_deg % 360.0,
        dec_deg,
        radius_deg,
        bright_mag=real.limit_mag,
        limit_mag=max(limit_mag, real.limit_mag),
        max_stars=MAX_STARS,
        seed=seed,
    )
    if reached < limit_mag:
        notes += (
            f"This field holds about {expected:,.0f} stars to G = {limit_mag:g}; only those to "
            f"G = {reached:g} are drawn.",
        )
    parts = [
        real.table.assign(real=True),
        drawn.assign(real=False, source_id=np.zeros(len(drawn), np.int64)),
    ]
    table = pd.concat([part[list(COLUMNS)] for part in parts if len(part)] or [parts[1][list(COLUMNS)]])
    table = table.sort_values("g_mag", kind="stable").reset_index(drop=True)
    return StarCatalogue(
        table=table,
        real_limit_mag=real.limit_mag,
        limit_mag=reached if reached < limit_mag else limit_mag,
        source=real.source,
        notes=real.notes + notes,
    )
