"""An annotated picture: the frame as shown, what was found on it, and where it came from."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from core.export.overlay import PlacedLayer, PngLayer, draw_layers
from core.export.page import lay_out
from core.export.skymarks import Compass, ToView, draw_skymarks, scale_bar
from core.export.text import one_line
from core.shapes import outlines_of

__all__ = ["PngLayer", "annotated_png"]

MAX_SIDE_PX = 3000
"""A larger picture is made smaller: the annotations are drawn at twice its size, which costs memory."""
MIN_WIDTH_PX = 960
"""A smaller picture is magnified by a whole number, so that the text beside it can be read."""

_FINE = 2  # the annotations are drawn this much larger and reduced, which smooths their edges


def annotated_png(
    rgb: NDArray[np.uint8],
    to_view: ToView,
    layers: Sequence[PngLayer],
    *,
    title: str = "",
    caption: Sequence[str] = (),
    footer: str = "",
    arcsec_per_px: float | None = None,
    compass: Compass | None = None,
    facts: Mapping[str, str] | None = None,
) -> bytes:
    """Draw layers of detections on a picture.

    Args:
        rgb: ``(h, w, 3)`` uint8, the frame as it is shown.
        to_view: Gives the picture's pixels ``u, v`` for the frame's ``x, y``, both 0-based at the centre
            of the first pixel; called with arrays.
        layers: What to draw; the legend has them in this order.
        title: Above the picture, large.
        caption: Lines under the title.
        footer: Where the picture comes from, in small print; wrapped.
        arcsec_per_px: Pixel scale of the frame; without one the scale bar measures pixels of the frame.
        compass: Where north and east lie, or None for no arrows.
        facts: Provenance for the file's text chunks, each under ``Almagest:<name>``.

    Returns:
        A PNG file. Its text chunk ``Almagest:picture_box`` says where the picture lies on it, as
        ``left,top,right,bottom`` in pixels.
    """
    picture, zoom = _fitted(Image.fromarray(np.ascontiguousarray(rgb, dtype=np.uint8), "RGB"))
    unit = max(1.0, picture.width / 1200)

    def on_canvas(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        u, v = to_view(x, y)
        return (np.column_stack([u, v]).astype(float) + 0.5) * zoom * _FINE

    first, next_row = on_canvas(np.array([0.0, 0.0]), np.array([0.0, 1.0]))
    scale = float(np.hypot(*(next_row - first)))
    placed = []
    for layer in layers:
        xy, boxes = layer.detections.xy, layer.detections.boxes
        corners = [on_canvas(boxes[:, i], boxes[:, j]) for i, j in ((0, 1), (2, 3))]
        centres = on_canvas(xy[:, 0], xy[:, 1])
        outlines = [
            None if outline is None else on_canvas(outline[:, 0], outline[:, 1])
            for outline in outlines_of(layer.detections.table)
        ]
        placed.append(PlacedLayer(layer, centres, np.stack(corners, axis=1), outlines, scale, unit * _FINE))
    bar = scale_bar(picture.width * _FINE * 0.22, scale, arcsec_per_px)
    canvas = Image.new("RGBA", (picture.width * _FINE, picture.height * _FINE))
    draw = ImageDraw.Draw(canvas)
    draw_layers(draw, placed, canvas.width * canvas.height)
    for left, top, right, bottom in draw_skymarks(draw, canvas.size, bar, compass, unit * _FINE):
        _darken(picture, (left / _FINE, top / _FINE, right / _FINE, bottom / _FINE), 6 * unit)
    annotations = canvas.resize(picture.size, Image.Resampling.BOX)
    picture.paste(annotations, mask=annotations.getchannel("A"))
    page, box = lay_out(picture, layers, title, caption, footer, unit)
    info = PngInfo()
    info.add_text("Software", "Almagest")
    for name, value in {**(facts or {}), "picture_box": ",".join(map(str, box))}.items():
        info.add_itxt(f"Almagest:{name}".encode("latin-1", "replace")[:79].decode("latin-1"), one_line(value))
    out = io.BytesIO()
    page.save(out, "PNG", pnginfo=info)
    return out.getvalue()


def _fitted(picture: Image.Image) -> tuple[Image.Image, float]:
    """The picture at a size that can be annotated, and by how much it was magnified."""
    longest = max(picture.size)
    if longest > MAX_SIDE_PX:
        zoom = MAX_SIDE_PX / longest
        size = (max(1, round(picture.width * zoom)), max(1, round(picture.height * zoom)))
        return picture.resize(size, Image.Resampling.LANCZOS), zoom
    times = min(-(-MIN_WIDTH_PX // picture.width), max(1, MAX_SIDE_PX // longest))
    size = (picture.width * times, picture.height * times)
    return picture.resize(size, Image.Resampling.NEAREST), float(times)


def _darken(picture: Image.Image, box: tuple[float, float, float, float], radius: float) -> None:
    """Darken a rounded plate of the picture, so that what is written there shows on a bright sky."""
    mask = Image.new("L", picture.size)
    ImageDraw.Draw(mask).rounded_rectangle(box, radius, fill=150)
    picture.paste("#000000", (0, 0), mask)
