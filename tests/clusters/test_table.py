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
        (["RAdeg", "DEdeg", "e_RAdeg"], {"ra_deg": "RAdeg", "dec_deg": "DEdeg"}),
        (["X_IMAGE", "Y_IMAGE", "ALPHA_J2000", "DELTA_J2000"],
         {"x": "X_IMAGE", "y": "Y_IMAGE", "ra_deg": "ALPHA_J2000", "dec_deg": "DELTA_J2000"}),
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
    np.testing.assert_allclose(stars.own_pm, [[4.0, 1.0]] * 12)
    np.testing.assert_allclose(stars.parallax, 2.0)
    assert any("typical of Gaia DR3 are assumed" in note for note in stars.notes)


def test_errors_of_nothing_are_not_given():
    none = np.zeros(12)
    table = source(parallax=np.ones(12), parallax_error=np.where(np.arange(12) == 3, 0.0, 0.2), pmra=none,
                   pmdec=none, pmra_error=none, pmdec_error=none)  # fmt: skip
    stars = star_table(table)
    assert stars.parallax_error.min() > 0.05
    assert stars.pm_error.min() > 0.05
    assert sum("typical of Gaia DR3" in note for note in stars.notes) == 1


def test_errors_are_not_assumed_by_magnitudes_of_fluxes():
    of_flux, of_none = (
        star_table(source(pmra=np.ones(12), pmdec=np.ones(12), **more))
        for more in ({"phot_g_mean_flux": np.full(12, 1e4)}, {})
    )
    assert of_flux.instrumental
    np.testing.assert_allclose(of_flux.pm_error, of_none.pm_error)


def test_right_ascension_written_in_hours():
    table = pd.DataFrame({"ra": ["05:35:17"] * 12, "dec": ["-05 23 28"] * 12, "mag": np.arange(12.0)})
    stars = star_table(SourceTable.from_frame(table))
    assert stars.centre_deg == pytest.approx((83.8208, -5.3911), abs=1e-3)


def test_numbers_written_as_text_have_their_unit():
    table = pd.DataFrame({"ra": ["6.5"] * 11 + ["?"], "dec": ["0.5"] * 12})
    stars = star_table(SourceTable.from_frame(table, units={"dec": "rad"}), None, {"ra": "hourangle"})
    assert stars.centre_deg == pytest.approx((97.5, np.degrees(0.5)))
    assert len(stars) == 11


@pytest.mark.parametrize(
    ("ra", "dec", "degrees"),
    [
        ("05:35:17.25", "-00:23:28.5", (83.821875, -0.391250)),
        ("5 35 17.25", "- 0 23 28.5", (83.821875, -0.391250)),
        ("05h35m17.25s", "-00d23m28.5s", (83.821875, -0.391250)),
        ("83d49m18.75s", "-0d23.475m", (83.821875, -0.391250)),
        ("23:59:60.0", "+89 59 60", (0.0, 90.0)),
    ],
)
def test_angles_are_read_however_they_are_written(ra, dec, degrees):
    stars = star_table(SourceTable.from_frame(pd.DataFrame({"ra": [ra] * 12, "dec": [dec] * 12})))
    place = stars.sky(stars.xy[0])
    assert (place[0] + 180.0) % 360.0 - 180.0 == pytest.approx(degrees[0], abs=1e-7)
    assert place[1] == pytest.approx(degrees[1], abs=1e-5)


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


def test_a_place_that_is_no_angle_loses_its_row_and_no_more():
    decimal = [f"{10 + row / 100}" for row in range(11)]
    hours = [f"05:35:{row:02d}" for row in range(11)]
    for words, lost in ((decimal, "missing"), (hours, "masked 3 d"), (hours, "05:75:00"), (decimal, "n/a")):
        table = source().table.assign(ra=[*words[:4], lost, *words[4:]])
        stars = star_table(SourceTable.from_frame(table))
        assert stars.row.tolist() == [0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11]
        assert any("1 rows without a place" in note for note in stars.notes)


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


def test_a_star_that_is_there_twice_counts_once():
    mag = np.arange(12.0)
    table = pd.concat([source(mag=mag).table, source(mag=mag).table.iloc[3:5], source(mag=mag + 1).table])
    stars = star_table(SourceTable.from_frame(table))
    assert stars.row.tolist() == [*range(12), *range(14, 26)]
    assert any("2 rows repeat another" in note for note in stars.notes)
    assert len(star_table(SourceTable.from_frame(table[["ra", "dec"]]))) == 26


def test_what_no_star_can_have_counts_as_not_measured():
    one = np.where(np.arange(12) == 3, 1e308, 1.0)
    table = source(pmra=one, pmdec=np.ones(12), parallax=np.ones(12), parallax_error=one)
    stars = star_table(table)
    assert np.flatnonzero(np.isnan(stars.astrometry[0]).any(axis=1)).tolist() == [3]
    assert np.isfinite(stars.astrometry[1]).all()
    assert sum("1 stars have a" in note for note in stars.notes) == 2
    assert star_table(source(pmra=np.full(12, 1e308), pmdec=np.ones(12))).pm is None


@pytest.mark.parametrize("centre", [(0.0, 0.0), (359.9, 40.0), (120.0, -89.5)])
def test_the_plane_and_back(centre):
    xy = np.random.default_rng(0).uniform(-60, 60, (50, 2))
    np.testing.assert_allclose(project(deproject(xy, centre), centre), xy, atol=1e-8)


def test_what_lies_behind_the_plane_is_not_on_it():
    sky = np.array([[30.0, 10.0], [210.0, -10.0]])
    assert np.isnan(project(sky, (31.0, 10.0))).tolist() == [[False, False], [True, True]]


@pytest.mark.parametrize("centre", [(80.0, 20.0), (250.0, 89.0), (0.0, 90.0)])
def test_stars_are_the_same_on_every_plane(centre):
    table = source(pmra=np.arange(12.0), pmdec=np.ones(12), pmra_error=np.full(12, 0.1)).table
    stars = star_table(SourceTable.from_frame(table.assign(ra=table["ra"] * 8, dec=-table["dec"] * 16)))
    here, there = (as_table(each).drop(columns=["x", "y"]) for each in (stars, stars.on_plane_at(centre)))
    np.testing.assert_allclose(there, here, atol=1e-9)


@pytest.mark.parametrize("dec", [0.0, -60.0, 89.5, 90.0])
def test_stars_that_move_together_do_so_on_the_plane_whatever_the_pole_makes_of_it(dec):
    rng = np.random.default_rng(0)
    centre, step = (100.0, dec), 1e-3  # arcmin that stands for a mas
    before = rng.uniform(-60, 60, (200, 2))
    ra, north = (deproject(before + step * np.array([4.0, -3.0]), centre) - deproject(before, centre)).T
    sky = deproject(before, centre)
    east = ((ra + 180) % 360 - 180) * np.cos(np.radians(sky[:, 1]))
    own = np.column_stack([east, north]) * 60 / step
    table = pd.DataFrame(sky, columns=["ra", "dec"]).assign(pmra=own[:, 0], pmdec=own[:, 1])
    stars = star_table(SourceTable.from_frame(table.assign(pmra_error=0.1, pmdec_error=0.2)))
    assert np.hypot(*stars.pm.mean(axis=0)) == pytest.approx(5.0, rel=0.01)
    assert stars.pm.std(axis=0).max() < 0.01
    assert (stars.pm_error**2).sum(axis=1) == pytest.approx(np.full(200, 0.05))
    assert as_table(stars)[["pm_ra_mas_yr", "pm_dec_mas_yr"]].to_numpy() == pytest.approx(own)


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
