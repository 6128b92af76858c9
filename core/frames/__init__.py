"""Frames: pixels with what is known of them, read from files, processed and shown."""

from core.frames.frame import Frame

__all__ = ["Frame"]
