import dataclasses
import json

import numpy as np
import pytest

from core.errors import ExportRefused
from core.export import FORMATS, export
from core.results import Detections

NO_PICTURE = [name for name, entry in FORMATS.items() if not entry.needs_frame]

CARRIED = [
    "stars.toy",
    "threshold_sigma",
    "ab" * 32,
    "ef" * 32,
    "m 31.fits.fz",
    "0.1.0",
    "2026-01-02T03:04:05+00:00",
    "edited_by",
    "Ada",
]


def plain_text(name, payload):
    """Every readable text of a file, unpacked and without the ends of FITS cards."""
    if name == "yolo":
        import io
        import zipfile

        with zipfile.ZipFile(io.BytesIO(payload)) as archive:
            return "".join(archive.read(part).decode() for part in archive.namelist() if part.endswith("txt"))
    if name == "fits":
        import io

        from astropy.io import fits

        with fits.open(io.BytesIO(payload)) as hdus:
            header = hdus["DETECTIONS"].header
            return "\n".join(f"{key} = {value}" for key, value in header.items())
    if name == "parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        return str(pq.read_schema(pa.BufferReader(payload)).metadata)
    if name == "png":
        import io

        from PIL import Image

        with Image.open(io.BytesIO(payload)) as picture:
            return json.dumps(picture.text)
    return payload.decode()


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_carries_its_provenance(name, make, sky_frame):
    payload = export(
        make(["star", "galaxy"]), name, frame=sky_frame, extra={"human_edits": 17, "edited_by": "Ada"}
    )
    text = plain_text(name, payload)
    missing = [fact for fact in [*CARRIED, "17"] if fact not in text]
    assert not missing


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_found_is_written_too(name, make, sky_frame):
    assert export(make([]), name, frame=sky_frame)


@pytest.mark.parametrize("name", FORMATS)
def test_hostile_text_is_written(name, make, sky_frame, hostile):
    assert export(make(hostile, hostile), name, frame=sky_frame, extra={hostile[1]: hostile[4]})


@pytest.mark.parametrize("name", FORMATS)
def test_formats_say_what_they_are(name):
    entry = FORMATS[name]
    assert entry.name == name
    assert entry.extension.startswith(".")
    assert "/" in entry.mime
    assert entry.purpose.endswith(".")


@pytest.mark.parametrize("name", FORMATS)
def test_needs_frame_is_true(name, make):
    if FORMATS[name].needs_frame:
        with pytest.raises(ExportRefused, match="needs the frame"):
            export(make(["star"]), name)
    else:
        assert export(make(["star"]), name)


def test_corrected_detections_replace_the_found_ones(make):
    result = make(["star", "star"])
    corrected = Detections(result.detections.table.head(1).assign(label="galaxy"))
    text = export(result, "csv", detections=corrected).decode()
    assert "galaxy" in text
    assert '"star"' not in text


def test_sky_position_follows_a_moved_detection(make, sky_frame):
    result = make(["star"])
    moved = Detections(result.detections.table.assign(x=30.0, y=20.0, ra_deg=1.0, dec_deg=1.0))
    document = json.loads(export(result, "coco", frame=sky_frame, detections=moved))
    ra, dec = sky_frame.sky(30.0, 20.0)
    attributes = document["annotations"][0]["attributes"]
    assert attributes["ra_deg"] == pytest.approx(ra[0], abs=1e-9)
    assert attributes["dec_deg"] == pytest.approx(dec[0], abs=1e-9)


def test_unknown_format_is_refused(make):
    with pytest.raises(ExportRefused, match="no export format 'xlsx'; there are: csv"):
        export(make([]), "xlsx")


def test_result_without_provenance_is_refused(make):
    with pytest.raises(ExportRefused, match="without provenance"):
        export(dataclasses.replace(make([]), provenance=None), "csv")


@pytest.mark.parametrize("change", [{"sha256": "00" * 32}, {"hdu": 2}, {"plane": 1}])
def test_another_frame_is_refused(make, sky_frame, change):
    with pytest.raises(ExportRefused, match="not of"):
        export(make([]), "ds9", frame=dataclasses.replace(sky_frame, **change))


def test_numbers_of_numpy_in_extra_are_written(make):
    assert "# human_edits: 3" in export(make([]), "csv", extra={"human_edits": np.int64(3)}).decode()
