"""What a person sets for an exposure: where, telescope, seeing, sky, camera and extras."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.errors import ParameterInvalid
from core.parameters import Parameters, parameter


@dataclass(frozen=True)
class Pointing(Parameters):
    """Where and when the telescope looks."""

    ra_deg: float = parameter(
        83.63, label="Right ascension", unit="°", low=0.0, high=360.0, help="Of the middle, ICRS."
    )
    dec_deg: float = parameter(22.01, label="Declination", unit="°", low=-90.0, high=90.0)
    rotation_deg: float = parameter(
        0.0,
        label="Rotation",
        unit="°",
        low=-360.0,
        high=360.0,
        help="Position angle of the direction shown as up, from north through east.",
    )
    date: str = parameter(
        "2025-01-15T22:00:00",
        label="Date",
        help="UTC, as 2025-01-15T22:00:00. Stars stand where their proper motion has brought them.",
    )
    offset_x_px: float = parameter(
        0.0,
        label="Dither in x",
        unit="px",
        low=-1000.0,
        high=1000.0,
        advanced=True,
        help="How far the sky is moved along the columns from where it was aimed.",
    )
    offset_y_px: float = parameter(
        0.0, label="Dither in y", unit="px", low=-1000.0, high=1000.0, advanced=True
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        try:
            given = datetime.fromisoformat(self.date)
        except ValueError:
            given = None
        if given is None or given.tzinfo is not None or not 1900 <= given.year <= 2100:
            raise ParameterInvalid(
                f"date must be a UTC date and time of the years 1900 to 2100, such as 2025-01-15T22:00:00, "
                f"got {self.date!r}.",
                parameter="date",
                given=self.date,
                limit="1900 to 2100",
            )

    @property
    def epoch(self) -> float:
        """The date as a Julian year."""
        days = (datetime.fromisoformat(self.date) - datetime(2000, 1, 1, 12)).total_seconds() / 86400.0
        return 2000.0 + days / 365.25


@dataclass(frozen=True)
class Telescope(Parameters):
    """What collects the light."""

    name: str = parameter("Telescope", label="Name")
    aperture_mm: float = parameter(80.0, label="Aperture", unit="mm", low=5.0, high=50_000.0)
    obstruction: float = parameter(
        0.0,
        label="Obstruction",
        low=0.0,
        high=0.95,
        step=0.01,
        help="Diameter of the secondary mirror as a fraction of the aperture.",
    )
    focal_mm: float = parameter(400.0, label="Focal length", unit="mm", low=5.0, high=1_000_000.0)
    efficiency: float = parameter(
        0.6,
        label="Efficiency",
        low=0.001,
        high=2.0,
        step=0.01,
        help="Electrons counted for each that Gaia would count from the same collecting area.",
        why="glass, filter and a common CMOS sensor lose about as much",
    )
    wavelength_nm: float = parameter(
        600.0,
        label="Wavelength",
        unit="nm",
        low=300.0,
        high=3000.0,
        advanced=True,
        help="At which diffraction is computed.",
    )

    @property
    def area_m2(self) -> float:
        """Clear collecting area."""
        from math import pi

        return pi / 4.0 * (self.aperture_mm / 1000.0) ** 2 * (1.0 - self.obstruction**2)


@dataclass(frozen=True)
class Seeing(Parameters):
    """What makes a disc of a star."""

    kind: str = parameter(
        "moffat",
        label="Star image",
        choices=("moffat", "kolmogorov", "airy", "gaussian"),
        help="Airy is the bare telescope above the air: its width follows from aperture and wavelength.",
        why="the wings of long exposures follow a Moffat profile",
    )
    fwhm_arcsec: float = parameter(
        3.0,
        label="FWHM",
        unit="″",
        low=0.02,
        high=60.0,
        step=0.1,
        help="Full width at half maximum of the delivered star image, air and optics together.",
    )
    beta: float = parameter(
        3.5, label="Moffat β", low=1.6, high=10.0, step=0.1, help="The smaller, the broader the wings."
    )
    halo_fraction: float = parameter(
        0.0,
        label="Halo",
        low=0.0,
        high=0.5,
        step=0.005,
        help="Part of the light that optics and haze scatter into a halo twelve times as wide.",
    )
    defocus_um: float = parameter(
        0.0,
        label="Defocus",
        unit="µm",
        low=0.0,
        high=5000.0,
        step=5.0,
        help="How far the sensor stands from the focus; the blur is the ring of geometric optics.",
    )
    trail_arcsec: float = parameter(
        0.0, label="Trail", unit="″", low=0.0, high=600.0, step=0.5, help="Drift during an exposure."
    )
    trail_angle_deg: float = parameter(
        0.0,
        label="Trail direction",
        unit="°",
        low=-360.0,
        high=360.0,
        step=5.0,
        help="From the x axis towards the y axis of the frame.",
    )
    field_growth: float = parameter(
        0.0,
        label="Blur in corners",
        low=0.0,
        high=3.0,
        step=0.05,
        help="By which part the FWHM has grown at the corners; it grows with the square of the distance.",
    )
    field_ellipticity: float = parameter(
        0.0,
        label="Elongation in corners",
        low=0.0,
        high=0.8,
        step=0.02,
        help="1 − minor/major axis at the corners, pointing away from the middle.",
    )


@dataclass(frozen=True)
class Sky(Parameters):
    """What shines besides the stars."""

    brightness_mag_arcsec2: float = parameter(
        20.5,
        label="Sky brightness",
        unit="mag/arcsec²",
        low=10.0,
        high=25.0,
        step=0.1,
        help="22 is a dark site, 20.5 the outskirts of a town, 18 a city.",
    )
    pollution: str = parameter(
        "natural",
        label="Light pollution",
        choices=("natural", "sodium", "led"),
        help="The colour of the sky: airglow, sodium lamps (orange) or LEDs (bluish).",
    )
    gradient: float = parameter(
        0.0,
        label="Gradient",
        low=0.0,
        high=2.0,
        step=0.05,
        help="Difference of the sky between opposite corners, as a part of its level in the middle.",
    )
    gradient_angle_deg: float = parameter(
        45.0,
        label="Gradient direction",
        unit="°",
        low=-360.0,
        high=360.0,
        step=5.0,
        help="Where it brightens, from the x axis towards the y axis.",
    )
    moon_illumination: float = parameter(
        0.0, label="Moon", low=0.0, high=1.0, step=0.05, help="Illuminated part; 0 is new Moon, 1 is full."
    )
    moon_separation_deg: float = parameter(
        60.0, label="Distance of the Moon", unit="°", low=5.0, high=180.0, step=5.0
    )


@dataclass(frozen=True)
class Camera(Parameters):
    """What turns light into numbers."""

    name: str = parameter("Camera", label="Name")
    mode: str = parameter(
        "mono",
        label="Mode",
        choices=("mono", "rgb", "bayer"),
        help="One plane, a developed colour stack, or the raw mosaic of a colour sensor (RGGB).",
    )
    width: int = parameter(1024, label="Width", unit="px", low=16, high=8192, step=16)
    height: int = parameter(1024, label="Height", unit="px", low=16, high=8192, step=16)
    pixel_um: float = parameter(3.76, label="Pixel", unit="µm", low=0.5, high=100.0, step=0.01)
    exposure_s: float = parameter(30.0, label="Exposure", unit="s", low=0.001, high=36_000.0, step=1.0)
    n_stacked: int = parameter(
        1,
        label="Exposures stacked",
        low=1,
        high=10_000,
        help="The frame is the mean of so many exposures, as smart telescopes show.",
    )
    gain_e_per_adu: float = parameter(1.0, label="Gain", unit="e⁻/ADU", low=0.001, high=1000.0, step=0.05)
    read_noise_e: float = parameter(3.0, label="Read noise", unit="e⁻", low=0.0, high=1000.0, step=0.5)
    dark_e_s: float = parameter(0.01, label="Dark current", unit="e⁻/s", low=0.0, high=10_000.0, step=0.01)
    bias_adu: float = parameter(500.0, label="Bias", unit="ADU", low=0.0, high=65_535.0, step=50.0)
    full_well_e: float = parameter(50_000.0, label="Full well", unit="e⁻", low=100.0, high=1e7, step=1000.0)
    bits: int = parameter(16, label="Converter", unit="bit", low=8, high=32)
    blooming: bool = parameter(
        False, label="Blooming", help="Charge above the full well runs along the columns, as in a CCD."
    )
    hot_pixel_fraction: float = parameter(
        0.0, label="Hot pixels", low=0.0, high=0.1, step=0.0001, help="Part of the pixels."
    )
    vignetting: float = parameter(
        0.0, label="Vignetting", low=0.0, high=0.95, step=0.05, help="Part of the light lost in the corners."
    )

    @property
    def saturation_adu(self) -> float:
        """Pixel value at which the well or the converter is full."""
        return min(self.bias_adu + self.full_well_e / self.gain_e_per_adu, 2.0**self.bits - 1.0)


@dataclass(frozen=True)
class Extras(Parameters):
    """What else may be in the frame, placed at random."""

    cosmic_rays: int = parameter(0, label="Cosmic rays", low=0, high=5000, help="Tracks in the frame.")
    satellites: int = parameter(0, label="Satellite trails", low=0, high=50)
    galaxies: int = parameter(0, label="Galaxies", low=0, high=2000)
    nebulae: int = parameter(0, label="Nebulae", low=0, high=20)
    clusters: int = parameter(0, label="Star clusters", low=0, high=20, help="Open clusters, King profiles.")
