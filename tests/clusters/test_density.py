import numpy as np
import pytest

from core.clusters.crowd import crowd_at
from core.clusters.glow import glows
from core.clusters.kde import adaptive_density
from core.clusters.scan import scan
from core.errors import ParameterInvalid
from core.frames import Frame, samples
from core.methods import get_method
from core.scoring.boxes import box_iou
from tests.skies import star_field

METHOD = get_method("clusters.density")


def crowded(seed, n_field=250, n_cluster=120, core=22.0, centre=(150.0, 170.0), side=320):
    """A frame with a crowd of stars, spread like Plummer's profile."""
    rng = np.random.default_rng(seed)
    radius = core / np.sqrt(rng.random(n_cluster) ** -1.0 - 1.0)
    angle = rng.uniform(0, 2 * np.pi, n_cluster)
    members = np.array(centre) + np.minimum(radius, 6 * core)[:, None] * np.column_stack(
        [np.cos(angle), np.sin(angle)]
    )
    field = rng.uniform(2, side - 3, (n_field, 2))
    xy = np.concatenate([field, members])
    xy = xy[((xy > 1) & (xy < side - 2)).all(axis=1)]
    fluxes = np.exp(rng.uniform(np.log(900), np.log(20_000), len(xy)))
    return Frame.from_array(star_field(seed, (side, side), xy=xy, fluxes=fluxes).pixels, row0="bottom")


def test_a_crowd_is_one_cluster_where_it_was_planted():
    result = METHOD.run(crowded(1))
    (row,) = result.detections.table.to_dict("records")
    assert (row["x"], row["y"]) == pytest.approx((150, 170), abs=10)
    assert row["r50_px"] == pytest.approx(22, rel=0.6)
    assert 10 <= row["n_members"] <= 150
    assert row["contrast"] > 3
    assert row["chance"] < 1e-6
    assert 0.5 < row["score"] <= 1
    assert result.summary.startswith("One star cluster among")
    mask, density = result.masks["clusters"], result.maps["density"]
    assert mask.shape == (320, 320)
    assert mask[170, 150] == 1
    assert mask[20, 300] == 0
    peak = np.unravel_index(np.argmax(density), density.shape)
    assert np.hypot(*(np.array(peak[::-1]) * 320 / density.shape[0] - (150, 170))) < 20
    rows, columns = np.nonzero(mask)
    around = [columns.min() - 0.5, rows.min() - 0.5, columns.max() + 0.5, rows.max() + 0.5]
    assert box_iou([around], result.detections.boxes)[0, 0] > 0.9


def test_stars_at_random_places_hardly_ever_make_a_cluster():
    found = 0
    for seed in range(20):
        xy = np.random.default_rng(seed).uniform(0, 400, (500, 2))
        found += bool(scan(xy, np.ones((400, 400), bool), most_chance=0.05, fewest=6))
    assert found <= 2


def test_a_bright_few_show_in_a_deep_frame():
    rng = np.random.default_rng(4)
    bright = np.concatenate([rng.normal(200, 25, (30, 2)), rng.uniform(0, 512, (40, 2))])
    faint = rng.uniform(0, 512, (3000, 2))
    found = scan(np.concatenate([bright, faint]), np.ones((512, 512), bool), most_chance=0.05, fewest=6)
    assert found
    assert found[0].n_stars < 1000
    assert (found[0].x, found[0].y) == pytest.approx((200, 200), abs=25)


def test_missing_pixels_are_no_gap_between_stars():
    rng = np.random.default_rng(5)
    covered = np.ones((400, 400), bool)
    covered[:, 200:] = False
    xy = rng.uniform(0, [200, 400], (600, 2))
    assert not scan(xy, covered, most_chance=0.01, fewest=6)


def test_a_long_crowd_is_seen_to_be_long():
    rng = np.random.default_rng(6)
    own = rng.normal(0, [40, 14], (600, 2)) + 256
    xy = np.concatenate([own, rng.uniform(0, 512, (800, 2))])
    found = scan(xy, np.ones((512, 512), bool), most_chance=0.05, fewest=6)[0]
    crowd = crowd_at(xy[: found.n_stars], (512, 512), found)
    assert crowd.ratio < 0.75
    assert min(crowd.angle_deg, 180 - crowd.angle_deg) < 15
    left, bottom, right, top = crowd.box((512, 512))
    assert right - left > 1.3 * (top - bottom)


def test_light_that_stars_are_lost_in_is_seen():
    y, x = np.mgrid[:256, :256]
    rng = np.random.default_rng(7)
    blob = 60.0 * np.exp(-((x - 120) ** 2 + (y - 140) ** 2) / (2 * 15.0**2))
    frame = (100.0 + blob + rng.normal(0, 2, (256, 256))).astype(np.float32)
    halo = rng.normal([120, 140], 28, (80, 2))
    xy = np.concatenate([halo[np.hypot(*(halo - [120, 140]).T) > 14], rng.uniform(0, 256, (60, 2))])
    found = glows(frame, xy, 3.0)
    assert (found[0].x, found[0].y) == pytest.approx((120, 140), abs=6)
    assert not glows(frame, rng.uniform(0, 256, (60, 2)), 3.0)  # a galaxy has no stars around it
    assert not glows(np.full((20, 20), 3.0, np.float32), xy, 3.0)


def test_the_adaptive_density_holds_the_stars_and_stays_even_to_the_edge():
    rng = np.random.default_rng(8)
    xy = rng.uniform(-0.5, 299.5, (20_000, 2))
    density = adaptive_density(xy, np.ones((300, 300), bool))
    assert density.mean() == pytest.approx(20_000 / 0.09, rel=0.05)
    assert density.std() / density.mean() < 0.2
    crowd = np.concatenate([rng.normal(150, 4, (300, 2)), rng.uniform(0, 300, (300, 2))])
    peaked = adaptive_density(crowd, np.ones((300, 300), bool))
    one_width = adaptive_density(crowd, np.ones((300, 300), bool), sensitivity=0.0)
    assert peaked.max() > 1.5 * one_width.max()


@pytest.mark.parametrize(
    ("name", "about"), [("m13.jpg", (528, 508)), ("m22.jpg", (255, 260)), ("m44.jpg", (210, 230))]
)
def test_photographed_clusters_are_one_each(name, about):
    sample = next(one for one in samples() if one.path.name == name)
    (row,) = METHOD.run(sample.read()).detections.table.to_dict("records")
    assert (row["x"], row["y"]) == pytest.approx(about, abs=50)


@pytest.mark.parametrize(
    ("pixels", "said"),
    [
        (np.zeros((1, 1)), "1 × 1 px"),
        (np.full((200, 200), 7.0), "blank"),
        (np.random.default_rng(0).normal(100, 5, (200, 200)), "noise"),
        (np.random.default_rng(0).uniform(150, 250, (200, 200)), ""),
    ],
)
def test_what_is_no_sky_is_refused_in_a_sentence(pixels, said):
    result = METHOD.run(Frame.from_array(pixels, row0="bottom"))
    assert len(result.detections) == 0
    assert said in " ".join(result.warnings)
    assert result.summary.startswith("No star cluster")


def test_few_stars_are_too_few():
    field = star_field(3, (128, 128), 6, flux=(5000, 20_000), border=12)
    result = METHOD.run(Frame.from_array(field.pixels, row0="bottom"))
    assert "with fewer than 10 no crowd" in result.warnings[-1]


def test_a_long_thin_frame_is_searched():
    rng = np.random.default_rng(9)
    xy = np.concatenate([rng.normal([3000, 60], 12, (80, 2)), rng.uniform(0, [4000, 120], (700, 2))])
    found = scan(xy, np.ones((120, 4000), bool), most_chance=0.05, fewest=6)
    assert found
    assert found[0].x == pytest.approx(3000, abs=30)


def test_an_unknown_finder_is_refused():
    with pytest.raises(ParameterInvalid, match="finder"):
        METHOD.params(finder="stars.none")
