"""Networks of clusters for tests: tiny ones with their cards, and answers as a perfect one would give."""

import numpy as np
import torch

from core.clusters.kinds import LABELS
from core.clusters.unet_network import ANSWER_PX, RADIUS_PX
from core.models import save_weights
from tests.models.cards import FACTS


def tiny_unet(folder, **extra):
    """Weights of a tiny U-Net that has learned nothing, with their card."""
    from core.clusters.unet_network import ClusterNetwork
    from core.models.unet import Sizes

    torch.manual_seed(0)
    network = ClusterNetwork(Sizes((16, 16, 16), (1, 1, 2)))
    facts = {**FACTS, "task": "clusters", "labels": LABELS, "extra": extra}
    save_weights("clusters_unet", network.state_dict(), facts, folder=folder)


def tiny_maskrcnn(folder, **extra):
    """Weights of a Mask R-CNN with narrow heads that has learned nothing, with their card."""
    from core.clusters.maskrcnn_network import build
    from core.models.unet import Sizes

    torch.manual_seed(0)
    facts = {**FACTS, "task": "clusters", "labels": LABELS, "extra": extra}
    save_weights(
        "clusters_maskrcnn",
        build(8, 8, Sizes((16, 16, 16, 16), (1, 1, 1, 1))).state_dict(),
        facts,
        precision="int8",
        folder=folder,
    )


def disc(shape, x, y, radius):
    """``shape`` distance from a middle, 1 at the radius."""
    rows, columns = np.arange(shape[0])[:, None], np.arange(shape[1])[None, :]
    return np.hypot(columns - x, rows - y) / radius


def perfect_answer(shape, clusters):
    """``(9, h, w)`` what a network should say of clusters ``(x, y, radius, globular)``, all in places."""
    answer = np.zeros((9, *shape), np.float32)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    nearest = np.full(shape, np.inf)
    for x, y, radius, globular in clusters:
        away = disc(shape, x, y, radius)
        own = (away < 1.0) & (away < nearest)
        nearest = np.minimum(nearest, away)
        answer[0][own] = 0.97
        answer[2][own] = 1.0 - away[own]
        answer[3][own] = 0.95 if globular else 0.05
        answer[4][own], answer[5][own] = (x - columns[own]) / radius, (y - rows[own]) / radius
        answer[6][own] = np.log(ANSWER_PX * radius / RADIUS_PX)
        answer[1] = np.maximum(answer[1], 0.9 * np.exp(-0.5 * (away * radius / 1.5) ** 2))
    return answer
