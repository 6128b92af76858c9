"""DS9 region files: shapes to lay over the frame."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import cycle

import numpy as np
from numpy.typing import NDArray

from core.export.catalogue import Catalogue
from core.export.text import is_picture
from core.frames import Frame
from core.shapes import Affine, Box, Ellipse, Line, Point, Shape

COLOURS = ("green", "cyan", "magenta", "yellow", "red", "blue", "white")
"""DS9's own colours, given to the labels in this order."""


def write_ds9(catalogue: Catalogue) -> bytes:
    """The catalogue as a DS9 region file.

    Boxes, ellipses and polygons are themselves, a line is one DS9 line for each of its legs, points with a
    radius or a FWHM are circles, others are points. With the WCS of the frame the coordinates are ICRS, and
    a box or an ellipse is a polygon, which stays true where the sky is turned, mirrored or distorted.
    Without it they are DS9 image coordinates: the centre of the first pixel is (1, 1). DS9 counts the rows of
    a PNG, JPEG or TIFF picture from its bottom, so of such a frame the last row is row 1. The label is the
    text and the tag; the name follows it where there is one.
    """
    shapes = _sky_shapes(catalogue) if catalogue.frame is not None else None
    system = "icrs" if shapes is not None else "image"
    if shapes is None:
        shapes = _image_shapes(catalogue)
    colours = dict(zip(catalogue.labels, cycle(COLOURS), strict=False))
    lines = ["# Region file format: DS9 version 4.1"]
    lines += [f"# {name}: {value}" for name, value in catalogue.provenance.items()]
    lines.append(system)
    table = catalogue.detections.table
    for drawn, label, name in zip(shapes, table["label"], table["name"], strict=True):
        text = _text(f"{label}: {name}" if name else label)
        for leg, shape in enumerate(drawn):
            kind = " point=circle" if shape.startswith("point") else ""
            said = "" if leg else f" text={{{text}}}"
            lines.append(f"{shape} #{kind} color={colours[label]}{said} tag={{{_text(label)}}}")
    return ("\n".join(lines) + "\n").encode()


def _text(text: str) -> str:
    # DS9 has no escape: a brace would end the text, a semicolon the region and a number sign begin a comment.
    return text.translate(str.maketrans("{};#", "(),~"))


def _image_shapes(catalogue: Catalogue) -> list[list[str]]:
    shapes = []
    from_bottom = is_picture(catalogue.frame_name) and catalogue.provenance["hdu"] == "none"
    onto = Affine(
        np.diag([1.0, -1.0 if from_bottom else 1.0]),
        np.array([1.0, catalogue.height if from_bottom else 1.0]),
    )
    for shape, radius in zip(catalogue.shapes, catalogue.radius_px.tolist(), strict=True):
        one = shape.mapped(onto)
        x, y = one.centre
        if isinstance(one, Box):
            wide, high = one.x_max - one.x_min, one.y_max - one.y_min
            shapes.append([f"box({_numbers([x, y, wide, high])},0)"])
        elif isinstance(one, Ellipse):
            shapes.append([f"ellipse({_numbers([x, y, *one.semi_axes, one.angle_deg])})"])
        elif isinstance(one, Point) and np.isfinite(radius):
            shapes.append([f"circle({_numbers([x, y, radius])})"])
        else:
            shapes.append(_drawn(one, one.outline, digits=4))
    return shapes


def _sky_shapes(catalogue: Catalogue) -> list[list[str]] | None:
    frame = catalogue.frame
    if frame is None or frame.wcs is None or frame.pixel_scale_arcsec is None:
        return None
    found = catalogue.shapes
    outlines = [shape.outline for shape in found]
    sky = _sky(frame, np.concatenate([np.empty((0, 2)), *outlines]))
    if not np.isfinite(sky).all():
        return None  # a position off the projection has no sky coordinates
    shapes = []
    parts = np.split(sky, np.cumsum([len(outline) for outline in outlines]))
    for shape, radius, part in zip(found, catalogue.radius_px.tolist(), parts, strict=False):
        if isinstance(shape, Point) and np.isfinite(radius):
            size = radius * frame.pixel_scale_arcsec
            shapes.append([f'circle({_numbers(part.ravel(), 8)},{size:.4f}")'])
        else:
            shapes.append(_drawn(shape, part, digits=8))
    return shapes


def _drawn(shape: Shape, outline: NDArray[np.float64], digits: int) -> list[str]:
    """A shape by its outline, in whatever coordinates that is."""
    if isinstance(shape, Point):
        return [f"point({_numbers(outline.ravel(), digits)})"]
    if isinstance(shape, Line):
        legs = np.hstack([outline[:-1], outline[1:]])
        return [f"line({_numbers(leg, digits)})" for leg in legs]
    return [f"polygon({_numbers(outline[:-1].ravel(), digits)})"]


def _numbers(values: Iterable[float], digits: int = 4) -> str:
    return ",".join(f"{value:.{digits}f}" for value in values)


def _sky(frame: Frame, xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """``(N, 2)`` ICRS degrees of ``(N, 2)`` pixels of a frame with a WCS."""
    if not len(xy):
        return np.empty((0, 2))
    sky = frame.sky(xy[:, 0], xy[:, 1])
    return np.empty((0, 2)) if sky is None else np.column_stack(sky)
