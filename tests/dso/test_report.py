import numpy as np
import pytest

from core.dso.parameters import DsoParameters
from core.dso.report import as_detections, searches_sky, sized, summary
from core.frames import Frame
from core.methods import no_progress
from core.models import chosen
from core.results import Detections, by_confidence

FRAME = Frame.from_array(np.zeros((100, 100)), pixel_scale_arcsec=6.0)
BOXES = np.array([[0, 0, 20, 10], [30, 30, 80, 60], [5, 5, 9, 9]], float)


def boxes_of(labels, scores=(0.9, 0.8, 0.7)):
    n = len(labels)
    return as_detections(FRAME, BOXES[:n], np.array(scores[:n]), labels)


def test_summaries_count_and_measure():
    table = boxes_of(["galaxy", "nebula", "galaxy"])
    assert summary(table) == "2 galaxies and 1 nebula found; the largest, a nebula, is 5′ across."
    assert summary(boxes_of(["object"])) == "1 object found; it is 2′ across."
    assert summary(Detections.empty()) == "No deep-sky objects were found."


def test_sizes_are_those_of_the_boxes_as_they_now_are():
    table = boxes_of(["galaxy", "nebula"])
    corners = {
        "x_min": [0.0, np.nan],
        "y_min": [0.0, np.nan],
        "x_max": [50.0, np.nan],
        "y_max": [10.0, np.nan],
    }
    drawn = sized(Detections(table.table.assign(**corners), table.units), FRAME)
    assert drawn.table["size_px"].tolist() == pytest.approx([50.0, np.nan], nan_ok=True)
    assert drawn.table["size_arcmin"].tolist() == pytest.approx([5.0, np.nan], nan_ok=True)
    assert sized(Detections.empty(), FRAME).units["size_arcmin"] == "arcmin"


def test_boxes_are_parted_by_confidence():
    result = by_confidence(boxes_of(["object"] * 3), 0.75, facts={"a_px": 1.0})
    assert result.detections.table["score"].tolist() == [0.9, 0.8]
    assert "reason" not in result.detections.table
    assert result.rejected.table["reason"].tolist() == ["confidence below 0.75"]
    assert dict(result.facts) == {"a_px": 1.0, "confidence_limit": 0.75}


def test_a_reason_of_the_method_turns_a_box_down_whatever_its_score():
    everything = boxes_of(["object"] * 3)
    everything = Detections(everything.table.assign(reason=["too small", "", None]), everything.units)
    result = by_confidence(everything, 0.75)
    assert result.detections.table["score"].tolist() == [0.8]
    assert result.rejected.table["reason"].tolist() == ["too small", "confidence below 0.75"]


def test_maps_and_pictures_are_handed_on():
    heat, picture = np.zeros((10, 10), np.float32), np.zeros((10, 10, 3), np.uint8)
    result = by_confidence(boxes_of([]), 0.5, maps={"heat": heat}, pictures={"starless": picture})
    assert result.maps["heat"] is heat
    assert result.pictures["starless"] is picture


def test_what_is_no_sky_is_not_searched_and_gets_a_sentence():
    def search(frame, picture, params, progress):
        raise AssertionError("searched")

    result = searches_sky("toy")(search)(FRAME, DsoParameters(), no_progress)
    assert len(result.detections) == 0
    assert "blank" in result.warnings[0]


def test_a_persons_choice_comes_before_the_cards_and_that_before_the_default():
    assert chosen(0.3, {"confidence": 0.4}, "confidence", 0.5) == 0.3
    assert chosen(None, {"confidence": 0.4}, "confidence", 0.5) == 0.4
    assert chosen(None, {}, "confidence", 0.5) == 0.5
