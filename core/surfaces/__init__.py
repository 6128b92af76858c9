"""Planetary surfaces: craters, valleys and ridges found on a frame, outlined, measured and compared.

What a surface is called is in :mod:`core.surfaces.kinds`, what methods see of a frame in
:mod:`core.surfaces.pictures`. Only shapes are named here (IAU's terms of morphology), never their origin.
"""
