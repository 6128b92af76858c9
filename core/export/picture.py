"""The annotated picture of a catalogue: its frame rendered and its labels as layers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import cycle

from core.errors import ExportRefused
from core.export.catalogue import Catalogue
from core.export.markers import MARKERS
from core.export.png import PngLayer, annotated_png
from core.export.skymarks import compass_of

COLOURS = ("#4cc9f0", "#ffb703", "#f072b6", "#80ed99", "#c8b6ff", "#ff7b54")
"""Told apart by most eyes on a dark sky; given to the labels in this order."""
MAX_SIDE_PX = 2400


def write_png(catalogue: Catalogue) -> bytes:
    """The catalogue drawn on its frame, as shown, with the provenance in small print and in text chunks.

    Raises:
        ExportRefused: The catalogue is without its frame.
    """
    frame = catalogue.frame
    if frame is None:
        raise ExportRefused("An annotated picture needs the frame, and it is not at hand.", parameter="frame")
    from core.frames.display import DisplaySettings, render

    shown = render(frame, DisplaySettings.for_frame(frame), max_side=MAX_SIDE_PX)
    labels = catalogue.detections.table["label"]
    radius = catalogue.radius_px
    layers = [
        PngLayer(
            name=label,
            detections=catalogue.detections.where(labels == label),
            colour=colour,
            marker=marker,
            radius_px=radius[(labels == label).to_numpy(bool)],
        )
        for label, colour, marker in zip(catalogue.labels, cycle(COLOURS), cycle(MARKERS), strict=False)
    ]
    facts = catalogue.provenance
    return annotated_png(
        shown.rgb,
        shown.to_view,
        layers,
        title=frame.name,
        caption=[f"{len(labels):,} found by {facts['method']}"],
        footer=credit_line(facts),
        arcsec_per_px=frame.pixel_scale_arcsec,
        compass=compass_of(frame, shown.to_view),
        facts=facts,
    )


def credit_line(facts: Mapping[str, str]) -> str:
    """Where a picture comes from, for its small print."""
    params = json.loads(facts["parameters"])
    settings = ", ".join(f"{name} {'auto' if value is None else value}" for name, value in params.items())
    parts = [f"Almagest {facts['almagest_version']}", facts["method"], settings or "no parameters"]
    if facts["weights_sha256"] != "none":
        parts.append(f"weights sha256 {facts['weights_sha256'][:12]}")
    parts.append(f"frame sha256 {facts['frame_sha256'][:12]}")
    if facts["human_edits"] != "0":
        parts.append(f"{facts['human_edits']} edits by hand")
    return " · ".join([*parts, facts["exported_at"]])
