"""Parcels and layers, unpacked as the browser unpacks them."""

from __future__ import annotations

import json
import struct
import zlib
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.frames import Frame
from core.results import Detections
from core.ui.viewer import AreaClass, Areas, Layer
from core.ui.viewer.areas import areas_parcel
from core.ui.viewer.heat import heat_parcel
from core.ui.viewer.layers import layers_parcel
from core.ui.viewer.parcel import Packer, Parcel


def unpacked(parcel: Parcel) -> tuple[dict[str, Any], list[bytes]]:
    (length,) = struct.unpack_from("<I", parcel.data)
    header = json.loads(parcel.data[4 : 4 + length])
    blobs, at = [], 4 + length
    for size in header["blobs"]:
        blobs.append(parcel.data[at : at + size])
        at += size
    assert at == len(parcel.data)
    return header, blobs


def found(**columns: Any) -> Detections:
    return Detections(
        pd.DataFrame({"label": "star", "score": 0.5, "x": [1.0, 2.0], "y": [3.0, 4.0], **columns})
    )


def test_parcel_names_its_content():
    def parcel(text: bytes, slot: str = "a") -> Parcel:
        packer = Packer()
        return packer.parcel(slot, {"blob": packer.add(text)})

    header, blobs = unpacked(parcel(b"pixels"))
    assert blobs == [b"pixels"]
    assert header["slot"] == "a"
    assert parcel(b"pixels").id == parcel(b"pixels").id == header["id"]
    assert parcel(b"others").id != header["id"]


def test_layers_carry_positions_labels_names_and_notes():
    objects = found(label=["star", "galaxy"], name=["M 13", None], snr=[5.0, np.nan], reason=["edge", None])
    header, blobs = unpacked(
        layers_parcel(
            [Layer("A", objects, "#fff", note="snr"), Layer("B", objects, "#000", note="reason")], "s"
        )
    )
    first, second = header["layers"]
    assert first["labels"] == ["star", "galaxy"]
    assert first["names"] == ["M 13", None]
    assert np.frombuffer(blobs[first["x"]], "<f4").tolist() == [1, 2]
    assert np.frombuffer(blobs[first["code"]], "<u2").tolist() == [0, 1]
    assert np.isnan(np.frombuffer(blobs[first["note_numbers"]], "<f4")[1])
    assert second["note_texts"] == ["edge", None]
    assert first["boxes"] is None
    assert first["radius"] is None


@pytest.mark.parametrize(("size", "radii"), [(2.5, [2.5, 2.5]), ("fwhm_px", [3.0, 0.0])])
def test_marker_size_is_a_number_or_a_column(size, radii):
    objects = found(fwhm_px=[3.0, np.nan])
    header, blobs = unpacked(layers_parcel([Layer("A", objects, "#fff", size_px=size)], "s"))
    assert np.frombuffer(blobs[header["layers"][0]["radius"]], "<f4").tolist() == radii


def test_nothing_found_is_a_layer_too():
    header, _ = unpacked(layers_parcel([Layer("A", Detections.empty(), "#fff")], "s"))
    assert header["layers"][0]["labels"] == []


@pytest.mark.parametrize("wrong", [{"note": "snr"}, {"size_px": "radius_px"}])
def test_unknown_column_names_the_layer_and_what_there_is(wrong):
    with pytest.raises(ValueError, match="layer 'A' has no column"):
        layers_parcel([Layer("A", found(), "#fff", **wrong)], "s")


def test_heat_is_upright_and_spans_all_codes():
    frame = Frame.from_array(np.zeros((20, 30)), row0="bottom")
    heat = np.array([[0.0, np.nan], [1.0, 3.0]], np.float32)
    header, blobs = unpacked(heat_parcel(heat, frame, "s"))
    assert (header["rows"], header["columns"], header["low"], header["high"]) == (2, 2, 0.0, 3.0)
    assert list(zlib.decompress(blobs[0])) == [85, 255, 0, 0]


def test_heat_needs_two_dimensions():
    frame = Frame.from_array(np.zeros((20, 30)))
    with pytest.raises(ValueError, match=r"got shape \(3,\)"):
        heat_parcel(np.zeros(3, np.float32), frame, "s")


def test_lines_travel_as_their_points_and_what_is_no_line_as_none():
    paths = ["1,2 3,4.5 5,6", None, "1,2", "1,2 3", "a,b c,d", "1,2 nan,4", "7,8 9,10"]
    objects = Detections(pd.DataFrame({"label": "ridge", "score": 0.5, "x": 0.0, "y": 0.0, "way": paths}))
    layer = Layer("A", objects, "#fff", "line", path="way", dash=(8.0, 4.0))
    header, blobs = unpacked(layers_parcel([layer], "s"))
    paths = header["layers"][0]["paths"]
    assert np.frombuffer(blobs[paths["begins"]], "<u4").tolist() == [0, 3, 3, 3, 3, 3, 3, 5]
    assert np.frombuffer(blobs[paths["points"]], "<f4").tolist() == [1, 2, 3, 4.5, 5, 6, 7, 8, 9, 10]
    assert header["layers"][0]["dash"] == [8.0, 4.0]


def grounds(mask: np.ndarray, **probabilities: np.ndarray) -> Areas:
    classes = (AreaClass("unsure", "#888888", "faint"), AreaClass("plain", "#56B4E9"))
    return Areas("Landforms", classes, mask.astype(np.uint16), probabilities)


def test_areas_are_upright_and_say_their_shares_and_probabilities():
    frame = Frame.from_array(np.zeros((20, 30)), row0="bottom")
    areas = grounds(np.array([[0, 1], [1, 1]]), plain=np.array([[0.2, 1.0]], np.float32))
    header, blobs = unpacked(areas_parcel(areas, frame, "s"))
    assert [each["share"] for each in header["classes"]] == [0.25, 0.75]
    assert list(zlib.decompress(blobs[header["mask"]["blob"]])) == [1, 1, 0, 1]
    (plain,) = header["probabilities"]
    assert plain["name"] == "plain"
    assert list(zlib.decompress(blobs[plain["blob"]])) == [51, 255]


@pytest.mark.parametrize(
    ("areas", "said"),
    [
        (grounds(np.array([[0, 2]])), "the number 2, but there are 2 classes"),
        (grounds(np.zeros(3)), r"got shape \(3,\)"),
        (grounds(np.zeros((2, 2)), plain=np.zeros(2, np.float32)), r"got shape \(2,\)"),
    ],
)
def test_areas_that_make_no_sense_are_refused(areas, said):
    with pytest.raises(ValueError, match=said):
        areas_parcel(areas, Frame.from_array(np.zeros((20, 30))), "s")
