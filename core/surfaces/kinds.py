"""The landforms, in the terms of morphology: what a method can call a place or an object."""

from __future__ import annotations

CRATER, VALLEY, RIDGE, PLAIN = "crater", "valley", "ridge", "plain"
FLOOR, RIM = "crater floor", "crater rim"

LANDFORMS = (CRATER, VALLEY, RIDGE, PLAIN)
"""What a surface is a mix of."""
LINES = (VALLEY, RIDGE)
"""Landforms that have a length and a direction, and are drawn as a line."""
SEGMENTS = (PLAIN, FLOOR, RIM, VALLEY, RIDGE)
"""The classes of a place. The mask ``landforms`` of a result holds the number of one from 1, or 0 where no
class is sure enough."""
LANDFORM_OF = {PLAIN: PLAIN, FLOOR: CRATER, RIM: CRATER, VALLEY: VALLEY, RIDGE: RIDGE}
"""The landform that a class of places belongs to."""

UNSURE = "unsure"
SURE_FROM = 0.9
"""Where the highest probability is below, a place is :data:`UNSURE`, as in NASA's PDS Image Atlas."""
