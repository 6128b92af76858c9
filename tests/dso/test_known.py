import numpy as np
import pytest

from core.dso.known import known_objects
from core.frames import Frame, samples


def sample(name):
    return next(one for one in samples() if one.name == name).read()


def test_andromeda_lies_along_its_own_axis_with_its_companions():
    known = known_objects(sample("m31")).objects
    assert known.table["name"].tolist() == ["M 31", "M 110", "M 32"]
    m31 = known.table.iloc[0]
    # 178′ long at 35° from north through east, on a frame of 9.95″ a pixel with north up.
    assert m31["radius_px"] == pytest.approx(177.83 * 30 / 9.95, rel=0.01)
    assert abs(np.cos(np.radians(m31["turn_deg"] - 53))) == pytest.approx(1.0, abs=0.01)
    width, height = known.boxes[0, 2:] - known.boxes[0, :2]
    assert width < 0.75 * 2 * m31["radius_px"]
    assert height < 2 * m31["radius_px"]


def test_boxes_stay_on_the_frame():
    for name in ("m44", "m66", "ic1396"):
        frame = sample(name)
        known = known_objects(frame)
        for table in (known.objects, known.others):
            assert (table.boxes >= -0.5).all()
            assert (table.boxes <= max(frame.width, frame.height) - 0.5).all()


def test_an_object_cut_by_the_edge_keeps_its_own_middle():
    frame = sample("m44")
    m44 = known_objects(frame).objects.table.iloc[0]
    (x,), (y,) = frame.pixel(m44[["ra_deg"]].to_numpy(float), m44[["dec_deg"]].to_numpy(float))
    assert (m44["x"], m44["y"]) == pytest.approx((x, y), abs=0.01)
    assert (
        np.hypot(m44["x"] - (m44["x_min"] + m44["x_max"]) / 2, m44["y"] - (m44["y_min"] + m44["y_max"]) / 2)
        > 20
    )


def test_what_is_small_or_faint_need_not_be_found():
    known = known_objects(sample("m44"))
    assert known.objects.table["name"].tolist() == ["M 44"]
    assert len(known.others) > 0


def test_without_a_place_nothing_is_known():
    known = known_objects(Frame.from_array(np.zeros((50, 50))))
    assert len(known.objects) == len(known.others) == 0


def test_a_cluster_with_its_nebula_has_two_classes():
    known = known_objects(sample("ic1396")).objects.table.set_index("name")
    assert known.loc["IC 1396", ["label", "also"]].tolist() == ["nebula", "cluster"]
    assert known_objects(sample("m31")).objects.table["also"].isna().all()
