import json

import numpy as np
import pandas as pd
import pytest
from pycocotools.coco import COCO

from core.export import export
from core.export.coco import picture_name
from core.results import Detections
from core.shapes import Affine, Ellipse, Polygon


@pytest.fixture
def load(tmp_path):
    def load(payload):
        (tmp_path / "coco.json").write_bytes(payload)
        return COCO(str(tmp_path / "coco.json"))

    return load


def test_pycocotools_reads_boxes_and_centres(make, load):
    result = make(["star", "galaxy"], ["Ø ★", None])
    coco = load(export(result, "coco"))
    table = result.detections.table
    point, box = coco.loadAnns(coco.getAnnIds())
    # A point of FWHM 3 px at (5.25, 7.5): 6 px wide, and half a pixel on as COCO counts.
    assert point["bbox"] == pytest.approx([2.75, 5.0, 6.0, 6.0])
    assert point["keypoints"] == pytest.approx([5.75, 8.0, 2])
    assert box["bbox"] == pytest.approx([table["x_min"][1] + 0.5, table["y_min"][1] + 0.5, 5.0, 5.0])
    assert coco.loadCats(point["category_id"])[0]["name"] == "star"
    assert coco.loadCats(box["category_id"])[0]["name"] == "galaxy"
    assert point["attributes"]["name"] == "Ø ★"
    assert point["attributes"]["flux"] is None
    assert (coco.imgs[1]["width"], coco.imgs[1]["height"]) == (64, 48)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of pycocotools
def test_outlines_of_ellipses_lines_and_polygons(shaped, load):
    coco = load(export(shaped, "coco"))
    crater, valley, cluster = coco.loadAnns(coco.getAnnIds())
    assert crater["area"] == pytest.approx(np.pi * 36.0, rel=2e-3)
    assert cluster["segmentation"] == [[40.5, 5.5, 60.5, 5.5, 60.5, 20.5]]
    assert cluster["area"] == pytest.approx(150.0)
    assert valley["area"] == pytest.approx(4.0 * (20.0 + np.hypot(15.0, 10.0)), rel=0.02)
    assert valley["attributes"]["path"] == "5.00,30.00 25.00,30.00 40.00,40.00"
    mask = coco.annToMask(crater)
    rows, columns = np.nonzero(mask)
    assert (columns.mean(), rows.mean()) == pytest.approx((20.0, 24.0), abs=0.3)
    flat = Detections(shaped.detections.table[1:2].assign(path="5,30 25,30", y_min=30.0, y_max=30.0))
    (level,) = json.loads(export(shaped, "coco", detections=flat))["annotations"]
    assert level["bbox"] == pytest.approx([5.5, 28.5, 20.0, 4.0])


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of pycocotools
def test_outlines_are_cut_at_the_border_as_scissors_would(shaped, load):
    shapes = [
        Ellipse(0.0, 24.0, 30.0, 0.4, 45.0),
        Polygon(((-20.5, 9.5), (19.5, 9.5), (-0.5, 39.5))),
        Polygon(((-10.0, 5.0), (5.0, -10.0), (-10.0, -10.0))),  # beyond, though its box is not
    ]
    rows = [
        {"label": "cloud", "score": 0.9, "x": shape.centre[0], "y": shape.centre[1], **shape.columns}
        for shape in shapes
    ]
    coco = load(export(shaped, "coco", detections=Detections(pd.DataFrame(rows))))

    ellipse, triangle = coco.loadAnns(coco.getAnnIds())

    rows, columns = np.mgrid[:48, :64]
    turned = Affine(np.linalg.inv(shapes[0].axes), np.zeros(2))
    inside = np.hypot(*turned(np.column_stack([columns.ravel(), rows.ravel() - 24.0])).T) <= 1.0
    assert ellipse["area"] == pytest.approx(inside.sum(), rel=0.03)
    assert coco.annToMask(ellipse).sum() == pytest.approx(inside.sum(), rel=0.05)
    left, top, wide, high = ellipse["bbox"]
    rows, columns = np.nonzero(inside.reshape(48, 64))
    assert (left, top) == pytest.approx((columns.min(), rows.min()), abs=1.0)
    assert (wide, high) == pytest.approx((np.ptp(columns) + 1, np.ptp(rows) + 1), abs=1.5)
    assert triangle["area"] == pytest.approx(300.0)
    assert triangle["bbox"] == pytest.approx([0.0, 10.0, 20.0, 30.0])


def test_a_point_of_unknown_size_has_the_stated_box(make):
    result = make(["star"])
    bare = Detections(result.detections.table.drop(columns="fwhm_px"))
    box = json.loads(export(result, "coco", detections=bare))["annotations"][0]["bbox"]
    assert box[2:] == [8.0, 8.0]


def test_boxes_are_cut_at_the_border_and_left_out_beyond(make):
    result = make(["star", "star", "star"])
    table = result.detections.table.assign(
        x=[0.0, 63.0, -50.0],
        y=[0.0, 47.0, 0.0],
        x_min=[-0.5, 53.0, -60.0],
        x_max=[4.5, 73.0, -40.0],
        y_min=[-0.5, 43.0, -5.0],
        y_max=[4.5, 90.0, 5.0],
    )
    boxes = [
        a["bbox"] for a in json.loads(export(result, "coco", detections=Detections(table)))["annotations"]
    ]
    assert boxes == [[0.0, 0.0, 5.0, 5.0], [53.5, 43.5, 10.5, 4.5]]


def test_class_numbers_follow_the_methods_labels(make, load):
    coco = load(export(make(["star", "unforeseen"]), "coco", labels=("galaxy", "star", "nebula")))
    names = {number: entry["name"] for number, entry in coco.cats.items()}
    assert names == {1: "galaxy", 2: "star", 3: "nebula", 4: "unforeseen"}


def test_nothing_found_is_an_image_without_annotations(make, load):
    coco = load(export(make([]), "coco", labels=("star",)))
    assert coco.getAnnIds() == []
    assert coco.getImgIds() == [1]


def test_supervision_reads_it(make, sv, tmp_path):
    (tmp_path / "coco.json").write_bytes(export(make(["star", "galaxy", "star"]), "coco"))
    from PIL import Image

    Image.new("RGB", (64, 48)).save(tmp_path / "m_31.png")
    dataset = sv.DetectionDataset.from_coco(str(tmp_path), str(tmp_path / "coco.json"))
    _, _, found = next(iter(dataset))
    assert found.xyxy[0] == pytest.approx([2.75, 5.0, 8.75, 11.0])
    assert [dataset.classes[number] for number in found.class_id] == ["star", "galaxy", "star"]


@pytest.mark.parametrize(
    ("frame", "picture"),
    [
        ("m31.jpg", "m31.jpg"),
        ("m 31 (1).PNG", "m 31 (1).PNG"),
        ("../up.jpg", "up.jpg"),
        ("isaac.fits.fz", "isaac.png"),
        ("deep.fits", "deep.png"),
        ("../../etc/passwd", "passwd.png"),
        ("..\\..\\boot.ini", "boot.png"),
        ("ngc.1275.fit", "ngc.1275.png"),
        ("星.tif", "星.tif"),
        ("...", "frame.png"),
        ("", "frame.png"),
    ],
)
def test_picture_name(frame, picture):
    assert picture_name(frame) == picture
