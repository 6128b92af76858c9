import itertools

import pytest
import torch
from torch import nn

from core.models import save_weights
from tests.models.cards import FACTS
from training import course as course_module
from training.calibration import logistic
from training.course import Course, ahead, train
from training.drawing import draw_all


def a_course(path, minutes=1.0, **changes):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4))
    device = torch.device("cpu")
    return Course(network, path, minutes=minutes, rate=1e-2, device=device, **changes)


GIVEN = torch.rand(2, 1, 6, 6, generator=torch.Generator().manual_seed(1))


def step(course):
    return course.take_step(lambda: (course.network(GIVEN) - GIVEN.mean()).abs().mean())


def test_the_average_follows_slowly_and_its_statistics_too(tmp_path):
    course = a_course(tmp_path / "c.pt")
    before = course.average[0].weight.clone()
    for _ in range(5):
        step(course)
    moved = (course.network[0].weight.detach() - before).abs().max()
    followed = (course.average[0].weight - before).abs().max()
    assert 0.0 < float(followed) < float(moved)
    assert course.average[1].num_batches_tracked == 5
    assert not course.average.training


def test_it_goes_on_where_it_was(tmp_path):
    course = a_course(tmp_path / "new" / "c.pt")
    assert course.resume() is None
    for _ in range(3):
        step(course)
    course.keep(best=0.25)
    again = a_course(tmp_path / "new" / "c.pt")
    assert again.resume()["best"] == 0.25
    assert (again.step, again.seconds) == (3, course.seconds)
    torch.testing.assert_close(again.average.state_dict(), course.average.state_dict())
    assert step(again) == pytest.approx(step(course))
    assert not list((tmp_path / "new").glob("*.part"))


def test_it_begins_from_anothers_average_with_a_course_of_its_own(tmp_path):
    first = a_course(tmp_path / "a.pt")
    for _ in range(3):
        step(first)
    first.keep()
    second = a_course(tmp_path / "b.pt")
    second.begin_from(tmp_path / "a.pt")
    torch.testing.assert_close(second.network.state_dict(), first.average.state_dict())
    assert second.step == 0
    assert second.minutes_before == pytest.approx(first.seconds / 60.0)


def test_it_begins_from_weights_that_were_written(tmp_path):
    first = a_course(tmp_path / "a.pt")
    step(first)
    facts = {**FACTS, "minutes": 19.0}
    save_weights("first", first.kept_state, facts, precision="float32", folder=tmp_path)
    second = a_course(tmp_path / "b.pt")
    second.begin_from(tmp_path / "first.safetensors")
    torch.testing.assert_close(second.network.state_dict(), first.average.state_dict())
    assert second.minutes_before == 19.0


def test_the_rate_rises_and_falls_with_the_time(tmp_path):
    course = a_course(tmp_path / "c.pt", warm_up=2)
    rates = []
    for seconds in (0.0, 0.0, 0.0, 30.0, 60.0, 90.0):
        course.seconds = seconds
        step(course)
        rates.append(course.optimiser.param_groups[0]["lr"])
    assert rates == pytest.approx([5e-3, 1e-2, 1e-2, 5.1e-3, 2e-4, 2e-4], rel=1e-2)


def test_a_training_ends_with_its_time_and_looks_on_the_way_and_in_the_end(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(course_module, "CHECK_SECONDS", 20.0)
    course, looked = a_course(tmp_path / "c.pt"), []

    def learn(course, given):
        course.seconds += 15.0
        return {"loss": step(course), "given": given}

    train(course, lambda _: itertools.count(), learn, check=lambda: looked.append(course.step))
    assert course.step == 4
    assert looked == [2, 4, 4]
    assert torch.load(course.path, weights_only=True)["step"] == 4
    train(course, lambda _: itertools.count(), learn)
    assert course.step == 4
    capsys.readouterr()


def test_batches_are_made_ahead_by_every_thread():
    seen = set(itertools.islice(ahead(lambda thread: iter([thread] * 4), threads=2), 8))
    assert seen == {0, 1}


def test_everything_is_drawn(tmp_path):
    draw_all(_draw, [(tmp_path, "a"), (tmp_path, "b")], 1, "drawing")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]
    draw_all(_draw, [], 2, "drawing nothing starts no process")


def _draw(folder, name):
    (folder / name).write_text(name)


def test_a_logistic_gives_the_chance_it_was_drawn_with():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(4000, 2, generator=generator, dtype=torch.float64)
    chance = torch.sigmoid(0.5 + x @ torch.tensor([2.0, -1.0], dtype=torch.float64))
    hit = torch.rand(4000, generator=generator, dtype=torch.float64) < chance
    assert logistic(x.numpy(), hit.numpy()) == pytest.approx([0.5, 2.0, -1.0], abs=0.15)
    assert logistic(x.numpy(), hit.numpy() | True) == ()
