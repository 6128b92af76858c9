import io
import zipfile

import numpy as np
import pytest
import yaml
from PIL import Image

from core.dso.library import import_ultralytics
from core.export import export


@pytest.fixture
def unpack(tmp_path):
    def unpack(payload):
        with zipfile.ZipFile(io.BytesIO(payload)) as archive:
            assert archive.testzip() is None
            archive.extractall(tmp_path)
        return tmp_path

    return unpack


def test_labels_are_fractions_of_the_array(make, unpack):
    root = unpack(export(make(["star", "galaxy"]), "yolo"))
    rows = np.loadtxt(root / "labels" / "m_31.txt")
    # The point at (5.25, 7.5), FWHM 3 px, of a frame of 64 × 48: row 0 is the top row.
    np.testing.assert_allclose(rows[0], [1, 5.75 / 64, 8.0 / 48, 6 / 64, 6 / 48], atol=1e-6)
    assert (root / "classes.txt").read_text().split() == ["galaxy", "star"]


def test_supervision_reads_labels_and_picture(make, sky_frame, sv, unpack):
    result = make(["star", "galaxy", "star"])
    root = unpack(export(result, "yolo", frame=sky_frame))
    dataset = sv.DetectionDataset.from_yolo(
        str(root / "images"), str(root / "labels"), str(root / "data.yaml")
    )
    _, image, found = next(iter(dataset))
    assert image.shape == (48, 64, 3)
    assert found.xyxy[0] == pytest.approx([2.75, 5.0, 8.75, 11.0], abs=1e-4)
    assert [dataset.classes[number] for number in found.class_id] == ["star", "galaxy", "star"]


def test_ultralytics_finds_the_pictures_from_any_folder(
    make, sky_frame, unpack, tmp_path_factory, monkeypatch
):
    import_ultralytics()
    from ultralytics.data.utils import check_det_dataset

    root = unpack(export(make(["star"]), "yolo", frame=sky_frame))
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert check_det_dataset(root / "data.yaml", autodownload=False)["train"] == str(root / "images")


def test_the_picture_has_the_row_order_of_the_labels(make, sky_frame, unpack):
    sky_frame.pixels[7:9, 4:7] = 10_000.0  # the star of the first label, in a frame shown with row 0 below
    root = unpack(export(make(["star"]), "yolo", frame=sky_frame))
    _, x, y, _, _ = np.loadtxt(root / "labels" / "m_31.txt")
    left, top = round(x * 64 - 1.75), round(y * 48 - 1)
    with Image.open(root / "images" / "m_31.png") as picture:
        grey = np.asarray(picture.convert("L")).astype(int)
    assert grey[top : top + 2, left : left + 3].min() == grey.max()
    assert grey[::-1][top : top + 2, left : left + 3].mean() < 0.9 * grey.max()


def test_nothing_found_is_an_empty_label_file(make, unpack):
    root = unpack(export(make([]), "yolo", labels=("star",)))
    assert (root / "labels" / "m_31.txt").read_bytes() == b""
    assert yaml.safe_load((root / "data.yaml").read_text())["names"] == {0: "star"}


def test_hostile_labels_stay_one_class_each(make, hostile, unpack):
    root = unpack(export(make(hostile), "yolo", extra={"edited_by": "x\nnames: evil"}))
    data = yaml.safe_load((root / "data.yaml").read_text(encoding="utf-8"))
    assert data["nc"] == len(data["names"]) == len(hostile)
    assert "Ø ★ 星 σ" in data["names"].values()
    assert len((root / "classes.txt").read_text(encoding="utf-8").splitlines()) == len(hostile)


def test_a_hostile_frame_name_stays_inside_the_archive(make):
    payload = export(make(["star"], frame_name="../../../tmp/evil.png"), "yolo")
    with zipfile.ZipFile(io.BytesIO(payload)) as archive:
        assert "labels/evil.txt" in archive.namelist()
