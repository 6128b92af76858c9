import numpy as np
import pytest
import torch

from core.clusters.kinds import GLOBULAR, OPEN
from core.clusters.unet_network import (
    RADIUS_PX,
    Answer,
    ClusterNetwork,
    answer_of,
    outlines,
    ready_network,
)
from core.models import LockedNetwork, check_weights, read_card
from core.models.unet import Sizes
from core.models.windows import Grid, Window
from training.cluster_data import Sample
from training.cluster_truth import TrueCluster, instance_map
from training.clusters_unet import WEIGHTS_OF_LOSSES, as_tensors, losses_of, main, target_of

SIDE = 128
CPU = torch.device("cpu")


def a_sample(*clusters, noise=0.0, seed=0):
    """Clusters as smooth bright discs, as deep as they should be said to be."""
    instances = instance_map(clusters, (SIDE, SIDE))
    depth = np.zeros((SIDE, SIDE))
    for number, one in enumerate(clusters, start=1):
        own = instances == number
        depth[own] = 1.0 - one.away(np.arange(SIDE)[None, :], np.arange(SIDE)[:, None])[own]
    rng = np.random.default_rng(seed)
    picture = np.repeat(0.1 + 0.5 * depth[None], 3, axis=0) + rng.normal(0, noise, (3, SIDE, SIDE))
    depth = np.rint(255 * np.clip(depth, 0, 1)).astype(np.uint8)
    return Sample(np.clip(picture, 0, 1).astype(np.float32), instances, depth, clusters)


FIRST, SECOND = TrueCluster(OPEN, 40.0, 40.0, 24.0), TrueCluster(GLOBULAR, 90.0, 80.0, 20.0)
HOPELESS = TrueCluster(OPEN, 30.0, 100.0, 20.0, wanted=False)


def said(target, sureness=6.0):
    """The answer that a target asks for."""
    return Answer(
        mask=sureness * (2.0 * target["mask"] - 1.0),
        centre=torch.logit(target["centre"].clamp(1e-3, 0.999)),
        distance=target["distance"],
        globular=sureness * (2.0 * target["globular"] - 1.0),
        **dict(zip(("right", "down", "size", "cosine", "sine"), target["ellipse"].unbind(1), strict=True)),
    )


def test_targets_say_where_clusters_are():
    target = target_of(a_sample(FIRST, SECOND, HOPELESS))
    assert target.mask.shape == (32, 32)
    assert target.mask[10, 10] == target.mask[20, 22] == 1.0
    assert (target.globular[10, 10], target.globular[20, 22]) == (0.0, 1.0)
    assert target.mask[25, 7] == target.weight[25, 7] == 0.0
    assert target.weight[0, 31] == 1.0 < target.weight[10, 10]
    peaks = np.argwhere(target.centre == 1.0)
    np.testing.assert_allclose(peaks, [[10, 10], [20, 22]], atol=1)
    assert target.distance[10, 10] > 0.8 > target.distance[10, 14] > 0.0
    assert [target.share.sum(), target.claimed.sum()] == pytest.approx([2.0, 2.0], rel=1e-4)
    first = target.ellipse[:, 10, 10]
    assert first == pytest.approx([-1.5 / 24.0, -1.5 / 24.0, np.log(24.0 / RADIUS_PX), 0.0, 0.0], abs=1e-5)


def test_a_cut_cluster_has_its_middle_on_the_picture():
    target = target_of(a_sample(TrueCluster(OPEN, -8.0, 60.0, 30.0)))
    assert (target.centre == 1.0).sum() == 1
    assert np.argwhere(target.centre == 1.0)[0].tolist() == pytest.approx([15, 0], abs=1)


def test_right_answers_cost_least_and_what_need_not_be_found_nothing():
    _, target = as_tensors([a_sample(FIRST, SECOND, HOPELESS)], CPU)
    right = losses_of(said(target), target)
    assert set(right) == set(WEIGHTS_OF_LOSSES)
    flipped = [
        (
            name,
            losses_of(said(target)._replace(**{part: change(getattr(said(target), part))}), target)[name],
        )
        for name, part, change in (
            ("mask", "mask", torch.neg),
            ("dice", "mask", torch.neg),
            ("centre", "centre", torch.neg),
            ("distance", "distance", lambda d: 1.0 - d),
            ("kind", "globular", torch.neg),
            ("ellipse", "size", torch.neg),
            ("ellipse", "right", torch.neg),
        )
    ]
    for name, worse in flipped:
        assert float(right[name]) < 0.3 * float(worse), name
    answer = said(target)
    free = target["weight"] == 0
    wild = Answer(*(torch.where(free, torch.full_like(part, 0.7), part) for part in answer))
    for name, loss in losses_of(wild, target).items():
        assert float(loss) == pytest.approx(float(right[name]), abs=1e-5), name


def test_an_empty_sky_has_a_finite_loss():
    pictures, target = as_tensors([a_sample()], CPU)
    network = ClusterNetwork(Sizes((16, 16, 16), (1, 1, 1)))
    losses = losses_of(network(pictures), target)
    assert all(bool(torch.isfinite(loss)) for loss in losses.values())


def test_a_tiny_network_learns_to_part_discs():
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    network = ClusterNetwork(Sizes((16, 16, 32, 32), (1, 1, 1, 1)))
    optimiser = torch.optim.AdamW(network.parameters(), lr=6e-3)

    def random_one(seed):
        places = ((36, 36), (90, 40), (62, 92))
        return a_sample(
            *(
                TrueCluster(OPEN, *(np.array(place) + rng.uniform(-6, 6, 2)), float(rng.uniform(14, 24)))
                for place in places
            ),
            noise=0.02,
            seed=seed,
        )

    for step in range(90):
        pictures, target = as_tensors([random_one(4 * step + i) for i in range(4)], CPU)
        losses = losses_of(network(pictures), target)
        loss = torch.stack([WEIGHTS_OF_LOSSES[name] * part for name, part in losses.items()]).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    held = LockedNetwork(ready_network(network.state_dict()))
    dice = []
    for seed in range(4):
        sample = random_one(1000 + seed)
        shown = np.rint(255 * sample.picture.transpose(1, 2, 0)).astype(np.uint8)
        window = Window(0, 0, SIDE, SIDE, 1.0, 0, (False,) * 4)
        found = outlines(answer_of(held, shown), window, Grid(SIDE, SIDE), (0.0, 1.0, 0.0, 0.0, 0.0))
        for number in (1, 2, 3):
            own = sample.instances == number
            dice.append(
                max(
                    (
                        2
                        * own[one.row : one.row + h, one.column : one.column + w][one.inside].sum()
                        / (own.sum() + one.area)
                        for one in found
                        for h, w in [one.inside.shape]
                    ),
                    default=0.0,
                )
            )
    assert np.mean(dice) > 0.75


def test_the_whole_script_draws_trains_resumes_and_fills_the_card(tmp_path, monkeypatch):
    weights = tmp_path / "weights"
    monkeypatch.setenv("ALMAGEST_WEIGHTS", str(weights))
    command = ["--work", str(tmp_path / "work"), "--weights", str(weights), "--scenes", "2"]
    command += ["--val-scenes", "3", "--test-scenes", "2", "--side", "128", "--batch", "2"]
    command += ["--sizes", "16,16,16/1,1,1", "--workers", "1", "--device", "cpu"]
    assert main([*command, "--minutes", "0.01"]) == 0
    card = read_card("clusters_unet")
    assert check_weights("clusters_unet").precision == "float16"
    assert card.labels == (OPEN, GLOBULAR)
    assert len(card.extra["logistic"]) == 5
    assert 0.0 < card.extra["confidence"] < 1.0
    assert any(name.startswith("test, ") for name in card.scores)
    assert str(tmp_path) not in (weights / "clusters_unet.json").read_text()
    steps = card.extra["steps"]
    spent = torch.load(tmp_path / "work" / "unet.pt", weights_only=True)["seconds"] / 60.0
    assert main([*command, "--minutes", f"{spent + 1e-4}", "--resume"]) == 0
    assert read_card("clusters_unet").extra["steps"] > steps
    start = tmp_path / "work" / "unet.pt"
    moved = start.rename(tmp_path / "earlier.pt")
    assert main([*command, "--minutes", "0.005", "--begin-from", str(moved)]) == 0
    assert "--begin-from" in read_card("clusters_unet").command
    assert main([*command, "--score"]) == 0
