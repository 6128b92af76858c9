"""Training the star detector: fields, targets, and that a step learns and is resumed."""

import numpy as np
import pytest
import torch

from core.stars.hybrid_network import HybridNetwork
from training import stars
from training.star_scenes import bank_file, draw_bank, draw_field, load_field, random_scene, random_stars
from training.star_targets import WANTED_SNR, assign, draw_sample


@pytest.fixture(scope="module")
def field():
    return draw_field(8)


def test_the_same_number_gives_the_same_field(field):
    again = draw_field(8)

    np.testing.assert_array_equal(field.image, again.image)
    np.testing.assert_array_equal(field.xy, again.xy)


def test_a_field_is_in_units_of_its_noise(field):
    values = field.image.astype(float)
    spread = np.subtract(*np.percentile(values, [84.13, 15.87])) / 2

    assert abs(np.median(values)) < 0.3
    assert spread == pytest.approx(1.0, abs=0.25)


def test_truth_is_where_the_light_is(field):
    bright = (field.snr > 30) & (field.xy > 4).all(axis=1) & (field.xy < 507).all(axis=1)
    column, row = np.rint(field.xy[bright]).astype(int).T

    assert bright.sum() > 3
    assert np.median(field.image[row, column]) > 5.0


def test_scenes_cover_wide_ranges():
    scenes = [random_scene(seed) for seed in range(60)]

    widths = [scene.fwhm_px for scene in scenes]
    assert min(widths) < 2.0
    assert max(widths) > 6.0
    assert {scene.seeing.kind for scene in scenes} == {"moffat", "kolmogorov", "gaussian", "airy"}
    assert any(scene.extras.galaxies for scene in scenes)
    assert any(scene.extras.cosmic_rays for scene in scenes)
    assert len({len(random_stars(scene)) for scene in scenes}) > 30


def test_a_bank_is_drawn_once(tmp_path):
    files = draw_bank(tmp_path, [5], workers=1)
    made = bank_file(tmp_path, 5).stat().st_mtime_ns

    assert draw_bank(tmp_path, [5], workers=1) == files
    assert bank_file(tmp_path, 5).stat().st_mtime_ns == made
    np.testing.assert_array_equal(load_field(files[0]).xy, draw_field(5).xy)


def test_targets_peak_at_the_stars_and_say_how_far_they_are(field):
    for seed in range(6):
        sample = draw_sample(np.random.default_rng(seed), field, 96)
        wanted = sample.stars[sample.stars[:, 2] >= WANTED_SNR]
        column, row = np.rint(wanted[:, :2]).astype(int).T
        assert (sample.heat[row, column] == 1.0).all()
        x = column + sample.offset[0][row, column]
        y = row + sample.offset[1][row, column]
        lonely = np.array([np.sum(np.hypot(*(wanted[:, :2] - one[:2]).T) < 4) == 1 for one in wanted], bool)
        np.testing.assert_allclose(x[lonely], wanted[lonely, 0], atol=1e-4)
        np.testing.assert_allclose(y[lonely], wanted[lonely, 1], atol=1e-4)


def test_around_stars_too_faint_nothing_is_asked(field):
    sample = draw_sample(np.random.default_rng(1), field, 192)
    faint = sample.stars[(sample.stars[:, 2] < WANTED_SNR)]
    column, row = np.rint(faint[:, :2]).astype(int).T

    assert len(faint) > 5
    assert ((sample.counts[row, column] == 0) | (sample.heat[row, column] > 0.05)).all()


def test_bright_stars_choose_their_candidate_first():
    bright_first = np.array(
        [[10.0, 10.0, 50.0, 1.0], [11.5, 10.0, 5.0, 1.0], [40.0, 40.0, 9.0, 1.0]], np.float32
    )
    x, y = np.array([10.2, 12.9, 60.0], np.float32), np.array([10.0, 10.0, 60.0], np.float32)

    assert assign(bright_first, x, y).tolist() == [0, 1, -1]
    assert assign(bright_first[:0], x, y).tolist() == [-1, -1, -1]


def test_steps_learn_and_training_goes_on_where_it_stopped(tmp_path, field):
    def a_trainer():
        torch.manual_seed(0)
        path, device = tmp_path / "checkpoint.pt", torch.device("cpu")
        return stars.Trainer(HybridNetwork(), path, minutes=10.0, rate=2e-3, device=device)

    trainer = a_trainer()
    samples = [draw_sample(np.random.default_rng(0), field, 64)]

    losses = [stars.learn(trainer, samples)["pixels"] for _ in range(30)]
    trainer.keep()
    resumed = a_trainer()
    resumed.resume()

    assert np.mean(losses[-3:]) < np.mean(losses[:3])
    assert resumed.step == 30
    assert 0 < resumed.finished < 1
    for one, other in zip(trainer.network.parameters(), resumed.network.parameters(), strict=True):
        torch.testing.assert_close(one, other)


def test_the_best_threshold_of_an_untrained_network_finds_next_to_nothing(field):
    torch.manual_seed(0)
    f1, _ = stars.best_f1(HybridNetwork().eval(), [field], 5.0)

    assert f1 < 0.3
