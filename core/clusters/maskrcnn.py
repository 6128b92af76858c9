"""Clusters in a picture by Mask R-CNN: a box, a mask and a class of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.clusters.kinds import LABELS
from core.clusters.outlines import Outline
from core.clusters.pictures import Look, PictureParameters, UInt8, search_picture
from core.frames import Frame
from core.methods import Method, Progress
from core.models import read_card
from core.models.windows import Grid, Window
from core.results import Result

WEIGHTS = "clusters_maskrcnn"
DEFAULT_CALIBRATION = (0.0, 1.0)
"""Where the card says nothing: constant and slope of the log odds of a score."""
LEAST_FROM_AFAR = 0.95
"""On copies smaller than what it has learned from it takes crowds for clusters, but with scores below."""


@dataclass(frozen=True)
class MaskRcnnParameters(PictureParameters):
    """What Mask R-CNN can be told."""


def look_with(calibration: Sequence[float]) -> Look:
    """The look of the weights that are there, given constant and slope of the calibration."""
    from core.clusters.maskrcnn_network import maskrcnn_network, outlines

    network = maskrcnn_network(WEIGHTS)
    constant, slope = calibration

    def see(shown: UInt8, window: Window, grid: Grid) -> tuple[list[Outline], None]:
        return outlines(network, shown, window, grid, (constant, slope)), None

    return Look(see, LEAST_FROM_AFAR)


def analyse(frame: Frame, params: MaskRcnnParameters, progress: Progress) -> Result:
    """Find clusters on a frame; see :func:`core.clusters.pictures.search_picture`."""
    calibration = list(map(float, read_card(WEIGHTS).extra.get("calibration", DEFAULT_CALIBRATION)))
    return search_picture(frame, params, progress, WEIGHTS, look_with(calibration))


METHOD = Method(
    name="clusters.maskrcnn",
    title="Mask R-CNN · instances",
    summary="Boxes and outlines clusters one by one and tells open from globular; slower than the U-Net.",
    description=(
        "Mask R-CNN with narrow heads on the trunk of the U-Net, trained on simulated skies with King "
        "clusters and on photographs: it proposes boxes, judges each, and draws the cluster in it. "
        "Large frames are searched in windows and on smaller copies. Scores are calibrated to the chance "
        "that it is a cluster."
    ),
    reference=(
        "He et al. 2017, arXiv:1703.06870; Lin et al. 2017, arXiv:1612.03144; torchvision's implementation; "
        "training scenes after King 1962, AJ 67, 471"
    ),
    params=MaskRcnnParameters,
    analyse=analyse,
    labels=LABELS,
    geometry=("box", "ellipse", "polygon"),
    weights=WEIGHTS,
)
