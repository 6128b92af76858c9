"""YOLO: an archive of labels, classes and, where the frame is at hand, the picture."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np

from core.export.catalogue import Catalogue
from core.export.coco import CONVENTIONS
from core.export.text import picture_stem
from core.frames import Frame


def write_yolo(catalogue: Catalogue) -> bytes:
    """The catalogue as a zip in the layout that ultralytics and supervision read.

    ``labels/<stem>.txt`` has ``class x y width height`` a line, as fractions of the picture's width and
    height; see :data:`core.export.coco.CONVENTIONS` for the pixels. ``images/<stem>.png`` is the frame in
    the same row order, ``data.yaml`` and ``classes.txt`` name the classes and ``README.txt`` has the
    provenance.
    """
    stem = picture_stem(catalogue.frame_name)
    facts = [f"{name}: {value}" for name, value in catalogue.provenance.items()]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"labels/{stem}.txt", "".join(f"{line}\n" for line in _lines(catalogue)))
        archive.writestr("classes.txt", "".join(f"{label}\n" for label in catalogue.labels))
        archive.writestr("data.yaml", _data_yaml(catalogue, facts))
        archive.writestr("README.txt", "\n".join([CONVENTIONS, "", *facts]) + "\n")
        if catalogue.frame is not None:
            archive.writestr(f"images/{stem}.png", _picture(catalogue.frame))
    return out.getvalue()


def _lines(catalogue: Catalogue) -> list[str]:
    numbers = {label: number for number, label in enumerate(catalogue.labels)}
    boxes = catalogue.outer_boxes / [catalogue.width, catalogue.height, catalogue.width, catalogue.height]
    lines = []
    for label, (left, top, right, bottom) in zip(catalogue.detections.table["label"], boxes, strict=True):
        if right > left and bottom > top:
            centre_and_size = ((left + right) / 2, (top + bottom) / 2, right - left, bottom - top)
            lines.append(" ".join([str(numbers[label]), *(f"{value:.7f}" for value in centre_and_size)]))
    return lines


def _data_yaml(catalogue: Catalogue, facts: list[str]) -> str:
    # A string in JSON is a string in YAML, whatever it holds.
    names = [
        f"  {number}: {json.dumps(label, ensure_ascii=False)}"
        for number, label in enumerate(catalogue.labels)
    ]
    # Without a "path" the folders are looked for beside this file, wherever ultralytics is started.
    lines = [*(f"# {fact}" for fact in facts), "train: images", "val: images"]
    lines += [f"nc: {len(names)}", "names:" if names else "names: {}", *names]
    return "\n".join(lines) + "\n"


def _picture(frame: Frame) -> bytes:
    from PIL import Image

    from core.frames.display import DisplaySettings, render

    shown = render(frame, DisplaySettings.for_frame(frame))
    rows = shown.rgb[::-1] if shown.flipped else shown.rgb
    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(rows)).save(out, "PNG")
    return out.getvalue()
