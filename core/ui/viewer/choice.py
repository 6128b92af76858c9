"""Which object is chosen, when both the page and the person may choose: the last one to do so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.ui.viewer.model import Layer, ViewerEvent
from core.ui.viewer.reported import is_number, numbers

Selected = tuple[int, int] | None


@dataclass
class Choice:
    """What one viewer remembers between runs of the page, for one visitor.

    Attributes:
        selected: The object chosen, as (index of the layer, row), or None.
        threshold: Lowest score shown; None until a person moves the slider, and when they take that back.
        command: Grows with each choice of the page, so that the browser knows a new one.
        layers: Hash of the layers that ``selected`` speaks of.
        asked: What the page asked for last.
        event: What the browser reported last.
    """

    selected: Selected = None
    threshold: float | None = None
    command: int = 0
    layers: str | None = None
    asked: Selected = None
    event: Any = None

    def ask(self, selected: Selected, layers: Sequence[Layer], layers_id: str | None) -> None:
        """Take what the page asks for; it counts when it is not what it asked for before."""
        wanted = _existing(selected, layers)
        if self.layers != layers_id:
            # A row of another table is another object.
            self.layers, self.selected, self.asked = layers_id, None, None
        if wanted != self.asked:
            self.asked = self.selected = wanted
            self.command += 1

    def hear(self, event: Any, scene: str, layers: Sequence[Layer]) -> ViewerEvent:
        """Take what the browser reported, which is not trusted to be well formed, and say what is so now."""
        if not isinstance(event, dict):
            return ViewerEvent(self.selected, self.threshold)
        threshold = event.get("threshold", self.threshold)
        if threshold is None:
            self.threshold = None
        elif is_number(threshold):
            self.threshold = min(max(float(threshold), 0.0), 1.0)
        if event.get("scene") != scene:
            return ViewerEvent(self.selected, self.threshold)
        if event != self.event and event.get("layers") == self.layers:
            self.selected = _existing(event.get("selected"), layers)
        self.event = event
        view: Any = numbers(event.get("view"), 4)
        clicked: Any = numbers(event.get("clicked"), 2)
        return ViewerEvent(self.selected, self.threshold, view, clicked)


def _existing(selected: Any, layers: Sequence[Layer]) -> Selected:
    pair = numbers(selected, 2)
    if pair is None:
        return None
    layer, row = int(pair[0]), int(pair[1])
    exists = 0 <= layer < len(layers) and 0 <= row < len(layers[layer].detections)
    return (layer, row) if exists else None
