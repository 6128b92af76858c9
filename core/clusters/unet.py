"""Clusters in a picture by a U-Net: where they are, where they end, and which of the two kinds they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.clusters.kinds import LABELS
from core.clusters.outlines import Outline
from core.clusters.pictures import Float32, Look, PictureParameters, UInt8, search_picture
from core.frames import Frame
from core.methods import Method, Progress
from core.models import read_card
from core.models.windows import Grid, Window
from core.results import Result

WEIGHTS = "clusters_unet"
DEFAULT_LOGISTIC = (0.0, 0.5, 0.25, 0.5, 0.0)
"""Where the card says nothing: the constant, and the weights of
:func:`core.clusters.unet_network.features`."""


@dataclass(frozen=True)
class UnetParameters(PictureParameters):
    """What the U-Net can be told."""


def look_with(logistic: Sequence[float]) -> Look:
    """The look of the weights that are there, given the constants of the calibration."""
    from core.clusters.unet_network import answer_of, cluster_network, outlines

    network = cluster_network(WEIGHTS)

    def see(shown: UInt8, window: Window, grid: Grid) -> tuple[list[Outline], Float32]:
        answer = answer_of(network, shown)
        return outlines(answer, window, grid, tuple(logistic)), answer[0]

    return Look(see)


def analyse(frame: Frame, params: UnetParameters, progress: Progress) -> Result:
    """Find clusters on a frame; see :func:`core.clusters.pictures.search_picture`."""
    logistic = list(map(float, read_card(WEIGHTS).extra.get("logistic", DEFAULT_LOGISTIC)))
    return search_picture(frame, params, progress, WEIGHTS, look_with(logistic))


METHOD = Method(
    name="clusters.unet",
    title="U-Net · masks",
    summary="Outlines clusters and tells open from globular, in a second; crowded fields are its limit.",
    description=(
        "A small residual U-Net, trained on simulated skies with King clusters and on photographs, says of "
        "each place whether it lies in a cluster, how deep, and whether it is the middle of one; a watershed "
        "from the middles parts clusters that meet, and the places near a middle say how large and long the "
        "ellipse around it is. Large frames are searched in windows and on smaller copies. The score of each "
        "is calibrated to the chance that it is a cluster."
    ),
    reference=(
        "Ronneberger et al. 2015, arXiv:1505.04597; Bai & Urtasun 2017, arXiv:1611.08303; "
        "Zhou et al. 2019, arXiv:1904.07850; training scenes after King 1962, AJ 67, 471"
    ),
    params=UnetParameters,
    analyse=analyse,
    labels=LABELS,
    geometry=("box", "ellipse", "polygon"),
    weights=WEIGHTS,
)
