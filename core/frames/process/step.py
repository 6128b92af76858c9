"""What a processing step is: checked parameters and one function of the pixels."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from core.frames.frame import Float32
from core.parameters import Parameters


@dataclass(frozen=True)
class ProcessingStep(Parameters):
    """One switch of the processing chain.

    Attributes:
        name: What the step is called in the record of a frame's processing.
        title: What a person calls it.
        keeps_unit: Whether a difference of two pixel values still means what the file's unit says.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    keeps_unit: ClassVar[bool]

    @abstractmethod
    def apply(self, pixels: Float32) -> Float32:
        """The processed pixels.

        Args:
            pixels: ``(H, W)`` or ``(H, W, 3)``, left as they are; NaN marks a missing pixel.

        Returns:
            A new array of the same shape, NaN where ``pixels`` are.
        """
