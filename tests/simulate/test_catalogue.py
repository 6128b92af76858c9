import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import Table

from core.catalogues.gaia import cone, separation_deg
from core.errors import ParameterInvalid
from core.simulate import catalogue
from core.simulate.catalogue import COLUMNS, stars_for


def test_real_stars_and_drawn_ones_are_told_apart():
    stars = stars_for(56.75, 24.12, 1.0, limit_mag=15.0)
    table, real = stars.table, stars.table["real"].to_numpy()

    assert tuple(table.columns) == COLUMNS
    assert table["g_mag"].is_monotonic_increasing
    assert real.dtype == bool
    assert table["source_id"][real].tolist() == cone(56.75, 24.12, 1.0).table["source_id"].tolist()
    assert (table["source_id"][~real] == 0).all()
    assert (table["g_mag"][real] <= 10).all()
    assert ((table["g_mag"][~real] > 10) & (table["g_mag"][~real] <= 15)).all()
    assert table[~real][["ra_deg", "dec_deg", "bp_mag", "rp_mag"]].notna().all(axis=None)
    assert stars.n_real + stars.n_statistical == len(table)
    assert stars.real_limit_mag == 10
    assert f"{stars.n_real} real stars" in stars.sentence
    assert "at random" in stars.sentence


@pytest.mark.parametrize("place", [(0.0, 0.0), (359.99, -30.0), (10.0, 89.8), (200.0, -90.0), (45.0, 60.0)])
def test_stars_fill_the_circle_and_only_it(place):
    table = stars_for(*place, 1.0, limit_mag=17.0).table

    distance = separation_deg(table["ra_deg"], table["dec_deg"], *place)
    assert distance.max() <= 1.0
    assert table["ra_deg"].between(0, 360, inclusive="left").all()
    # Uniform over the circle: half within 1/√2 of its radius, and half on the northern side (or east).
    n = len(table)
    assert n > 400
    assert abs((distance <= np.sqrt(0.5)).mean() - 0.5) < 4 * 0.5 / np.sqrt(n)
    east = np.sin(np.radians(table["ra_deg"] - place[0])) > 0
    assert abs(east.mean() - 0.5) < 4 * 0.5 / np.sqrt(n) + 0.02


def test_the_same_seed_gives_the_same_stars():
    first, again = (stars_for(80, 30, 0.3, limit_mag=18, seed=5).table for _ in range(2))
    other = stars_for(80, 30, 0.3, limit_mag=18, seed=6).table

    assert first.equals(again)
    assert not np.isin(first["ra_deg"][~first["real"]], other["ra_deg"]).any()


@pytest.mark.parametrize("change", [{"radius_deg": 0.9}, {"limit_mag": 19.1}, {"ra_deg": 80.2}])
def test_a_star_does_not_change_with_the_field(change):
    asked = {"ra_deg": 80.0, "dec_deg": 30.0, "radius_deg": 0.4, "limit_mag": 17.3}
    one, other = stars_for(**asked).table, stars_for(**{**asked, **change}).table

    asked |= {"radius_deg": 0.1}  # a circle that both hold, whichever was moved
    near = separation_deg(one["ra_deg"], one["dec_deg"], 80.1, 30.0) < 0.1
    near_too = separation_deg(other["ra_deg"], other["dec_deg"], 80.1, 30.0) < 0.1
    kept = other[near_too & (other["g_mag"] <= 17.3)]
    assert len(kept) > 50
    assert kept.to_numpy().tolist() == one[near].to_numpy().tolist()


def test_more_stars_than_can_be_drawn_are_cut_and_said(monkeypatch):
    monkeypatch.setattr(catalogue, "MAX_STARS", 2_000)
    stars = stars_for(270, -28, 0.3, limit_mag=20)

    assert 500 < stars.n_statistical < 2_400
    assert stars.limit_mag < 20
    assert stars.table["g_mag"].max() <= stars.limit_mag
    (note,) = stars.notes
    assert note.endswith(f"stars to G = 20; only those to G = {stars.limit_mag:g} are drawn.")


@pytest.mark.parametrize(("radius_deg", "limit_mag"), [(0.0, 18.0), (0.001, 12.0), (0.1, -1.0)])
def test_a_field_without_stars_is_an_empty_table(radius_deg, limit_mag):
    stars = stars_for(12.0, 85.0, radius_deg, limit_mag=limit_mag)

    assert len(stars.table) == 0
    assert tuple(stars.table.columns) == COLUMNS
    assert stars.table["real"].dtype == bool
    assert stars.sentence.startswith("There is no star brighter than")


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"ra_deg": np.nan}, "ra_deg"),
        ({"dec_deg": -91.0}, "dec_deg"),
        ({"radius_deg": 36.0}, "radius_deg"),
        ({"radius_deg": -1.0}, "radius_deg"),
        ({"limit_mag": 27.0}, "limit_mag"),
        ({"limit_mag": np.nan}, "limit_mag"),
        ({"seed": -1}, "seed"),
    ],
)
def test_what_is_out_of_bounds_is_refused(wrong, name):
    with pytest.raises(ParameterInvalid, match=f"{name} must be") as refusal:
        stars_for(**{"ra_deg": 0.0, "dec_deg": 0.0, "radius_deg": 0.1, "limit_mag": 15.0, **wrong})
    assert refusal.value.parameter == name


def _answer():
    return Table(
        {
            "source_id": np.array([11, 12]),
            "ra": np.array([130.0, 130.01]),
            "dec": np.array([19.6, 19.6]),
            "phot_g_mean_mag": np.array([15.0, 12.0]),
            "phot_bp_mean_mag": np.array([15.4, 12.5]),
            "phot_rp_mean_mag": np.array([14.5, 11.6]),
            "pmra": np.array([0.0, 0.0]),
            "pmdec": np.array([-1000.0, 0.0]),
            "parallax": np.array([5.0, 1.0]),
            **{f"{name}_error": np.array([0.1, 0.2]) for name in ("pmra", "pmdec", "parallax")},
        }
    )


def test_the_archive_is_asked_when_wanted(tap, tmp_path):
    tap.table = _answer()
    asked = {"limit_mag": 16.0, "online": True, "url": tap.url, "cache": tmp_path}

    stars = stars_for(130.0, 19.6, 0.2, epoch=2026.0, **asked)

    assert stars.n_real == 2
    assert stars.n_statistical == 0
    assert stars.real_limit_mag == 16
    assert stars.notes == ()
    moved = stars.table.set_index("source_id").loc[11]
    assert moved["dec_deg"] == pytest.approx(19.6 - 10 / 3600, abs=1e-7)
    assert "archive" in stars.sentence


def test_below_the_archive_stars_are_drawn(tap, tmp_path):
    tap.table = _answer()

    stars = stars_for(130.0, 19.6, 0.1, limit_mag=21.5, online=True, url=tap.url, cache=tmp_path)

    drawn = stars.table[~stars.table["real"]]
    assert stars.real_limit_mag == 20
    assert len(drawn) > 10
    assert drawn["g_mag"].between(20, 21.5).all()


def test_without_the_archive_the_offline_catalogue_serves(tmp_path):
    stars = stars_for(
        56.75,
        24.12,
        0.5,
        limit_mag=12,
        online=True,
        url="http://127.0.0.1:9/tap",
        cache=tmp_path,
        timeout_s=2,
    )

    assert stars.real_limit_mag == 10
    assert stars.n_real > 10
    (note,) = stars.notes
    assert "cannot be used right now. The real stars are those of the offline catalogue." in note


def test_a_field_too_large_for_the_archive_is_served_offline():
    stars = stars_for(56.75, 24.12, 8.0, limit_mag=9, online=True)

    assert stars.n_real > 100
    assert "too large for the Gaia archive" in stars.notes[0]


def test_galactic_coordinates_are_those_of_astropy():
    from core.simulate.catalogue_faint import galactic

    ra, dec = np.array([0.0, 83.6, 266.4, 192.86, 10.0]), np.array([0.0, 22.0, -28.9, 27.13, -89.0])
    expected = SkyCoord(ra, dec, unit="deg").galactic
    l_deg, b_deg = galactic(ra, dec)
    assert SkyCoord(l_deg, b_deg, unit="deg", frame="galactic").separation(expected).arcsec.max() < 0.1
