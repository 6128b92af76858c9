import io

import numpy as np
from PIL import Image

from core.export import export
from core.export.picture import COLOURS, credit_line
from core.results import Detections


def test_markers_stand_on_their_stars_in_a_frame_shown_upside_down(make, sky_frame):
    sky_frame.pixels[7:9, 4:7] = 10_000.0  # the star of the first detection, at (5.25, 7.5)
    result = make(["star"])
    placed = Detections(result.detections.table.assign(x=5.0))
    with Image.open(io.BytesIO(export(result, "png", frame=sky_frame, detections=placed))) as page:
        box = [int(edge) for edge in page.text["Almagest:picture_box"].split(",")]
        picture = np.asarray(page.crop(box)).astype(int)
    zoom = picture.shape[0] / 48
    colour = np.array([int(COLOURS[0][at : at + 2], 16) for at in (1, 3, 5)])
    rows, columns = np.nonzero(np.abs(picture - colour).max(axis=2) < 12)
    assert columns.mean() == np.clip(columns.mean(), 5.3 * zoom, 5.7 * zoom)
    assert rows.mean() == np.clip(rows.mean(), (48 - 8.2) * zoom, (48 - 7.8) * zoom)
    star = picture[round(rows.mean()), round(columns.mean())]
    assert star.min() > 200, "the marker is not about the star"


def test_the_small_print_names_weights_and_edits_only_where_there_are_any():
    facts = {
        "almagest_version": "0.1.0",
        "method": "stars.toy",
        "parameters": '{"fwhm_px":null,"threshold_sigma":4.5}',
        "weights_sha256": "none",
        "frame_sha256": "ab" * 32,
        "human_edits": "0",
        "exported_at": "now",
    }
    assert credit_line(facts) == (
        "Almagest 0.1.0 · stars.toy · fwhm_px auto, threshold_sigma 4.5 · frame sha256 abababababab · now"
    )
    edited = credit_line({**facts, "weights_sha256": "cd" * 32, "human_edits": "17"})
    assert "weights sha256 cdcdcdcdcdcd" in edited
    assert "17 edits by hand" in edited
