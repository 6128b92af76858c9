"""What the page of surfaces says in words."""

import pandas as pd
import pytest

from core.ui.surfaces import in_words
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
def test_what_is_there_is_counted_with_its_largest_crater(labels, km_per_px, said):
    sizes = [12.0 + number if label == "crater" else float("nan") for number, label in enumerate(labels)]
    objects = pd.DataFrame(
        {"label": pd.Series(labels, dtype=object), "diameter_px": pd.Series(sizes, dtype=float)}
    )
    if km_per_px is not None:
        objects["diameter_km"] = km_per_px * objects["diameter_px"]
    assert in_words(objects, Ground(body="Moon", km_per_px=km_per_px, source="by hand")) == said
