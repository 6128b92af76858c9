import numpy as np
import pandas as pd
import pytest

from core.catalogues.gaia import GaiaCone, cone
from core.catalogues.tables import SourceTable
from core.clusters.columns import map_columns
from core.clusters.table import as_table, deproject, project, star_table, stars_of_cone, stars_of_detections
from core.errors import TableRejected
from core.results import Detections


def source(rows=12, **columns):
    table = {"ra": np.linspace(10, 10.1, rows), "dec": np.linspace(-5, -5.1, rows)}
    return SourceTable.from_frame(pd.DataFrame({**table, **columns}), "t.csv")


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        (["RA_ICRS", "DE_ICRS", "Plx", "e_Plx", "pmRA", "pmDE", "Gmag", "BP-RP"],
         {"ra_deg": "RA_ICRS", "dec_deg": "DE_ICRS", "parallax_mas": "Plx", "parallax_error_mas": "e_Plx",
          "pm_ra_mas_yr": "pmRA", "pm_dec_mas_yr": "pmDE", "mag": "Gmag", "colour": "BP-RP"}),
        (["ra", "dec", "phot_g_mean_mag", "pmra_error"],
         {"ra_deg": "ra", "dec_deg": "dec", "mag": "phot_g_mean_mag", "pm_ra_error_mas_yr": "pmra_error"}),
        (["x", "y", "flux"], {"x": "x", "y": "y", "flux": "flux"}),
        (["name", "l", "b"], {}),
    ],
)  # fmt: skip
def test_columns_are_known_by_the_names_of_surveys(columns, found):
    assert map_columns(columns) == found


def test_columns_by_hand_go_before_guesses():
    assert map_columns(["ra", "dec", "lon"], {"ra_deg": "lon"}) == {"ra_deg": "lon", "dec_deg": "dec"}
    with pytest.raises(TableRejected, match="no column 'nope'; it has: ra, dec"):
        map_columns(["ra", "dec"], {"mag": "nope"})
    with pytest.raises(TableRejected, match="cannot stand for 'weight'"):
        map_columns(["ra", "dec"], {"weight": "ra"})


def test_units_of_the_file_are_converted():
    table = source(pmra=np.full(12, 0.004), pmdec=np.full(12, 0.001), parallax=np.full(12, 2000.0))
    table = SourceTable.from_frame(
        table.table, units={"pmra": "arcsec/yr", "pmdec": "arcsec/yr", "parallax": "uas"}
    )
    stars = star_table(table)
    np.testing.assert_allclose(stars.pm, [[4.0, 1.0]] * 12)
    np.testing.assert_allclose(stars.parallax, 2.0)
    assert any("typical of Gaia DR3 are assumed" in note for note in stars.notes)


def test_right_ascension_written_in_hours():
    table = pd.DataFrame({"ra": ["05:35:17"] * 12, "dec": ["-05 23 28"] * 12, "mag": np.arange(12.0)})
    stars = star_table(SourceTable.from_frame(table))
    assert stars.centre_deg == pytest.approx((83.8208, -5.3911), abs=1e-3)


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        (SourceTable.from_frame(pd.DataFrame({"l": range(20), "b": range(20)}), "t"), "has no places"),
        (source(9), "9 stars with a place; at least 10"),
        (SourceTable.from_frame(pd.DataFrame({"ra": [np.nan] * 20, "dec": [1.0] * 20}), "t"), "0 stars"),
        (SourceTable.from_frame(pd.DataFrame({"ra": range(20), "dec": range(85, 105)}), "t"), "reaches 104"),
        (SourceTable.from_frame(pd.DataFrame({"ra": range(0, 360, 10), "dec": [0] * 36}), "t"), "cut the"),
        (SourceTable.from_frame(pd.DataFrame({"ra": ["a"] * 20, "dec": [0] * 20}), "t"), "holds no angles"),
        (source(parallax=["a"] * 12), "'parallax' holds no numbers"),
        (source(parallax=np.ones(12), e_plx=-np.ones(12)), "parallax_error must not be negative"),
        (SourceTable.from_frame(source(parallax=np.ones(12)).table, units={"parallax": "km"}),
         "in 'km', which cannot be turned into mas"),
    ],
)  # fmt: skip
def test_bad_tables_are_one_sentence(table, sentence):
    with pytest.raises(TableRejected, match=sentence):
        star_table(table)


def test_odd_values_are_said_and_lived_with():
    table = source(20, parallax=np.full(20, -1.0), pmra=np.full(20, np.nan), pmdec=np.full(20, 1.0))
    table.table.loc[3, "ra"] = np.nan
    stars = star_table(table)
    assert len(stars) == 19
    assert 3 not in stars.row
    assert stars.pm is None
    assert stars.astrometry is None
    notes = " ".join(stars.notes)
    assert "1 rows without a place" in notes
    assert "No parallax is positive" in notes
    assert "no proper motions" in notes


@pytest.mark.parametrize("centre", [(0.0, 0.0), (359.9, 40.0), (120.0, -89.5)])
def test_the_plane_and_back(centre):
    xy = np.random.default_rng(0).uniform(-60, 60, (50, 2))
    np.testing.assert_allclose(project(deproject(xy, centre), centre), xy, atol=1e-8)


def test_detections_and_cones_are_stars_too():
    rng = np.random.default_rng(0)
    found = Detections(pd.DataFrame({"label": "star", "score": 1.0, "x": rng.random(30) * 99,
                                     "y": rng.random(30) * 99, "flux": 100.0}))  # fmt: skip
    stars = stars_of_detections(found)
    assert (stars.unit, stars.centre_deg, len(stars)) == ("px", None, 30)
    np.testing.assert_allclose(stars.mag, -5.0)
    pleiades = stars_of_cone(cone(56.75, 24.12, 1.5))
    assert isinstance(cone(56.75, 24.12, 1.5), GaiaCone)
    assert pleiades.unit == "arcmin"
    assert pleiades.pm is None
    assert len(as_table(pleiades)) == len(pleiades) > 20
    with pytest.raises(TableRejected, match="0 stars"):
        stars_of_detections(Detections.empty())
