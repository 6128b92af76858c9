"""How large a pixel is on the ground: by hand, by the header, or by the map."""

from __future__ import annotations

import math
from dataclasses import dataclass

from core.errors import ParameterInvalid
from core.frames import Frame

KM_PER_UNIT: dict[str, float] = {
    "MAP_SCALE": 1.0,
    "KMPERPIX": 1.0,
    "KM_PIX": 1.0,
    "MPERPIX": 1e-3,
    "M_PIX": 1e-3,
}
"""Header cards that give the size of a pixel on the ground, with their unit in kilometres."""
LEAST_KM, MOST_KM = 1e-8, 1e5


@dataclass(frozen=True)
class Scale:
    """The size of a pixel on the ground.

    Attributes:
        km_per_px: Kilometres a pixel, in the middle of the frame.
        source: How it is known: ``"given by hand"``, ``"from the header (MAP_SCALE)"``, ``"from the map"``.
        by_map: Whether other places have another by the map.

    Raises:
        ParameterInvalid: It is no positive number a picture can have.
    """

    km_per_px: float
    source: str = "given by hand"
    by_map: bool = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.km_per_px) and LEAST_KM <= self.km_per_px <= MOST_KM):
            raise ParameterInvalid(
                f"The scale must be {LEAST_KM:g} to {MOST_KM:g} km a pixel, got {self.km_per_px!r}.",
                parameter="km_per_px",
                given=self.km_per_px,
                limit=f"{LEAST_KM:g} to {MOST_KM:g}",
            )

    def km(self, pixels: float) -> float:
        """A length in kilometres."""
        return pixels * self.km_per_px


def scale_of(frame: Frame) -> Scale | None:
    """What a frame says of its scale: its map before its header; None where it says nothing sensible."""
    if frame.ground is not None:
        km = frame.ground.km_per_px((frame.width - 1) / 2.0, (frame.height - 1) / 2.0)
        if math.isfinite(km) and LEAST_KM <= km <= MOST_KM:
            return Scale(km, "from the map", by_map=True)
    for card, unit in KM_PER_UNIT.items():
        value = frame.header.get(card)
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        if math.isfinite(value) and LEAST_KM <= value * unit <= MOST_KM:
            return Scale(value * unit, f"from the header ({card})")
    return None
