"""Objects a person puts into a scene: galaxies, nebulae and star clusters, each at its place on the sky."""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import ParameterInvalid
from core.parameters import Parameters, parameter


@dataclass(frozen=True)
class SkyObject(Parameters):
    """Anything with a name and a place."""

    name: str = parameter("", label="Name")
    ra_deg: float = parameter(0.0, label="Right ascension", unit="°", low=0.0, high=360.0)
    dec_deg: float = parameter(0.0, label="Declination", unit="°", low=-90.0, high=90.0)


@dataclass(frozen=True)
class Galaxy(SkyObject):
    """A Sérsic disc seen at an angle, with or without a bulge (de Vaucouleurs, n = 4)."""

    mag: float = parameter(14.0, label="Magnitude", unit="mag", low=-2.0, high=30.0, help="G, all its light.")
    r_half_arcsec: float = parameter(
        10.0,
        label="Half-light radius",
        unit="″",
        low=0.05,
        high=7200.0,
        help="Along the major axis, of the disc.",
    )
    sersic_n: float = parameter(1.0, label="Sérsic n", low=0.3, high=6.2, help="1: disc, 4: elliptical.")
    axis_ratio: float = parameter(0.6, label="Axis ratio", low=0.05, high=1.0, help="Minor over major.")
    angle_deg: float = parameter(
        0.0,
        label="Position angle",
        unit="°",
        low=-360.0,
        high=360.0,
        help="Of the major axis, from north through east.",
    )
    bulge_fraction: float = parameter(0.0, label="Bulge", low=0.0, high=1.0, help="Of all the light.")
    bulge_r_half_arcsec: float = parameter(
        2.0, label="Bulge half-light radius", unit="″", low=0.05, high=7200.0
    )
    bp_rp: float = parameter(1.1, label="Colour BP−RP", unit="mag", low=-1.0, high=5.0)


@dataclass(frozen=True)
class Nebula(SkyObject):
    """A cloud with filaments, brightest towards its middle."""

    kind: str = parameter(
        "emission", label="Kind", choices=("emission", "reflection"), help="Red with Hα, or blue."
    )
    brightness_mag_arcsec2: float = parameter(
        21.0,
        label="Surface brightness",
        unit="mag/arcsec²",
        low=8.0,
        high=30.0,
        help="G, mean over its ellipse.",
    )
    radius_arcsec: float = parameter(
        900.0, label="Radius", unit="″", low=1.0, high=36_000.0, help="Half of the major axis."
    )
    axis_ratio: float = parameter(0.7, label="Axis ratio", low=0.05, high=1.0)
    angle_deg: float = parameter(0.0, label="Position angle", unit="°", low=-360.0, high=360.0)
    texture: float = parameter(
        1.0, label="Filaments", low=0.0, high=3.0, help="0 is smooth; the higher, the more contrast."
    )


@dataclass(frozen=True)
class KingCluster(SkyObject):
    """Stars spread by King's profile (King 1962, AJ 67, 471)."""

    n_stars: int = parameter(200, label="Stars", low=1, high=50_000)
    core_arcsec: float = parameter(120.0, label="Core radius", unit="″", low=0.1, high=36_000.0)
    tidal_arcsec: float = parameter(900.0, label="Tidal radius", unit="″", low=0.2, high=72_000.0)
    brightest_mag: float = parameter(8.0, label="Brightest star", unit="mag", low=-2.0, high=30.0)
    faintest_mag: float = parameter(16.0, label="Faintest star", unit="mag", low=-2.0, high=30.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.tidal_arcsec <= self.core_arcsec:
            raise ParameterInvalid(
                f"tidal_arcsec must be larger than the core radius of {self.core_arcsec:g}″, "
                f"got {self.tidal_arcsec:g}.",
                parameter="tidal_arcsec",
                given=self.tidal_arcsec,
                limit=self.core_arcsec,
            )
        if self.faintest_mag <= self.brightest_mag:
            raise ParameterInvalid(
                f"faintest_mag must be fainter than the brightest star's {self.brightest_mag:g}, "
                f"got {self.faintest_mag:g}.",
                parameter="faintest_mag",
                given=self.faintest_mag,
                limit=self.brightest_mag,
            )
