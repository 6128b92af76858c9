"""Calling ``sep.extract`` safely: its buffers grow when a frame needs more, one thread at a time."""

from __future__ import annotations

import threading
from typing import Any

from numpy.typing import NDArray

from core.errors import ParameterInvalid
from core.stars.background import Float32, Mask

PIXEL_BUFFER = (1_000_000, 16_000_000)
"""Pixels above the threshold that are held at once: at first, and at most (about 1 GB)."""
OBJECT_BUFFER = (1024, 65_536)
"""Parts one object may be split into: at first, and at most."""
_GROWTH = 4
_buffers = threading.Lock()  # sep keeps both sizes in variables shared by all threads


def extract(
    data: Float32,
    threshold: float,
    noise: Float32,
    missing: Mask | None,
    kernel: Float32 | None,
    *,
    min_area_px: int,
    deblend_contrast: float,
    deblend_levels: int = 32,
    clean: bool = True,
) -> tuple[NDArray[Any], bool]:
    """Find connected pixels above the noise and split those that touch.

    Args:
        data: ``(H, W)`` background-subtracted frame, C-contiguous.
        threshold: Multiple of the noise that a pixel of the filtered frame must exceed.
        noise: ``(H, W)`` noise of the unfiltered frame.
        missing: ``(H, W)``, True where a pixel is missing; or None.
        kernel: ``(k, k)`` to filter with before looking; None for no filter.
        min_area_px, deblend_contrast, deblend_levels, clean: As in SExtractor.

    Returns:
        ``sep``'s structured array of objects, and whether a buffer had to grow.

    Raises:
        ParameterInvalid: So many pixels are above the threshold that no buffer would do.
    """
    import sep

    pixels, objects = PIXEL_BUFFER[0], OBJECT_BUFFER[0]
    while True:
        with _buffers:
            sep.set_extract_pixstack(pixels)
            sep.set_sub_object_limit(objects)
            try:
                found = sep.extract(
                    data,
                    threshold,
                    err=noise,
                    mask=missing,
                    minarea=min_area_px,
                    filter_kernel=kernel,
                    # Noise varies slowly over a star: equal to "matched", at a third of the time.
                    filter_type="conv",
                    deblend_cont=deblend_contrast,
                    deblend_nthresh=deblend_levels,
                    clean=clean,
                )
            except Exception as error:  # sep raises bare Exception for everything
                text = str(error)
                if "pixel buffer full" in text and pixels < PIXEL_BUFFER[1]:
                    pixels *= _GROWTH
                elif "overflow" in text and objects < OBJECT_BUFFER[1]:
                    objects *= _GROWTH
                elif "pixel buffer full" in text or "overflow" in text:
                    raise ParameterInvalid(
                        f"Too much of the frame is above a threshold of {threshold:.3g} times the noise; "
                        "raise threshold_sigma.",
                        parameter="threshold_sigma",
                        given=threshold,
                    ) from error
                else:
                    raise
            else:
                return found, (pixels, objects) != (PIXEL_BUFFER[0], OBJECT_BUFFER[0])
