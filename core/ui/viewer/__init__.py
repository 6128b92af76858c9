"""The frame viewer that every page uses."""

from core.ui.viewer.model import Layer, Pane, ViewerEvent
from core.ui.viewer.viewer import frame_viewer

__all__ = ["Layer", "Pane", "ViewerEvent", "frame_viewer"]
