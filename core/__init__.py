"""Almagest: deep learning and classical methods on astronomical images.

``core`` is a library: nothing in it needs a browser except :mod:`core.ui`.
"""

__version__ = "0.10.0"
