"""Taking the sky out."""

from __future__ import annotations

from dataclasses import dataclass

from core.frames.frame import Float32
from core.frames.process.channels import each_channel
from core.frames.process.step import ProcessingStep
from core.parameters import parameter


@dataclass(frozen=True)
class BackgroundSubtraction(ProcessingStep):
    """Subtracts the smooth sky (gradients, moonlight, vignetting), each colour by itself.

    The sky is SExtractor's (Bertin & Arnouts 1996, A&AS 117, 393) as ``sep`` has it: the clipped mode of each
    box of a mesh, median-filtered over neighbouring boxes and joined by splines.
    """

    name = "background"
    title = "Background subtraction"
    keeps_unit = True

    box_px: int = parameter(
        64,
        label="Box",
        unit="px",
        low=8,
        high=1024,
        step=8,
        help="Side of the boxes the sky is measured in; objects larger than a box are taken for sky.",
        why="64 px is many times a star image and still follows most gradients.",
    )
    filter_boxes: int = parameter(
        3,
        label="Filter",
        unit="boxes",
        low=1,
        high=15,
        step=2,
        help="Side of the median filter over the mesh, which passes over boxes spoilt by a bright object.",
        why="3 is SExtractor's default.",
        advanced=True,
    )

    def apply(self, pixels: Float32) -> Float32:
        """The pixels less the sky; see :meth:`ProcessingStep.apply`."""
        return each_channel(pixels, self._subtract)

    def _subtract(self, pixels: Float32) -> Float32:
        import sep

        sky = sep.Background(
            pixels,
            bw=min(self.box_px, pixels.shape[1]),
            bh=min(self.box_px, pixels.shape[0]),
            fw=self.filter_boxes,
            fh=self.filter_boxes,
        )
        difference: Float32 = pixels - sky.back()
        return difference
