"""Over-segmentation of a picture at several scales: the pieces that XRAI puts in order.

Felzenszwalb & Huttenlocher 2004 (IJCV 59, 167), with the scales and the widening of Kapishnikov et al. 2019
(arXiv:1906.02825) as PAIR's ``saliency`` 0.2.1 sets them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

SCALES = (50, 100, 150, 250, 500, 1200)
SIGMA_PX = 0.8
MIN_SIZE_PX = 150
SIDE_PX = 224
"""The scales are tuned for pictures of this side with values in [-1, 1]."""
WIDEN_PX = 5


@dataclass(frozen=True, eq=False)
class Segments:
    """Pieces of a picture; they overlap, and every pixel is in some.

    Attributes:
        shape: Height and width of the picture in pixels.
        pixels: ``(M,)`` flat pixel numbers, piece after piece.
        begins: ``(N + 1,)`` where each piece begins in ``pixels``.
    """

    shape: tuple[int, int]
    pixels: NDArray[np.int32]
    begins: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.begins) - 1

    def mask(self, index: int) -> NDArray[np.bool_]:
        """``(H, W)`` one piece."""
        mask = np.zeros(self.shape, bool)
        mask.flat[self.pixels[self.begins[index] : self.begins[index + 1]]] = True
        return mask

    @classmethod
    def from_masks(cls, masks: Sequence[NDArray[np.bool_]]) -> Segments:
        """Build from ``(H, W)`` masks, at least one."""
        return cls._from_lists(masks[0].shape, [np.flatnonzero(mask) for mask in masks])

    @classmethod
    def _from_lists(cls, shape: tuple[int, ...], pieces: Sequence[NDArray[np.int64]]) -> Segments:
        begins = np.concatenate([[0], np.cumsum([len(piece) for piece in pieces])]).astype(np.int64)
        return cls((shape[0], shape[1]), np.concatenate(pieces).astype(np.int32), begins)


def segment(
    picture: NDArray[np.float32],
    *,
    scales: Sequence[float] = SCALES,
    sigma_px: float = SIGMA_PX,
    min_size_px: int = MIN_SIZE_PX,
    side_px: int = SIDE_PX,
    widen_px: int = WIDEN_PX,
) -> Segments:
    """Cut a picture into pieces at several scales.

    Args:
        picture: ``(C, H, W)``; its own lowest and highest value become -1 and 1.
        scales: Larger ones give larger pieces.
        sigma_px: Smoothing before the cut.
        min_size_px: Smaller pieces are joined to a neighbour.
        side_px: The cut is made on a copy of this width and height.
        widen_px: Radius by which each piece is widened, so that the edges belong to it.
    """
    from skimage.segmentation import felzenszwalb
    from skimage.transform import resize

    shape = picture.shape[1:]
    low, high = float(picture.min()), float(picture.max())
    values = (np.moveaxis(picture, 0, -1).astype(float) - low) / max(high - low, np.finfo(float).tiny)
    values = values * 2.0 - 1.0
    if shape != (side_px, side_px):
        values = resize(
            values, (side_px, side_px), order=3, mode="constant", preserve_range=True, anti_aliasing=True
        )
    pieces: list[NDArray[np.int64]] = []
    for scale in scales:
        labels = felzenszwalb(values, scale=scale, sigma=sigma_px, min_size=min_size_px)
        if shape != (side_px, side_px):
            labels = resize(
                labels, shape, order=0, mode="constant", preserve_range=True, anti_aliasing=False
            ).astype(int)
        pieces += _widened(labels, widen_px)
    return Segments._from_lists(shape, pieces)


def _widened(labels: NDArray[np.int64], radius_px: int) -> list[NDArray[np.int64]]:
    """The flat pixels of each label, widened by a disk of whole pixels."""
    height, width = labels.shape
    pieces = []
    for label, window in enumerate(ndimage.find_objects(labels + 1)):
        if window is None:
            continue
        rows = slice(max(window[0].start - radius_px, 0), min(window[0].stop + radius_px, height))
        columns = slice(max(window[1].start - radius_px, 0), min(window[1].stop + radius_px, width))
        inside = labels[rows, columns] == label
        if radius_px and not inside.all():
            # A pixel lies in the widened piece if the nearest of the piece is within the disk.
            inside = ndimage.distance_transform_edt(~inside) <= radius_px + 1e-9
        y, x = np.nonzero(inside)
        pieces.append((y + rows.start) * width + x + columns.start)
    return pieces
