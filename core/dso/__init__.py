"""Deep-sky objects: galaxies, nebulae and clusters found on a frame, drawn as boxes, and named.

What the networks see of a frame is made in :mod:`core.frames.night`; large frames are searched in the windows
of :mod:`core.models.windows`, and what they find is joined by :mod:`core.dso.boxes`.
"""
