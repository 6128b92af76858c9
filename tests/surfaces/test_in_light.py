import numpy as np
import pytest

from core.frames.samples import samples
from core.surfaces import craters
from core.surfaces.in_light import LEAST_CHANCE, light_on, look_in_light, sun_fact
from core.surfaces.pictures import surface_picture
from core.surfaces.sunlight import Sunlight
from tests.surfaces.grounds import CRATERS, three_craters
from tests.surfaces.networks import tiny_landforms


def test_what_a_person_says_of_the_light_is_taken():
    light = light_on(three_craters(0.0), 123.0)
    assert (light.azimuth_deg, light.is_given, light.is_known) == (123.0, True, True)


def test_craters_that_are_found_show_the_light(monkeypatch, tmp_path):
    monkeypatch.setenv("ALMAGEST_WEIGHTS", str(tmp_path))
    picture = three_craters(250.0)
    assert not light_on(picture).is_known  # nobody is there to find craters
    tiny_landforms(tmp_path)
    sure = np.array([(2.0, x, y, radius, 0.0, 0.0, 0.0) for x, y, radius in CRATERS])
    monkeypatch.setattr(craters, "find", lambda picture, progress, seen, aspect: (sure, np.full(3, 0.9), 0.5))
    assert light_on(picture).azimuth_deg == pytest.approx(250.0, abs=8.0)
    monkeypatch.setattr(craters, "find", lambda picture, progress, seen, aspect: (sure, np.full(3, 0.4), 0.5))
    assert not light_on(picture).is_known
    assert np.isnan(sun_fact(light_on(picture))["sun_azimuth_deg"])


@pytest.mark.parametrize("name", ["moon_tycho", "moon_imbrium", "moon_serenitatis"])
def test_bright_rims_under_a_full_moon_are_no_light_from_a_side(name):
    frame = next(sample for sample in samples() if sample.name == name).read()
    assert not light_on(surface_picture(frame)).is_known


def test_where_the_side_is_not_known_what_depends_on_it_is_unsure():
    def look(turned, progress):
        """As if each picture were lit from the upper left: brighter there is one class, darker the other."""
        half = turned.shape[0] // 2
        bright = float(turned[:half, :half].mean() > 127.0)
        return np.full((2, 4, 4), 8.0) * np.array([bright, 1.0 - bright])[:, None, None]

    picture = np.full((40, 40), 60, np.uint8)
    picture[:20] = 220
    known = np.exp(look_in_light(picture, Sunlight(200.0), look))
    assert known[0] == pytest.approx(1.0, abs=1e-3)
    unknown = np.exp(look_in_light(picture, Sunlight(200.0, 0.0), look))
    assert unknown == pytest.approx(0.5, abs=0.26)
    assert unknown.sum(axis=0) == pytest.approx(1.0, abs=1e-4)
    assert np.exp(look_in_light(picture, Sunlight(20.0), look)).min() >= 0.9 * LEAST_CHANCE
