import time

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import MaskedColumn, Table
from astropy.time import Time

from core.catalogues import gaia
from core.catalogues.gaia import COLUMNS, cone, separation_deg
from core.catalogues.tap import REMEMBER_S
from core.errors import CatalogueUnavailable, ParameterInvalid


def _answer(ra=(130.0, 130.01), dec=(19.6, 19.6), pm_ra=(1000.0, 0.0), pm_dec=(0.0, -2000.0)):
    return Table(
        {
            "source_id": np.array([11, 12]),
            "ra": np.array(ra),
            "dec": np.array(dec),
            "phot_g_mean_mag": np.array([15.0, 12.0]),
            "phot_bp_mean_mag": MaskedColumn([15.4, 0.0], mask=[False, True]),
            "phot_rp_mean_mag": np.array([14.5, 11.6]),
            "pmra": np.array(pm_ra),
            "pmdec": np.array(pm_dec),
            "parallax": MaskedColumn([5.0, 0.0], mask=[False, True]),
            **{f"{name}_error": np.array([0.1, 0.2]) for name in ("pmra", "pmdec", "parallax")},
        }
    )


def test_the_pleiades_are_where_they_are():
    stars = cone(56.75, 24.12, 1.0)

    assert {"source_id", "ra_deg", "g_mag"} <= set(stars.table.columns)
    assert tuple(stars.table.columns) == COLUMNS
    assert stars.table["g_mag"].is_monotonic_increasing
    assert stars.table["g_mag"].iloc[0] == pytest.approx(2.84, abs=0.1)  # Alcyone
    assert len(stars) >= 40
    assert stars.limit_mag == 10


@pytest.mark.parametrize("place", [(0.01, 45.0), (359.99, -30.0), (120.0, 89.5), (10.0, -90.0)])
def test_a_cone_holds_what_a_full_search_finds(place):
    every = cone(0.0, 0.0, 180.0).table
    sky = SkyCoord(every["ra_deg"], every["dec_deg"], unit="deg")
    expected = every[sky.separation(SkyCoord(*place, unit="deg")).deg <= 2.0]

    found = cone(*place, 2.0).table

    assert set(found["source_id"]) == set(expected["source_id"])
    assert (separation_deg(found["ra_deg"], found["dec_deg"], *place) <= 2.0).all()


def test_the_last_two_columns_of_the_offline_copy_are_colours():
    barnard = cone(269.4485, 4.7394, 0.001).table.iloc[0]

    assert barnard["bp_mag"] == pytest.approx(9.79, abs=0.01)
    assert barnard["rp_mag"] == pytest.approx(6.96, abs=0.01)
    assert np.isnan(barnard["pm_ra_mas_yr"])


def test_offline_positions_say_when_they_are_old():
    assert cone(56.75, 24.12, 0.5, epoch=2016.3).notes == ()
    (note,) = cone(56.75, 24.12, 0.5, epoch=1990.0).notes
    assert "26 years" in note
    assert cone(56.75, 24.12, 0.5, epoch=1990.0).epoch == 2016.0


def test_an_empty_place_is_an_empty_table():
    stars = cone(265.209, -30.869, 0.005)

    assert len(stars) == 0
    assert tuple(stars.table.columns) == COLUMNS


@pytest.mark.parametrize(
    ("arguments", "online", "name"),
    [
        ((np.nan, 0, 1), False, "ra_deg"),
        ((0, 91, 1), False, "dec_deg"),
        ((0, 0, -1), False, "radius_deg"),
        ((0, 0, 20), True, "radius_deg"),
    ],
)
def test_places_off_the_sky_are_refused(arguments, online, name):
    with pytest.raises(ParameterInvalid, match=f"{name} must be") as refusal:
        cone(*arguments, online=online)
    assert refusal.value.parameter == name


def test_the_archive_is_asked_by_an_asynchronous_job(tap, tmp_path):
    tap.table = _answer()
    tap.delay_s = 0.3

    stars = cone(130.0, 19.6, 0.2, online=True, url=tap.url, cache=tmp_path, limit_mag=18.0)

    (query,) = tap.queries
    assert "TOP 50000" in query
    assert "CIRCLE(130.000000, 19.600000, 0.210000)" in query
    assert "phot_g_mean_mag <= 18.000" in query
    assert stars.table["source_id"].tolist() == [12, 11]
    assert np.isnan(stars.table["bp_mag"].iloc[0])
    assert stars.limit_mag == 18
    assert tap.deleted == 1


def test_a_table_of_other_columns_is_refused_in_words(tap, tmp_path):
    tap.table = _answer()["source_id", "ra", "dec"]
    with pytest.raises(CatalogueUnavailable, match="answered with 3 columns in place of 12"):
        cone(130.0, 19.6, 0.2, online=True, url=tap.url, cache=tmp_path)


def test_proper_motions_are_applied(tap, tmp_path):
    tap.table = _answer()

    then = cone(130.0, 19.6, 0.2, epoch=2006.0, online=True, url=tap.url, cache=tmp_path).table

    slow, fast = then.iloc[1], then.iloc[0]
    assert slow["ra_deg"] == pytest.approx(130 - 10 / 3600 / np.cos(np.radians(19.6)), abs=1e-8)
    assert slow["dec_deg"] == pytest.approx(19.6, abs=1e-7)
    assert fast["dec_deg"] == pytest.approx(19.6 + 20 / 3600, abs=1e-8)


def test_proper_motions_agree_with_astropy_near_the_pole(tap, tmp_path):
    tap.table = _answer(dec=(89.9, 89.95))

    then = cone(130.0, 89.9, 0.3, epoch=1975.0, online=True, url=tap.url, cache=tmp_path).table

    now = SkyCoord(
        130.01 * u.deg,
        89.95 * u.deg,
        pm_ra_cosdec=0 * u.mas / u.yr,
        pm_dec=-2000 * u.mas / u.yr,
        distance=10 * u.pc,
        obstime=Time("J2016"),
    )
    expected = now.apply_space_motion(new_obstime=Time("J1975"))
    assert then["ra_deg"].iloc[0] == pytest.approx(expected.ra.deg, abs=1e-5)
    assert then["dec_deg"].iloc[0] == pytest.approx(expected.dec.deg, abs=1e-6)


def test_an_answer_is_kept_and_not_asked_for_again(tap, tmp_path):
    tap.table = _answer()
    first = cone(130.0, 19.6, 0.2, online=True, url=tap.url, cache=tmp_path)
    tap.table = _answer(ra=(131.0, 131.0))

    again = cone(130.0, 19.6, 0.2, online=True, url=tap.url, cache=tmp_path)
    wider = cone(130.0, 19.6, 0.3, online=True, url=tap.url, cache=tmp_path)

    assert first.table.equals(again.table)
    assert len(wider) == 0
    assert len(tap.queries) == 2
    assert len(list(tmp_path.glob("*.parquet"))) == 2


def test_a_cut_answer_says_how_deep_it_is(tap, tmp_path, monkeypatch):
    monkeypatch.setattr(gaia, "MAX_ROWS", 2)
    tap.table = _answer()

    stars = cone(130.0, 19.6, 0.2, online=True, url=tap.url, cache=tmp_path)

    assert stars.limit_mag == 15
    assert "brightest" in stars.notes[0]


def test_a_slow_archive_is_given_up(tap, tmp_path):
    tap.delay_s = 60

    with pytest.raises(CatalogueUnavailable, match=r"did not finish within 0\.5 s"):
        cone(130.0, 19.6, 0.2, online=True, url=tap.url, cache=tmp_path, timeout_s=0.5)
    assert tap.deleted == 1
    assert not list(tmp_path.iterdir())


def test_an_archive_slow_at_every_step_is_given_up_in_time(tap, tmp_path):
    tap.table, tap.lag_s = _answer(), 0.8

    start = time.monotonic()
    with pytest.raises(CatalogueUnavailable):
        cone(130.0, 19.6, 0.2, online=True, url=tap.url, cache=tmp_path, timeout_s=1.0)
    assert time.monotonic() - start < 4.0


def test_a_network_that_asks_for_a_login_is_no_archive(tap, tmp_path):
    tap.page = "<html><head><title>Welcome</title></head><body>Please log in<br></body></html>"

    with pytest.raises(CatalogueUnavailable, match="cannot be used right now"):
        cone(130.0, 19.6, 0.2, online=True, url=tap.url, cache=tmp_path)


def test_a_failing_archive_is_unavailable(tap, tmp_path):
    tap.fails = True

    with pytest.raises(CatalogueUnavailable, match="cannot be used right now"):
        cone(130.0, 19.6, 0.2, online=True, url=tap.url, cache=tmp_path)


def test_a_question_that_failed_is_asked_again_only_after_a_while(tap, tmp_path, monkeypatch):
    def ask():
        return cone(130.0, 19.6, 0.2, online=True, url=tap.url, cache=tmp_path)

    tap.fails = True
    with pytest.raises(CatalogueUnavailable) as first:
        ask()
    tap.fails, tap.table = False, _answer()
    with pytest.raises(CatalogueUnavailable) as second:
        ask()
    assert second.value.message == first.value.message
    now = time.monotonic()
    monkeypatch.setattr("core.catalogues.tap.time.monotonic", lambda: now + REMEMBER_S + 1.0)
    assert len(ask()) == len(_answer())


def test_no_archive_at_all_is_unavailable(tmp_path):
    with pytest.raises(CatalogueUnavailable, match="cannot be used right now"):
        cone(1.0, 1.0, 0.1, online=True, url="http://127.0.0.1:9/tap", cache=tmp_path, timeout_s=2)


def test_a_cache_that_cannot_be_written_costs_nothing(tap, tmp_path):
    tap.table = _answer()
    (tmp_path / "file").touch()

    stars = cone(130.0, 19.6, 0.2, online=True, url=tap.url, cache=tmp_path / "file" / "folder")

    assert len(stars) == 2
