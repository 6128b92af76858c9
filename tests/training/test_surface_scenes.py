import json

import numpy as np
import pytest

from core.surfaces.kinds import SEGMENTS
from training.surface_camera import OPTICAL
from training.surface_data import draw_split, main, random_sample, read_scene, turned
from training.surface_light import Sun, cast_shadows, reflectance, slopes
from training.surface_lines import find_lines
from training.surface_relief import make_region
from training.surface_scenes import (
    SceneFacts,
    SurfaceScene,
    covered_parts,
    draw_surface_scene,
    hide_giant_rims,
    window,
)
from training.surface_shapes import (
    DrawnCrater,
    DrawnLine,
    add_crater,
    add_line,
    crater_profile,
    fractal_fields,
)
from training.surface_truth import (
    CATALOGUED,
    IGNORE,
    IS_FLOOR,
    IS_PLAIN,
    IS_RIDGE,
    IS_RIM,
    IS_VALLEY,
    TrueCrater,
    lay_craters,
)

SIDE = 128
PX_M = 474.0


def rough_ground(side=320, seed=0):
    return 30.0 * fractal_fields(np.random.default_rng(seed), side, 0.9, side / 2, 4.0)[0]


def a_crater(x, y, radius, depth=0.2, age=0.0, **more):
    return DrawnCrater(TrueCrater(x, y, radius, radius, **more), depth, age, 0.0, 0.0, 0.0, ())


@pytest.fixture(scope="module")
def region():
    height = rough_ground()
    albedo = np.zeros_like(height)
    known = []
    for x, y, radius in ((80.0, 90.0, 24.0), (220.0, 200.0, 14.0)):
        one = a_crater(x, y, radius, known=CATALOGUED)
        add_crater(height, albedo, one, PX_M)
        known.append(one.truth)
    for x, y in ((150.0, 60.0), (60.0, 220.0)):
        add_crater(height, albedo, a_crater(x, y, 4.0), PX_M)
    return make_region("made", height, known)


@pytest.fixture(scope="module")
def scenes(region):
    return [draw_surface_scene(seed, [region], SIDE) for seed in range(24)]


def test_the_same_number_gives_the_same_scene(region, scenes):
    again = draw_surface_scene(3, [region], SIDE)
    np.testing.assert_array_equal(again.picture, scenes[3].picture)
    np.testing.assert_array_equal(again.classes, scenes[3].classes)
    assert again.craters == scenes[3].craters
    assert again.facts == scenes[3].facts
    other = draw_surface_scene(3, [region], SIDE, "val")
    assert not np.array_equal(other.picture, scenes[3].picture)


def test_scenes_hold_all_that_is_learned(scenes):
    numbers = set(np.unique(np.stack([scene.classes for scene in scenes])).tolist())
    assert numbers == {*range(len(SEGMENTS)), IGNORE}
    assert {one.wanted for scene in scenes for one in scene.craters} == {True, False}
    assert len({scene.facts.way for scene in scenes}) == 3
    for scene in scenes:
        assert scene.picture.shape == scene.classes.shape == (SIDE, SIDE)
        assert scene.picture.dtype == scene.classes.dtype == np.uint8
        assert all(one.diameter_px >= 6.0 for one in scene.craters if one.wanted)
        assert all(0.0 <= one.angle_deg < 180.0 for one in scene.craters)


def test_craters_move_with_the_window(region):
    for turn, mirrored, scale in ((0.0, False, 1.0), (35.0, True, 0.7), (250.0, False, 1.6)):
        ground = window(
            np.random.default_rng(0), region, 300, scale, turn, mirrored, np.array([120.0, 130.0])
        )
        known = [one for one in ground.craters if one.known == CATALOGUED]
        assert ground.px_m == pytest.approx(PX_M / scale)
        seen = 0
        for one in known:
            x, y = round(one.x), round(one.y)
            reach = round(0.3 * one.major_px)
            if not (one.major_px < min(x, y) and max(x, y) < 300 - one.major_px):
                continue
            seen += 1
            inside = ground.height[y - reach : y + reach, x - reach : x + reach].mean()
            rim = [
                ground.height[round(one.y + one.major_px * dy), round(one.x + one.major_px * dx)]
                for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1))
            ]
            assert min(rim) - inside > 0.5 * 0.2 * one.diameter_px * ground.px_m
        assert seen


@pytest.mark.parametrize("scale", [0.6, 1.0, 1.8])
def test_valleys_are_found_at_the_scale_of_the_picture(scale):
    height = 0.3 * rough_ground()
    path = np.column_stack([np.linspace(20.0, 300.0, 90), np.linspace(130.0, 190.0, 90)])
    add_line(np.random.default_rng(0), height, DrawnLine((path,), (7.0,), True, 0.1, 0.2), PX_M)
    middle = np.array([160.0, 160.0])
    ground = window(np.random.default_rng(0), make_region("made", height), 300, scale, 0.0, False, middle)
    places = np.rint(scale * (path - middle) + 149.5).astype(int)
    places = places[((places >= 20) & (places < 280)).all(axis=1)]
    classes = find_lines(ground.height, ground.px_m, ground.craters)
    assert np.mean(classes[places[:, 1], places[:, 0]] == IS_VALLEY) > 0.8


def test_light_comes_from_the_sun():
    height = np.zeros((SIDE, SIDE), np.float32)
    add_crater(height, np.zeros_like(height), a_crater(64.0, 64.0, 25.0), PX_M)
    slope_x, slope_y = slopes(height, PX_M)
    for azimuth, (dx, dy) in ((0.0, (1, 0)), (90.0, (0, 1)), (180.0, (-1, 0))):
        lit = reflectance(slope_x, slope_y, Sun(azimuth, 60.0), 0.5)
        towards, away = lit[64 + 16 * dy, 64 + 16 * dx], lit[64 - 16 * dy, 64 - 16 * dx]
        flat = lit[2, 2]
        assert towards < flat < away  # the wall nearer to the sun faces away from it


def test_a_wall_casts_a_shadow_of_its_height():
    height = np.zeros((SIDE, SIDE), np.float32)
    height[:, 60] = 1000.0
    shadow = cast_shadows(height, 100.0, Sun(0.0, 45.0)) < 0.5
    assert shadow[64, 51:59].all()  # ten pixels long, on the far side from the sun
    assert not shadow[64, 61:120].any()
    assert not shadow[64, 2:48].any()
    turned_shadow = cast_shadows(height.T.copy(), 100.0, Sun(90.0, 45.0)) < 0.5
    assert turned_shadow[51:59, 64].all()
    assert (cast_shadows(height, 100.0, Sun(0.0, 20.0)) == 1.0).all()


def test_craters_have_the_depth_and_rim_that_were_asked_for():
    profile = crater_profile(a_crater(0.0, 0.0, 20.0))
    assert profile[0] == pytest.approx(-0.2, abs=0.01)
    assert profile[:160].argmax() == pytest.approx(100, abs=3)  # the rim is at one radius
    assert profile.max() == pytest.approx(0.04, abs=0.012)
    worn = crater_profile(a_crater(0.0, 0.0, 20.0, depth=0.05, age=0.9))
    assert 0.0 < worn.max() < 0.5 * profile.max()


def test_lines_are_where_they_are_said_to_be():
    path = np.column_stack([np.linspace(10.0, 118.0, 40), np.full(40, 64.0)])
    for is_valley in (True, False):
        height = np.zeros((SIDE, SIDE), np.float32)
        line = DrawnLine((path,), (12.0,), is_valley, 0.2, 0.3)
        there = add_line(np.random.default_rng(0), height, line, PX_M)
        middle = height[64, 40:90]
        assert (middle < -400.0).all() if is_valley else (middle > 200.0).all()
        assert there[64, 40:90].all()
        assert not there[:40].any()
        assert there[:, 64].sum() == pytest.approx(12.0, abs=4.0)


def test_floors_lie_within_rims_and_what_is_not_wanted_is_ignored():
    classes = np.full((100, 100), IS_PLAIN, np.uint8)
    big, small = TrueCrater(50.0, 50.0, 30.0, 20.0, 90.0), TrueCrater(50.0, 50.0, 6.0, 6.0)
    hidden = TrueCrater(90.0, 90.0, 6.0, 6.0, wanted=False)
    lay_craters(classes, [small, big, hidden], 8.0)
    assert classes[50, 50] == IS_FLOOR
    assert classes[50, 55] == IS_RIM  # of the small one, on the floor of the large one
    assert classes[50, 60] == IS_FLOOR
    assert classes[50, 69] == IS_RIM  # the minor axis lies along x
    assert classes[50, 75] == IS_PLAIN
    assert classes[78, 50] == IS_RIM
    assert classes[90, 90] == IGNORE
    assert classes[5, 5] == IS_PLAIN


def test_later_craters_cover_earlier_ones():
    old, new = TrueCrater(50.0, 50.0, 10.0, 10.0), TrueCrater(58.0, 50.0, 10.0, 10.0)
    parts = covered_parts([old, new], 0)
    assert parts[0] == pytest.approx(0.5, abs=0.2)
    assert parts[1] == 0.0
    assert covered_parts([old, new], 2).tolist() == [0.0, 0.0]
    assert covered_parts([], 0).tolist() == []


def test_turned_craters_stay_on_their_pixels():
    one = TrueCrater(20.0, 40.0, 12.0, 5.0, 30.0)
    shape = np.asarray(one.away(np.arange(90)[None, :], np.arange(90)[:, None])) < 1.0
    for quarter in range(4):
        for mirrored in (False, True):
            moved = np.rot90(shape, quarter)
            moved = moved[:, ::-1] if mirrored else moved
            there = turned(one, quarter, mirrored, 90)
            again = there.away(np.arange(90)[None, :], np.arange(90)[:, None]) < 1.0
            assert np.mean(again != moved) < 0.002


def test_scenes_are_drawn_once_and_read_back(tmp_path):
    paths = draw_split(tmp_path, None, "train", 3, side_px=SIDE)
    before = [path.stat().st_mtime_ns for path in paths]
    paths[1].unlink()  # as if it had been stopped
    assert draw_split(tmp_path, None, "train", 3, side_px=SIDE) == paths
    assert [path.stat().st_mtime_ns == old for path, old in zip(paths, before, strict=True)] == [1, 0, 1]
    for seed, path in enumerate(paths):
        kept, scene = read_scene(path), draw_surface_scene(seed, (), SIDE)
        np.testing.assert_array_equal(kept.picture, scene.picture)
        np.testing.assert_array_equal(kept.classes, scene.classes)
        assert [one.wanted for one in kept.craters] == [one.wanted for one in scene.craters]
        assert kept.facts.way == scene.facts.way
        assert json.loads(path.read_text())["seed"] == seed


def test_samples_are_turned_whole():
    scene = draw_surface_scene(1, (), SIDE)
    for seed in range(8):
        one = random_sample(np.random.default_rng(seed), scene)
        assert one.picture.shape == (1, SIDE, SIDE)
        assert one.picture.dtype == np.float32
        assert 0.0 <= one.picture.min() <= one.picture.max() <= 1.0
        assert sorted(np.bincount(one.classes.ravel())) == sorted(np.bincount(scene.classes.ravel()))
        assert len(one.craters) == len(scene.craters)
        for crater in one.craters:
            inside = 0 <= crater.x < SIDE and 0 <= crater.y < SIDE
            if crater.wanted and inside and crater.diameter_px > 12:
                assert one.classes[round(crater.y), round(crater.x)] != IS_VALLEY
                assert one.classes[round(crater.y), round(crater.x)] != IS_RIDGE


def test_samples_are_turned_to_the_light():
    rng = np.random.default_rng(0)
    slope = np.linspace(60.0, 200.0, SIDE)
    for azimuth, picture in ((0.0, slope[None, :]), (90.0, slope[:, None]), (270.0, slope[::-1, None])):
        facts = SceneFacts(OPTICAL, "", 0.5, azimuth + 20.0, 60.0, 0.0)
        grey = np.broadcast_to(picture, (SIDE, SIDE)).astype(np.uint8)  # the brighter the nearer to the sun
        scene = SurfaceScene(grey, np.zeros((SIDE, SIDE), np.uint8), (), facts)
        for _ in range(6):
            shown = random_sample(rng, scene, to_light=True).picture[0]
            left, top = shown[:, :9].mean() - shown[:, -9:].mean(), shown[:9].mean() - shown[-9:].mean()
            assert max(left, top) > 0.2
            assert min(left, top) > -0.01


def test_a_sheet_shows_scenes(tmp_path):
    assert main(["--n", "2", "--side", str(SIDE), "--sheet", str(tmp_path / "sheet.png")]) == 0
    assert (tmp_path / "sheet.png").stat().st_size > 1000


def test_the_rim_of_a_crater_wider_than_the_picture_counts_neither_way():
    classes = np.full((96, 96), IS_PLAIN, np.uint8)
    hide_giant_rims(classes, [TrueCrater(160.0, 48.0, 150.0, 150.0), TrueCrater(70.0, 48.0, 10.0, 10.0)])
    assert classes[48, 12] == IGNORE
    assert (classes[:, 60:] == IS_PLAIN).all()


def test_chance_draws_no_valleys_or_ridges(monkeypatch):
    """Ground without a region is fractal: only lines that were drawn into it count, where it is rough too."""
    monkeypatch.setattr("training.surface_scenes.LINES_SHARE", 0.0)
    for seed in range(3):
        classes = draw_surface_scene(seed, side_px=160).classes
        assert not np.isin(classes, [IS_VALLEY, IS_RIDGE]).any()
        assert (classes == IS_PLAIN).mean() > 0.1
