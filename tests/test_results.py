import numpy as np
import pandas as pd
import pytest

from core.results import CORE_COLUMNS, Detections, Result


def table(**changes):
    return pd.DataFrame(
        {"label": ["star", "star"], "score": [0.9, 0.1], "x": [1.0, 2.0], "y": [3.0, 4.0]} | changes
    )


BOX = {"x_min": [0.0, 1.0], "y_min": [2.0, 3.0], "x_max": [2.0, 3.0], "y_max": [4.0, 5.0]}

BAD = [
    (table().drop(columns="score"), {}, "missing: ['score']"),
    (table(x=[1.0, np.nan]), {}, "finite x, y and score"),
    (table(y=[1.0, np.inf]), {}, "finite x, y and score"),
    (table(score=[0.5, 1.5]), {}, "scores must be in [0, 1]; they span 0.5 to 1.5"),
    (table(score=[-0.1, 0.5]), {}, "scores must be in [0, 1]"),
    (table(label=["star", ""]), {}, "label that is a non-empty string"),
    (table(label=["star", None]), {}, "label that is a non-empty string"),
    (table(label=["star", 3]), {}, "label that is a non-empty string"),
    (table(x_min=[0.0, 1.0]), {}, "a box needs all of"),
    (table(**BOX | {"x_min": [0.0, np.nan]}), {}, "a box needs all of"),
    (table(**BOX | {"x_min": [0.0, np.inf]}), {}, "a box needs all of"),
    (table(**BOX | {"x_min": [2.1, 1.0]}), {}, "x_min <= x_max"),
    (table(**BOX | {"y_max": [1.9, 5.0]}), {}, "y_min <= y_max"),
    (table(), {"mag": "mag"}, "columns that are not there: ['mag']"),
]


@pytest.mark.parametrize(("bad", "units", "message"), BAD)
def test_a_table_that_breaks_a_rule_is_refused(bad, units, message):
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - the message is compared whole below
        Detections(bad, units)
    assert message in str(refusal.value)


def test_columns_are_completed_and_ordered():
    found = Detections(table(snr=[9.0, 5.0], name=["Vega", np.nan], flux=[1, 2]), units={"flux": "adu"})
    assert list(found.table.columns) == [*CORE_COLUMNS, "snr"]
    assert found.table["name"].tolist() == ["Vega", None]
    assert found.table["ra_deg"].isna().all()
    assert found.table["flux"].dtype == np.float64
    assert found.units["flux"] == "adu"
    assert found.units["x"] == "pix"


def test_the_given_table_is_left_alone():
    given = table().set_index(pd.Index([7, 9]))
    found = Detections(given)
    assert list(given.columns) == ["label", "score", "x", "y"]
    assert found.table.index.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ({"path": [None, "1,1"]}, "a path is 2 to"),
        ({"diameter_px": [5.0, 0.0], "axis_ratio": 1.0}, "an ellipse needs a size"),
    ],
)
def test_a_shape_that_is_none_is_refused(own, message):
    with pytest.raises(ValueError, match=message):
        Detections(table().assign(**own))


def test_nothing_found_keeps_the_columns():
    nothing = Detections.empty()
    assert len(nothing) == 0
    assert list(nothing.table.columns) == list(CORE_COLUMNS)
    assert nothing.xy.shape == (0, 2)
    assert nothing.boxes.shape == (0, 4)
    assert nothing.table["x"].dtype == np.float64
    assert len(nothing.above(0.5)) == 0


def test_rows_are_chosen_with_their_units():
    found = Detections(table(mag=[10.0, 12.0]), units={"mag": "mag"})
    bright = found.above(0.9)
    assert bright.xy.tolist() == [[1.0, 3.0]]
    assert bright.units == found.units
    assert found.where([False, True]).table["mag"].tolist() == [12.0]
    assert len(found.where(np.array([False, False]))) == 0


def test_a_box_of_no_size_is_a_box():
    point = {name: [1.0, 2.0] for name in ("x_min", "y_min", "x_max", "y_max")}
    assert Detections(table(**point)).boxes[0].tolist() == [1.0, 1.0, 1.0, 1.0]


def test_a_result_is_complete_without_more():
    result = Result(Detections.empty())
    assert len(result.rejected) == 0
    assert (result.summary, dict(result.maps), result.warnings, result.provenance) == ("", {}, (), None)
