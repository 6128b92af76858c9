"""DS9 region files: shapes to lay over the frame."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle

import numpy as np
from numpy.typing import NDArray

from core.export.catalogue import Catalogue
from core.frames import Frame

COLOURS = ("green", "cyan", "magenta", "yellow", "red", "blue", "white")
"""DS9's own colours, given to the labels in this order."""


def write_ds9(catalogue: Catalogue) -> bytes:
    """The catalogue as a DS9 region file.

    Boxes are boxes, points with a radius or a FWHM are circles, others are points. With the WCS of the
    frame the coordinates are ICRS, and a box is a polygon of its corners, which stays true where the sky is
    turned, mirrored or distorted. Without it they are DS9 image coordinates: the centre of the first pixel
    is (1, 1). The label is the text and the tag; the name follows it where there is one.
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
    for shape, label, name in zip(shapes, table["label"], table["name"], strict=True):
        text = _text(f"{label}: {name}" if name else label)
        kind = " point=circle" if shape.startswith("point") else ""
        lines.append(f"{shape} #{kind} color={colours[label]} text={{{text}}} tag={{{_text(label)}}}")
    return ("\n".join(lines) + "\n").encode()


def _text(text: str) -> str:
    # DS9 has no escape: a brace would end the text, a semicolon the region and a number sign begin a comment.
    return text.translate(str.maketrans("{};#", "(),~"))


def _image_shapes(catalogue: Catalogue) -> list[str]:
    shapes = []
    for (x, y), box, radius in _rows(catalogue):
        if np.isfinite(box).all():
            centre_x, centre_y = (box[0] + box[2]) / 2 + 1, (box[1] + box[3]) / 2 + 1
            wide, high = box[2] - box[0], box[3] - box[1]
            shapes.append(f"box({centre_x:.4f},{centre_y:.4f},{wide:.4f},{high:.4f},0)")
        elif np.isfinite(radius):
            shapes.append(f"circle({x + 1:.4f},{y + 1:.4f},{radius:.4f})")
        else:
            shapes.append(f"point({x + 1:.4f},{y + 1:.4f})")
    return shapes


def _sky_shapes(catalogue: Catalogue) -> list[str] | None:
    frame = catalogue.frame
    if frame is None or frame.wcs is None or frame.pixel_scale_arcsec is None:
        return None
    centres = _sky(frame, catalogue.detections.xy)
    boxes = np.nan_to_num(catalogue.detections.boxes)
    corners = _sky(frame, boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 2)).reshape(-1, 4, 2)
    if not (np.isfinite(centres).all() and np.isfinite(corners).all()):
        return None  # a position off the projection has no sky coordinates
    shapes = []
    for (_, box, radius), (ra, dec), corner in zip(_rows(catalogue), centres, corners, strict=True):
        if np.isfinite(box).all():
            points = ",".join(f"{value:.8f}" for value in corner.ravel())
            shapes.append(f"polygon({points})")
        elif np.isfinite(radius):
            shapes.append(f'circle({ra:.8f},{dec:.8f},{radius * frame.pixel_scale_arcsec:.4f}")')
        else:
            shapes.append(f"point({ra:.8f},{dec:.8f})")
    return shapes


def _rows(
    catalogue: Catalogue,
) -> Sequence[tuple[NDArray[np.float64], NDArray[np.float64], float]]:
    return list(
        zip(catalogue.detections.xy, catalogue.detections.boxes, catalogue.radius_px.tolist(), strict=True)
    )


def _sky(frame: Frame, xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """``(N, 2)`` ICRS degrees of ``(N, 2)`` pixels of a frame with a WCS."""
    if not len(xy):
        return np.empty((0, 2))
    sky = frame.sky(xy[:, 0], xy[:, 1])
    return np.empty((0, 2)) if sky is None else np.column_stack(sky)
