"""Scenes for instruments people own or know, with their apertures, focal lengths and sensors."""

from __future__ import annotations

from typing import Any

from core.errors import ParameterInvalid
from core.simulate.groups import Camera, Extras, Seeing, Sky, Telescope
from core.simulate.scene import Scene

# Sony's data sheets give the pixels; full well and read noise are those that ZWO publishes for cameras
# with the same sensor at unity gain or, where it has one, in high-conversion mode.
_IMX462: dict[str, Any] = {
    "pixel_um": 2.9,
    "full_well_e": 11_200.0,
    "read_noise_e": 1.0,
    "gain_e_per_adu": 0.17,
    "dark_e_s": 0.02,
}
_IMX178: dict[str, Any] = {
    "pixel_um": 2.4,
    "full_well_e": 15_000.0,
    "read_noise_e": 1.8,
    "gain_e_per_adu": 0.23,
    "dark_e_s": 0.02,
}

PRESETS: dict[str, Scene] = {
    # Vaonis, Vespera technical specifications: quadruplet 50 mm f/4, Sony IMX462, field 1.6° × 0.9°.
    "vespera": Scene(
        telescope=Telescope(name="Vespera", aperture_mm=50.0, focal_mm=200.0, efficiency=0.75),
        seeing=Seeing(
            fwhm_arcsec=6.6,
            beta=3.0,
            halo_fraction=0.03,
            field_growth=0.25,
            field_ellipticity=0.12,
            trail_arcsec=2.0,
            trail_angle_deg=20.0,
        ),
        sky=Sky(brightness_mag_arcsec2=20.2, gradient=0.12),
        camera=Camera(
            name="Sony IMX462",
            mode="rgb",
            width=1920,
            height=1080,
            exposure_s=10.0,
            n_stacked=60,
            bias_adu=200.0,
            vignetting=0.15,
            hot_pixel_fraction=0.0,
            **_IMX462,
        ),
    ),
    # Vaonis, Stellina technical specifications: doublet 80 mm f/5, Sony IMX178, field 1° × 0.7°.
    "stellina": Scene(
        telescope=Telescope(name="Stellina", aperture_mm=80.0, focal_mm=400.0, efficiency=0.7),
        seeing=Seeing(fwhm_arcsec=4.4, beta=3.0, halo_fraction=0.04, field_growth=0.2, field_ellipticity=0.1),
        sky=Sky(brightness_mag_arcsec2=20.2, gradient=0.1),
        camera=Camera(
            name="Sony IMX178",
            mode="rgb",
            width=3072,
            height=2080,
            exposure_s=10.0,
            n_stacked=60,
            bias_adu=200.0,
            bits=14,
            vignetting=0.15,
            **_IMX178,
        ),
    ),
    # ZWO, Seestar S50 specifications: triplet 50 mm, focal length 250 mm, Sony IMX462, portrait 1080 × 1920.
    "seestar": Scene(
        telescope=Telescope(name="Seestar S50", aperture_mm=50.0, focal_mm=250.0, efficiency=0.75),
        seeing=Seeing(
            fwhm_arcsec=5.6,
            beta=3.0,
            halo_fraction=0.03,
            field_growth=0.2,
            field_ellipticity=0.1,
            trail_arcsec=2.5,
            trail_angle_deg=70.0,
        ),
        sky=Sky(brightness_mag_arcsec2=19.8, pollution="led", gradient=0.15),
        camera=Camera(
            name="Sony IMX462",
            mode="rgb",
            width=1080,
            height=1920,
            exposure_s=10.0,
            n_stacked=60,
            bias_adu=200.0,
            vignetting=0.12,
            **_IMX462,
        ),
    ),
    # Celestron, C8: 203.2 mm f/10, secondary 64 mm (31 %), here with the f/6.3 reducer; ZWO ASI533MM Pro:
    # Sony IMX533, 3008 × 3008 pixels of 3.76 µm, 14 bits, 50,000 e⁻, cooled.
    "sct8": Scene(
        telescope=Telescope(
            name="8-inch SCT f/6.3", aperture_mm=203.2, obstruction=0.31, focal_mm=1280.0, efficiency=0.8
        ),
        seeing=Seeing(
            fwhm_arcsec=2.8, beta=3.0, halo_fraction=0.02, field_growth=0.3, field_ellipticity=0.15
        ),
        sky=Sky(brightness_mag_arcsec2=20.0, pollution="sodium", gradient=0.08),
        camera=Camera(
            name="ASI533MM Pro",
            mode="mono",
            width=3008,
            height=3008,
            pixel_um=3.76,
            exposure_s=120.0,
            gain_e_per_adu=1.0,
            read_noise_e=1.5,
            dark_e_s=0.0005,
            bias_adu=300.0,
            full_well_e=50_000.0,
            bits=14,
            hot_pixel_fraction=0.0001,
            vignetting=0.25,
        ),
        extras=Extras(cosmic_rays=4),
    ),
    # Canon, EOS 6D: 5472 × 3648 pixels of 6.54 µm, 14 bits; full well and read noise at ISO 800 as measured
    # by photonstophotos.net and sensorgen. A 200 mm f/2.8 lens stopped down to f/4.
    "dslr200": Scene(
        telescope=Telescope(name="200 mm f/4 lens", aperture_mm=50.0, focal_mm=200.0, efficiency=0.4),
        seeing=Seeing(
            fwhm_arcsec=14.0, beta=3.5, field_growth=0.6, field_ellipticity=0.3, halo_fraction=0.02
        ),
        sky=Sky(brightness_mag_arcsec2=20.8, gradient=0.25),
        camera=Camera(
            name="EOS 6D",
            mode="bayer",
            width=3648,
            height=2432,
            pixel_um=6.54,
            exposure_s=60.0,
            gain_e_per_adu=0.7,
            read_noise_e=3.6,
            dark_e_s=0.1,
            bias_adu=2048.0,
            full_well_e=9_500.0,
            bits=14,
            hot_pixel_fraction=0.0003,
            vignetting=0.35,
        ),
    ),
    # ESO, ISAAC User Manual (short-wavelength arm): Hawaii Rockwell array, 1024 × 1024 pixels of 18.5 µm,
    # 0.148″ a pixel; VLT Unit Telescope: 8.2 m, secondary 1.12 m. The focal length is what gives that scale.
    "vlt": Scene(
        telescope=Telescope(
            name="VLT-like 8.2 m",
            aperture_mm=8200.0,
            obstruction=0.14,
            focal_mm=25_783.0,
            efficiency=0.6,
            wavelength_nm=900.0,
        ),
        seeing=Seeing(kind="kolmogorov", fwhm_arcsec=0.6, halo_fraction=0.01),
        sky=Sky(brightness_mag_arcsec2=21.2),
        camera=Camera(
            name="ISAAC-like",
            mode="mono",
            width=1024,
            height=1024,
            pixel_um=18.5,
            exposure_s=10.0,
            n_stacked=6,
            gain_e_per_adu=4.6,
            read_noise_e=10.0,
            dark_e_s=0.1,
            bias_adu=1000.0,
            full_well_e=180_000.0,
            bits=16,
            hot_pixel_fraction=0.0005,
        ),
    ),
}
"""Scenes by the name used on the command line. They keep the whole sensor; ``Scene.cropped`` takes less."""

TITLES = {
    "vespera": "Vespera (50 mm, 2.99″ a pixel)",
    "stellina": "Stellina (80 mm, 1.24″ a pixel)",
    "seestar": "Seestar S50 (50 mm, 2.39″ a pixel)",
    "sct8": "8-inch SCT with a cooled camera (0.61″ a pixel)",
    "dslr200": "DSLR with a 200 mm lens (6.74″ a pixel)",
    "vlt": "VLT-like camera (0.148″ a pixel)",
}


def preset(name: str) -> Scene:
    """The scene of an instrument.

    Raises:
        ParameterInvalid: There is none of this name; the message lists those there are.
    """
    if name not in PRESETS:
        known = ", ".join(PRESETS)
        raise ParameterInvalid(
            f"There is no preset {name!r}; there are: {known}.", parameter="preset", given=name, limit=known
        )
    return PRESETS[name]
