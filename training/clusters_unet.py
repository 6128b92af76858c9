"""Train the network of ``clusters.unet``.

``python -m training.clusters_unet --data DIR --minutes 60`` draws the scenes that are not there yet, trains
the U-Net from nothing, writes ``weights/clusters_unet.safetensors`` and its card, calibrates its scores and
chooses its confidence on validation scenes, and measures it on test scenes. Killed, it goes on from its last
checkpoint with ``--resume``. ``--score`` only measures the weights that are there; ``--draw`` only draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from core.clusters.kinds import GLOBULAR
from core.clusters.pictures import Float32
from core.clusters.unet import DEFAULT_LOGISTIC, WEIGHTS, look_with
from core.clusters.unet_network import (
    ANSWER_PX,
    LARGEST,
    NEAR_MIDDLE,
    RADIUS_PX,
    Answer,
    ClusterNetwork,
)
from core.models.unet import Sizes
from training.cluster_data import WORK, Sample
from training.cluster_training import run
from training.course import Course
from training.options import options_of

WEIGHTS_OF_LOSSES = {"mask": 1.0, "dice": 0.7, "centre": 0.25, "distance": 1.0, "kind": 0.3, "ellipse": 1.0}
WEIGHTS_OF_ELLIPSE = (0.5, 0.5, 1.0, 0.5, 0.5)
"""Of x and y of the middle, size, and the two numbers of the shape."""
PLAIN_AREA, MOST_WEIGHT = 900.0, 6.0
"""Places of smaller clusters count more: as the square root of this area over theirs, at most so much."""
CENTRE_SIGMA, LEAST_SIGMA = 0.1, 1.0
"""Of the peak at a cluster's middle, in parts of the side of the square of its area, and in places."""


@dataclass(frozen=True, eq=False)
class Target:
    """What the network should answer, ``(h, w)`` each.

    Attributes:
        mask: 1 within clusters that must be found.
        weight: How much a place counts; 0 in clusters that need not be found.
        centre: 1 at the middle of a cluster, falling around it.
        distance: 1 in the middle of a cluster, 0 on its outline.
        globular: 1 in globular clusters.
        share: Within clusters 1 over their area, else 0.
        ellipse: ``(5, h, w)`` where the middle is, size and shape as the network says them.
        claimed: Near the middle of a cluster 1 over the area that is, else 0.
    """

    mask: Float32
    weight: Float32
    centre: Float32
    distance: Float32
    globular: Float32
    share: Float32
    ellipse: Float32
    claimed: Float32


def target_of(sample: Sample) -> Target:
    """What should be answered to a sample."""
    half = ANSWER_PX // 2
    numbers = sample.instances[half::ANSWER_PX, half::ANSWER_PX]
    depth = sample.depth[half::ANSWER_PX, half::ANSWER_PX].astype(np.float32) / np.float32(255.0)
    mask, centre, globular, share, claimed = np.zeros((5, *numbers.shape), np.float32)
    ellipse = np.zeros((5, *numbers.shape), np.float32)
    weight = np.ones(numbers.shape, np.float32)
    rows, columns = np.arange(numbers.shape[0])[:, None], np.arange(numbers.shape[1])[None, :]
    for number in np.unique(numbers[numbers > 0]):
        cluster, own = sample.clusters[number - 1], numbers == number
        if not cluster.wanted:
            weight[own] = 0.0
            continue
        area = float(own.sum())
        mask[own] = 1.0
        globular[own] = float(cluster.kind == GLOBULAR)
        share[own] = 1.0 / area
        weight[own] = np.clip(np.sqrt(PLAIN_AREA / area), 1.0, MOST_WEIGHT)
        row, column = np.unravel_index(int(np.argmax(np.where(own, depth, -1.0))), own.shape)
        sigma = max(CENTRE_SIGMA * np.sqrt(area), LEAST_SIGMA)
        peak = np.exp(-0.5 * ((rows - row) ** 2 + (columns - column) ** 2) / sigma**2)
        np.maximum(centre, peak.astype(np.float32), out=centre)
        near = own & (depth >= NEAR_MIDDLE * depth[own].max())
        claimed[near] = 1.0 / near.sum()
        radius = cluster.reach_px * np.sqrt(cluster.ratio)
        squeezed = (1.0 - cluster.ratio) / (1.0 + cluster.ratio)
        down, right = np.nonzero(near)
        ellipse[0][near] = (cluster.x + 0.5 - ANSWER_PX * (right + 0.5)) / radius
        ellipse[1][near] = (cluster.y + 0.5 - ANSWER_PX * (down + 0.5)) / radius
        ellipse[2][near] = np.clip(np.log(radius / RADIUS_PX), -LARGEST, LARGEST)
        ellipse[3][near] = squeezed * np.cos(2.0 * cluster.angle_rad)
        ellipse[4][near] = squeezed * np.sin(2.0 * cluster.angle_rad)
    distance = np.where(mask > 0, depth, 0.0).astype(np.float32)
    return Target(mask, weight, centre, distance, globular, share, ellipse, claimed)


def as_tensors(samples: Sequence[Sample], device: torch.device) -> tuple[Tensor, dict[str, Tensor]]:
    """``(B, 3, H, W)`` pictures, and the targets, ``(B, h, w)`` each."""
    targets = [target_of(one) for one in samples]
    pictures = torch.from_numpy(np.stack([one.picture for one in samples])).to(device)
    known = {
        name: torch.from_numpy(np.stack([getattr(one, name) for one in targets])).to(device)
        for name in Target.__annotations__
    }
    return pictures.contiguous(memory_format=torch.channels_last), known


def losses_of(said: Answer, target: dict[str, Tensor]) -> dict[str, Tensor]:
    """The losses by name.

    ``mask`` is a weighted cross entropy and ``dice`` one minus Dice's coefficient of the batch (Milletari et
    al. 2016, arXiv:1606.04797), ``centre`` the focal loss of Zhou et al. 2019 (arXiv:1904.07850),
    ``distance`` a smooth absolute error within clusters and a tenth of it beyond, ``kind`` a cross entropy
    and ``ellipse`` smooth absolute errors near the middle, in which every cluster counts the same.
    """
    weight, mask = target["weight"], target["mask"]
    crossed = F.binary_cross_entropy_with_logits(said.mask, mask, reduction="none")
    p = said.mask.sigmoid() * (weight > 0)
    dice = 1.0 - (2.0 * (p * mask).sum() + 1.0) / (p.sum() + mask.sum() + 1.0)
    log_p, log_q = F.logsigmoid(said.centre), F.logsigmoid(-said.centre)
    chance, middle = log_p.exp(), target["centre"] >= 1.0
    hit = -(log_p * (1.0 - chance) ** 2)[middle].sum()
    false = -(log_q * chance**2 * (1.0 - target["centre"]) ** 4 * (weight > 0))[~middle].sum()
    error = F.smooth_l1_loss(said.distance, target["distance"], reduction="none", beta=0.1)
    counts = torch.where(mask > 0, weight, 0.1 * (weight > 0))
    kind = F.binary_cross_entropy_with_logits(said.globular, target["globular"], reduction="none")
    ellipse = torch.stack([said.right, said.down, said.size, said.cosine, said.sine], dim=1)
    off = F.smooth_l1_loss(ellipse, target["ellipse"], reduction="none", beta=0.1)
    off = (off * off.new_tensor(WEIGHTS_OF_ELLIPSE)[:, None, None]).sum(dim=1)
    return {
        "mask": (crossed * weight).sum() / weight.sum().clamp(min=1.0),
        "dice": dice,
        "centre": (hit + false) / middle.sum().clamp(min=4),
        "distance": (error * counts).sum() / counts.sum().clamp(min=1.0),
        "kind": (kind * target["share"]).sum() / target["share"].sum().clamp(min=1.0),
        "ellipse": (off * target["claimed"]).sum() / target["claimed"].sum().clamp(min=1.0),
    }


def learn(course: Course[ClusterNetwork], samples: list[Sample]) -> dict[str, float]:
    """One step; its losses."""
    pictures, target = as_tensors(samples, course.device)

    def losses() -> dict[str, Tensor]:
        with course.autocast():
            said = course.network(pictures)
        return losses_of(said, target)

    return course.learn(losses, WEIGHTS_OF_LOSSES)


def about(network: ClusterNetwork) -> dict[str, Any]:
    """What the card says of the network."""
    return {
        "title": "U-Net of star clusters",
        "architecture": (
            f"Residual U-Net: {network}; shown star counts beside the pixels; mask, centre, distance, "
            f"kind and ellipse of each {ANSWER_PX} × {ANSWER_PX} px, watershed"
        ),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw, train, measure."""
    options = options_of(
        "python -m training.clusters_unet", __doc__ or "", arguments, WORK, minutes=60.0, batch=8, rate=1.5e-3
    )

    def begin() -> Course[ClusterNetwork]:
        torch.manual_seed(options.seed)
        return Course(
            ClusterNetwork(Sizes.of_text(options.sizes)),
            options.work / "unet.pt",
            minutes=options.minutes,
            rate=options.rate,
            device=torch.device(options.device),
        )

    return run(options, WEIGHTS, begin, learn, about, look_with, ("logistic", DEFAULT_LOGISTIC))


if __name__ == "__main__":
    raise SystemExit(main())
