import numpy as np
import pytest
from scipy.ndimage import binary_opening

from core.frames import Frame
from core.frames.ground import simple_cylindrical
from core.methods import get_method
from core.surfaces.craters import as_detections, in_words, joined, scores_of, search
from core.surfaces.pictures import pixel_aspect, surface_picture


def perfect(craters, seen=None):
    """A look that finds these ``(N, 3)`` discs of the whole picture wherever they are marked in it."""

    def look(shown):
        if seen is not None:
            seen.append(shown.shape)
        # Each crater is marked by a pixel square of its number, so that the look needs no position.
        found = []
        for number, (_, _, radius) in enumerate(craters, start=1):
            # Between levels a copy has some of any other: only what is more than an edge is a mark.
            rows, columns = np.nonzero(
                binary_opening(np.abs(shown.astype(int) - 10 * number) <= 1, np.ones((4, 4)))
            )
            if len(rows):
                scale = np.sqrt(len(rows)) / (radius / 2)
                found.append([2.0, columns.mean(), rows.mean(), radius * scale, 0.0, 0.0])
        return np.array(found, np.float32).reshape(-1, 6)

    return look


def marked(width, height, craters):
    picture = np.zeros((height, width), np.uint8)
    for number, (x, y, radius) in enumerate(craters, start=1):
        half = radius / 4
        picture[round(y - half) : round(y + half), round(x - half) : round(x + half)] = 10 * number
    return picture


@pytest.mark.parametrize(("width", "height"), [(600, 500), (1024, 1024), (2600, 1300)])
def test_each_crater_is_found_once_at_its_place(width, height):
    craters = [(100, 120, 16), (width - 90, height - 100, 40), (width // 2, height // 2, 64), (300, 200, 24)]
    found = search(marked(width, height, craters), perfect(craters))
    assert len(found) == len(craters)
    for x, y, radius in craters:
        nearest = found[np.argmin(np.hypot(found[:, 1] - x, found[:, 2] - y))]
        assert nearest[1:4] == pytest.approx([x - 0.5, y - 0.5, radius], abs=2.0, rel=0.2)


def test_small_frames_are_looked_at_enlarged_and_large_ones_in_windows():
    seen = []
    search(np.zeros((300, 300), np.uint8), perfect([], seen))
    assert seen == [(600, 600), (300, 300), (128, 128)]
    seen.clear()
    search(np.zeros((1500, 1500), np.uint8), perfect([], seen))
    assert max(max(shape) for shape in seen) == 1024


def test_what_several_looks_show_is_one_crater_in_their_mean_and_nested_craters_are_two():
    found = joined(np.array([[0.0, 50, 50, 10, 0, 0], [1.0, 52, 50, 11, 0, 0], [0.5, 50, 50, 3, 0, 0]]))
    assert found[:, 0].tolist() == [1.0, 0.5]
    first, second = 1 / (1 + np.exp(-1.0)), 0.5
    assert found[0, 1] == pytest.approx((52 * first + 50 * second) / (first + second))
    assert 10.0 < found[0, 3] < 11.0
    assert found[:, 6].tolist() == pytest.approx([np.log(1.5), 0.0])
    assert found[1, 1:4] == pytest.approx([50.0, 50.0, 3.0])
    assert joined(np.empty((0, 6))).shape == (0, 7)


def test_an_ellipse_becomes_a_row():
    angle = np.radians(30.0)
    squeezed = 0.2  # axes 3 to 2
    row = [[0.0, 40.0, 60.0, 12.0, squeezed * np.cos(2 * angle), squeezed * np.sin(2 * angle), 0.0]]
    table = as_detections(np.array(row), np.array([0.7])).table
    major, minor = 12.0 * np.sqrt(1.5), 12.0 / np.sqrt(1.5)
    assert table.loc[0, "diameter_px"] == pytest.approx(24.0)
    assert table.loc[0, "axis_ratio"] == pytest.approx(2 / 3)
    assert table.loc[0, "angle_deg"] == pytest.approx(30.0)
    half = np.hypot(major * np.cos(angle), minor * np.sin(angle))
    assert table.loc[0, "x_max"] - table.loc[0, "x"] == pytest.approx(half)


def test_scores_rise_with_the_log_odds():
    craters = np.array([[-2.0, 0, 0, 10, 0, 0, 0], [3.0, 0, 0, 10, 0, 0, 0], [3.0, 0, 0, 10, 0, 0, 1.0]])
    low, high, agreed = scores_of(craters, (0.0, 1.0, 0.5, 0.3))
    assert 0.0 < low < 0.5 < high < agreed < 1.0


def test_nothing_found_is_a_sentence():
    assert in_words(0) == "No craters were found."
    assert in_words(1) == "1 crater found."
    assert len(as_detections(np.empty((0, 7)), np.empty(0))) == 0


def test_the_method_runs_and_says_what_it_could_not_look_at(tmp_path, monkeypatch):
    from tests.surfaces.networks import tiny_landforms

    monkeypatch.setenv("ALMAGEST_WEIGHTS", str(tmp_path))
    tiny_landforms(tmp_path)
    method = get_method("surfaces.craters")
    rng = np.random.default_rng(0)
    rough = np.cumsum(np.cumsum(rng.normal(0, 1, (200, 260)), axis=0), axis=1).astype(np.float32)
    result = method.run(Frame.from_array(rough, "ground.png", row0="top"))
    assert result.provenance.method == "surfaces.craters"
    blank = method.run(Frame.from_array(np.full((200, 200), 7.0, np.float32), "blank.png", row0="top"))
    assert len(blank.detections) == 0
    assert blank.warnings


@pytest.fixture
def searched(tmp_path, monkeypatch):
    """Shapes of the pictures that are searched; one crater is found on each."""
    from core.surfaces import craters
    from tests.surfaces.networks import tiny_landforms

    monkeypatch.setenv("ALMAGEST_WEIGHTS", str(tmp_path))
    tiny_landforms(tmp_path)
    shapes = []

    def search_of(picture, *_):
        shapes.append(picture.shape)
        return np.array([[1.0, 50.0, 160.0, 20.0, 0.0, 0.0, 0.0]])

    monkeypatch.setattr(craters, "search", search_of)
    return shapes


def test_a_picture_is_searched_once_for_all_who_ask(searched):
    from core.surfaces import craters

    pictures = [np.full((40, 50), level, np.uint8) for level in range(craters.MOST_KEPT + 1)]
    for _ in range(2):
        assert craters.find(pictures[0])[0].shape == (1, 7)
    assert len(searched) == 1
    for picture in pictures:
        craters.find(picture)
    assert len(searched) == len(pictures)
    assert len(craters._found) == craters.MOST_KEPT


@pytest.mark.parametrize(
    ("px_per_deg", "aspect", "place"),
    [(20.0, 2.0, (50.0, 79.75, 20.0 / np.sqrt(2.0))), (None, 1.0, (50.0, 160.0, 20.0))],
)
def test_a_map_is_searched_where_its_pixels_are_square(searched, px_per_deg, aspect, place):
    from core.surfaces import craters

    ground = px_per_deg and simple_cylindrical("Moon", west_deg=0.0, north_deg=65.0, px_per_deg=px_per_deg)
    frame = Frame.from_array(np.random.default_rng(0).normal(0, 1, (200, 100)), ground=ground or None)
    assert pixel_aspect(frame) == pytest.approx(aspect, abs=0.01)
    found, _, _ = craters.find(surface_picture(frame), aspect=aspect)
    assert searched == [(200 * aspect, 100)]
    assert found[0, 1:4] == pytest.approx(place)
    (row,) = as_detections(found, np.ones(1)).table.to_dict("records")
    assert row["axis_ratio"] == pytest.approx(1.0 / aspect)
    assert row["x_max"] - row["x_min"] == pytest.approx(40.0), "as wide as on the copy, and lower"


def test_missing_pixels_are_no_craters(tmp_path, monkeypatch):
    from core.surfaces import craters
    from tests.surfaces.networks import tiny_landforms

    monkeypatch.setenv("ALMAGEST_WEIGHTS", str(tmp_path))
    tiny_landforms(tmp_path)
    found = np.array([[2.0, 60, 60, 12, 0, 0, 0], [2.0, 150, 100, 12, 0, 0, 0]])
    monkeypatch.setattr(craters, "search", lambda *_: found)
    rough = np.cumsum(np.cumsum(np.random.default_rng(0).normal(0, 1, (200, 260)), axis=0), axis=1)
    rows, columns = np.mgrid[:200, :260]
    rough[np.hypot(columns - 60, rows - 60) < 10] = np.nan
    result = get_method("surfaces.craters").run(Frame.from_array(rough.astype(np.float32), "it.fits"))
    everything = [*result.detections.table["x"], *result.rejected.table["x"]]
    assert everything == pytest.approx([150.0])
