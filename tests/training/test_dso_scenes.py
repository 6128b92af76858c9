"""Deep-sky scenes: the same seed gives the same scene, and boxes say what can be seen."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.errors import ParameterInvalid
from training.dso_cutouts import (
    LABELS,
    NO_OBJECTS,
    Cutout,
    Objects,
    Photograph,
    catalogue_boxes,
    damp_stars,
    load_objects,
    on_black,
    split_of,
)
from training.dso_dataset import comparison, main, measured, sheet, with_boxes, yolo_lines
from training.dso_finish import Finish, Tone, stack_edges, through_jpeg
from training.dso_objects import Placed, laid, random_object
from training.dso_scenes import added_light, composed_scene, draw_dso_scene, judged, photograph_scene
from training.dso_sky import (
    Glow,
    Noise,
    Stretch,
    field_stars,
    noise_levels,
    random_star_field,
    sky_glow,
)

SIDE = 160


def blob(side=200, sigma=0.12, colour=(255, 200, 160)):
    """A soft round object in the middle of a black square."""
    along = np.linspace(-0.5, 0.5, side)
    light = np.exp(-(along[:, None] ** 2 + along[None, :] ** 2) / (2 * sigma**2))
    return np.rint(light[..., None] * np.array(colour)).astype(np.uint8)


@pytest.fixture(scope="module")
def objects():
    """One cutout of each kind, and one photograph."""
    cutouts = {
        label: [
            Cutout(label, "test", blob(), blob(colour=(120, 120, 120)) if label == "cluster" else blob(), "t")
        ]
        for label in LABELS
    }
    photograph = Photograph(
        blob(120), np.array([[30, 40, 90, 80]], np.float32), np.array([0], np.int64), "photograph"
    )
    return Objects(cutouts, [photograph])


@pytest.fixture(scope="module")
def scenes(objects):
    return [draw_dso_scene(seed, objects, SIDE) for seed in range(24)]


def test_the_same_seed_gives_the_same_scene(objects, scenes):
    again = draw_dso_scene(3, objects, SIDE)
    for field in dataclasses.fields(again):
        np.testing.assert_array_equal(getattr(again, field.name), getattr(scenes[3], field.name))


def test_another_split_gives_another_scene(objects, scenes):
    other = draw_dso_scene(3, objects, SIDE, "val")
    assert not np.array_equal(other.picture, scenes[3].picture)


def test_scenes_are_whole(scenes):
    for scene in scenes:
        assert scene.picture.shape == scene.starless.shape == (SIDE, SIDE, 3)
        assert scene.picture.dtype == scene.starless.dtype == scene.mask.dtype == np.uint8
        assert scene.mask.shape == (SIDE, SIDE)
        assert scene.boxes.shape == (len(scene.labels), 4)
        assert len(scene.surface_snr) == len(scene.labels)
        assert (scene.boxes[:, :2] < scene.boxes[:, 2:]).all()
        assert (scene.boxes >= -0.5).all()
        assert (scene.boxes <= SIDE - 0.5).all()
    assert sum(len(scene.boxes) for scene in scenes) > 8
    assert any(scene.paired for scene in scenes)


def test_masks_lie_within_reach_of_the_boxes(scenes):
    for scene in scenes:
        within = np.zeros((SIDE, SIDE), bool)
        for x0, y0, x1, y1 in np.rint(scene.boxes).astype(int):
            within[max(y0 - 12, 0) : y1 + 13, max(x0 - 12, 0) : x1 + 13] = True
        assert not (scene.mask[~within] > 0).any()


def test_empty_scenes_have_no_boxes(objects):
    for seed in range(3):
        scene = composed_scene(np.random.default_rng(seed), objects, SIDE, 0)
        assert len(scene.boxes) == 0
        assert scene.mask.max() == 0


def test_about_a_fifth_of_the_scenes_are_drawn_empty(monkeypatch, objects):
    wanted = []
    monkeypatch.setattr(
        "training.dso_scenes.composed_scene", lambda rng, objects, side, number: wanted.append(number)
    )
    for seed in range(400):
        draw_dso_scene(seed, Objects(objects.cutouts, []), SIDE)
    assert 0.14 < np.mean(np.array(wanted) == 0) < 0.26


def test_starless_differs_only_where_stars_are(monkeypatch):
    place = np.array([[80.0, 60.0]])
    monkeypatch.setattr(
        "training.dso_scenes.field_stars", lambda rng, field: (place, np.array([0.5]), np.array([0.8]))
    )
    monkeypatch.setattr("training.dso_scenes.ghost_rings", lambda rng, field, xy, peak: np.float32(0.0))
    y, x = np.mgrid[:SIDE, :SIDE]
    near = np.hypot(x - 80, y - 60) < 60
    for seed in range(6):
        scene = composed_scene(np.random.default_rng(seed), NO_OBJECTS, SIDE, 0)
        difference = np.abs(scene.picture.astype(int) - scene.starless.astype(int)).max(axis=2)
        assert difference[near].max() > 20 or scene.picture[60, 80].max() < 5
        # Halos are wide, and JPEG spreads what differs over blocks of 16 pixels.
        assert np.mean(difference[~near] > 12) < 0.01


def test_boxes_stand_around_the_light():
    added = np.zeros((SIDE, SIDE), np.float32)
    y, x = np.mgrid[:SIDE, :SIDE]
    added += 60.0 * np.exp(-((x - 90) ** 2 / (2 * 12**2) + (y - 50) ** 2 / (2 * 6**2)))
    seen = judged("galaxy", added, 2.0, None)
    box = seen.box
    assert seen.is_plain
    assert box[0] < 78 < 102 < box[2]
    assert box[1] < 44 < 56 < box[3]
    assert (box[2] - box[0]) / (box[3] - box[1]) == pytest.approx(2.0, rel=0.3)
    assert added[: int(box[1])].max() < 12
    assert seen.surface_snr == pytest.approx(added[seen.soft > 0.9].mean() / 2.0, rel=0.3)
    assert seen.soft[50, 90] == 1.0


@pytest.mark.parametrize("peak", [0.0, 0.4, 2.0])
def test_what_nobody_can_see_has_no_box(peak):
    y, x = np.mgrid[:SIDE, :SIDE]
    added = peak * np.exp(-((x - 80) ** 2 + (y - 80) ** 2) / (2 * 10**2)).astype(np.float32)
    seen = judged("nebula", added, 2.0, None)
    assert seen is None or not seen.is_plain


def test_noise_hides_objects():
    y, x = np.mgrid[:SIDE, :SIDE]
    added = 9.0 * np.exp(-((x - 80) ** 2 + (y - 80) ** 2) / (2 * 4.0**2)).astype(np.float32)
    assert judged("galaxy", added, 1.0, None).is_plain
    hidden = judged("galaxy", added, 4.0, None)
    assert not hidden.is_plain
    assert (hidden.box[:2] < 80).all()
    assert (hidden.box[2:] > 80).all()
    assert judged("galaxy", added, 30.0, None) is None  # nothing of it shows at all


def test_a_cluster_is_lost_in_a_crowd():
    y, x = np.mgrid[:SIDE, :SIDE]
    added = 30.0 * np.exp(-((x - 80) ** 2 + (y - 80) ** 2) / (2 * 20.0**2)).astype(np.float32)
    crowd = np.full((SIDE, SIDE, 3), 60.0, np.float32)
    alone, lost = judged("cluster", added, 1.0, 0 * crowd), judged("cluster", added, 1.0, crowd)
    assert alone.is_plain
    assert not lost.is_plain
    np.testing.assert_array_equal(lost.box, alone.box)


def test_crushed_blacks_swallow_faint_light():
    field = random_star_field(np.random.default_rng(0), SIDE)
    light = np.full((40, 40, 3), 6.0, np.float32)
    item = Placed("nebula", 20, 30, light, light)
    full = np.full((SIDE, SIDE, 3), 10.0, np.float32)
    full[item.window] += light
    stars = np.zeros((3, SIDE, SIDE))
    open_ = _finish(Tone())
    crushed = _finish(Tone(black=(20.0, 20.0, 20.0)))
    assert added_light(item, None, full, stars, field, open_).max() == pytest.approx(6.0, abs=0.01)
    assert added_light(item, None, full, stars, field, crushed).max() == 0.0


def _finish(tone):
    seen = np.ones((SIDE, SIDE), np.float32)
    return Finish(tone, seen, (0.0, 0.0, 0.0), 0.0, 1.0, np.zeros((0, 3), np.int64), False, (), 0)


def test_light_beyond_the_stack_is_not_seen():
    field = random_star_field(np.random.default_rng(0), SIDE)
    light = np.full((40, 40, 3), 50.0, np.float32)
    item = Placed("nebula", 0, 0, light, light)
    finish = _finish(Tone())
    finish.seen[:, :20] = 0.0
    full = np.full((SIDE, SIDE, 3), 60.0, np.float32)
    added = added_light(item, None, full, np.zeros((3, SIDE, SIDE)), field, finish)
    assert judged("nebula", added, 1.0, None).box[0] > 15


def test_laid_pictures_keep_their_place_and_light():
    picture = np.zeros((60, 60, 3), np.uint8)
    picture[25:35, 40:50] = 255
    for scale in (0.4, 1.0, 2.3):
        for turn in (0.0, 0.7, np.pi / 2):
            x, y, light = laid(picture, 320, np.array([150.0, 140.0]), scale, turn)
            rows, columns = np.mgrid[: light.shape[0], : light.shape[1]]
            grey = light.mean(axis=2)
            seen = np.array([(grey * columns).sum(), (grey * rows).sum()]) / grey.sum() + [x, y]
            offset = scale * 15.0 * np.array([np.cos(turn), np.sin(turn)])
            np.testing.assert_allclose(seen, np.array([149.5, 139.5]) + offset, atol=1.2)
            assert grey.sum() == pytest.approx(100.0 * scale**2, rel=0.08)


def test_every_kind_of_object_is_drawn(objects):
    rng = np.random.default_rng(1)
    field = random_star_field(rng, SIDE)
    drawn = [random_object(rng, objects, field, 2.0) for _ in range(60)]
    seen = [item for item in drawn if item is not None]
    assert {item.label for item in seen} == set(LABELS)
    assert any(item.stars is not None for item in seen)
    for item in seen:
        assert (item.light >= item.starless - 1e-3).all()
        assert item.light.shape[0] + item.y <= SIDE
        assert item.light.shape[1] + item.x <= SIDE
        assert np.isfinite(item.light).all()


def test_photographs_keep_their_boxes_when_turned():
    picture = np.zeros((100, 60, 3), np.uint8)
    picture[20:40, 10:30] = 200
    photograph = Photograph(picture, np.array([[10, 20, 30, 40]], np.float32), np.array([1]), "p")
    for seed in range(16):
        scene = photograph_scene(np.random.default_rng(seed), photograph, 200)
        rows, columns = np.nonzero(scene.picture.mean(axis=2) > 100)
        seen = [columns.min() - 0.5, rows.min() - 0.5, columns.max() + 0.5, rows.max() + 0.5]
        np.testing.assert_allclose(scene.boxes[0], seen, atol=2.0)
        assert not scene.paired


def test_noise_has_the_strength_and_width_asked_for():
    for width in (0.7, 1.5):
        noise = Noise(5.0, width, 0.5, 0.0, 3.0, 0.0, 0.0)
        levels = noise_levels(np.random.default_rng(0), noise, 256)
        assert levels.std() == pytest.approx(5.0, rel=0.05)
        near = np.mean(levels[:, 1:] * levels[:, :-1]) / levels.var()
        # Filtering white noise twice by sigma gives a correlation of exp(−d²/4σ²).
        assert near == pytest.approx(np.exp(-1.0 / (4.0 * width**2)), abs=0.06)


def test_the_sky_has_its_level():
    sky = sky_glow(np.random.default_rng(0), Glow(12.0, (2.0, -1.0, 0.0), 0.0), 64)
    np.testing.assert_allclose(sky.mean(axis=(0, 1)), [14.0, 11.0, 12.0], atol=1e-4)


def test_the_stretch_can_be_undone():
    stretch = Stretch(0.05, 235.0)
    assert float(stretch.levels(np.array([stretch.light(70.0)]))[0]) == pytest.approx(70.0, rel=1e-4)
    assert float(stretch.levels(np.array([50.0]))[0]) == 235.0


def test_star_counts_span_sparse_and_crowded():
    counts = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        field = random_star_field(rng, 640)
        _, peak, _ = field_stars(rng, field)
        counts.append((peak > field.stretch.light(25.0)).sum())
    assert min(counts) < 350
    assert max(counts) > 1500


def test_stack_edges_leave_a_picture():
    for seed in range(20):
        seen = stack_edges(np.random.default_rng(seed), 128)
        assert 0.15 < (seen > 0).mean() <= 1.0


def test_stars_are_damped_and_galaxies_kept():
    picture = blob(200).astype(np.float32)
    starry = picture.copy()
    starry[30:33, 150:153] = 250.0
    damped = damp_stars(starry)
    assert damped[31, 151].max() < 30.0
    np.testing.assert_allclose(damped[90:110, 90:110], picture[90:110, 90:110], atol=1.0)


def test_cutouts_fade_to_black():
    black = on_black(blob(120).astype(np.float32) + 20.0)
    assert black[0].max() == black[-1].max() == black[:, 0].max() == 0.0
    assert black[60, 60].max() == pytest.approx(255.0, abs=3.0)


def test_splits_by_name_are_stable():
    splits = pd.Series([split_of(f"object {number}") for number in range(500)]).value_counts(normalize=True)
    assert splits["train"] == pytest.approx(0.8, abs=0.06)
    assert split_of("m31") == split_of("m31")


@pytest.fixture
def collection(tmp_path):
    """A small collection in the form of the Stellarium one: three photographs, an object in two splits."""
    folder = tmp_path / "data" / "dso_stellarium"
    (folder / "images").mkdir(parents=True)
    rows = []
    for file, name, split in (
        ("a.jpg", "NGC1", "train"),
        ("b.jpg", "NGC2", "train"),
        ("c.jpg", "NGC2", "test"),
    ):
        Image.fromarray(blob(200)).save(folder / "images" / file)
        rows.append({"file": file, "name": name, "type": "G", "cls": "galaxy", "x0": 150.0, "y0": 60.0})
        rows[-1] |= {"x1": 50.0, "y1": 140.0, "size_px": 100.0, "split": split}
    table = pd.DataFrame(rows)
    table.drop(columns="split").to_csv(folder / "openngc_boxes.csv", index=False)
    table[["file", "split"]].to_csv(folder / "split.csv", index=False)
    return tmp_path / "data"


def test_an_object_is_in_one_split_only(collection):
    assert set(catalogue_boxes(collection / "dso_stellarium", "train")["name"]) == {"NGC1"}
    assert set(catalogue_boxes(collection / "dso_stellarium", "test")["name"]) == {"NGC2"}


def test_objects_come_out_of_the_cache_as_they_went_in(collection, tmp_path):
    first = load_objects(collection, "train", tmp_path / "cache")
    again = load_objects(collection, "train", tmp_path / "cache")
    assert len(first) == 1
    assert first.cutouts["galaxy"][0].source == "a.jpg"
    np.testing.assert_array_equal(first.cutouts["galaxy"][0].picture, again.cutouts["galaxy"][0].picture)
    np.testing.assert_allclose(first.photographs[0].boxes, [[50, 60, 150, 140]])
    assert len(load_objects(collection, "val", tmp_path / "cache")) == 0


def test_bad_requests_say_why(tmp_path):
    with pytest.raises(ParameterInvalid, match="split must be one of train, val, test"):
        load_objects(tmp_path, "all", tmp_path)
    with pytest.raises(ParameterInvalid, match="data must hold one of"):
        load_objects(tmp_path, "train", tmp_path)
    with pytest.raises(ParameterInvalid, match="side_px must be 128 to 1024"):
        draw_dso_scene(0, NO_OBJECTS, 64)
    with pytest.raises(ParameterInvalid, match="split must be"):
        draw_dso_scene(0, NO_OBJECTS, 128, "all")


def test_the_command_writes_a_dataset_that_parses(tmp_path):
    main(["--n", "5", "--seed", "3", "--out", str(tmp_path), "--side", "128", "--workers", "1", "--starless"])
    files = sorted((tmp_path / "images").glob("*.jpg"))
    assert len(files) == 5
    assert "names:\n  0: galaxy\n  1: nebula\n  2: cluster\n" in (tmp_path / "dataset.yaml").read_text()
    for file in files:
        with Image.open(file) as image:
            assert image.size == (128, 128)
        scene = draw_dso_scene(int(file.stem.split("_")[1]), NO_OBJECTS, 128)
        lines = (tmp_path / "labels" / f"{file.stem}.txt").read_text().splitlines()
        values = np.array([line.split() for line in lines], float).reshape(-1, 5)
        assert values[:, 0].tolist() == scene.labels.tolist()
        low, high = values[:, 1:3] - values[:, 3:] / 2, values[:, 1:3] + values[:, 3:] / 2
        np.testing.assert_allclose(np.hstack([low, high]) * 128 - 0.5, scene.boxes, atol=0.01)
        assert (tmp_path / "starless" / file.name).exists()


def test_labels_are_fractions_of_the_picture(scenes):
    for scene in scenes:
        for line in yolo_lines(scene).splitlines():
            values = [float(text) for text in line.split()[1:]]
            assert all(0.0 < value <= 1.0 for value in values)


def test_sheets_show_boxes(scenes):
    tiles = [with_boxes(scene) for scene in scenes[:4]]
    assert sheet(tiles, 2, 100).size == (200, 200)


def test_statistics_measure_what_they_name():
    rng = np.random.default_rng(0)
    sky = 20.0 + rng.normal(0.0, 4.0, (256, 256, 1)) + np.zeros(3)
    facts = measured(np.clip(np.rint(sky), 0, 255).astype(np.uint8))
    assert facts["level"] == pytest.approx(20.0, abs=0.6)
    assert facts["noise"] == pytest.approx(4.0, rel=0.1)
    assert abs(facts["correlation at 1 px"]) < 0.1
    sky[:, :128] = 0.0
    assert measured(np.clip(sky, 0, 255).astype(np.uint8))["black part"] == pytest.approx(0.5, abs=0.05)


def test_the_comparison_covers_a_set_by_itself(scenes):
    pictures = [scene.picture for scene in scenes[:10]]
    table = comparison(pictures, pictures)
    assert (table["covered"] > 0.7).all()
    np.testing.assert_allclose(table["real 50 %"], table["drawn 50 %"])


def test_jpeg_costs_little_at_high_quality():
    picture = blob(64)
    assert np.abs(through_jpeg(picture, 98, 0).astype(int) - picture).mean() < 2.0


def test_scattered_specks_are_no_object():
    added = np.zeros((1536, 1536), np.float32)
    added[[3, 1500], [3, 1500]] = 0.6
    assert judged("nebula", added, 2.0, None) is None
