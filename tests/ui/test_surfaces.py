"""What the page of surfaces says in words."""

import pandas as pd
import pytest

from core.frames.samples import samples
from core.methods import get_method
from core.results import Detections, Provenance, Result
from core.surfaces.measure import Measure
from core.surfaces.nomenclature import features_on
from core.ui.runs import Analysis
from core.ui.surfaces import candidates, in_words, mix_words
from core.ui.surfaces_scale import Ground


@pytest.mark.parametrize(
    ("labels", "km_per_px", "said"),
    [
        ([], 2.0, "No craters, valleys or ridges stand out here."),
        (["crater"], 2.0, "1 crater; the largest crater is 24 km across."),
        (["crater"], 120.0, "1 crater; the largest crater is 1,440 km across."),
        (
            ["crater", "valley", "crater", "ridge", "valley"],
            None,
            "2 craters, 2 valleys and 1 ridge; the largest crater is 14 px across.",
        ),
        (["ridge"], None, "1 ridge."),
    ],
)
@pytest.mark.parametrize("at", [50.0, 2.0])
def test_what_is_there_is_counted_with_its_largest_crater(labels, km_per_px, said, at):
    sizes = [12.0 + number if label == "crater" else float("nan") for number, label in enumerate(labels)]
    objects = pd.DataFrame(
        {
            "label": pd.Series(labels, dtype=object),
            "diameter_px": pd.Series(sizes, dtype=float),
            "x": at,
            "y": 50.0,
        }
    )
    if km_per_px is not None:
        objects["diameter_km"] = km_per_px * objects["diameter_px"]
    if at < min(sizes, default=0.0) / 2.0:
        said = said.replace("largest crater is", "largest crater, cut off by the frame, would be")
    ground = Ground(body="Moon", km_per_px=km_per_px, source="by hand")
    assert in_words(objects, Measure(100, 100, 10_000.0), ground) == said


@pytest.mark.parametrize(("azimuth", "said"), [(210.0, " Most of the ground is plain."), (float("nan"), "")])
def test_ground_is_called_plain_only_where_slopes_would_show(azimuth, said):
    facts = {"share_plain": 0.98, "share_unsure": 0.02, "sun_azimuth_deg": azimuth}
    analysis = Analysis(get_method("surfaces.hough"), Result(Detections.empty(), facts=facts), None, None)
    assert mix_words(candidates([analysis], Measure(100, 100, 10_000.0), None)) == said


def test_craters_have_their_names_also_after_a_look_without_the_frame():
    frame = next(one for one in samples() if one.name == "moon_tycho").read()
    features = features_on(frame, least_px=30.0)
    crater = features[features["landform"] == "crater"].iloc[0]
    place = crater[["x", "y", "diameter_px"]].to_dict()
    found = pd.DataFrame([{"label": "crater", "score": 0.9, **place, "axis_ratio": 1.0, "angle_deg": 0.0}])
    about = Provenance(
        "surfaces.hough", {}, "it", frame.sha256, frame.key, frame.width, frame.height, "0", "2026-03-01"
    )
    result = Result(Detections(found), provenance=about)
    analysis = Analysis(get_method("surfaces.hough"), result, None, None)
    (stored,) = candidates([analysis], Measure.of(frame), None)
    (live,) = candidates([analysis], Measure.of(frame), None, frame)
    assert stored.everything.table["name"].tolist() == [None]
    assert live.everything.table["name"].tolist() == [crater["name"]]
