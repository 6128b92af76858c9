"""COCO: boxes and centres for object detectors and their scores."""

from __future__ import annotations

import json
import math
from typing import Any

from core.export.catalogue import LINE_WIDTH_PX, POINT_BOX_PX, Catalogue
from core.export.text import is_picture, one_line, picture_stem
from core.shapes import Box

CONVENTIONS = (
    "Row 0 of the frame's array is the top row of the picture; a viewer that shows a FITS frame with row 0"
    " at the bottom shows the same picture upside down. 0 is the outer edge of the first pixel, half a pixel"
    " more than in the tables, where it is the pixel's centre. Boxes are cut at the border, and objects"
    " outside it are left out. A point has a square box, 2 radii or 2 FWHM wide, or"
    f" {POINT_BOX_PX:g} px where neither is known. An ellipse is a polygon, and a line one as wide as its"
    f" width_px, or {LINE_WIDTH_PX:g} px where that is not known."
)
"""How COCO and YOLO count pixels; written into every such file."""


def write_coco(catalogue: Catalogue) -> bytes:
    """The catalogue as COCO JSON of one image; see :data:`CONVENTIONS` for the pixels.

    ``bbox`` is ``[x, y, width, height]``, ``segmentation`` the outline, and the one keypoint ``centre`` is
    the position itself. ``score`` makes the annotations readable as detections too. What else is known stands
    under ``attributes``. The file name is the frame's when it is a picture, else its stem with ``.png``.
    """
    document = {
        "info": {
            "description": f"Detections on {one_line(catalogue.frame_name)}",
            "date_created": catalogue.provenance["exported_at"],
            "contributor": "Almagest",
            "conventions": CONVENTIONS,
            "provenance": dict(catalogue.provenance),
            "units": dict(catalogue.detections.units),
        },
        "licenses": [],
        "images": [
            {
                "id": 1,
                "file_name": picture_name(catalogue.frame_name),
                "width": catalogue.width,
                "height": catalogue.height,
            }
        ],
        "categories": [
            {"id": number, "name": label, "supercategory": "", "keypoints": ["centre"], "skeleton": []}
            for number, label in enumerate(catalogue.labels, start=1)
        ],
        "annotations": _annotations(catalogue),
    }
    return json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1).encode()


def picture_name(frame_name: str) -> str:
    """File name of the picture that annotations of this frame belong to, without folders."""
    own = one_line(frame_name).replace("\\", "/").rsplit("/", 1)[-1]
    return own if is_picture(own) else f"{picture_stem(own)}.png"


def _annotations(catalogue: Catalogue) -> list[dict[str, Any]]:
    table = catalogue.detections.table
    others = table.drop(columns=["label", "score", "x", "y", "x_min", "y_min", "x_max", "y_max"])
    numbers = {label: number for number, label in enumerate(catalogue.labels, start=1)}
    annotations: list[dict[str, Any]] = []
    for label, score, (x, y), box, outline, own in zip(
        table["label"],
        table["score"].tolist(),
        (catalogue.detections.xy + 0.5).tolist(),
        catalogue.outer_boxes.tolist(),
        catalogue.outer_outlines,
        others.to_dict("records"),
        strict=True,
    ):
        left, top, right, bottom = box
        if right <= left or bottom <= top:
            continue
        area = outline or Box(*box)
        annotations.append(
            {
                "id": len(annotations) + 1,
                "image_id": 1,
                "category_id": numbers[label],
                "bbox": [left, top, right - left, bottom - top],
                "area": area.area_px,
                "segmentation": [area.outline[:-1].ravel().tolist()],
                "iscrowd": 0,
                "keypoints": [x, y, 2],
                "num_keypoints": 1,
                "score": score,
                "attributes": {str(name): _plain(value) for name, value in own.items()},
            }
        )
    return annotations


def _plain(value: Any) -> Any:
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, (bool, int, str)) or value is None:
        return value
    return value if isinstance(value, float) and math.isfinite(value) else None
