"""The frame viewer as pages call it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.frames import Frame
from core.parameters import canonical_json
from core.ui.text import plain
from core.ui.viewer import component
from core.ui.viewer.areas import areas_parcel
from core.ui.viewer.cached import base_picture, base_values
from core.ui.viewer.choice import Choice, Selected
from core.ui.viewer.detail import detail
from core.ui.viewer.heat import heat_parcel
from core.ui.viewer.layers import layers_parcel
from core.ui.viewer.model import Layer, Mode, Pane, ViewerEvent
from core.ui.viewer.parcel import Packer, Parcel
from core.ui.viewer.pictures import DifferencePicture, FramePicture, Picture, why_no_difference
from core.ui.viewer.sky import sky_grid
from core.ui.viewer.values import exact_pixels


def frame_viewer(
    panes: Sequence[Pane],
    layers: Sequence[Layer] = (),
    *,
    key: str,
    mode: Mode = "single",
    selected: Selected = None,
    height_px: int = 640,
    heat: NDArray[np.float32] | None = None,
    heat_title: str = "Heat map",
) -> ViewerEvent:
    """Draw the viewer and give what the person did in it.

    Panning, zooming, the readout, the legend, the confidence slider, blinking and saving happen in the
    browser. The page runs again when an object is clicked and when the slider is let go. A sharper crop
    of a large frame comes through a fragment of the viewer's own; the page does not run for it.

    Args:
        panes: The pictures. ``"single"`` shows the first; ``"difference"`` the first minus the second.
        layers: What lies over them, drawn in this order.
        key: Names this viewer; its view outlives reruns, and starts anew with another frame.
        mode: How several pictures are shown.
        selected: The object to highlight, as (index of the layer, row). It counts when it differs from
            the last run's; otherwise what the person clicked since then stays choice. It is brought into
            view when it lies outside.
        height_px: Height of the picture on a wide screen; a phone's is smaller.
        heat: ``(h, w)`` float32 that covers the frame at any resolution, laid over every picture that has no
            heat map of its own, half transparent.
        heat_title: What the heat maps are of.

    Raises:
        ValueError: There is no pane, or a pane or layer names what is not there.
    """
    if not panes:
        raise ValueError("frame_viewer needs at least one pane")
    shown, titles = _pictures(panes, mode)
    scene = _scene(shown[0].frame)

    with st.container(gap=None, key=f"{key}.viewer"):
        base = [_pane_parcel(picture, f"{key}/pane{index}") for index, picture in enumerate(shown)]
        overlay = layers_parcel(layers, f"{key}/layers") if layers else None
        warmth = _heat_parcels(panes, shown, heat, f"{key}/heat")
        covers = [
            areas_parcel(pane.areas, picture.frame, f"{key}/areas{number}") if pane.areas else None
            for number, (pane, picture) in enumerate(zip(panes, shown, strict=False))
        ]
        brought = [*base, overlay, *warmth, *covers]
        for parcel in {each.slot: each for each in brought if each is not None}.values():
            component.parcel(key=parcel.slot, data=parcel.data)
        detail_slot = f"{key}/detail"
        detail(key, detail_slot, scene, shown)

        choice: Choice = st.session_state.setdefault(f"{key}.choice", Choice())
        choice.ask(selected, layers, overlay.id if overlay else None)
        data = {
            "key": key,
            "scene": scene,
            "mode": mode if len(shown) > 1 else "single",
            "height": height_px,
            "panes": [
                {
                    **parcel.address,
                    "title": title,
                    "layers": _indices(pane, layers),
                    "heat": warm and warm.address,
                    "areas": cover and cover.address,
                    "km_per_px": pane.km_per_px,
                }
                for parcel, title, pane, warm, cover in zip(base, titles, panes, warmth, covers, strict=False)
            ],
            "layers": overlay and overlay.address,
            "layer_count": len(layers),
            "heat_title": heat_title,
            "detail": {"slot": detail_slot},
            "threshold": choice.threshold,
            "selected": choice.selected,
            "command": choice.command,
        }
        state = component.viewer(key=key, data=data, on_event_change=_nothing)
    return choice.hear(state.get("event"), scene, layers)


def _pictures(panes: Sequence[Pane], mode: Mode) -> tuple[list[Picture], list[str]]:
    """The pictures that the mode shows, with their titles."""
    first = panes[0]
    if mode == "difference" and len(panes) > 1:
        second = panes[1]
        refusal = why_no_difference(first.frame, second.frame)
        if refusal is None:
            title = f"{first.title} − {second.title}"
            return [DifferencePicture(first.frame, second.frame, title)], [title]
        st.info(plain(refusal))
    used = panes if mode in ("side by side", "blink") else panes[:1]
    return [FramePicture(pane.frame, pane.settings) for pane in used], [pane.title for pane in used]


def _heat_parcels(
    panes: Sequence[Pane], shown: Sequence[Picture], heat: NDArray[np.float32] | None, slot: str
) -> list[Parcel | None]:
    """The heat map of each picture shown; the viewer's own one travels once."""
    common = None if heat is None else heat_parcel(heat, shown[0].frame, slot)
    return [
        common if pane.heat is None else heat_parcel(pane.heat, picture.frame, f"{slot}{number}")
        for number, (pane, picture) in enumerate(zip(panes, shown, strict=False))
    ]


def _indices(pane: Pane, layers: Sequence[Layer]) -> list[int]:
    indices = range(len(layers)) if pane.layers is None else pane.layers
    beyond = [index for index in indices if not 0 <= index < len(layers)]
    if beyond:
        raise ValueError(f"pane {pane.title!r} names layers {beyond}, but there are {len(layers)}")
    return list(indices)


def _scene(frame: Frame) -> str:
    """Names what is looked at, whatever its processing: the view stays when a person switches a filter."""
    facts = [frame.sha256, frame.hdu, frame.plane, frame.width, frame.height]
    return hashlib.sha256(canonical_json(facts).encode()).hexdigest()[:16]


def _pane_parcel(picture: Picture, slot: str) -> Parcel:
    frame = picture.frame
    packer = Packer()
    encoded, mime = base_picture(picture)
    header = {
        "key": picture.key,
        "width": frame.width,
        "height": frame.height,
        "flipped": frame.row0 == "bottom",
        "unit": frame.unit,
        "pixel_scale_arcsec": frame.pixel_scale_arcsec,
        "exact_pixels": exact_pixels(frame.pixels),
        "picture": {"mime": mime, "blob": packer.add(encoded)},
        "values": base_values(picture).packed(packer),
        "sky": sky_grid(frame, packer),
        "colours": picture.colours(),
    }
    return packer.parcel(slot, header)


def _nothing() -> None:
    """The event is read from the component's state; Streamlit needs a callback to keep it."""
