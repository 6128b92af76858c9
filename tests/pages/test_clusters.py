"""The cluster page as a visitor and a researcher use it, without a browser."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from astropy.table import Table
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import NumberInput

from core.catalogues.tables import read_table
from core.export import export
from core.stars import sep
from core.store import Store
from core.ui.clusters_field import Field
from core.ui.clusters_found import found_clusters
from core.ui.clusters_home import report
from core.ui.clusters_own import _rows_of_names
from core.ui.clusters_plots import MOST_POINTS
from core.ui.runs import Analysis
from tests.clusters import skies
from tests.skies import star_field

PAGE = "pages/clusters.py"
SECTIONS = ["Clusters", "Structure", "Compare", "Your own", "Methods", "Take it home"]


@pytest.fixture
def page(app: AppTest) -> AppTest:
    return app.switch_page(PAGE).run()


@pytest.fixture(scope="module")
def field() -> pd.DataFrame:
    """A small field with two clusters, as Gaia would give it."""
    rng = np.random.default_rng(4)
    clusters = [
        skies.cluster(rng, 120),
        skies.cluster(rng, 60, centre=(30, -20), core=2.0, tidal=10.0, pm=(3.0, -6.0), parallax=2.0),
    ]
    table, _ = skies.sky(rng, 900, *clusters)
    return table.table


def csv(table: pd.DataFrame) -> bytes:
    return table.to_csv(index=False).encode()


def research(page: AppTest) -> AppTest:
    return page.segmented_control(key="face").set_value("Research").run()


def upload(page: AppTest, name: str, data: bytes) -> AppTest:
    page.segmented_control(key="clusters.from").set_value("Table").run()
    return page.file_uploader(key="clusters.file").set_value((name, data, "application/octet-stream")).run()


def section(page: AppTest, name: str) -> AppTest:
    return page.segmented_control(key="clusters.section").set_value(name).run()


def sentence(page: AppTest) -> str:
    return next(html.body for html in page.main.get("html") if "almagest-lead" in html.body)


def said(page: AppTest) -> str:
    return " ".join(element.value for element in [*page.warning, *page.info, *page.error]).replace("\\", "")


def test_it_opens_on_the_pleiades_found_and_stored(page: AppTest, store_path) -> None:
    assert "Pleiades: 1 cluster among" in sentence(page)
    with Store(store_path) as store:
        (run,) = store.runs()
        assert run.method == "clusters.hdbscan"
        members = store.load_result(run.run_id).members
    assert (members["cluster"] == 0).sum() > 50


@pytest.mark.parametrize("name", SECTIONS)
def test_every_section_of_the_research_face_opens(page: AppTest, name: str) -> None:
    section(research(page), name)
    assert not page.exception
    assert not page.error


@pytest.mark.parametrize("name", ["Try another", "Look closer", "Take it home"])
def test_every_section_of_the_explore_face_opens(page: AppTest, name: str) -> None:
    section(page, name)
    assert not page.exception
    assert not page.error


def test_another_place_is_found_by_name_and_an_unknown_one_changes_nothing(page: AppTest) -> None:
    page.text_input(key="clusters.where").set_value("beehive").run()
    assert "M 44" in sentence(page)
    page.text_input(key="clusters.where").set_value("no such thing at all").run()
    (error,) = page.error
    assert "No object" in error.value
    assert "M 44" in sentence(page)


def test_a_place_with_hardly_any_stars_is_a_sentence(page: AppTest) -> None:
    page.slider(key="clusters.radius").set_value(0.25)
    page.text_input(key="clusters.where").set_value("12h51m -27d00m").run()
    assert not page.exception
    assert "no stars to look at" in sentence(page)
    assert "at least 10" in said(page) or "no stars here" in said(page)


def test_the_made_up_field_shows_both_clusters_in_every_section(page: AppTest) -> None:
    page.segmented_control(key="clusters.from").set_value("Table").run()
    assert "2 clusters" in sentence(page)
    research(page)
    assert len(page.dataframe[0].value) == 2
    for name in SECTIONS:
        section(page, name)
        assert not page.exception
        assert not page.error


def test_a_table_of_ones_own_in_every_format_that_is_read(page: AppTest, field: pd.DataFrame) -> None:
    file = io.BytesIO()
    field.to_parquet(file)
    upload(page, "mine.parquet", file.getvalue())
    assert "mine.parquet: 2 clusters among 1,080 stars" in sentence(page)
    assert not page.error


def test_columns_with_names_of_ones_own_are_chosen_by_hand(page: AppTest, field: pd.DataFrame) -> None:
    mine = field.rename(columns={"ra": "lon", "dec": "lat"})
    mine["lon"] /= 15.0
    upload(page, "odd.csv", csv(mine))
    assert "no stars to look at" in sentence(page)
    assert "has no places" in said(page)
    by_label = {box.label: box for box in page.selectbox}
    by_label["Right ascension"].set_value("lon")
    by_label["Declination"].set_value("lat").run()
    next(box for box in page.selectbox if box.label == "Unit of Right ascension").set_value("hourangle").run()
    assert not page.exception
    assert "2 clusters among 1,080 stars" in sentence(page)
    page.switch_page("pages/home.py").run()
    page.switch_page(PAGE).run()
    assert "2 clusters among 1,080 stars" in sentence(page), "the columns stay chosen"


def test_identifiers_are_kept_and_units_that_the_file_has_wrong_are_put_right(
    page: AppTest, field: pd.DataFrame
) -> None:
    table = Table.from_pandas(field.assign(Source=np.arange(len(field)) + 10**18))
    table["pmra"].unit = table["pmdec"].unit = "arcsec / yr"
    file = io.StringIO()
    table.write(file, format="ascii.ecsv")
    upload(research(page), "wrong.ecsv", file.getvalue().encode())
    assert "no star can have" in said(page) or "2 clusters" not in sentence(page)
    for axis in ("east", "north"):
        box = next(box for box in page.selectbox if box.label == f"Unit of Proper motion {axis}")
        box.set_value("mas/yr").run()
    assert not page.exception
    assert "2 clusters among 1,080 stars" in sentence(page)
    members = next(table.value for table in page.dataframe if "source_id" in table.value)
    assert members["source_id"].to_list() == (members["source_row"] + 10**18).to_list()


BAD = {
    "nine stars": (lambda t: t.head(9), "at least 10"),
    "no places": (lambda t: t[["pmra", "pmdec"]], "no places"),
    "one place": (lambda t: t.head(200).assign(ra=120.0, dec=-30.0), "at one place"),
    "unknown motions": (lambda t: t.assign(pmra=np.nan, pmdec=np.nan), "only places"),
    "negative parallaxes": (lambda t: t.assign(parallax=-t["parallax"].abs()), "No parallax is positive"),
    "off the sky": (lambda t: t.assign(dec=t["dec"] * 10), "degrees"),
    "words": (lambda t: t.assign(ra="north"), "no angles"),
    "half unknown": (lambda t: t.assign(ra=t["ra"].where(t.index % 2 == 0)), "without a place"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_poor_table_gets_a_sentence(page: AppTest, field: pd.DataFrame, name: str) -> None:
    spoil, expected = BAD[name]
    upload(research(page), f"{name}.csv", csv(spoil(field)))
    assert not page.exception
    assert expected in said(page)
    for each in ("Structure", "Your own", "Take it home"):
        section(page, each)
        assert not page.exception


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("empty.csv", b""),
        ("noise.fits", b"\x00\x01\x02" * 99),
        ("<b>x</b>.csv", b"ra,dec\n"),
        ("x.fits", b"SIMPLE  ="),
    ],
)
def test_what_is_no_table_is_refused_and_the_page_goes_on(page: AppTest, name: str, data: bytes) -> None:
    page.segmented_control(key="clusters.from").set_value("Table").run()
    before = sentence(page)
    page.file_uploader(key="clusters.file").set_value((name, data, "text/plain")).run()
    assert not page.exception
    (error,) = page.error
    assert "<b>" not in error.value.replace("\\<", "")
    assert sentence(page) == before


def test_many_stars_are_drawn_as_a_density_and_that_is_said(page: AppTest) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.uniform(0, 4000, (MOST_POINTS + 1, 2)), columns=["x", "y"])
    file = io.BytesIO()
    table.astype(np.float32).to_parquet(file)
    upload(page, "many.parquet", file.getvalue())
    assert not page.exception
    assert any("drawn as a density" in caption.value for caption in page.caption)


def test_a_picture_gives_its_own_stars(page: AppTest, tmp_path) -> None:
    from astropy.io import fits

    file = io.BytesIO()
    fits.PrimaryHDU(star_field(seed=5, shape=(200, 240), n_stars=60).pixels).writeto(file)
    page.segmented_control(key="clusters.from").set_value("Picture").run()
    page.file_uploader(key="frame.file").set_value(("mine.fits", file.getvalue(), "image/fits")).run()
    assert not page.exception
    assert not page.error
    assert "mine.fits" in sentence(page)
    section(page, "Put it right")
    assert page.button(key="clusters.correct.review")
    research(page)
    for name in [*SECTIONS, "Put it right"]:
        section(page, name)
        assert not page.exception
        assert not page.error
    # A person's own marks are what every method is scored by, once a window is complete.
    assert {"Box", "Ellipse", "Outline", "Cut"} <= set(
        page.segmented_control(key="clusters.correct.tool.Box").options
    )
    assert "open cluster" in page.selectbox(key="clusters.correct.label").options
    page.button(key="clusters.correct.review").click().run()
    assert not page.exception
    (scores,) = [frame.value for frame in page.dataframe if "recall" in frame.value]
    assert "HDBSCAN" in set(scores["method"])
    assert len(set(scores["method"])) > 1


def test_stars_that_could_not_be_looked_for_are_looked_for_again(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def out_of_memory(frame, params, progress):
        raise MemoryError

    app.session_state["frame.wanted"] = "m44"
    with monkeypatch.context() as failing:
        failing.setattr(sep, "METHOD", replace(sep.METHOD, analyse=out_of_memory))
        app.switch_page(PAGE).run()
        assert "written to the server" in said(app)
        (again,) = (button for button in app.button if button.label == "Try again")
    again.click().run()
    assert not app.exception
    assert "written to the server" not in said(app)
    assert any("stars found by SEP" in caption.value for caption in app.caption)


def test_a_frame_sent_from_elsewhere_opens_as_a_picture(app: AppTest) -> None:
    app.session_state["frame.wanted"] = "isaac_psr_j1740"
    app.switch_page(PAGE).run()
    assert app.segmented_control(key="clusters.from").value == "Picture"
    assert not app.exception


def test_what_is_drawn_is_at_first_another_of_what_was_found(app: AppTest) -> None:
    app.session_state["frame.wanted"] = "m13"
    app.switch_page(PAGE).run()
    section(app, "Put it right")
    assert not app.exception
    assert app.selectbox(key="clusters.correct.label").value == "globular cluster"


def circle(page: AppTest) -> list[NumberInput]:
    names = ("Right ascension (°)", "Declination (°)", "Radius (′)")
    return [next(number for number in page.number_input if number.label == name) for name in names]


def test_a_circle_of_ones_own_becomes_a_cluster(page: AppTest) -> None:
    section(research(page), "Your own")
    page.segmented_control(key="clusters.own.way").set_value("Centre and radius").run()
    for number, value in zip(circle(page), (56.75, 24.12, 40.0), strict=True):
        number.set_value(value)
    page.toggle(key="clusters.own.fit").set_value(False)
    next(button for button in page.button if button.label == "Take this circle").click().run()
    assert not page.exception
    assert not page.error
    assert [number.value for number in circle(page)] == [56.75, 24.12, 40.0]  # to be made larger or smaller
    section(page, "Compare")
    assert set(page.dataframe[0].value["method"]) == {"HDBSCAN", "Your own"}
    section(page, "Structure")
    assert not page.exception
    assert int(page.metric[0].value) > 30
    section(page, "Take it home")
    assert not page.exception


def test_a_circle_of_ones_own_begins_where_the_stars_and_the_selected_cluster_are(page: AppTest) -> None:
    section(research(page), "Your own")
    page.segmented_control(key="clusters.own.way").set_value("Centre and radius").run()
    pleiades = [number.value for number in circle(page)[:2]]
    page.segmented_control(key="clusters.from").set_value("Table").run()
    made_up = [number.value for number in circle(page)[:2]]
    page.session_state["clusters.selected"] = ("clusters.hdbscan", 1)
    page.run()
    second = [number.value for number in circle(page)[:2]]
    assert pleiades[0] == pytest.approx(56.6, abs=0.5)
    assert len({tuple(place) for place in (pleiades, made_up, second)}) == 3


def test_members_are_listed_by_the_names_their_table_gives_them() -> None:
    names = pd.Series(["HD 1a", None, "HD 3", "4", "HD 5 ", "4"])
    assert _rows_of_names(names, "HD 1a, HD 5\n4 ;nan") == [[3, 5], [0, 3, 4, 5]]
    assert _rows_of_names(pd.Series([7.0, np.nan, 9.0]), "9 7 nan") == [[0, 2], []]
    assert _rows_of_names(pd.Series([4295806720038123456]), "4295806720038123456") == [[0], [0]]


def own_list() -> None:
    import numpy as np
    import pandas as pd

    from core.catalogues.tables import SourceTable
    from core.clusters.table import star_table
    from core.ui.clusters_field import Field
    from core.ui.clusters_own import own_panel

    table = pd.DataFrame(np.random.default_rng(0).uniform(0, 1, (50, 2)), columns=["ra", "dec"])
    source = SourceTable.from_frame(table.assign(id=[f"HD {row + 100}a" for row in range(50)]), "t")
    own_panel(Field("t", "Table", source, star_table(source)), [], None)


ELSEWHERE = ", ".join(f"HD {row}b" for row in range(90, 99))


@pytest.mark.parametrize(
    "text", [f"{ELSEWHERE}, HD 101a, HD 102a, HD 103a", "HD 101a\nHD 102a\nHD 103a", "1; 2; 3"]
)
def test_a_table_with_names_takes_a_list_of_them_or_of_rows(text: str) -> None:
    page = AppTest.from_function(own_list, default_timeout=60)
    page.session_state["clusters.own.way"] = "List of members"
    page.run()
    page.text_area[0].set_value(text)
    page.button[0].click().run()
    assert not page.exception
    assert not page.error
    assert np.flatnonzero(page.session_state["clusters.own"][1]).tolist() == [1, 2, 3]


@pytest.mark.parametrize(("text", "wrong"), [("0 1 2 3 4 5 6 7 8 9", False), ("1, 2", True), ("none", True)])
def test_a_list_of_ones_own_becomes_a_cluster_or_a_sentence(page: AppTest, text: str, wrong: bool) -> None:
    section(research(page), "Your own")
    page.segmented_control(key="clusters.own.way").set_value("List of members").run()
    page.text_area(key="clusters.own.rows").set_value(text)
    next(button for button in page.button if button.label == "Take this list").click().run()
    assert not page.exception
    assert bool(page.error) == wrong


def test_clusters_are_joined_and_mended(page: AppTest) -> None:
    page.segmented_control(key="clusters.from").set_value("Table").run()
    section(research(page), "Your own")
    chosen = next(each for each in page.multiselect if each.label.startswith("Begin with"))
    chosen.set_value([("clusters.hdbscan", 0), ("clusters.hdbscan", 1)]).run()
    next(button for button in page.button if button.label == "Take this cluster").click().run()
    assert not page.exception
    section(page, "Compare")
    own = page.dataframe[0].value.set_index("method")
    assert own.loc["Your own", "stars in clusters"] == own.loc["HDBSCAN", "stars in clusters"]


def test_the_report_stands_by_itself_and_shows_text_as_text(field: pd.DataFrame) -> None:
    from core.clusters.table import star_table
    from core.methods import get_method

    source = read_table(csv(field), "<script>alert(1)</script>.csv")
    method = get_method("clusters.hdbscan")
    analysis = Analysis(method, method.run(source), None, None)
    looked_at = Field(source.name, "Table", source, star_table(source))
    (found,) = found_clusters([analysis], looked_at)
    page = report(looked_at, found, 0, "A <b>sentence</b>.").decode()
    assert "<script>alert(1)" not in page
    assert "A &lt;b&gt;sentence" in page
    assert "King 1962" in page
    assert "Half-number radius" in page
    assert "emptier than it is" not in page
    on_picture = replace(looked_at, pixels=looked_at.stars.xy)
    assert "emptier than it is" in report(on_picture, found, 0, "A sentence.").decode()
    assert "http" not in page.partition("</style>")[2].partition("<figure>")[0]
    table = export(analysis.result, "parquet", detections=found.table())
    assert len(pd.read_parquet(io.BytesIO(table))) == len(found)


def test_a_cluster_selected_among_other_stars_is_forgotten(page: AppTest) -> None:
    page.segmented_control(key="clusters.from").set_value("Table").run()
    page.session_state["clusters.selected"] = ("clusters.hdbscan", 1)
    section(research(page), "Structure")
    assert int(page.metric[0].value) < 120
    page.segmented_control(key="clusters.from").set_value("Sky").run()
    assert not page.exception
    assert "clusters.selected" not in page.session_state
    page.segmented_control(key="clusters.from").set_value("Table").run()
    section(page, "Structure")
    assert int(page.metric[0].value) > 250


def test_a_stored_run_on_a_table_is_read_again(page: AppTest) -> None:
    page.switch_page("pages/results.py").run()
    assert not page.exception
    assert not page.error
    assert "clusters.hdbscan" in set(page.dataframe[0].value["method"])
