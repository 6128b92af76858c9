"""``import torchvision`` where its compiled operators do not fit the torch that is installed.

The package index serves a torchvision built for CUDA; beside a torch for the CPU its operators cannot be
loaded, and importing it fails. :func:`import_torchvision` then defines ``nms`` and ``roi_align`` in plain
torch, which is what the detectors of torchvision and ultralytics need. Where the compiled operators load,
nothing is touched.
"""

from __future__ import annotations

import importlib
import importlib.util
import threading
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor
from torch.nn import functional as F

BLOCK = 512
"""Boxes that are compared with all others at a time: bounds the memory of :func:`nms`."""
SAMPLES_MAX = 64
"""Most samples along a side of a bin when their number follows the region's size."""

_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "roi_align(Tensor input, Tensor rois, float spatial_scale, int pooled_height, int pooled_width, "
    "int sampling_ratio, bool aligned) -> Tensor",
)
_lock = threading.Lock()
_library: torch.library.Library | None = None


def import_torchvision() -> ModuleType:
    """Import torchvision; the one entrance, before any library that needs it.

    Returns:
        The module ``torchvision``.

    Raises:
        ImportError: torchvision is not installed.
    """
    with _lock:
        if _library is None and not compiled_operators():
            _define_operators()
        torchvision = importlib.import_module("torchvision")
        if _library is not None:
            # Its functions ask this before they call an operator. It must not be asked sooner: torchvision
            # then describes operators that are not there.
            for asking in ("torchvision.extension", "torchvision.ops.roi_align"):
                vars(importlib.import_module(asking))["_has_ops"] = lambda: True
        return torchvision


def compiled_operators() -> bool:
    """Whether torchvision's compiled operators are there and fit the torch that is installed.

    Raises:
        ImportError: torchvision is not installed.
    """
    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        raise ImportError("torchvision is not installed.", name="torchvision")
    if _library is not None:
        return False
    if hasattr(torch.ops.torchvision, "nms"):
        return True
    for file in Path(spec.origin).parent.glob("_C.*"):
        try:
            torch.ops.load_library(file)
        except (OSError, ImportError):
            continue
        return True
    return False


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """Non-maximum suppression, exact: each box that overlaps a better one that is kept goes.

    Args:
        boxes: ``(N, 4)`` x_min, y_min, x_max, y_max.
        scores: ``(N,)``; of equal ones the first comes first.
        iou_threshold: A box goes when its IoU with a kept one is greater than this.

    Returns:
        ``(M,)`` int64 rows of the boxes kept, best first.
    """
    boxes, scores = boxes.detach(), scores.detach()
    order = torch.argsort(scores, descending=True, stable=True)
    left = boxes[order].to(torch.float64 if boxes.dtype == torch.float64 else torch.float32)
    kept = [order[:0]]
    # The best boxes settle among themselves which stay, and these then clear the rest at once.
    while len(left):
        best = _settle(_iou(left[:BLOCK], left[:BLOCK]) > iou_threshold)
        kept.append(order[:BLOCK][best])
        clear = (_iou(left[BLOCK:], left[:BLOCK][best]) <= iou_threshold).all(dim=1)
        left, order = left[BLOCK:][clear], order[BLOCK:][clear]
    return torch.cat(kept)


def roi_align(
    features: Tensor,
    regions: Tensor,
    spatial_scale: float,
    pooled_height: int,
    pooled_width: int,
    sampling_ratio: int,
    aligned: bool,
) -> Tensor:
    """Resample regions of feature maps to one size (RoIAlign; He et al. 2017, arXiv:1703.06870).

    Each bin is the mean of bilinear samples on a regular grid in it. As in torchvision, a sample up to one
    pixel outside counts as on the edge, and one further away as 0.

    Args:
        features: ``(B, C, H, W)``.
        regions: ``(K, 5)`` index in the batch, then x_min, y_min, x_max, y_max.
        spatial_scale: Pixels of the features for one unit of the boxes.
        pooled_height, pooled_width: Bins.
        sampling_ratio: Samples along each side of a bin. With 0 or less, as many as the bin has pixels along
            that side, rounded up: that is torchvision's rule, but here at most :data:`SAMPLES_MAX`.
        aligned: Boxes count from the corner of the first pixel, and may be of any size. Else they count from
            its centre and are at least one pixel wide, as in the first published version.

    Returns:
        ``(K, C, pooled_height, pooled_width)``; differentiable with respect to the features.
    """
    if features.dtype in (torch.float16, torch.bfloat16):  # too coarse to say where to sample
        exact_features = features.to(torch.float32)
        pooled = roi_align(
            exact_features, regions, spatial_scale, pooled_height, pooled_width, sampling_ratio, aligned
        )
        return pooled.to(features.dtype)
    n_regions, channels = len(regions), features.shape[1]
    pooled = features.new_zeros((n_regions, channels, pooled_height, pooled_width))
    if n_regions == 0:
        return pooled
    exact = regions[:, 1:].detach().to(torch.float64)
    corner = exact[:, :2] * spatial_scale - (0.5 if aligned else 0.0)
    size = (exact[:, 2:] - exact[:, :2]) * spatial_scale
    if not aligned:
        size = size.clamp(min=1.0)
    bins = torch.tensor([pooled_width, pooled_height], dtype=torch.float64, device=exact.device)
    if sampling_ratio > 0:
        counts = torch.full_like(size, sampling_ratio, dtype=torch.int64)
    else:
        counts = torch.ceil(size / bins).to(torch.int64).clamp(0, SAMPLES_MAX)
    which = torch.cat([regions[:, :1].detach().to(torch.int64), counts], dim=1)
    # Regions of one frame with one number of samples are resampled together.
    for group in torch.unique(which, dim=0):
        image, n_x, n_y = (int(value) for value in group)
        if n_x == 0 or n_y == 0:
            continue  # an empty region has no samples and stays 0
        rows = (which == group).all(dim=1).nonzero()[:, 0]
        x = _sample_places(corner[rows, 0], size[rows, 0], pooled_width, n_x)
        y = _sample_places(corner[rows, 1], size[rows, 1], pooled_height, n_y)
        samples = _bilinear(features[image], x, y)
        shape = (len(rows), channels, pooled_height, n_y, pooled_width, n_x)
        pooled = pooled.index_copy(0, rows, samples.reshape(shape).mean(dim=(3, 5)))
    return pooled


def _sample_places(start: Tensor, length: Tensor, n_bins: int, n_samples: int) -> Tensor:
    """``(K, n_bins * n_samples)`` pixels at which each region is sampled along one side."""
    steps = torch.arange(n_bins * n_samples, dtype=start.dtype, device=start.device) + 0.5
    return start[:, None] + steps * (length / (n_bins * n_samples))[:, None]


def _bilinear(features: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Features ``(C, H, W)`` at the places ``x (K, P)`` by ``y (K, Q)``: ``(K, C, Q, P)``."""
    channels, height, width = features.shape
    inside_x = (x >= -1.0) & (x <= width)
    inside_y = (y >= -1.0) & (y <= height)
    x, y = x.clamp(0.0, width - 1.0), y.clamp(0.0, height - 1.0)
    n, n_x, n_y = len(x), x.shape[1], y.shape[1]
    # Into grid_sample's units, where the centres of the first and the last pixel are -1 and 1.
    across = 2.0 * x / max(width - 1, 1) - 1.0
    down = 2.0 * y / max(height - 1, 1) - 1.0
    grid = torch.stack((across[:, None].expand(n, n_y, n_x), down[:, :, None].expand(n, n_y, n_x)), dim=-1)
    # All regions below each other are one picture: the features are then read in place, not copied K times.
    grid = grid.reshape(1, n * n_y, n_x, 2).to(features.dtype)
    taken = F.grid_sample(features[None], grid, mode="bilinear", padding_mode="border", align_corners=True)
    samples = taken.reshape(channels, n, n_y, n_x).transpose(0, 1)
    inside = inside_y[:, None, :, None] & inside_x[:, None, None, :]
    return samples * inside.to(samples.dtype)


def _iou(one: Tensor, other: Tensor) -> Tensor:
    """``(N, M)`` intersection over union; 0 where both boxes are empty."""
    x_min, y_min, x_max, y_max = one.T[:, :, None]
    other_x_min, other_y_min, other_x_max, other_y_max = other.T[:, None]
    across = torch.minimum(x_max, other_x_max).sub_(torch.maximum(x_min, other_x_min)).clamp_(min=0)
    down = torch.minimum(y_max, other_y_max).sub_(torch.maximum(y_min, other_y_min)).clamp_(min=0)
    shared = across.mul_(down)
    areas = (x_max - x_min) * (y_max - y_min)
    other_areas = (other_x_max - other_x_min) * (other_y_max - other_y_min)
    return shared.div_(torch.add(areas, other_areas, out=down).sub_(shared)).nan_to_num_(0.0)


def _settle(overlaps: Tensor) -> Tensor:
    """Which of boxes in order of score stay, ``(N,)``, given who overlaps whom, ``(N, N)``."""
    before = overlaps.triu(diagonal=1).to(torch.float32)
    stays = torch.ones(len(overlaps), dtype=torch.bool, device=overlaps.device)
    # A round settles at least one more box for good, so this ends; it needs as many rounds as the longest
    # chain in which each box hinges on the one before.
    while True:
        after = stays.to(torch.float32) @ before == 0
        if torch.equal(after, stays):
            return stays
        stays = after


def _define_operators() -> None:
    global _library
    library = torch.library.Library("torchvision", "DEF")
    for schema in _SCHEMAS:
        library.define(schema)
    library.impl("nms", nms, "CompositeExplicitAutograd")
    # Implicit: gradients follow the plain torch inside.
    library.impl("roi_align", roi_align, "CompositeImplicitAutograd")
    _library = library
