"""The page of planetary surfaces as a visitor and a researcher use it, without a browser."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.frames.samples import samples
from core.results import Detections, Result
from core.store import Store, default_path
from core.surfaces import hough
from tests.surfaces import surveys

PAGE = "pages/surfaces.py"
SECTIONS = [
    "Landforms",
    "Sizes",
    "Valleys and ridges",
    "Compare",
    "Statistics",
    "Methods",
    "Scores",
    "Put it right",
    "Take it home",
]


def find_a_few(frame, params, progress):
    """Three craters, a valley and a ridge wherever there is contrast: as quick as a method can be."""
    progress(0.5, "looking")
    if np.ptp(frame.grey) < 1.0:
        return Result(Detections.empty(), summary="No landforms.", warnings=("The frame is <b>blank</b>.",))
    found = surveys.result(
        frame,
        surveys.craters([8.0, 15.0, 40.0], side=min(frame.width, frame.height)),
        surveys.line("valley", (5.0, 5.0), (40.0, 25.0)),
        surveys.line("ridge", (5.0, 30.0), (30.0, 5.0)),
    )
    return dataclasses.replace(found, provenance=None, warnings=())


@pytest.fixture
def quick(weights_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rival without a network, made quick; no network has its weights."""
    monkeypatch.setattr(hough, "METHOD", dataclasses.replace(hough.METHOD, analyse=find_a_few))


@pytest.fixture
def page(quick: None, app: AppTest) -> AppTest:
    return app.switch_page(PAGE).run()


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def upload(page: AppTest, name: str, data: bytes) -> AppTest:
    return page.file_uploader(key="frame.file").set_value((name, data, "application/octet-stream")).run()


def research(page: AppTest) -> AppTest:
    return page.segmented_control(key="face").set_value("Research").run()


def section(page: AppTest, name: str) -> AppTest:
    return page.segmented_control(key="surfaces.section").set_value(name).run()


def sentence(page: AppTest) -> str:
    return next(html.body for html in page.main.get("html") if "almagest-lead" in html.body)


def ground(seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(60, 200, (120, 160), np.uint8)


def test_it_opens_on_the_moon_analysed_stored_and_placed(page: AppTest, store_path: Path) -> None:
    assert not page.exception
    assert not page.error
    assert "3 craters, 1 valley and 1 ridge; the largest crater is 75.7 km across" in sentence(page)
    assert any(
        "Moon, 2.28 km a pixel in the middle" in caption.value.replace("\\", "") for caption in page.caption
    )
    with Store(store_path) as store:
        (run,) = store.runs(task="surfaces")
        assert store.tags(run.frame_key)["body"] == "Moon"


@pytest.mark.parametrize("name", SECTIONS)
def test_every_section_of_the_research_face_opens(page: AppTest, name: str) -> None:
    section(research(page), name)
    assert not page.exception
    assert not page.error


def test_without_a_scale_sizes_are_in_px_and_the_page_says_why(page: AppTest) -> None:
    upload(page, "mine.png", png(ground()))
    assert "40 px across" in sentence(page)
    section(research(page), "Sizes")
    assert any("Nothing says how large a pixel is" in info.value for info in page.info)
    key = next(each.key for each in page.number_input if str(each.key).endswith(".km"))
    page.number_input(key=key).set_value(0.5).run()
    assert "20 km across" in sentence(page)
    assert not any("Nothing says" in info.value for info in page.info)


def test_a_row_is_not_selected_any_more_when_it_may_be_another_object(page: AppTest) -> None:
    research(page)
    page.session_state["surfaces.selected"] = ("surfaces.hough", 1)
    page.run()
    (card,) = [text.value for text in page.markdown if text.value.startswith("#####")]
    assert "crater" in card
    page.number_input(key="surfaces.hough.set.min_diameter_px").set_value(30.0)
    next(button for button in page.button if button.label == "Run").click().run()
    assert not [text for text in page.markdown if text.value.startswith("#####")]
    page.session_state["surfaces.selected"] = ("surfaces.hough", 1)
    page.run().run()
    assert [text for text in page.markdown if text.value.startswith("#####")], "it stays"


def test_two_surfaces_are_compared_side_by_side(page: AppTest) -> None:
    upload(page, "mine.png", png(ground()))
    section(page, "Compare")
    for view in ("Mix", "Sizes", "Density", "Directions"):
        page.segmented_control(key="surfaces.compare.view").set_value(view).run()
        assert not page.exception
        assert not page.error
    page.segmented_control(key="surfaces.compare.view").set_value("Density").run()
    table = page.dataframe[-1].value
    assert table["surface"].tolist()[0] == "mine.png"
    assert len(table) == 2
    assert table["craters"].tolist() == [3, 3]
    assert "craters a Mpx" in table, "one has no scale, so both are in pixels"


def test_a_sample_is_compared_with_others_whose_body_is_known_then(page: AppTest) -> None:
    page.selectbox(key="frame").set_value("moon_imbrium").run()
    section(page, "Compare")
    compared = page.multiselect(key="surfaces.compare")
    known = {each.name: each for each in samples()}
    assert known["moon_imbrium"].title not in compared.options
    (other,) = compared.value
    with Store(default_path()) as store:
        assert store.tags(known[other.removeprefix("sample ")].read().key)["body"] == "Moon"


def test_a_map_of_a_whole_disc_opens_with_its_names_and_its_area(page: AppTest, tmp_path: Path) -> None:
    rasterio = pytest.importorskip("rasterio")
    moon = 'GEOGCS["Moon",DATUM["Moon",SPHEROID["Moon",1737400,0]],PRIMEM["0",0],UNIT["degree",0.0174532925]]'
    crs = f'PROJCS["disc",{moon},PROJECTION["Orthographic"],PARAMETER["central_meridian",0],UNIT["m",1]]'
    transform = rasterio.Affine(20_000.0, 0, -2e6, 0, -20_000.0, 2e6)
    size = {"width": 200, "height": 200, "count": 1, "dtype": "uint8"}
    with rasterio.open(
        tmp_path / "disc.tif", "w", driver="GTiff", crs=crs, transform=transform, **size
    ) as it:
        it.write(np.random.default_rng(1).integers(60, 200, (1, 200, 200), np.uint8))
    upload(page, "disc.tif", (tmp_path / "disc.tif").read_bytes())
    section(research(page), "Sizes")
    assert not page.exception
    assert not page.error
    assert any("Moon, 20 km a pixel in the middle" in said.value.replace("\\", "") for said in page.caption)


def test_a_band_of_a_file_is_not_compared_with_the_same_file(page: AppTest) -> None:
    file = io.BytesIO()
    tifffile.imwrite(file, np.stack([ground(seed) for seed in range(3)]), photometric="minisblack")
    upload(page, "bands.tif", file.getvalue())
    (band,) = (each for each in page.number_input if each.label.startswith("Plane"))
    band.set_value(2).run()
    section(page, "Compare")
    assert "bands.tif" not in page.multiselect(key="surfaces.compare").options
    page.selectbox(key="frame").set_value("moon_imbrium").run()
    assert page.multiselect(key="surfaces.compare").options[0] == "bands.tif"


def test_what_fails_on_surfaces_compared_is_said_of_each_and_tried_again_at_once(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def out_of_memory(frame, params, progress):
        raise MemoryError

    def failed() -> list[str]:
        return [warning.value for warning in page.warning if "written to the server" in warning.value]

    with monkeypatch.context() as failing:
        failing.setattr(hough, "METHOD", dataclasses.replace(hough.METHOD, analyse=out_of_memory))
        section(page, "Compare")
        compared = page.multiselect(key="surfaces.compare")
        compared.set_value(["sample moon_imbrium", "sample mars_valles_marineris"]).run()
        assert [said.partition(",")[0] for said in failed()] == [
            "The Moon\\: Mare Imbrium",
            "Mars\\: Valles Marineris",
        ]
        (again,) = (button for button in page.button if button.label == "Try again")
    again.click().run()
    assert not page.exception
    assert failed() == []
    assert "Try again" not in [button.label for button in page.button]


def test_statistics_count_what_every_visitor_ran(page: AppTest) -> None:
    page.text_input(key="person").set_value("Ada").run()
    upload(page, "mine.png", png(ground()))
    section(research(page), "Statistics")
    table = page.dataframe[-1].value
    assert table.set_index("body")["craters"].to_dict() == {"Moon": 3, "not told": 3}
    page.segmented_control(key="surfaces.statistics.by").set_value("Person").run()
    assert set(page.dataframe[-1].value["person"]) == {"Ada", "no name given"}
    page.multiselect(key="surfaces.statistics.person").set_value(["Ada"]).run()
    assert page.dataframe[-1].value["craters"].tolist() == [3]


def test_a_picture_that_is_no_surface_is_a_sentence_and_nothing_is_lost(page: AppTest) -> None:
    upload(page, "blank.png", png(np.full((120, 160), 9, np.uint8)))
    assert not page.exception
    assert not page.error
    assert "The frame is &lt;b&gt;blank&lt;/b&gt;." in sentence(page)
    for name in ("Compare", "Put it right", "Take it home"):
        section(page, name)
        assert not page.exception
        assert not page.error
    page.selectbox(key="frame").set_value("moon_tycho").run()
    assert "3 craters" in sentence(page)


def test_a_file_that_cannot_be_read_leaves_the_last_frame(page: AppTest) -> None:
    before = sentence(page)
    upload(page, "broken.png", b"\x89PNG\r\n\x1a\nnothing")
    assert not page.exception
    assert page.error
    assert sentence(page) == before


def test_without_a_method_that_can_look_the_page_says_so(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object) -> None:
        raise ZeroDivisionError("a fault")

    monkeypatch.setattr(hough, "METHOD", dataclasses.replace(hough.METHOD, analyse=broken))
    upload(page, "mine.png", png(ground()))
    assert not page.exception
    assert not page.error
    assert any("not yours" in warning.value for warning in page.warning)
    assert "No method" in sentence(page)
    section(research(page), "Sizes")
    (said,) = (info.value for info in page.info)
    assert said == "No method has given a result here so far."
