import numpy as np
import pandas as pd
import pytest
from astropy.wcs import WCS

from core.dso.kinds import count_in_words
from core.dso.known import known_objects
from core.dso.names import describe, find_card, name_detections, objects_in
from core.frames import Frame, samples
from core.results import Detections


def sample(name):
    return next(one for one in samples() if one.name == name).read()


def sky(ra_deg, dec_deg, scale_arcsec=10.0, side=400):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix = [ra_deg, dec_deg], [(side + 1) / 2] * 2
    wcs.wcs.cdelt = [-scale_arcsec / 3600, scale_arcsec / 3600]
    return Frame.from_array(np.zeros((side, side)), wcs=wcs)


def boxes(*rows):
    """Detections of x_min, y_min, x_max, y_max, label."""
    table = pd.DataFrame(rows, columns=["x_min", "y_min", "x_max", "y_max", "label"])
    table["x"], table["y"] = (table.x_min + table.x_max) / 2, (table.y_min + table.y_max) / 2
    return Detections(table.assign(score=0.8))


def test_a_frame_shows_what_lies_on_it():
    objects = objects_in(sky(202.47, 47.2))
    assert {"M 51", "NGC 5195"} <= set(objects["name"])
    m51 = objects[objects["name"] == "M 51"].iloc[0]
    assert m51["x"] == pytest.approx(199.5, abs=2)
    assert m51["size_px"] == pytest.approx(13.71 * 6, rel=0.01)
    assert m51["label"] == "galaxy"


@pytest.mark.parametrize("place", [(0.01, 41.0), (359.99, 0.0), (120.0, 89.9), (80.0, -89.9)])
def test_nothing_comes_from_the_far_side_of_the_sky(place):
    frame = sky(*place, scale_arcsec=30.0)
    objects = objects_in(frame)
    x, _ = frame.pixel(objects["ra_deg"], objects["dec_deg"])
    np.testing.assert_allclose(x, objects["x"])
    centre = np.radians(place)
    ra, dec = np.radians(objects["ra_deg"]), np.radians(objects["dec_deg"])
    cosine = np.sin(dec) * np.sin(centre[1]) + np.cos(dec) * np.cos(centre[1]) * np.cos(ra - centre[0])
    assert (np.degrees(np.arccos(np.clip(cosine, -1, 1))) < 2.5).all()


def test_without_a_place_on_the_sky_nothing_is_named():
    frame = sample("m51_kpno")
    assert frame.wcs is None
    assert objects_in(frame).empty
    named = name_detections(boxes((100, 100, 200, 200, "galaxy")), frame)
    assert named.table["name"].tolist() == [None]
    assert named.table["kind"].tolist() == [None]


def test_an_object_whose_middle_lies_beside_the_frame_is_named_and_need_not_be_found():
    frame = sky(10.68 + 0.7, 41.27 + 0.3, scale_arcsec=5.0)  # 38′ from the middle of M 31, which is 178′ long
    found = boxes((60, 150, 399, 399, "galaxy"))
    assert name_detections(found, frame).table["name"].tolist() == ["M 31"]
    known = known_objects(frame)
    assert "M 31" in set(known.others.table["name"])
    assert "M 31" not in set(known.objects.table["name"])


def test_no_detections_stay_none():
    assert len(name_detections(Detections.empty(), sample("m31"))) == 0


def test_galaxies_and_their_companions_get_their_own_names():
    found = boxes(
        (0, 50, 1023, 900, "galaxy"), (620, 270, 710, 360, "galaxy"), (500, 600, 550, 645, "galaxy")
    )
    named = name_detections(found, sample("m31")).table
    assert named["name"].tolist() == ["M 31", "M 110", "M 32"]
    assert named["common_name"].tolist() == ["Andromeda Galaxy", None, None]
    assert named["constellation"].tolist() == ["Andromeda"] * 3
    assert named["magnitude"][0] == pytest.approx(3.44)


def test_of_overlapping_objects_that_of_the_class_is_taken():
    frame = sky(274.70, -13.81, 15.0)  # M 16, which OpenNGC has as a cluster with a nebula
    objects = objects_in(frame)
    m16 = objects[objects["name"] == "M 16"].iloc[0]
    x, y = m16["x"], m16["y"]
    for label in ("nebula", "cluster"):
        named = name_detections(boxes((x - 60, y - 60, x + 60, y + 60, label)), frame)
        assert named.table["name"].tolist() == ["M 16"]


def test_a_box_far_from_everything_has_no_name():
    assert name_detections(boxes((20, 20, 60, 60, "nebula")), sample("m66")).table["name"].tolist() == [None]


def test_points_are_named_too():
    table = pd.DataFrame({"label": ["cluster"], "score": [0.9], "x": [505.0], "y": [511.0]})
    assert name_detections(Detections(table), sample("m13")).table["name"].tolist() == ["M 13"]


def test_one_name_names_one_box():
    named = name_detections(boxes((50, 50, 450, 450, "galaxy"), (80, 80, 440, 440, "galaxy")), sample("m83"))
    assert sorted(named.table["name"].tolist(), key=str) == ["M 83", None]


def test_cards_tell_what_a_visitor_wants_to_know():
    card = find_card("M 31")
    assert card.title == "M 31 · Andromeda Galaxy"
    assert "galaxy" in card.about.lower()
    facts = dict(card.facts)
    assert facts["Constellation"] == "Andromeda"
    assert facts["Brightness"] == "magnitude 3.4, to be seen with the naked eye"
    assert facts["Size on the sky"] == "178′ × 69.7′, 5.7 times as wide as the full Moon"
    assert facts["Also called"] == "NGC 224"
    assert facts["Type"] == "Galaxy of type Sb"


def test_cards_leave_out_what_is_not_known():
    entry = {
        "name": "IC 1", "designation": "IC 1", "common_name": "", "type": "Neb", "kind": "Nebula",
        "constellation": "Se3", "magnitude": np.nan, "size_arcmin": np.nan, "minor_arcmin": np.nan,
        "hubble": "",
    }  # fmt: skip
    assert describe(entry).facts == (("Type", "Nebula"),)
    assert describe(entry).title == "IC 1"


def test_an_unknown_name_has_no_card():
    assert find_card("M 999") is None


def test_every_object_has_a_card():
    from core.catalogues.openngc import openngc

    for _, entry in openngc().iloc[::97].iterrows():
        card = describe(entry)
        assert card.about.endswith(".")
        assert card.facts


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ([], "nothing"),
        (["cluster"], "1 cluster"),
        (["nebula", "galaxy", "galaxy"], "2 galaxies and 1 nebula"),
        (["cluster", "nebula", "galaxy"], "1 galaxy, 1 nebula and 1 cluster"),
    ],
)
def test_counts_read_as_people_say_them(labels, said):
    assert count_in_words(labels) == said
