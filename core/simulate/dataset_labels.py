"""The truth of a simulated frame as labels to train a detector on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.results import Detections
from core.simulate.scene import Scene
from core.simulate.truth import LABELS

SMALLEST_BOX_PX = 3.0
WIDTHS_A_BOX = 2.0
"""Side of a star's box in full widths at half maximum: it holds some 90 % of the light."""


def yolo_labels(truth: Detections, scene: Scene, min_snr: float) -> str:
    """``class x y width height`` a line, as fractions of the frame's width and height.

    Classes are numbered as :data:`core.simulate.truth.LABELS` lists them. x counts columns and y rows of
    the stored array, from the outer edge of the first pixel. A star's box is :data:`WIDTHS_A_BOX` times as
    wide as its image (seeing and defocus, and along a trail its length more), at least
    :data:`SMALLEST_BOX_PX`; other objects have the box of the truth. Boxes are cut at the frame's border.

    Args:
        truth: The truth of the frame, with a column ``snr``.
        scene: The scene of the frame.
        min_snr: Objects of a lower signal-to-noise ratio are left out: nobody could see them.
    """
    seen = truth.where((truth.table["snr"] >= min_snr).to_numpy(bool))
    size = np.array([scene.camera.width, scene.camera.height], dtype=float)
    half = star_box_px(scene) / 2
    square = np.column_stack([seen.xy - half, seen.xy + half])
    boxes = np.where(np.isfinite(seen.boxes), seen.boxes, square) + 0.5
    low, high = np.clip(boxes[:, :2], 0.0, size) / size, np.clip(boxes[:, 2:], 0.0, size) / size
    numbers = [LABELS.index(label) for label in seen.table["label"]]
    lines = np.column_stack([(low + high) / 2, high - low])
    return "".join(
        f"{number} {' '.join(f'{value:.7f}' for value in line)}\n"
        for number, line in zip(numbers, lines, strict=True)
        if (line[2:] > 0).all()
    )


def star_box_px(scene: Scene) -> NDArray[np.float64]:
    """``(2,)`` width and height of a star's box in pixels."""
    across = max(WIDTHS_A_BOX * float(np.hypot(scene.fwhm_px, scene.defocus_px)), SMALLEST_BOX_PX)
    angle = np.radians(scene.seeing.trail_angle_deg)
    return across + scene.trail_px * np.abs([np.cos(angle), np.sin(angle)])
