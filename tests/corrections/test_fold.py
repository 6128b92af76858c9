import numpy as np
import pandas as pd
import pytest
from astropy.wcs import WCS

from core.corrections import ARTEFACT, EditableObject, Window, fold, merge_objects, split_object
from core.corrections.pieces import cut
from core.errors import ParameterInvalid
from core.frames import Frame
from core.results import Detections
from core.shapes import BOX_COLUMNS, SHAPE_COLUMNS, Box, Ellipse, Line, Polygon, shape_of


def states(folded):
    return dict(zip(folded.table["object_id"], folded.table["state"], strict=True))


def row(folded, object_id):
    return folded.table.set_index("object_id").loc[object_id]


def test_with_no_corrections_the_predictions_stand_as_they_are(stars):
    folded = fold(stars, [])
    assert states(folded) == {"p0": "unreviewed", "p1": "unreviewed", "p2": "unreviewed"}
    assert folded.reviewed == ()
    assert folded.table["edited_by"].isna().all()
    columns = list(stars.table.columns)
    pd.testing.assert_frame_equal(folded.table[columns], stars.table)
    pd.testing.assert_frame_equal(folded.catalogue().table[columns], stars.table)
    assert folded.catalogue().units == stars.units


def test_no_predictions_and_no_corrections_are_an_empty_catalogue():
    folded = fold(Detections.empty(), [])
    assert len(folded.table) == len(folded.catalogue()) == len(folded.unsure()) == 0


@pytest.mark.parametrize(
    ("action", "after", "state", "kept"),
    [
        ("accept", {}, "accepted", True),
        ("reject", {}, "rejected", False),
        ("unsure", {}, "unsure", False),
        ("move", {"x": 11.0, "y": 12.0}, "moved", True),
        ("relabel", {"label": "galaxy"}, "relabelled", True),
        ("reshape", {"x_min": 1, "y_min": 2, "x_max": 5, "y_max": 6}, "reshaped", True),
    ],
)
def test_what_each_action_does(stars, log, action, after, state, kept):
    log.put(action, "p0", **after)
    folded = fold(stars, log)
    assert states(folded) == {"p0": state, "p1": "unreviewed", "p2": "unreviewed"}
    assert len(folded.catalogue()) == (3 if kept else 2)
    assert len(folded.unsure()) == (state == "unsure")
    first = row(folded, "p0")
    assert (first["edited_by"], first["edited_at"]) == ("Ada", "2026-03-01T21:00:01+00:00")
    pd.testing.assert_frame_equal(folded.table.iloc[1:, 2:-2], stars.table.iloc[1:])


def test_what_is_called_an_artefact_is_no_object(stars, log):
    log.put("relabel", "p0", label=ARTEFACT)
    log.put("add", "a1", label=ARTEFACT, x=5.0, y=5.0)
    folded = fold(stars, log)
    assert states(folded)["p0"] == "relabelled"
    assert list(folded.catalogue().table["object_id"]) == ["p1", "p2"]
    assert len(folded.unsure()) == 0


def test_a_moved_star_loses_its_old_sky_position_and_keeps_what_was_measured(stars, log):
    log.put("move", "p0", x=11.0, y=12.0)
    moved = row(fold(stars, log), "p0")
    assert (moved["x"], moved["y"], moved["score"], moved["flux"]) == (11.0, 12.0, 0.9, 100.0)
    assert np.isnan(moved["ra_deg"])
    assert np.isnan(moved["dec_deg"])


def test_a_moved_box_goes_along_and_a_reshaped_one_takes_its_centre_along(galaxies, log):
    log.put("move", "p0", x=23.0, y=19.0)
    log.put("reshape", "p1", x_min=50.0, y_min=40.0, x_max=60.0, y_max=50.0)
    folded = fold(galaxies, log)
    assert list(row(folded, "p0")[list(BOX_COLUMNS)]) == [18.0, 14.0, 28.0, 24.0]
    assert list(row(folded, "p1")[["x", "y", *BOX_COLUMNS]]) == [55.0, 45.0, 50.0, 40.0, 60.0, 50.0]


def test_the_last_word_decides_and_what_was_changed_before_stays(galaxies, log):
    log.put("accept", "p0")
    log.put("move", "p0", x=23.0, y=19.0)
    log.put("relabel", "p0", label="nebula")
    log.put("reject", "p0")
    assert states(fold(galaxies, log))["p0"] == "rejected"
    log.put("accept", "p0", person="Bea")
    accepted = row(fold(galaxies, log), "p0")
    assert (accepted["state"], accepted["label"], accepted["x"], accepted["x_min"]) == (
        "accepted",
        "nebula",
        23.0,
        18.0,
    )
    assert accepted["edited_by"] == "Bea"


def test_an_added_star_has_what_the_person_gave_and_no_measurements(stars, log):
    log.put("add", "a1", label="star", x=50.0, y=51.0)
    added = row(fold(stars, log), "a1")
    assert (added["state"], added["label"], added["x"], added["y"]) == ("added", "star", 50.0, 51.0)
    assert added["score"] == 1.0
    assert added[["flux", "ra_deg", "n_pixels", "saturated", "snr", "x_min"]].isna().all()


def test_the_columns_of_the_predictions_keep_their_values_beside_an_added_star(stars, log):
    log.put("add", "a1", label="star", x=50.0, y=51.0)
    table = fold(stars, log).table
    kinds = {name: str(table[name].dtype) for name in ("n_pixels", "saturated", "snr", "x")}
    assert kinds == {"n_pixels": "Int64", "saturated": "boolean", "snr": "float32", "x": "float64"}
    assert table["n_pixels"][:3].tolist() == [5, 6, 7]


def test_an_added_box_stays_added_whatever_is_done_to_it_but_may_be_rejected(galaxies, log):
    log.put("add", "a1", label="galaxy", x=5.0, y=5.0, x_min=0.0, y_min=0.0, x_max=10.0, y_max=10.0)
    log.put("move", "a1", x=6.0, y=5.0)
    log.put("relabel", "a1", label="nebula")
    log.put("accept", "a1")
    added = row(fold(galaxies, log), "a1")
    assert (added["state"], added["label"], added["x"], added["x_min"]) == ("added", "nebula", 6.0, 1.0)
    log.put("unsure", "a1")
    assert states(fold(galaxies, log))["a1"] == "unsure"
    log.put("reject", "a1")
    assert states(fold(galaxies, log))["a1"] == "rejected"


def test_added_objects_stand_on_their_own_where_nothing_was_predicted(log):
    log.put("add", "a1", label="star", x=1.0, y=2.0)
    catalogue = fold(Detections.empty(), log).catalogue()
    assert catalogue.xy.tolist() == [[1.0, 2.0]]


CRATERS = [Ellipse(20.0, 20.0, 10.0, 0.5, 30.0), Ellipse(60.0, 60.0, 20.0, 1.0, 0.0)]
VALLEY = Line(((10.0, 10.0), (30.0, 10.0), (30.0, 40.0)))
OUTLINE = Polygon(((0.0, 0.0), (8.0, 0.0), (8.0, 6.0)))


@pytest.fixture
def landforms() -> Detections:
    """Two craters as ellipses and a valley as a line, with a column of its own."""
    rows = [
        {"label": label, "score": 0.9, "x": shape.centre[0], "y": shape.centre[1], **shape.columns}
        for label, shape in zip(("crater", "crater", "valley"), (*CRATERS, VALLEY), strict=True)
    ]
    table = pd.DataFrame(rows).assign(width_px=[np.nan, np.nan, 3.0])
    return Detections(table.astype({"angle_deg": np.float32}), {"width_px": "pix"})


def shape(folded, object_id):
    return shape_of(row(folded, object_id).to_dict())


def test_a_moved_ellipse_and_line_go_along_with_their_boxes(landforms, log):
    log.put("move", "p0", x=25.0, y=18.0)
    log.put("move", "p2", x=VALLEY.centre[0] + 4.0, y=VALLEY.centre[1])
    folded = fold(landforms, log)
    assert shape(folded, "p0").distance(CRATERS[0].moved(5.0, -2.0)) < 1e-5
    assert shape(folded, "p2") == VALLEY.moved(4.0, 0.0)
    boxes = folded.table.set_index("object_id")[list(BOX_COLUMNS)]
    assert boxes.loc["p2"].tolist() == [14.0, 10.0, 34.0, 40.0]
    assert row(folded, "p2")["length_px"] == pytest.approx(50.0)
    assert row(folded, "p2")["width_px"] == 3.0
    assert folded.units["length_px"] == "pix"


@pytest.mark.parametrize("new", [CRATERS[0].moved(9.0, 9.0), VALLEY, OUTLINE, Box(1.0, 2.0, 3.0, 5.0)])
def test_any_shape_can_take_the_place_of_another(landforms, galaxies, log, new):
    log.put("reshape", "p0", **new.entry)
    log.put("add", "a1", label="new", **new.entry)
    for predictions in (landforms, galaxies):
        folded = fold(predictions, log)
        assert shape(folded, "p0") == shape(folded, "a1") == new
        assert row(folded, "a1")[list(BOX_COLUMNS)].tolist() == list(new.box)
        assert folded.catalogue().boxes[0].tolist() == list(new.box)
        assert shape(folded, "p1") == shape_of(predictions.table.iloc[1].to_dict())


def test_a_line_that_was_drawn_has_its_length_and_direction(galaxies, log):
    log.put("add", "a1", label="valley", **Line(((0.0, 0.0), (30.0, 40.0))).entry)
    folded = fold(galaxies, log)
    added = row(folded, "a1")
    assert (added["length_px"], added["angle_deg"]) == pytest.approx((50.0, 53.13), abs=0.01)
    assert (folded.units["length_px"], folded.units["angle_deg"]) == ("pix", "deg")


def test_a_log_from_before_there_were_shapes_does_what_it_did(galaxies, log):
    log.put("move", "p0", x=23.0, y=19.0, x_min=18.0, y_min=14.0, x_max=28.0, y_max=24.0)
    log.put("reshape", "p1", x=55.0, y=45.0, x_min=50.0, y_min=40.0, x_max=60.0, y_max=50.0)
    folded = fold(galaxies, log)
    assert list(row(folded, "p0")[["x", "y", *BOX_COLUMNS]]) == [23.0, 19.0, 18.0, 14.0, 28.0, 24.0]
    assert list(row(folded, "p1")[["x", "y", *BOX_COLUMNS]]) == [55.0, 45.0, 50.0, 40.0, 60.0, 50.0]
    assert not set(SHAPE_COLUMNS) & set(folded.table)


def test_what_was_merged_is_replaced_until_it_is_undone(landforms, log):
    parts = [EditableObject(f"p{k}", "crater", CRATERS[k]) for k in range(2)]
    for edit in merge_objects(parts):
        log.put(edit.action, edit.target or "a1", group=edit.group, **edit.after)
    folded = fold(landforms, log)
    assert states(folded) == {"p0": "merged", "p1": "merged", "p2": "unreviewed", "a1": "added"}
    catalogue = folded.catalogue()
    assert catalogue.table["label"].tolist() == ["valley", "crater"]
    assert shape_of(catalogue.table.iloc[1].to_dict()).kind == "ellipse"
    log.put("undo", "a1", correction=log[-1].correction_id)
    pd.testing.assert_frame_equal(fold(landforms, log).table, fold(landforms, []).table)


def test_what_was_split_is_replaced_by_its_pieces(landforms, log):
    pieces = cut(VALLEY, Line(((20.0, 0.0), (20.0, 20.0))))
    for place, edit in enumerate(split_object(EditableObject("p2", "valley", VALLEY), pieces)):
        log.put(edit.action, edit.target or f"a{place}", group=edit.group, **edit.after)
    folded = fold(landforms, log)
    assert states(folded) == {
        "p0": "unreviewed", "p1": "unreviewed", "p2": "split", "a1": "added", "a2": "added",
    }  # fmt: skip
    assert sorted(folded.catalogue().table["length_px"].dropna()) == pytest.approx([10.0, 40.0])


def test_an_edit_of_an_object_whose_adding_was_taken_back_does_nothing(stars, log):
    log.put("add", "a1", label="star", x=1.0, y=2.0)
    log.put("move", "a1", x=3.0, y=2.0)
    log.put("undo", "a1", correction="c1")
    assert "a1" not in states(fold(stars, log))
    log.put("undo", "a1", correction="c3")
    assert row(fold(stars, log), "a1")["x"] == 3.0


def test_windows_that_were_looked_through_are_listed_until_they_are_undone(stars, log):
    log.put("review", "frame", x_min=0.0, y_min=0.0, x_max=15.0, y_max=15.0)
    log.put("review", "frame", x_min=5.0, y_min=5.0, x_max=25.0, y_max=25.0)
    assert fold(stars, log).reviewed == (Window(0, 0, 15, 15), Window(5, 5, 25, 25))
    log.put("undo", "frame", correction="c1")
    assert fold(stars, log).reviewed == (Window(5, 5, 25, 25),)


def test_a_window_within_another_is_not_counted_again(stars, log):
    inner, outer = ({"x_min": at, "y_min": at, "x_max": 20.0, "y_max": 20.0} for at in (5.0, 0.0))
    for window in (inner, outer, inner, outer):
        log.put("review", "frame", **window)
    assert fold(stars, log).reviewed == (Window(0, 0, 20, 20),)
    log.put("undo", "frame", correction="c4")
    log.put("undo", "frame", correction="c2")
    assert fold(stars, log).reviewed == (Window(5, 5, 20, 20),)


def test_a_window_holds_its_edges():
    window = Window(0, 0, 10, 5)
    assert window.holds([(0, 0), (10, 5), (10.1, 5), (5, 5.1), (-0.1, 0)]).tolist() == [
        True,
        True,
        False,
        False,
        False,
    ]
    assert window.holds(np.empty((0, 2))).tolist() == []


def test_a_catalogue_gives_moved_and_added_stars_their_place_on_the_sky(stars, log):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crpix = [13.0, 14.0]
    wcs.wcs.crval = [202.47, 47.2]
    wcs.wcs.cdelt = [-1 / 3600, 1 / 3600]
    frame = Frame.from_array(np.zeros((60, 60)), wcs=wcs)
    log.put("move", "p0", x=12.0, y=13.0)
    log.put("add", "a1", label="star", x=12.0, y=23.0)
    table = fold(stars, log).catalogue(frame).table
    assert table["ra_deg"].tolist() == pytest.approx([202.47, 20.0, 30.0, 202.47])
    assert table["dec_deg"].tolist() == pytest.approx([47.2, 20.0, 30.0, 47.2 + 10 / 3600])
    without = fold(stars, log).catalogue(Frame.from_array(np.zeros((60, 60)))).table
    assert without["ra_deg"].isna().tolist() == [True, False, False, True]


def test_positions_are_held_against_the_frame_when_its_size_is_given(stars, log):
    log.put("move", "p0", x=500.0, y=1.0)
    assert states(fold(stars, log))["p0"] == "moved"
    with pytest.raises(ParameterInvalid, match="must lie on the frame of 100 × 80 px"):
        fold(stars, log, width=100, height=80)


def random_log(log, rng, n):
    """A log of ``n`` possible corrections, undos of anything among them."""
    objects = ["p0", "p1", "p2"]
    for _ in range(n):
        action = rng.choice(
            ["accept", "reject", "unsure", "move", "reshape", "relabel", "add", "review", "undo"]
        )
        target = str(rng.choice(objects))
        x, y = rng.uniform(0, 50, 2)
        box = {"x_min": x - 3, "y_min": y - 2, "x_max": x + 3, "y_max": y + 2}
        if action == "add":
            target = f"a{len(log)}"
            objects.append(target)
            log.put(action, target, label="star", x=x, y=y, **(box if rng.uniform() < 0.5 else {}))
        elif action == "undo":
            if log:
                log.put(action, "", correction=str(rng.choice([each.correction_id for each in log])))
        else:
            after = {"move": {"x": x, "y": y}, "reshape": box, "relabel": {"label": "galaxy"}}.get(action, {})
            log.put(
                action, "frame" if action == "review" else target, **(box if action == "review" else after)
            )


@pytest.mark.parametrize("seed", range(20))
def test_undoing_everything_from_the_last_to_the_first_leaves_the_predictions(stars, log, seed):
    random_log(log, np.random.default_rng(seed), 40)
    for each in reversed(list(log)):
        log.put("undo", each.target, correction=each.correction_id)
    folded, untouched = fold(stars, log), fold(stars, [])
    pd.testing.assert_frame_equal(folded.table, untouched.table)
    assert folded.reviewed == untouched.reviewed


@pytest.mark.parametrize("seed", range(20))
def test_undoing_the_end_of_a_log_leaves_its_beginning(stars, log, seed):
    random_log(log, np.random.default_rng(seed), 40)
    expected = fold(stars, log[:25])
    for each in reversed(log[25:]):
        log.put("undo", each.target, correction=each.correction_id)
    folded = fold(stars, log)
    pd.testing.assert_frame_equal(folded.table, expected.table)
    assert folded.reviewed == expected.reviewed
