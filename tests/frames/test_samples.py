"""The samples are there, say what they are, and lie where they say."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from core.frames import Sample, samples
from core.frames.samples import SAMPLES
from core.frames.sky import field_of_view

WHERE = {  # SIMBAD, ICRS degrees
    "m31": (10.6847, 41.2688),
    "m13": (250.4235, 36.4613),
    "m83": (204.2538, -29.8658),
    "isaac_psr_j1740": (265.2, -30.87),
}


def test_every_file_has_a_row_and_every_row_a_file() -> None:
    files = {path.name for path in SAMPLES.iterdir()} - {"README.md", "samples.csv"}
    assert {sample.path.name for sample in samples()} == files


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)
def test_sample_is_described_and_readable(sample: Sample) -> None:
    assert sample.kind in {"star_field", "galaxy", "deep_sky", "planetary"}
    assert sample.title
    assert sample.about.endswith(".")
    assert sample.credit
    assert sample.licence
    assert sample.source
    frame = sample.read()
    assert (frame.name, frame.width, frame.height) == (sample.path.name, sample.width, sample.height)
    assert (frame.wcs is not None) == (sample.corners is not None or sample.name in WHERE)
    assert sample.path.name in (SAMPLES / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", WHERE)
def test_sample_lies_where_its_object_is(name: str) -> None:
    frame = next(sample for sample in samples() if sample.name == name).read()
    field = field_of_view(frame)
    assert field is not None
    middle = SkyCoord(field.ra_deg, field.dec_deg, unit="deg")
    assert middle.separation(SkyCoord(*WHERE[name], unit="deg")).deg < 0.5 * field.radius_deg
    assert not field.is_mirrored


def test_brightest_part_of_m31_is_its_nucleus() -> None:
    """Rows run downward: a picture read upside down would put the nucleus elsewhere."""
    frame = next(sample for sample in samples() if sample.name == "m31").read()
    x, y = (round(float(value[0])) for value in frame.pixel([10.6847], [41.2688]))
    assert frame.grey[y - 5 : y + 6, x - 5 : x + 6].mean() > np.percentile(frame.grey, 99.0)
