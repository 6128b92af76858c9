"""A scene: everything that decides what a simulated frame looks like, as plain values."""

from __future__ import annotations

import dataclasses
import json
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from core.errors import ParameterInvalid
from core.parameters import Parameters, canonical_json
from core.simulate.groups import Camera, Extras, Pointing, Seeing, Sky, Telescope
from core.simulate.objects import Galaxy, KingCluster, Nebula

FORMAT = 1
"""Version of the JSON form."""
ARCSEC_PER_RADIAN = 206_264.80625
MAX_FIELD_DEG = 60.0
MAX_FWHM_PX = 60.0
MAX_BLUR_PX = 60.0
"""Longest drift and widest defocus: the time to draw stars grows with the area they cover."""
MIN_FWHM_PX = 0.3
MAX_PIXELS = 48_000_000
"""Pixels times planes, which bounds the memory a frame takes to about 2.5 GB."""
MAX_SEED = 2**63 - 1

_GROUPS: dict[str, type[Parameters]] = {
    "pointing": Pointing,
    "telescope": Telescope,
    "seeing": Seeing,
    "sky": Sky,
    "camera": Camera,
    "extras": Extras,
}
_OBJECTS: dict[str, type[Parameters]] = {"galaxies": Galaxy, "nebulae": Nebula, "clusters": KingCluster}
_NUMBERS = ("seed", "exposure")


@dataclass(frozen=True)
class Scene:
    """What to expose, through which telescope, on which camera.

    The same scene, with the same stars, gives the same frame to the bit.

    Attributes:
        pointing, telescope, seeing, sky, camera, extras: The settings, in the groups a person thinks in.
        galaxies, nebulae, clusters: Objects at given places, besides the random ones of ``extras``.
        seed: Decides everything random: the places of the extras, the sensor's hot pixels, the noise.
        exposure: Number of the exposure of this scene. Another one has other noise, cosmic rays and
            satellites, but the same sky and the same sensor.

    Raises:
        ParameterInvalid: The settings contradict each other or ask for more than can be drawn.
    """

    pointing: Pointing = field(default_factory=Pointing)
    telescope: Telescope = field(default_factory=Telescope)
    seeing: Seeing = field(default_factory=Seeing)
    sky: Sky = field(default_factory=Sky)
    camera: Camera = field(default_factory=Camera)
    extras: Extras = field(default_factory=Extras)
    galaxies: tuple[Galaxy, ...] = ()
    nebulae: tuple[Nebula, ...] = ()
    clusters: tuple[KingCluster, ...] = ()
    seed: int = 0
    exposure: int = 0

    def __post_init__(self) -> None:
        for name in _NUMBERS:
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_SEED:
                raise _refusal(name, "a whole number from 0 to 2⁶³ − 1", value, MAX_SEED)
        camera = self.camera
        planes = 1 if camera.mode == "mono" else 3
        if camera.width * camera.height * planes > MAX_PIXELS:
            raise _refusal(
                "width",
                f"small enough that width × height is at most {MAX_PIXELS // planes:,} pixels",
                f"{camera.width} × {camera.height}",
                MAX_PIXELS // planes,
            )
        diagonal_deg = np.hypot(camera.width, camera.height) * self.pixel_scale_arcsec / 3600.0
        if diagonal_deg > MAX_FIELD_DEG:
            raise _refusal(
                "focal_mm",
                f"long enough that the frame's diagonal is at most {MAX_FIELD_DEG:g}°",
                f"{self.telescope.focal_mm:g} mm ({diagonal_deg:.0f}°)",
                MAX_FIELD_DEG,
            )
        if not MIN_FWHM_PX <= self.fwhm_px <= MAX_FWHM_PX:
            raise _refusal(
                "aperture_mm" if self.seeing.kind == "airy" else "fwhm_arcsec",
                f"such that stars are {MIN_FWHM_PX:g} to {MAX_FWHM_PX:g} px wide",
                f"stars of {self.fwhm_px:.3g} px",
                f"{MIN_FWHM_PX:g} to {MAX_FWHM_PX:g} px",
            )
        for name, value in (("trail_arcsec", self.trail_px), ("defocus_um", self.defocus_px)):
            if value > MAX_BLUR_PX:
                raise _refusal(
                    name,
                    f"such that it blurs at most {MAX_BLUR_PX:g} px",
                    f"{value:.0f} px",
                    MAX_BLUR_PX,
                )
        if camera.bias_adu >= 2.0**camera.bits - 1.0:
            raise _refusal(
                "bias_adu", f"below what {camera.bits} bits hold", camera.bias_adu, 2.0**camera.bits - 1.0
            )

    @property
    def pixel_scale_arcsec(self) -> float:
        """Arcseconds a pixel in the middle of the frame."""
        return self.camera.pixel_um / 1000.0 / self.telescope.focal_mm * ARCSEC_PER_RADIAN

    @property
    def fwhm_px(self) -> float:
        """Width of star images in the middle, before defocus and trail; Airy: 1.03 λ/D."""
        return (
            1.03 * self.lam_over_diam_px
            if self.seeing.kind == "airy"
            else self.seeing.fwhm_arcsec / self.pixel_scale_arcsec
        )

    @property
    def lam_over_diam_px(self) -> float:
        """The angle λ/D of the aperture, in pixels."""
        radians = self.telescope.wavelength_nm * 1e-6 / self.telescope.aperture_mm
        return radians * ARCSEC_PER_RADIAN / self.pixel_scale_arcsec

    @property
    def trail_px(self) -> float:
        """Length of the drift."""
        return self.seeing.trail_arcsec / self.pixel_scale_arcsec

    @property
    def defocus_px(self) -> float:
        """Diameter of the blur of geometric optics: the defocus over the focal ratio."""
        focal_ratio = self.telescope.focal_mm / self.telescope.aperture_mm
        return self.seeing.defocus_um / focal_ratio / self.camera.pixel_um

    @property
    def n_planes(self) -> int:
        """Colours the light is followed in: 3, or 1 in mono."""
        return 1 if self.camera.mode == "mono" else 3

    @property
    def field_radius_deg(self) -> float:
        """From the middle to a corner: the cone of sky whose stars are wanted, dither included."""
        offset_px = np.hypot(self.pointing.offset_x_px, self.pointing.offset_y_px)
        corner_px = np.hypot(self.camera.width, self.camera.height) / 2.0 + offset_px
        return float(np.degrees(np.arctan(corner_px * self.pixel_scale_arcsec / ARCSEC_PER_RADIAN)))

    def to_dict(self) -> dict[str, Any]:
        """Every value, ready for JSON."""
        groups = {name: getattr(self, name).to_dict() for name in _GROUPS}
        lists = {name: [item.to_dict() for item in getattr(self, name)] for name in _OBJECTS}
        return {"format": FORMAT, **groups, **lists, **{name: getattr(self, name) for name in _NUMBERS}}

    def to_json(self) -> str:
        """Canonical JSON: equal scenes give equal text, and :meth:`from_json` gives the same scene."""
        return canonical_json(self.to_dict())

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Build from :meth:`to_dict`'s values; what is absent keeps its default.

        Raises:
            ParameterInvalid: A name is unknown, or a value is of the wrong type or out of bounds.
        """
        known = {"format", *_GROUPS, *_OBJECTS, *_NUMBERS}
        unknown = sorted(set(values) - known)
        if unknown:
            raise _refusal("scene", f"made of {', '.join(sorted(known))}", ", ".join(unknown), sorted(known))
        if values.get("format", FORMAT) != FORMAT:
            raise _refusal("format", f"{FORMAT}", values["format"], FORMAT)
        facts: dict[str, Any] = {name: values[name] for name in _NUMBERS if name in values}
        for name, group in _GROUPS.items():
            facts[name] = group.from_mapping(_mapping(name, values.get(name, {})))
        for name, kind in _OBJECTS.items():
            items = values.get(name, [])
            if not isinstance(items, list | tuple):
                raise _refusal(name, "a list", items, "a list")
            facts[name] = tuple(kind.from_mapping(_mapping(name, item)) for item in items)
        return cls(**facts)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a scene that :meth:`to_json` wrote.

        Raises:
            ParameterInvalid: The text is not JSON, or not a scene.
        """
        try:
            values = json.loads(text)
        except (ValueError, RecursionError):
            raise _refusal("scene", "JSON", text[:40], "JSON") from None
        return cls.from_dict(_mapping("scene", values))

    def with_settings(self, settings: Mapping[str, str]) -> Self:
        """Change parameters named as on the command line.

        Args:
            settings: Text by name: ``"camera.exposure_s": "60"``, ``"seed": "7"``.

        Raises:
            ParameterInvalid: A name is unknown or a text is not a value of it.
        """
        values = self.to_dict()
        for name, text in settings.items():
            group, dot, inner = name.partition(".")
            if dot and group in _GROUPS:
                values[group][inner] = _GROUPS[group].spec(inner).parse(text)
            elif name in _NUMBERS:
                try:
                    values[name] = int(text)
                except ValueError:
                    raise _refusal(name, "a whole number", text, "a whole number") from None
            else:
                known = [f"{group}.…" for group in _GROUPS]
                raise _refusal("setting", f"one of {', '.join([*known, *_NUMBERS])}", name, known)
        return self.from_dict(values)

    def with_group(self, group: Parameters) -> Self:
        """The same scene with one group of settings replaced by ``group``, known by its type."""
        for name, kind in _GROUPS.items():
            if type(group) is kind:
                return dataclasses.replace(self, **{name: typing.cast(Any, group)})
        raise TypeError(f"{type(group).__name__} is not a group of a scene")

    def cropped(self, width: int, height: int) -> Self:
        """The middle of the frame only, with its optics and sky; larger sizes are kept as they are."""
        camera, seeing, sky = self.camera, self.seeing, self.sky
        width, height = min(width, camera.width), min(height, camera.height)
        nearer = (width**2 + height**2) / (camera.width**2 + camera.height**2)
        return dataclasses.replace(
            self,
            camera=dataclasses.replace(
                camera, width=width, height=height, vignetting=camera.vignetting * nearer
            ),
            seeing=dataclasses.replace(
                seeing,
                field_growth=seeing.field_growth * nearer,
                field_ellipticity=seeing.field_ellipticity * nearer,
            ),
            # The optics grow worse with the square of the distance, the sky changes with the distance itself.
            sky=dataclasses.replace(sky, gradient=sky.gradient * float(np.sqrt(nearer))),
        )


def exposures(scene: Scene, n: int, dither_px: float = 0.0, seed: int = 0) -> list[Scene]:
    """``n`` exposures of one scene, each with its own noise and moved a little.

    Args:
        scene: What to expose; the first exposure is moved too.
        n: How many.
        dither_px: Largest shift along each axis, in pixels.
        seed: Decides the shifts.

    Raises:
        ParameterInvalid: ``n`` or ``dither_px`` is out of bounds.
    """
    if not 1 <= n <= 10_000:
        raise _refusal("n", "1 to 10,000", n, "1 to 10,000")
    if not 0.0 <= dither_px <= 500.0:
        raise _refusal("dither_px", "0 to 500 px", dither_px, "0 to 500")
    shifts = np.random.default_rng(seed).uniform(-dither_px, dither_px, (n, 2))
    return [
        dataclasses.replace(
            scene,
            exposure=scene.exposure + i,
            pointing=dataclasses.replace(
                scene.pointing,
                offset_x_px=scene.pointing.offset_x_px + float(dx),
                offset_y_px=scene.pointing.offset_y_px + float(dy),
            ),
        )
        for i, (dx, dy) in enumerate(shifts)
    ]


def _mapping(name: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _refusal(name, "names with values", value, "names with values")
    return value


def _refusal(name: str, must_be: str, given: Any, limit: Any) -> ParameterInvalid:
    return ParameterInvalid(
        f"{name} must be {must_be}, got {given!r}.", parameter=name, given=given, limit=limit
    )
