"""The page that looks at a frame, and what a frame keeps on its way through the pages."""

from __future__ import annotations

import io
from types import SimpleNamespace

import numpy as np
import tifffile
from astropy.io import fits
from streamlit.testing.v1 import AppTest


def test_the_image_and_the_plane_chosen_in_a_file_stay_on_every_page(app: AppTest) -> None:
    hdus = fits.HDUList([fits.PrimaryHDU()])
    hdus += [fits.ImageHDU(np.zeros(shape, np.float32)) for shape in ((50, 60), (4, 70, 80))]
    file = io.BytesIO()
    hdus.writeto(file)
    app.switch_page("pages/frames.py").run()
    app.file_uploader(key="frame.file").set_value(("mine.fits", file.getvalue(), "image/fits")).run()

    def of_file(kind: str, label: str) -> list:
        return [each for each in app.get(kind) if each.label.startswith(label)]

    (image,) = of_file("selectbox", "Image in the file")
    image.set_value(image.options[1]).run()
    (plane,) = of_file("number_input", "Plane")
    assert plane.placeholder == "automatic"  # which one that is, a note of the frame says
    plane.set_value(3).run()
    app.switch_page("pages/surfaces.py").run()
    app.switch_page("pages/frames.py").run()
    assert not app.exception
    assert [image.value for image in of_file("selectbox", "Image in the file")] == [image.options[1]]
    assert [plane.value for plane in of_file("number_input", "Plane")] == [3]
    assert "80 × 70" in "".join(caption.value for caption in app.caption)


def test_the_pages_of_a_tiff_file_can_be_chosen(app: AppTest) -> None:
    file = io.BytesIO()
    tifffile.imwrite(
        file, np.arange(3 * 40 * 50, dtype=np.uint16).reshape(3, 40, 50), photometric="minisblack"
    )
    app.switch_page("pages/frames.py").run()
    app.file_uploader(key="frame.file").set_value(("mine.tif", file.getvalue(), "image/tiff")).run()
    assert any("3 pages; this is the first" in warning.value for warning in app.warning)
    (page,) = (each for each in app.number_input if each.label == "Plane, page or band (0 to 2)")
    page.set_value(2).run()
    assert not app.exception
    assert not any("this is the first" in warning.value for warning in app.warning)


def test_a_file_is_hashed_when_it_comes_and_not_on_every_run(app: AppTest, monkeypatch) -> None:
    file = io.BytesIO()
    fits.PrimaryHDU(np.zeros((50, 60), np.float32)).writeto(file)
    app.switch_page("pages/frames.py").run()
    app.file_uploader(key="frame.file").set_value(("mine.fits", file.getvalue(), "image/fits")).run()

    hashed = []
    monkeypatch.setattr("core.ui.frames.hashlib", SimpleNamespace(sha256=hashed.append))
    app.run()

    assert not app.exception
    assert app.selectbox(key="frame").value == "own"
    assert hashed == []


def test_an_address_that_names_a_frame_names_the_one_looked_at(app: AppTest) -> None:
    app.query_params["frame"] = "m13"
    app.switch_page("pages/frames.py").run()
    assert app.selectbox(key="frame").value == "m13"
    app.selectbox(key="frame").set_value("m3").run()
    assert app.query_params["frame"] == "m3"
    file = io.BytesIO()
    fits.PrimaryHDU(np.eye(50, dtype=np.float32)).writeto(file)
    app.file_uploader(key="frame.file").set_value(("mine.fits", file.getvalue(), "image/fits")).run()
    assert "frame" not in app.query_params
