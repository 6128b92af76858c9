"""Colour maps for grey frames: perceptually uniform, and told apart by colour-blind eyes.

The stops of viridis, magma, inferno and plasma (Stéfan van der Walt and Nathaniel Smith, CC0) and of
cividis (Nuñez, Anderton & Renslow 2018, PLOS ONE 13, e0199239) are every fifteenth of their 256 colours;
between them a straight line stays within 5 parts in 255 of the original, and within 11 at the dark end of
cividis. "red" is black to red, for eyes that are adapted to the dark.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

STOPS: dict[str, str] = {
    "grey": "000000 ffffff",
    "viridis": (
        "440154 481769 472a7a 433d84 3d4e8a 355e8d 2e6d8e 297b8e 23898e "
        "1f978b 21a585 2eb37c 46c06f 65cb5e 89d548 b0dd2f d8e219 fde725"
    ),
    "cividis": (
        "00224e 002d68 163770 2e416d 3f4c6c 4e566c 5c616e 696b71 767676 "
        "838179 928c78 a09875 afa471 bfb06b cfbd62 dfca57 f0d846 fee838"
    ),
    "magma": (
        "000004 090720 1a1042 311165 4a1079 621980 792282 912b81 aa337d "
        "c23b75 d9466b ec5860 f7725c fc8e64 feaa74 fec68a fde2a3 fcfdbf"
    ),
    "inferno": (
        "000004 0a0722 1e0c45 380962 510e6c 69166e 801f6c 982766 b0315b "
        "c63d4d d94d3d e9612b f47918 fa9407 fcb014 f8cd37 f2ea69 fcffa4"
    ),
    "plasma": (
        "0d0887 2f0596 4903a0 6100a7 7801a8 8e0ca4 a21d9a b42e8d c43e7f "
        "d24f71 de6164 e97257 f3854b f99a3e fdaf31 fdc627 f8df25 f0f921"
    ),
    "red": "000000 ff0000",
}
"""The colours of each map at equal steps from dark to bright, as hexadecimal red, green and blue."""


@cache
def colour_table(name: str) -> NDArray[np.uint8]:
    """``(256, 3)`` uint8 colours of the map called ``name``, one of :data:`STOPS`."""
    stops = np.array([list(bytes.fromhex(colour)) for colour in STOPS[name].split()], float)
    position = np.linspace(0.0, len(stops) - 1.0, 256)
    channels = [np.interp(position, np.arange(len(stops)), channel) for channel in stops.T]
    table: NDArray[np.uint8] = np.rint(np.stack(channels, axis=1)).astype(np.uint8)
    table.setflags(write=False)  # shared by everyone who asks
    return table
