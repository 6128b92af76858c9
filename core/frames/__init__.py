"""Frames: pixels with what is known of them, read from files, processed and shown.

Showing lives in :mod:`core.frames.display`, processing in :mod:`core.frames.process`, sky coordinates in
:mod:`core.frames.sky`.
"""

from core.frames.fits import HduChoice
from core.frames.frame import Frame
from core.frames.read import image_hdus, read_frame
from core.frames.samples import Sample, samples

__all__ = ["Frame", "HduChoice", "Sample", "image_hdus", "read_frame", "samples"]
