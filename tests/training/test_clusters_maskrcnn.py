import numpy as np
import torch

from core.clusters.kinds import GLOBULAR, OPEN
from core.clusters.maskrcnn_network import build, ready_network
from core.models import check_weights, read_card
from core.models.unet import Sizes
from tests.training.test_clusters_unet import CPU, FIRST, HOPELESS, SECOND, a_sample
from training.cluster_truth import TrueCluster
from training.clusters_maskrcnn import NOT_COUNTED, main, target_of

TRUNK = Sizes((16, 16, 16, 16), (1, 1, 1, 1))


def test_targets_are_boxes_masks_and_labels():
    target = target_of(a_sample(FIRST, SECOND, HOPELESS), CPU)
    assert target["labels"].tolist() == [1, 2, NOT_COUNTED]
    np.testing.assert_allclose(target["boxes"][0], [16, 16, 65, 65], atol=1)
    assert target["masks"].shape == (3, 128, 128)
    for box, mask in zip(target["boxes"].int().tolist(), target["masks"], strict=True):
        assert mask.sum() == mask[box[1] : box[3], box[0] : box[2]].sum()
    sliver = target_of(a_sample(TrueCluster(OPEN, -28.0, 60.0, 30.0)), CPU)
    assert sliver["boxes"].shape == (0, 4)
    assert sliver["masks"].shape == (0, 128, 128)


def test_losses_are_finite_with_clusters_without_and_with_hopeless_ones():
    torch.manual_seed(0)
    network = build(8, 8, TRUNK).train()
    samples = [a_sample(FIRST, SECOND), a_sample(), a_sample(HOPELESS)]
    losses = network(
        [torch.from_numpy(one.picture) for one in samples], [target_of(one, CPU) for one in samples]
    )
    assert set(losses) == {
        "loss_classifier",
        "loss_box_reg",
        "loss_mask",
        "loss_objectness",
        "loss_rpn_box_reg",
    }
    assert all(bool(torch.isfinite(loss)) for loss in losses.values())
    torch.stack(list(losses.values())).sum().backward()


def test_boxes_on_what_need_not_be_found_are_passed_over():
    heads = build(8, 8, TRUNK).roi_heads
    target = target_of(a_sample(FIRST, HOPELESS), CPU)
    boxes = torch.cat([target["boxes"], torch.tensor([[100.0, 0.0, 120.0, 20.0]])])
    _, labels = heads.assign_targets_to_proposals([boxes], [target["boxes"]], [target["labels"]])
    assert labels[0].tolist() == [1, -1, 0]
    positive, negative = heads.fg_bg_sampler(labels)
    assert not bool((positive[0] | negative[0])[1])


def test_it_fits_into_a_weights_file_and_is_read_back():
    network = build().eval()
    assert 2 * sum(p.numel() for p in network.parameters()) < 26_000_000
    small = build(8, 12, TRUNK)
    again = ready_network(small.state_dict())
    torch.testing.assert_close(dict(again.state_dict()), dict(small.state_dict()))


def test_the_whole_script_draws_trains_resumes_and_fills_the_card(tmp_path, monkeypatch):
    weights = tmp_path / "weights"
    monkeypatch.setenv("ALMAGEST_WEIGHTS", str(weights))
    command = ["--work", str(tmp_path / "work"), "--weights", str(weights), "--scenes", "2"]
    command += ["--val-scenes", "2", "--test-scenes", "1", "--side", "128", "--batch", "2"]
    command += ["--sizes", "8,8/16,16,16,16/1,1,1,1", "--workers", "1", "--device", "cpu"]
    assert main([*command, "--minutes", "0.005"]) == 0
    card = read_card("clusters_maskrcnn")
    assert check_weights("clusters_maskrcnn").task == "clusters"
    assert card.labels == (OPEN, GLOBULAR)
    assert len(card.extra["calibration"]) == 2
    steps = card.extra["steps"]
    spent = torch.load(tmp_path / "work" / "maskrcnn.pt", weights_only=True)["seconds"] / 60.0
    assert main([*command, "--minutes", f"{spent + 1e-4}", "--resume"]) == 0
    assert read_card("clusters_maskrcnn").extra["steps"] > steps
