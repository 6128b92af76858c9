"""Planetary maps: ISIS3 cubes, PDS3 and VICAR images, TIFF files of many bands, and the map position of a
GeoTIFF, by rasterio (GDAL).

GDAL reads from memory only, with one driver, and looks for no side files and no network. A label that points
at another file is refused before GDAL sees it.
"""

from __future__ import annotations

import dataclasses
import math
import re
from typing import Any, Literal

import numpy as np

from core.errors import FrameRejected
from core.frames.fits import HduChoice
from core.frames.frame import Frame
from core.frames.ground import FILE_SOURCE, RADIUS_KM, Ground
from core.frames.limits import MAX_KEPT_TEXT, check_size
from core.frames.missing import finite

MapKind = Literal["ISIS3", "PDS3", "VICAR", "TIFF"]
DRIVERS: dict[str, str] = {"ISIS3": "ISIS3", "PDS3": "PDS", "VICAR": "VICAR", "TIFF": "GTiff"}
ENVIRONMENT = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_PAM_ENABLED": "NO",
    "GDAL_HTTP_MAX_RETRY": "0",
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".nothing",
    "GTIFF_HONOUR_NEGATIVE_SCALEY": "YES",
    "GDAL_GEOREF_SOURCES": "INTERNAL",
    "PROJ_NETWORK": "OFF",
}
_LABEL_BYTES = 2**18
_POINTER = re.compile(rb'^[ \t]*\^\w+[ \t]*=[ \t\r\n]*\(?[ \t]*["\'A-Za-z/.]', re.MULTILINE)
_START_BYTE = re.compile(rb"^[ \t]*StartByte[ \t]*=[ \t]*(\d{1,12})", re.MULTILINE)
_WEST = re.compile(
    rb"\b(?:LongitudeDirection|POSITIVE_LONGITUDE_DIRECTION)[ \t]*=[ \t]*[\"']?(?:Positive)?West\b",
    re.IGNORECASE,
)
_GRAPHIC = re.compile(
    rb"\b(?:LatitudeType|COORDINATE_SYSTEM_NAME)[ \t]*=[ \t]*[\"']?Planetographic\b", re.IGNORECASE
)
_RADII = tuple(
    re.compile(rb"\b(?:%s)[ \t]*=[ \t]*([\d.]+(?:e[+-]?\d+)?)" % names, re.IGNORECASE)
    for names in (rb"EquatorialRadius|A_AXIS_RADIUS", rb"PolarRadius|C_AXIS_RADIUS")
)
_MERIDIAN = re.compile(
    r'(PARAMETER\["(?:central_meridian|longitude_of_\w+)",\s*)(-?[\d.]+(?:e[+-]?\d+)?)', re.I
)
NO_POLAR_RADIUS = (
    "The map's latitudes are planetographic and its label does not give both radii of the body, so its "
    "position on the ground is not known."
)
_VALID = {"int16": (-32752.0, 32767.0), "uint16": (3.0, 65522.0)}
_VALID_FLOAT = (-3.4e38, math.inf)
"""Beyond these ISIS marks missing, saturated and invalid pixels, as floats by the lowest of all."""
_ALIKE = 0.006
"""Part of the radius up to which a sphere is taken for a body's."""


def read_map(data: bytes, name: str, sha256: str, kind: MapKind, plane: int | None) -> Frame:
    """Read one band of a planetary map, with its position where the label gives one.

    Args:
        data: The file.
        name: Its name, already fit to be shown.
        sha256: Hash of the file's bytes.
        kind: What it is.
        plane: Which band, from 0; the first when None.

    Raises:
        FrameRejected: It is damaged, points at other files, is too large, or has no such band.
    """
    label = _label(data, name, kind)
    try:
        with _opened(data, kind) as dataset:
            check_size(name, dataset.width, dataset.height)
            if plane is not None and not 0 <= plane < dataset.count:
                raise FrameRejected(
                    f"'{name}' has {dataset.count:,} bands, counted from 0; there is no band {plane}.",
                    parameter="plane",
                    given=plane,
                    limit=dataset.count - 1,
                )
            band = (plane or 0) + 1
            claimed = dataset.width * dataset.height * np.dtype(dataset.dtypes[band - 1]).itemsize
            begin = _START_BYTE.search(label)
            claimed = claimed * dataset.count + (int(begin[1]) - 1 if begin else 0)
            if kind != "TIFF" and claimed > len(data):  # which may be compressed
                raise FrameRejected(
                    f"'{name}' was cut short: it claims {dataset.width:,} × {dataset.height:,} pixels, "
                    "and not all of them are there."
                )
            pixels = dataset.read(band).astype(np.float32)
            stored_as = dataset.dtypes[band - 1] if kind == "ISIS3" else ""
            empty = dataset.nodatavals[band - 1]
            scale, offset = dataset.scales[band - 1], dataset.offsets[band - 1]
            bands = dataset.count
            ground, lost = _ground_of_label(dataset, label)
    except FrameRejected:
        raise
    except Exception as error:  # GDAL's words are for programmers
        raise _damaged(name, kind) from error
    with np.errstate(over="ignore", invalid="ignore"):
        lowest, highest = _VALID.get(stored_as, _VALID_FLOAT)
        missing = (pixels < lowest) | (pixels > highest)
        if empty is not None:
            missing |= pixels == np.float32(empty)
        pixels = (pixels * np.float32(scale) + np.float32(offset)).astype(np.float32)
        pixels[missing] = np.nan
    pixels, note = finite(pixels, name)
    first = f"The file has {bands:,} bands; this is the first." if plane is None and bands > 1 else None
    return Frame(
        name=name,
        pixels=pixels,
        sha256=sha256,
        row0="top",
        ground=ground,
        header={"OBJECT": ground.body} if ground is not None and ground.body else {},
        plane=0 if first else plane,
        notes=tuple(each for each in (first, lost, note) if each),
    )


def map_choice(data: bytes, name: str, kind: MapKind) -> HduChoice:
    """What there is to choose in a planetary map, by its label alone: its planes are its bands.

    Raises:
        FrameRejected: It is damaged or points at other files.
    """
    _label(data, name, kind)
    try:
        with _opened(data, kind) as dataset:
            pixel = np.dtype(dataset.dtypes[0])
            bits = 8 * pixel.itemsize * (-1 if pixel.kind == "f" else 1)
            return HduChoice(0, "", dataset.width, dataset.height, dataset.count, bits)
    except Exception as error:  # as above
        raise _damaged(name, kind) from error


def on_its_ground(frame: Frame, data: bytes) -> Frame:
    """A frame read from a TIFF file with its map position, where the file is a GeoTIFF that GDAL reads.

    The position is that of the file's first page; the others need not show the same ground.
    """
    if frame.plane or (b"\xaf\x87" not in data and b"\x87\xaf" not in data):
        return frame  # no GeoKeyDirectoryTag (34735) anywhere
    try:
        with _opened(data, "TIFF") as dataset:
            same = (dataset.width, dataset.height) == (frame.width, frame.height)
            ground = _ground(dataset) if same else None
    except Exception:  # a picture without a position is still a picture
        return frame
    return frame if ground is None else dataclasses.replace(frame, ground=ground)


def _label(data: bytes, name: str, kind: MapKind) -> bytes:
    """The label at the beginning of a file; nothing of a TIFF, which has none.

    Raises:
        FrameRejected: It would make GDAL open another file.
    """
    label = b"" if kind == "TIFF" else data[:_LABEL_BYTES]
    if _POINTER.search(label):
        raise FrameRejected(
            f"The label of '{name}' points at another file for its pixels; open the file that holds both, or "
            "convert it to GeoTIFF."
        )
    return label


def _damaged(name: str, kind: MapKind) -> FrameRejected:
    return FrameRejected(f"'{name}' is a damaged {kind} image: it cannot be read.")


class _opened:
    """GDAL's dataset of a file in memory, by one driver only."""

    def __init__(self, data: bytes, kind: str) -> None:
        self.data, self.kind = data, kind

    def __enter__(self) -> Any:
        import warnings
        from contextlib import ExitStack

        import rasterio
        from rasterio.errors import NotGeoreferencedWarning

        with ExitStack() as stack:
            stack.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            stack.enter_context(rasterio.Env(**ENVIRONMENT))
            memory = stack.enter_context(rasterio.MemoryFile(self.data))
            dataset = stack.enter_context(memory.open(driver=DRIVERS[self.kind]))
            self.stack = stack.pop_all()
        return dataset

    def __exit__(self, *error: Any) -> None:
        self.stack.close()


def _ground_of_label(dataset: Any, label: bytes) -> tuple[Ground | None, str]:
    """The map position of a dataset with what GDAL leaves out of its label, or None and why, if it is lost.

    East is to the right on every map; where longitudes count westward, so does that of the middle. GDAL takes
    the body of most projections for a sphere; planetographic latitudes then need its two radii.
    """
    ground = _ground(dataset, is_west=_WEST.search(label) is not None)
    if ground is None or ground.squash < 1.0 or not _GRAPHIC.search(label):
        return ground, ""
    equator, pole = (found and float(found[1]) for found in (each.search(label) for each in _RADII))
    if not equator or not pole or not 0.5 < pole / equator <= 1.0:
        return None, NO_POLAR_RADIUS
    squash = pole / equator
    mean_km = ground.radius_km * (2.0 + squash) / 3.0
    return dataclasses.replace(ground, squash=squash, radius_km=mean_km), ""


def _ground(dataset: Any, *, is_west: bool = False) -> Ground | None:
    """The map position of a dataset; None where it has none that makes sense.

    Args:
        dataset: GDAL's.
        is_west: The longitude of the middle counts westward.
    """
    if dataset.crs is None or dataset.transform.is_identity:
        return None
    wkt = dataset.crs.to_wkt()
    if is_west:
        wkt = _MERIDIAN.sub(lambda found: f"{found[1]}{-float(found[2])!r}", wkt)
    spheroid = re.search(r'(?:SPHEROID|ELLIPSOID)\["[^"]*",\s*([\d.eE+]+),\s*([\d.eE+]+)', wkt)
    if spheroid is None:
        return None
    equator_km, inverse = float(spheroid[1]) / 1000.0, float(spheroid[2])
    squash = 1.0 - 1.0 / inverse if inverse > 2.0 else 1.0
    mean_km = equator_km * (2.0 + squash) / 3.0
    a, b, c, d, e, f = tuple(dataset.transform)[:6]
    # GDAL counts from the outer corner of the first pixel, frames from its centre.
    affine = (a, b, c + (a + b) / 2.0, d, e, f + (d + e) / 2.0)
    body = _body(wkt, mean_km)
    try:
        ground = Ground(
            body,
            mean_km,
            affine,
            projection="" if dataset.crs.is_geographic else wkt,
            squash=squash,
            source=FILE_SOURCE,
        )
        latitude, longitude = ground.latlon((dataset.width - 1) / 2.0, (dataset.height - 1) / 2.0)
    except Exception:  # PROJ raises a dozen kinds for a projection that is none
        return None
    return ground if np.isfinite([latitude[0], longitude[0]]).all() else None


def _body(wkt: str, radius_km: float) -> str:
    """The body that a projection names, else the one whose radius it has; empty when it is none known."""
    words = set(re.findall(r"[a-z]+", wkt[: 64 * MAX_KEPT_TEXT].lower().replace("_", " ")))
    for body in RADIUS_KM:
        if body.lower() in words or (body == "Earth" and {"wgs", "etrs", "nad"} & words):
            return body
    nearest = min(RADIUS_KM, key=lambda body: abs(RADIUS_KM[body] - radius_km))
    return nearest if abs(RADIUS_KM[nearest] / radius_km - 1.0) < _ALIKE else ""
