"""What was measured of a cluster as a list of numbers, each with its uncertainty, unit and source."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.clusters.structure import Structure

SOURCES: dict[str, str] = {
    "centre": "maximum-likelihood centre of Plummer's profile; errors by resampling (Efron 1979, AnSta 7, 1)",
    "ellipticity": "second moments (Carter & Metcalfe 1980, MNRAS 191, 325); errors by resampling",
    "r50": "median distance of the members; error by resampling (Efron 1979, AnSta 7, 1)",
    "king": "King 1962, AJ 67, 471, eq. 14, as a posterior on a grid; 68 % intervals",
    "profile": "counts in rings; exact Poisson intervals (Gehrels 1986, ApJ 303, 336)",
    "light": "light of the stars in rings; errors from the Poisson scatter of their light",
    "contamination": "mean of 1 − membership probability",
    "density": "normal kernel (Silverman 1986, Density Estimation, eq. 3.31); error by resampling",
    "ripley": "Ripley 1977, JRSSB 39, 172; Besag 1977, JRSSB 39, 193; envelope of 39 even fields (95 %)",
    "segregation": "Allison et al. 2009, MNRAS 395, 1449; brightness in the place of mass",
    "hess": "Hess 1924, Probleme der Astronomie, 265",
    "distance": "mean parallax, then inverted (Luri et al. 2018, A&A 616, A9); zero point −0.04 ± 0.01 mas "
    "(Lindegren et al. 2021, A&A 649, A4)",
    "motion": "maximum likelihood with each star's error and a common spread (Pryor & Meylan 1993, ASPC 50, "
    "357)",
}
"""Where the method of each measurement was published."""


@dataclass(frozen=True)
class Quantity:
    """One measured number.

    Attributes:
        name: What it is.
        value: NaN where it could not be measured.
        low, high: Ends of its 68 % interval; NaN where none is known.
        unit: ``"′"``, ``"px"``, ``"pc"``, ``"mas/yr"``, ``"°"`` or empty.
        source: How it was measured, and where that was published.
        remark: Why it is not there or what to know about it; empty when there is nothing to say.
    """

    name: str
    value: float
    low: float
    high: float
    unit: str
    source: str
    remark: str = ""

    @property
    def text(self) -> str:
        """The value with its uncertainty: ``"12.3 ± 0.4′"`` or ``"12.3 (11.8 to 13.1)′"``."""
        if not np.isfinite(self.value):
            return "not measured"
        return f"{self._value} {self.uncertainty}{self._unit}" if self.uncertainty else self.short

    @property
    def short(self) -> str:
        """The value alone, as exact as it is known: ``"12.3′"``."""
        return f"{self._value}{self._unit}" if np.isfinite(self.value) else "not measured"

    @property
    def uncertainty(self) -> str:
        """``"± 0.4"``, or ``"(11.8 to 13.1)"`` where it is lopsided; empty where none is known."""
        if not np.isfinite([self.value, self.low, self.high]).all():
            return ""
        up, down, digits = self.high - self.value, self.value - self.low, self._digits
        if abs(up - down) <= 0.15 * (up + down):
            return f"± {0.5 * (up + down):.{digits}f}"
        return f"({self.low:.{digits}f} to {self.high:.{digits}f})"

    @property
    def _value(self) -> str:
        if self.uncertainty:
            return f"{self.value:.{self._digits}f}"
        return f"{self.value:,.0f}" if abs(self.value) >= 1000.0 else f"{self.value:.4g}"

    @property
    def _unit(self) -> str:
        return self.unit if self.unit in ("′", "°", "") else f" {self.unit}"

    @property
    def _digits(self) -> int:
        """Decimals that show the smaller error with two digits."""
        error = min(self.high - self.value, self.value - self.low)
        return int(np.clip(1 - np.floor(np.log10(error)), 0, 6)) if error > 0 else 3


def quantities(measured: Structure) -> list[Quantity]:
    """The numbers of a structure, in the order in which a person asks for them."""
    unit = "′" if measured.unit == "arcmin" else "px"
    on_sky = measured.unit == "arcmin"
    shape, king, far = measured.shape, measured.king, measured.distance
    found = [_plain("Members", float(measured.n_members), "", "membership probability of 0.5 or more")]
    if on_sky:
        ra, dec = measured.centre_deg
        error_ra, error_dec = shape.centre_error / 60.0
        error_ra /= max(float(np.cos(np.radians(dec))), 1e-6)
        found += [
            _with_error("Right ascension", ra, float(error_ra), "°", SOURCES["centre"]),
            _with_error("Declination", dec, float(error_dec), "°", SOURCES["centre"]),
        ]
    else:
        for name, axis in (("Centre x", 0), ("Centre y", 1)):
            at, error = float(shape.centre[axis]), float(shape.centre_error[axis])
            found.append(_with_error(name, at, error, unit, SOURCES["centre"]))
    found.append(_with_error("Half-number radius", measured.r50, measured.r50_error, unit, SOURCES["r50"]))
    remark = "" if king.ok else king.reason
    for name, interval, its_unit in (
        ("Core radius (King)", king.core, unit),
        ("Tidal radius (King)", king.tidal, unit),
        ("Concentration (King)", king.concentration, ""),
    ):
        ends = (interval.value, interval.low, interval.high) if king.ok else (np.nan,) * 3
        found.append(Quantity(name, *ends, its_unit, SOURCES["king"], remark))
    found.append(
        _with_error(
            "Ellipticity",
            shape.ellipticity,
            shape.ellipticity_error,
            "",
            SOURCES["ellipticity"],
            f"A round cluster of as many stars shows {shape.ellipticity_by_chance:.2f} by chance.",
        )
    )
    strays = measured.contamination.total
    found.append(
        _plain("Field stars among the members", round(100.0 * strays, 1), "%", SOURCES["contamination"])
    )
    if measured.pm is not None:
        for name, mean in zip(("Proper motion east", "Proper motion north"), measured.pm, strict=True):
            spread = f"Spread beyond the errors {mean.spread:.2f} mas/yr."
            found.append(_with_error(name, mean.value, mean.error, "mas/yr", SOURCES["motion"], spread))
    if far is not None:
        parallax = (far.parallax_mas, far.parallax_error_mas, "mas")
        found.append(_with_error("Parallax, zero point corrected", *parallax, SOURCES["distance"]))
        ends = (far.distance_pc, far.low_pc, far.high_pc)
        found.append(Quantity("Distance", *ends, "pc", SOURCES["distance"], far.reason))
        if not far.reason and on_sky:
            scale = far.distance_pc * np.pi / 10_800.0  # parsecs an arcminute
            r50 = (scale * measured.r50, scale * measured.r50_error, "pc")
            found.append(_with_error("Half-number radius", *r50, SOURCES["r50"]))
            if king.ok:
                for name, interval in (
                    ("Core radius (King)", king.core),
                    ("Tidal radius (King)", king.tidal),
                ):
                    scaled = (scale * interval.value, scale * interval.low, scale * interval.high)
                    found.append(Quantity(name, *scaled, "pc", SOURCES["king"]))
    return found


def _plain(name: str, value: float, unit: str, source: str) -> Quantity:
    return Quantity(name, value, np.nan, np.nan, unit, source)


def _with_error(name: str, value: float, error: float, unit: str, source: str, remark: str = "") -> Quantity:
    return Quantity(name, value, value - error, value + error, unit, source, remark)
