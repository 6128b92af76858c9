"""A catalogued object put into a scene, in its likeness: its size, shape, light and kind."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from core.simulate.names import Target
from core.simulate.objects import Galaxy, KingCluster, Nebula
from core.simulate.scene import Scene

HALF_LIGHT_OF_D25 = 0.35
"""Half-light radius of an exponential disc over the radius of its isophote at 25 mag/arcsec², about: a disc
of central brightness 21.65 (Freeman 1970, ApJ 160, 811) reaches 25 at 3.1 scale lengths and holds half its
light in 1.68; bulges make it smaller."""
GLOBULAR_CONCENTRATION = 1.5
"""log of tidal over core radius; the median of the Milky Way's (Harris 1996, AJ 112, 1487)."""
GLOBULAR_STARS = 8000
LARGEST_ARCSEC = 20_000.0
"""Radius beyond which nothing is drawn larger: 5.5°, wider than Andromeda."""
BRIGHTEST_BELOW_TOTAL = 6.0
"""Magnitudes from a globular cluster's total light to its brightest red giants: 5.8 and 11.9 in M 13."""
GLOBULAR_SPAN_MAG = 8.0
NEBULA_MAG_ARCSEC2 = (18.0, 24.0)
"""Bounds of a nebula's mean brightness: catalogued magnitudes of nebulae are often those of their stars."""
UNKNOWN_NEBULA_MAG_ARCSEC2 = 22.5

_EMISSION = {"Nebula", "HII Ionized region", "Emission Nebula", "Planetary Nebula", "Supernova remnant"}
_NEBULAE = {*_EMISSION, "Star cluster + Nebula", "Reflection Nebula"}


def with_target(scene: Scene, target: Target) -> Scene:
    """The scene with the object in it.

    Galaxies, nebulae and globular clusters are drawn. Open clusters are not: their bright stars are among
    the real ones. Objects of other kinds, or of unknown size, leave the scene as it is.

    Args:
        scene: The scene.
        target: The object, as :func:`core.simulate.names.find` gives it.
    """
    if target.size_arcmin is None or target.size_arcmin <= 0:
        return scene
    place: dict[str, Any] = {
        "name": target.name,
        "ra_deg": target.ra_deg % 360.0,
        "dec_deg": target.dec_deg,
    }
    radius_arcsec = min(max(30.0 * target.size_arcmin, 1.0), LARGEST_ARCSEC)
    ratio = min(max((target.minor_arcmin or target.size_arcmin) / target.size_arcmin, 0.05), 1.0)
    angle_deg = target.angle_deg or 0.0
    if target.kind == "Galaxy" and target.magnitude is not None:
        galaxy = Galaxy(
            **place,
            mag=target.magnitude,
            r_half_arcsec=HALF_LIGHT_OF_D25 * radius_arcsec,
            axis_ratio=ratio,
            angle_deg=angle_deg,
            bulge_fraction=0.2,
            bulge_r_half_arcsec=0.05 * radius_arcsec,
        )
        return dataclasses.replace(scene, galaxies=(*scene.galaxies, galaxy))
    if target.kind in _NEBULAE:
        nebula = Nebula(
            **place,
            kind="reflection" if target.kind == "Reflection Nebula" else "emission",
            brightness_mag_arcsec2=_surface_brightness(target, radius_arcsec, ratio),
            radius_arcsec=radius_arcsec,
            axis_ratio=ratio,
            angle_deg=angle_deg,
        )
        return dataclasses.replace(scene, nebulae=(*scene.nebulae, nebula))
    if target.kind == "Globular Cluster" and target.magnitude is not None:
        brightest = target.magnitude + BRIGHTEST_BELOW_TOTAL
        cluster = KingCluster(
            **place,
            n_stars=GLOBULAR_STARS,
            core_arcsec=max(radius_arcsec / 10**GLOBULAR_CONCENTRATION, 0.1),
            tidal_arcsec=radius_arcsec,
            brightest_mag=brightest,
            faintest_mag=brightest + GLOBULAR_SPAN_MAG,
        )
        return dataclasses.replace(scene, clusters=(*scene.clusters, cluster))
    return scene


def _surface_brightness(target: Target, radius_arcsec: float, ratio: float) -> float:
    """Mean brightness over the ellipse in mag/arcsec², from the magnitude where there is one."""
    if target.magnitude is None:
        return UNKNOWN_NEBULA_MAG_ARCSEC2
    spread = target.magnitude + 2.5 * math.log10(math.pi * radius_arcsec**2 * ratio)
    low, high = NEBULA_MAG_ARCSEC2
    return min(max(spread, low), high)
