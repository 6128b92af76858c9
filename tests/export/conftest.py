"""One result with everything that is hard to write, and the frame it was found on."""

import warnings

import numpy as np
import pandas as pd
import pytest

from core.frames import Frame
from core.results import Detections, Provenance, Result
from core.shapes import Ellipse, Line, Polygon

HOSTILE = [
    "=cmd|' /C calc'!A0",
    'comma, "quote" and\nnew line\r\n',
    "]]></TD><b>&amp; 'x'",
    "}{ brace; semicolon # hash",
    "\x00\x1b[31m\u2028control \ud800",
    "# comment",
    "- 1: yaml",
    "Ø ★ 星 σ",
]
"""Texts that break a writer which does not escape them."""


def detections(labels, names=None):
    """One row a label along a diagonal: even rows are points, odd ones boxes; some values are missing."""
    n = len(labels)
    row = np.arange(n, dtype=float)
    x, y = 5.25 + 4 * row, 7.5 + 3 * row
    half = np.where(row % 2 == 1, 2.5, np.nan)
    table = pd.DataFrame(
        {
            "label": pd.Series(labels, dtype=object),
            "score": (row + 1) / (n + 1),
            "x": x,
            "y": y,
            "x_min": x - half,
            "y_min": y - half,
            "x_max": x + half,
            "y_max": y + half,
            "flux": np.where(row % 3 == 0, np.nan, 100 * row),
            "name": pd.Series(names or [None] * n, dtype=object),
            "fwhm_px": np.where(row % 3 == 2, np.nan, 3.0 + row),
            "mag": 12.0 + row,
            "saturated": row > 3,
            "n_pixels": row.astype(int),
        }
    )
    return Detections(table, units={"flux": "adu", "fwhm_px": "pix", "mag": "mag"})


def result_of(found, **changes):
    facts = {
        "method": "stars.toy",
        "params": {"threshold_sigma": 2.5, "fwhm_px": None},
        "frame_name": "m 31.fits.fz",
        "frame_sha256": "ab" * 32,
        "frame_key": "cd" * 32,
        "width": 64,
        "height": 48,
        "version": "0.1.0",
        "started_at": "2026-01-02T03:04:05+00:00",
        "hdu": 1,
        "weights_sha256": "ef" * 32,
        "processing": '[{"step":"background"}]',
    }
    return Result(detections=found, provenance=Provenance(**{**facts, **changes}))


@pytest.fixture
def make():
    """Builds a result of these labels and names."""
    return lambda labels, names=None, **changes: result_of(detections(labels, names), **changes)


SHAPES = {
    "crater": Ellipse(20.0, 24.0, 12.0, 0.5, 30.0),
    "valley": Line(((5.0, 30.0), (25.0, 30.0), (40.0, 40.0))),
    "cluster": Polygon(((40.0, 5.0), (60.0, 5.0), (60.0, 20.0))),
}


@pytest.fixture
def shaped():
    """An ellipse, a line and a polygon as a result."""
    rows = [
        {"label": label, "score": 0.9, "x": shape.centre[0], "y": shape.centre[1], **shape.columns}
        for label, shape in SHAPES.items()
    ]
    table = pd.DataFrame(rows).assign(width_px=[np.nan, 4.0, np.nan])
    return result_of(Detections(table, {"diameter_px": "pix", "angle_deg": "deg", "length_px": "pix"}))


@pytest.fixture
def hostile():
    return list(HOSTILE)


@pytest.fixture
def sky_frame():
    """A frame of the made results: turned by 30°, mirrored as the sky is, 0.5 arcsec a pixel."""
    from astropy.wcs import WCS

    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [83.8, -5.4]
    wcs.wcs.crpix = [32.5, 24.5]
    turn, scale = np.radians(30), 0.5 / 3600
    wcs.wcs.cd = scale * np.array([[-np.cos(turn), np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    pixels = np.random.default_rng(1).normal(100, 5, (48, 64)).astype(np.float32)
    return Frame(name="m 31.fits.fz", pixels=pixels, sha256="ab" * 32, wcs=wcs, hdu=1, row0="bottom")


@pytest.fixture(scope="session")
def sv():
    """supervision, which warns at import that OpenCV is not there."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import supervision
    return supervision
