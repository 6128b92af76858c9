"""A surface that was stored is compared by the numbers that it was measured by."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from core.frames import Frame, samples
from core.frames.ground import Ground as Map
from core.methods import get_method
from core.store import Store
from core.ui.runs import Analysis
from core.ui.surfaces import candidates
from core.ui.surfaces_compare import _stored, survey_of
from core.ui.surfaces_scale import Ground, measure_of
from core.ui.surfaces_statistics import MEASURE
from tests.surfaces import surveys


def a_frame(ground: Map | None) -> Frame:
    pixels = np.ones((200, 200), np.float32)
    pixels[:, 150:] = np.nan
    return Frame.from_array(pixels, "it.fits", row0="bottom", ground=ground)


def found_on(frame: Frame):
    found = surveys.result(
        frame,
        surveys.craters([12.0, 30.0, 60.0]),
        surveys.line("valley", (0, 0), (80, 30)),
        method="surfaces.hough",
    )
    facts = dataclasses.replace(found.provenance, params={"min_diameter_px": 20.0})
    return dataclasses.replace(found, provenance=facts)


@pytest.mark.parametrize("has_map", [True, False])
def test_a_stored_surface_has_the_numbers_of_the_live_one(has_map):
    sample = next(one for one in samples() if one.name == "moon_tycho").read()
    frame, ground = a_frame(sample.ground if has_map else None), Ground(2.0, "the map", by_map=has_map)
    method, measure = get_method("surfaces.hough"), measure_of(frame, ground)
    analysis = Analysis(method, found_on(frame), None, None)
    live = survey_of("it", candidates([analysis], measure, None, frame), measure, "Moon")
    with Store(":memory:") as db:
        db.save_run(frame, found_on(frame))
        old = _stored(db, frame.key, "it", [method])
        db.tag_frame(frame.key, MEASURE, measure.text, source="the map")
        stored = _stored(db, frame.key, "it", [method])
    assert old.rose() is None, "which side is up is not known of runs stored before it was kept"
    assert (old.measure.area_px, stored.measure.area_px) == (40_000, 30_000)
    assert live.complete_px == stored.complete_px == 20.0
    for in_km in (True, False):
        assert stored.area(in_km=in_km) == live.area(in_km=in_km)
        assert stored.crater_density(20.0, in_km=in_km) == live.crater_density(20.0, in_km=in_km)
        np.testing.assert_allclose(stored.diameters(in_km=in_km), live.diameters(in_km=in_km))
        np.testing.assert_allclose(stored.lengths(in_km=in_km), live.lengths(in_km=in_km))
    assert stored.rose().mean_deg == pytest.approx(live.rose().mean_deg)
    assert stored.mix == live.mix
