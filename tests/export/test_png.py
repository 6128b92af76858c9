import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.export.markers import MARKERS
from core.export.png import MAX_SIDE_PX, MIN_WIDTH_PX, PngLayer, annotated_png
from core.export.skymarks import Compass
from core.results import Detections
from core.shapes import Ellipse, Line, Polygon

RED = "#ff0000"


def layer(*places, box=None, name=None, **changes):
    table = pd.DataFrame(
        {"label": "star", "score": 1.0, "x": [p[0] for p in places], "y": [p[1] for p in places]}
    )
    if box is not None:
        table[["x_min", "y_min", "x_max", "y_max"]] = box
    table["name"] = pd.Series([name] * len(places), dtype=object)
    return PngLayer("stars.toy", Detections(table), RED, **changes)


def as_shown(x, y):
    return x, y


def opened(payload):
    """The picture's part of an annotated PNG as ``(h, w, 3)`` and its texts."""
    with Image.open(io.BytesIO(payload)) as page:
        box = [int(edge) for edge in page.text["Almagest:picture_box"].split(",")]
        return np.asarray(page.crop(box).convert("RGB")).astype(int), dict(page.text), page.size


def red(picture):
    """Rows and columns of the red pixels."""
    return np.nonzero((picture[..., 0] > 150) & (picture[..., 1] < 90) & (picture[..., 2] < 90))


def black(height=1000, width=1200):
    return np.zeros((height, width, 3), np.uint8)


@pytest.mark.parametrize("marker", MARKERS)
def test_a_marker_stands_about_its_detection(marker):
    picture, _, _ = opened(
        annotated_png(black(), as_shown, [layer((400, 300), marker=marker, radius_px=np.array([20.0]))])
    )
    assert picture.shape == (1000, 1200, 3)
    rows, columns = red(picture)
    assert (columns.min() + columns.max()) / 2 == pytest.approx(400, abs=0.5)
    assert (rows.min() + rows.max()) / 2 == pytest.approx(300, abs=0.5 if marker != "triangle" else 8)
    assert 40 <= np.ptp(columns) <= 56
    assert not red(picture[295:306, 395:406])[0].size, "the object itself stays in view"


def test_markers_differ_without_colour():
    shapes = [
        opened(annotated_png(black(), as_shown, [layer((400, 300), marker=m)]))[0].sum(axis=2)
        for m in MARKERS
    ]
    for first in range(len(shapes)):
        for second in range(first):
            assert np.abs(shapes[first] - shapes[second]).sum() > 1000


def test_a_box_is_drawn_where_the_view_puts_it():
    def upside_down_half(x, y):
        return (x - 0.5) / 2, (999 - y) / 2

    box = layer((500, 400), box=[[400.0, 300.0, 600.0, 500.0]], marker="box")
    picture, _, _ = opened(annotated_png(black(500, 1000), upside_down_half, [box]))
    rows, columns = red(picture[220:])  # below the label
    assert (columns.min(), columns.max()) == pytest.approx((199.75, 299.75), abs=1.5)
    assert rows.max() + 220 == pytest.approx(349.5, abs=1.5)


@pytest.mark.parametrize(
    "shape",
    [
        Ellipse(400.0, 300.0, 200.0, 0.5, 90.0),
        Line(((300.0, 200.0), (500.0, 250.0))),
        Polygon(((300.0, 200.0), (500.0, 200.0), (400.0, 300.0))),
    ],
    ids=lambda shape: shape.kind,
)
def test_shapes_are_drawn_in_place_of_their_boxes(shape):
    one = {"label": "thing", "score": 1.0, **shape.entry}
    drawn = PngLayer("toy", Detections(pd.DataFrame([one])), RED, "circle")
    picture, _, _ = opened(annotated_png(black(), as_shown, [drawn]))
    for x, y in shape.outline.round().astype(int):
        assert red(picture[y - 4 : y + 5, x - 4 : x + 5])[0].size
    left, _, _, bottom = np.round(shape.box).astype(int)
    assert not red(picture[bottom - 5 : bottom + 6, left - 5 : left + 6])[0].size


def test_a_small_picture_is_magnified_and_a_large_one_reduced():
    small, _, _ = opened(annotated_png(black(50, 64), as_shown, [layer((10, 20))]))
    assert small.shape[1] >= MIN_WIDTH_PX
    rows, columns = red(small)
    assert columns.mean() == pytest.approx(10.5 * 15, abs=1)
    assert rows.mean() == pytest.approx(20.5 * 15, abs=1)
    large, _, _ = opened(annotated_png(black(100, 4000), as_shown, [layer((2000, 50))]))
    assert large.shape[1] == MAX_SIDE_PX
    assert red(large)[1].mean() == pytest.approx(1500, abs=1)


def test_a_thin_picture_is_not_magnified_beyond_the_limit():
    tall, _, _ = opened(annotated_png(black(2900, 3), as_shown, [layer((1, 1))]))
    assert tall.shape == (2900, 3, 3)


def test_the_text_beside_a_very_narrow_picture_has_room():
    title = "a strip of a map, many times as long as it is wide"
    picture, _, page = opened(annotated_png(black(2400, 6), as_shown, [layer((3, 9))], title=title))
    assert picture.shape == (2400, 6, 3)
    assert page[0] > 600
    assert page[1] < 2700, "a few lines of text"


@pytest.mark.parametrize("scale", [None, 0.3])
def test_the_scale_bar_and_the_compass_are_drawn(scale):
    bare, _, _ = opened(annotated_png(black(), as_shown, [], arcsec_per_px=scale))
    assert (bare[900:, :400] > 200).any()
    assert not (bare[:, 800:] > 200).any()
    turned, _, _ = opened(annotated_png(black(), as_shown, [], compass=Compass((0.0, -1.0), (-1.0, 0.0))))
    assert (turned[880:, 1000:] > 200).any()


def test_the_title_legend_and_footer_make_room():
    def height(**changes):
        return opened(annotated_png(black(), as_shown, [], **changes))[2][1]

    assert height(title="Orion") > height()
    assert height(caption=["one", "two"]) > height(caption=["one"])
    assert height(footer="word " * 400) > height(footer="word")


def test_many_layers_wrap_their_legend():
    layers = [layer((100, 100)) for _ in range(12)]
    assert (
        opened(annotated_png(black(), as_shown, layers))[2][1]
        > opened(annotated_png(black(), as_shown, layers[:1]))[2][1]
    )


def test_facts_are_in_text_chunks():
    _, texts, _ = opened(annotated_png(black(), as_shown, [], facts={"method": "stars.toy", "who": "Ø ★\n"}))
    assert texts["Almagest:method"] == "stars.toy"
    assert texts["Almagest:who"] == "Ø ★ "


@pytest.mark.parametrize("text", ["Ø ★ 星 σ é", "", "x" * 5000, "\ud800\x00\n", "″"])
def test_any_text_can_be_written(text):
    named = layer((400, 300), name=text or None)
    assert annotated_png(black(), as_shown, [named], title=text, caption=[text], footer=text)


def test_nothing_to_draw_leaves_the_picture_as_it_was():
    rgb = np.full((1000, 1200, 3), 77, np.uint8)
    picture, _, _ = opened(annotated_png(rgb, as_shown, [PngLayer("none", Detections.empty())]))
    assert (picture[:800] == 77).all()
