import numpy as np
import pytest
from PIL import Image

from core.surfaces.kinds import CRATER, LANDFORMS, PLAIN, RIDGE, VALLEY
from training.surface_patches import (
    LANDMARKS,
    SIDE_PX,
    fixed_patches,
    label_of,
    load_landmarks,
    patch_from,
    patches,
)
from training.surface_photographs import (
    CTX,
    ROBOFLOW,
    THEMIS,
    SurfacePhotograph,
    as_scene,
    boxed,
    is_for_validation,
    lit_bowl,
    load_ctx,
    load_photographs,
    lookalikes,
    without_doubles,
)
from training.surface_scenes import SceneFacts, SurfaceScene
from training.surface_truth import IGNORE, IS_FLOOR, IS_PLAIN, IS_RIDGE, IS_VALLEY, MARKED, TrueCrater

FACTS = SceneFacts("optical", "", 0.5, 0.0, 60.0, 1.0)


def a_tile(seed=0, side=120, craters=((40, 50, 5.0),)):
    rng = np.random.default_rng(seed)
    # Each tile is another ground.
    coarse = Image.fromarray(rng.normal(0.0, 14.0, (7, 7)).astype(np.float32))
    ground = np.asarray(coarse.resize((side, side), Image.Resampling.BICUBIC))
    tile = 120.0 + rng.normal(0.0, 2.0, (side, side)) + ground
    for x, y, radius in craters:
        half = int(np.ceil(1.7 * radius))
        bowl = lit_bowl(radius, 180.0, half)
        tile[y - half : y + half + 1, x - half : x + half + 1] += 120.0 * (bowl - bowl[0, 0])
    return np.clip(tile, 0, 255).astype(np.uint8)


def write_tile(folder, name, picture, lines):
    for part in ("images", "labels"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(folder / "images" / f"{name}.jpg", quality=95)
    if lines is not None:
        (folder / "labels" / f"{name}.txt").write_text("".join(f"{line}\n" for line in lines))


@pytest.fixture
def data(tmp_path):
    box = "0.0 0.3375 0.420833 0.083333 0.083333"
    for number in range(24):
        write_tile(tmp_path / THEMIS / "train", f"crater{number}", a_tile(number), [box])
    write_tile(tmp_path / THEMIS / "train", "again", a_tile(3), None)
    write_tile(tmp_path / THEMIS / "valid", "held", a_tile(99), [box])
    write_tile(tmp_path / ROBOFLOW / "train", "moon", a_tile(50), ["0 0.02 0.5 0.04 0.3"])
    return tmp_path


def test_the_splits_share_no_tile(data):
    train, val, test = (load_photographs(data, split) for split in ("train", "val", "test"))
    names = [{one.source for one in some} for some in (train, val, test)]
    assert names[2] == {"held.jpg"}
    assert "moon.jpg" in names[0]
    assert "again.jpg" not in names[0] | names[1]  # the same ground, with fewer marks
    assert not names[0] & names[1]
    assert len(names[0]) + len(names[1]) == 25
    assert {is_for_validation(name) for name in names[1]} <= {True}
    assert load_photographs(data / "nothing", "train") == []


def test_boxes_are_craters(data):
    (tile,) = load_photographs(data, "test")
    (one,) = tile.craters
    assert (one.x, one.y) == pytest.approx((40.0, 50.0), abs=0.05)
    assert one.diameter_px == pytest.approx(10.0, abs=0.01)
    assert one.wanted
    assert one.known == MARKED
    tall = boxed(10.0, 10.0, 20.0, 40.0)
    assert (tall.major_px, tall.minor_px, tall.angle_deg) == (15.0, 5.0, 90.0)
    # The edge cuts this one: its box is not its size.
    moon = next(one for one in load_photographs(data, "train") if one.source == "moon.jpg")
    assert [one.wanted for one in moon.craters if one.major_px > 10.0] == [False]


def test_tiles_of_the_same_ground_are_kept_once():
    one = SurfacePhotograph(a_tile(1), (), THEMIS, "a")
    marked = SurfacePhotograph(a_tile(1), (TrueCrater(40.0, 50.0, 5.0, 5.0),), THEMIS, "b")
    other = SurfacePhotograph(a_tile(2), (), THEMIS, "c")
    assert [kept.source for kept in without_doubles([one, marked, other])] == ["b", "c"]
    assert without_doubles([]) == []


def test_unmarked_craters_count_neither_way():
    tile = a_tile(0, craters=((40, 50, 5.0), (80, 80, 4.0)))
    found = lookalikes(tile, [TrueCrater(40.0, 50.0, 5.0, 5.0)])
    assert not any(one.wanted for one in found)
    assert any(np.hypot(one.x - 80, one.y - 80) < 2.0 for one in found)
    assert not any(np.hypot(one.x - 40, one.y - 50) < 4.0 for one in found)
    assert len(found) < 8
    assert lookalikes(np.full((60, 60), 90, np.uint8), []) == []


def test_a_photograph_is_seen_as_a_scene():
    tile = SurfacePhotograph(a_tile(), (TrueCrater(40.0, 50.0, 5.0, 5.0, known=MARKED),), THEMIS, "a")
    places = 0
    for seed in range(8):
        scene = as_scene(np.random.default_rng(seed), tile, 96)
        assert scene.picture.shape == scene.classes.shape == (96, 96)
        for one in scene.craters:
            inside = 4 <= round(one.x) < 92 and 4 <= round(one.y) < 92
            if one.wanted and inside and one.diameter_px > 8.0:
                places += 1
                assert scene.classes[round(one.y), round(one.x)] == IS_FLOOR
                left = scene.picture[round(one.y), round(one.x - 0.6 * one.major_px)]
                right = scene.picture[round(one.y), round(one.x + 0.6 * one.major_px)]
                assert abs(int(left) - int(right)) > 25
        assert (scene.classes[scene.classes != IGNORE] != IS_PLAIN).all()
    assert places > 2


def test_ctx_craters_are_wanted_where_people_agree(tmp_path):
    folder = tmp_path / CTX
    (folder / "images").mkdir(parents=True)
    (folder / "annotations" / "clustered").mkdir(parents=True)
    Image.fromarray(a_tile()).save(folder / "images" / "A.png")
    mark = (
        "<object><bndbox><xmin>{0}</xmin><ymin>10</ymin><xmax>{1}</xmax><ymax>30</ymax></bndbox>"
        "<confidence>{2}</confidence></object>"
    )
    text = "<annotation>" + mark.format(10, 30, 6) + mark.format(50, 70, 2) + "</annotation>"
    (folder / "annotations" / "clustered" / "A.xml").write_text(text)
    (picture,) = load_ctx(tmp_path)
    assert [one.wanted for one in picture.craters] == [True, False]
    assert [one.wanted for one in load_ctx(tmp_path, agreed=2)[0].craters] == [True, True]
    assert (picture.craters[0].x, picture.craters[0].diameter_px) == (20.0, 20.0)


def a_scene(kind):
    picture = np.full((256, 256), 128, np.uint8)
    classes = np.full((256, 256), IS_PLAIN, np.uint8)
    craters = ()
    if kind == CRATER:
        craters = (TrueCrater(128.0, 128.0, 40.0, 40.0),)
        classes[100:156, 100:156] = IS_FLOOR
    if kind in (VALLEY, RIDGE):
        classes[:, 120:132] = IS_VALLEY if kind == VALLEY else IS_RIDGE
    return SurfaceScene(picture, classes, craters, FACTS)


@pytest.mark.parametrize("kind", LANDFORMS)
def test_patches_show_their_landform(kind):
    scene = a_scene(kind)
    assert label_of(scene, 40, 40, 180) == kind
    patch = patch_from(np.random.default_rng(0), scene, kind)
    assert patch is not None
    assert patch.label == kind
    assert patch.picture.shape == (SIDE_PX, SIDE_PX)
    for other in set(LANDFORMS) - {kind, PLAIN}:
        assert patch_from(np.random.default_rng(0), scene, other) is None


def test_what_shows_two_landforms_is_no_patch():
    scene = a_scene(VALLEY)
    scene.classes[120:132] = IS_RIDGE
    assert label_of(scene, 40, 40, 180) is None
    unknown = a_scene(PLAIN)
    unknown.classes[:128] = IGNORE
    assert label_of(unknown, 40, 40, 180) is None
    cut_crater = SurfaceScene(
        np.zeros((256, 256), np.uint8),
        np.zeros((256, 256), np.uint8),
        (TrueCrater(128.0, 128.0, 40.0, 40.0, wanted=False),),
        FACTS,
    )
    assert label_of(cut_crater, 40, 40, 180) is None


def test_patches_come_in_turn_and_are_the_same_again(tmp_path):
    from training.surface_data import draw_split

    paths = draw_split(tmp_path, None, "train", 6, side_px=192)
    with pytest.raises(ValueError, match="none of 1 scenes"):
        # Nothing is found where nothing is.
        next(patches([_blank(tmp_path)], 1, [0]))
    some = fixed_patches(paths, 1)
    assert some[0].label == LANDFORMS[0]
    np.testing.assert_array_equal(some[0].picture, fixed_patches(paths, 1)[0].picture)


def _blank(folder):
    import json

    path = folder / "blank.json"
    Image.fromarray(np.full((64, 64), 100, np.uint8)).save(path.with_suffix(".png"))
    Image.fromarray(np.full((64, 64), IGNORE, np.uint8)).save(path.with_suffix(".classes.png"))
    facts = {name: None if name == "sun_azimuth_deg" else 0.0 for name in SceneFacts.__annotations__}
    path.write_text(json.dumps({"seed": 0, "facts": facts, "craters": []}))
    return path


def test_landmarks_are_split_by_observation(tmp_path):
    folder = tmp_path / LANDMARKS
    (folder / "map-proj").mkdir(parents=True)
    lines = []
    for number in range(60):
        for part in range(2):
            name = f"ESP_{number:06d}_1715_RED-{part:04d}.jpg"
            Image.fromarray(np.full((227, 227), number, np.uint8)).save(folder / "map-proj" / name)
            lines.append(f"{name} {(0, 1, 2, 3, 4, 6)[number % 6]}\n")
    (folder / "labels-map-proj-kept.txt").write_text("".join(lines))
    splits = {split: load_landmarks(tmp_path, split) for split in ("train", "val", "test")}
    assert sum(len(one) for one in splits.values()) == 100  # without the class of edges
    assert all(len(one) % 2 == 0 and one for one in splits.values())
    assert {one.label for one in splits["train"]} == {"other", CRATER, "dark dune", "streak", "bright dune"}
    assert splits["train"][0].picture.shape == (SIDE_PX, SIDE_PX)
    assert load_landmarks(tmp_path / "nothing", "train") == []
