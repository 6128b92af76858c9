"""Showing a frame: from pixel values to a picture for the browser.

:class:`DisplaySettings` say how, :func:`cuts` measures the limits on the whole frame, :func:`render` draws
the frame or a part of it, and :func:`encode` makes a small file of the picture.
"""

from core.frames.display.encode import encode
from core.frames.display.limits import Cuts, cuts
from core.frames.display.render import Region, Rendered, Rgb, render
from core.frames.display.settings import DisplaySettings

__all__ = ["Cuts", "DisplaySettings", "Region", "Rendered", "Rgb", "cuts", "encode", "render"]
