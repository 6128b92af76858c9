import dataclasses

import numpy as np
import pandas as pd
import pytest

from core.simulate.catalogue_scene import limiting_magnitude, scene_stars
from core.simulate.presets import PRESETS, preset
from core.simulate.render import render


@pytest.mark.parametrize("name", PRESETS)
def test_the_limit_is_where_the_truth_has_that_snr(name):
    scene = preset(name).cropped(256, 256)
    scene = scene.with_settings({"camera.mode": "mono", "pointing.dec_deg": "60", "seeing.trail_arcsec": "0"})
    limit = limiting_magnitude(scene, snr=10.0)

    place = {"ra_deg": [scene.pointing.ra_deg], "dec_deg": [60.0]}
    star = {**place, "g_mag": limit, "bp_mag": np.nan, "rp_mag": np.nan, "real": False, "source_id": 0}
    (snr,) = render(scene, pd.DataFrame(star)).truth.table["snr"]

    assert snr == pytest.approx(10.0, rel=0.3)


def test_brighter_skies_hide_stars_and_longer_exposures_show_them():
    scene = preset("vespera")
    city = scene.with_settings({"sky.brightness_mag_arcsec2": "17"})
    longer = scene.with_settings({"camera.n_stacked": "600"})
    assert limiting_magnitude(city) < limiting_magnitude(scene) - 1
    assert limiting_magnitude(longer) == pytest.approx(limiting_magnitude(scene) + 1.25, abs=0.01)


def test_a_scene_gets_the_stars_of_its_field():
    scene = preset("vlt").with_settings({"pointing.ra_deg": "0", "pointing.dec_deg": "-89.9"})

    catalogue = scene_stars(scene)

    assert catalogue.limit_mag == pytest.approx(limiting_magnitude(scene), abs=0.01)
    assert len(catalogue.table) > 50
    other = scene_stars(dataclasses.replace(scene, seed=1))
    assert not catalogue.table["ra_deg"].equals(other.table["ra_deg"])
    assert catalogue.table.equals(scene_stars(scene).table)
