import subprocess
import sys

import pytest
import torch

from core.models import torchvision_ops
from core.models.torchvision_ops import import_torchvision, nms, roi_align

STARTS = "import warnings; warnings.simplefilter('error'); import torch; torch.set_num_threads(1); "
STARTS += "from core.models import torchvision_ops as ours; "


def ramp(height=6, width=8):
    """Features whose value is 10 y + x, so that a bilinear sample says where it was taken."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return (10.0 * y + x)[None, None].double()


def region(*box):
    return torch.tensor([[0.0, *box]], dtype=torch.float64)


def run(code):
    done = subprocess.run([sys.executable, "-c", STARTS + code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def one_by_one(boxes, scores, threshold):
    """Non-maximum suppression as it is defined."""
    kept = []
    for row in torch.argsort(scores, descending=True, stable=True).tolist():
        if all(overlap(boxes[row].tolist(), boxes[other].tolist()) <= threshold for other in kept):
            kept.append(row)
    return kept


def overlap(a, b):
    width = max(min(a[2], b[2]) - max(a[0], b[0]), 0.0)
    height = max(min(a[3], b[3]) - max(a[1], b[1]), 0.0)
    areas = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return width * height / (areas - width * height)


@pytest.mark.parametrize(("threshold", "kept"), [(0.2, [1, 3]), (0.4, [1, 2, 3]), (0.6, [1, 0, 2, 3])])
def test_boxes_worked_out_by_hand(threshold, kept):
    # The IoU of row 0 with row 1 is 80/160 = 1/2, of row 2 with row 1 40/160 = 1/4, of row 2 with row 0 1/9.
    boxes = torch.tensor(
        [[0.0, 0, 12, 10], [4, 0, 16, 10], [12, 0, 20, 10], [50, 50, 60, 60]], dtype=torch.float64
    )
    scores = torch.tensor([0.8, 0.9, 0.7, 0.1], dtype=torch.float64)
    assert overlap(boxes[0].tolist(), boxes[1].tolist()) == 0.5
    assert overlap(boxes[2].tolist(), boxes[1].tolist()) == 0.25
    assert nms(boxes, scores, threshold).tolist() == kept


def test_an_overlap_of_just_the_threshold_stays():
    boxes = torch.tensor([[0.0, 0, 12, 10], [4, 0, 16, 10]])
    assert nms(boxes, torch.tensor([0.5, 0.6]), 0.5).tolist() == [1, 0]


def test_a_box_that_is_gone_takes_no_other_with_it():
    boxes = torch.tensor([[0.0, 0, 10, 10], [4, 0, 14, 10], [8, 0, 18, 10]])
    assert nms(boxes, torch.tensor([0.9, 0.8, 0.7]), 0.3).tolist() == [0, 2]


def test_of_equal_scores_the_first_comes_first():
    boxes = torch.tensor([[0.0, 0, 10, 10]] * 3 + [[20.0, 0, 30, 10]])
    assert nms(boxes, torch.ones(4), 0.5).tolist() == [0, 3]


@pytest.mark.parametrize("block", [1, 7, 64, 512])
def test_many_boxes_agree_with_the_definition(monkeypatch, block):
    monkeypatch.setattr(torchvision_ops, "BLOCK", block)
    torch.manual_seed(3)
    boxes = torch.rand(200, 4, dtype=torch.float64) * 60
    boxes[:, 2:] = boxes[:, :2] + 5 + torch.rand(200, 2, dtype=torch.float64) * 30
    scores = torch.rand(200, dtype=torch.float64)
    for threshold in (0.1, 0.5, 0.7):
        kept = one_by_one(boxes, scores, threshold)
        assert 5 < len(kept) < 195
        assert nms(boxes, scores, threshold).tolist() == kept


def test_boxes_that_carry_gradients_are_taken():
    boxes = torch.tensor([[0.0, 0, 10, 10], [1, 0, 10, 10]], requires_grad=True)
    assert nms(boxes, torch.tensor([0.5, 0.6], requires_grad=True), 0.5).tolist() == [1]


def test_no_boxes_and_empty_boxes():
    assert nms(torch.zeros(0, 4), torch.zeros(0), 0.5).shape == (0,)
    assert nms(torch.zeros(0, 4), torch.zeros(0), 0.5).dtype == torch.int64
    assert nms(torch.zeros(2, 4), torch.tensor([0.1, 0.2]), 0.5).tolist() == [1, 0]


@pytest.mark.parametrize(
    ("aligned", "expected"),
    [
        # Bins of 2 by 2 px from (1, 1): centres at 2 and 4, half a pixel less when aligned.
        (True, [[16.5, 18.5], [36.5, 38.5]]),
        (False, [[22.0, 24.0], [42.0, 44.0]]),
    ],
)
@pytest.mark.parametrize("sampling", [1, 2, 3, -1, 0])
def test_regions_of_a_ramp_worked_out_by_hand(aligned, expected, sampling):
    pooled = roi_align(ramp(), region(1, 1, 5, 5), 1.0, 2, 2, sampling, aligned)
    assert torch.allclose(pooled[0, 0], torch.tensor(expected, dtype=torch.float64))


def test_the_scale_of_the_features_is_heeded():
    pooled = roi_align(ramp(), region(2, 2, 10, 10), 0.5, 2, 2, 2, True)
    assert torch.allclose(pooled[0, 0], torch.tensor([[16.5, 18.5], [36.5, 38.5]], dtype=torch.float64))


def test_height_and_width_are_not_mixed_up():
    pooled = roi_align(ramp(), region(1, 1, 7, 3), 1.0, 1, 3, 2, True)
    assert torch.allclose(pooled[0, 0], torch.tensor([[16.5, 18.5, 20.5]], dtype=torch.float64))


def test_a_small_region_is_a_pixel_wide_unless_aligned():
    point = region(2, 2, 2, 2)
    assert roi_align(ramp(), point, 1.0, 1, 1, 1, False).item() == pytest.approx(27.5)
    assert roi_align(ramp(), point, 1.0, 1, 1, 1, True).item() == pytest.approx(16.5)
    assert roi_align(ramp(), point, 1.0, 1, 1, -1, True).item() == 0.0, "adaptive: no samples"


def test_samples_outside_are_the_edge_for_a_pixel_then_nothing():
    ones = torch.ones(1, 1, 4, 4, dtype=torch.float64)
    # Samples at x = -1.5, -0.5, 0.5, 1.5: the first is more than a pixel outside.
    pooled = roi_align(ones, region(-2, 0, 2, 1), 1.0, 1, 4, 1, False)
    assert pooled.flatten().tolist() == [0.0, 1.0, 1.0, 1.0]
    # Samples at x = 3.5, 4.5: torchvision counts to the width, 4.
    assert roi_align(ones, region(3, 0, 5, 1), 1.0, 1, 2, 1, False).flatten().tolist() == [1.0, 0.0]


def test_regions_read_their_own_frame_and_keep_their_order():
    frames = torch.stack([ramp()[0], ramp()[0] + 1000])
    regions = torch.cat([region(1, 1, 5, 5), region(1, 1, 3, 3), region(1, 1, 5, 5)])
    regions[0, 0] = 1
    pooled = roi_align(frames, regions, 1.0, 1, 1, -1, True)
    assert torch.allclose(pooled.flatten(), torch.tensor([1027.5, 16.5, 27.5], dtype=torch.float64))


def test_no_regions_and_half_precision():
    assert roi_align(ramp(), torch.zeros(0, 5), 1.0, 2, 3, 2, True).shape == (0, 1, 2, 3)
    pooled = roi_align(ramp().bfloat16(), region(1, 1, 5, 5).bfloat16(), 1.0, 2, 2, 2, True)
    assert pooled.dtype == torch.bfloat16
    assert torch.allclose(pooled[0, 0].double(), torch.tensor([[16.5, 18.5], [36.5, 38.5]]).double())


@pytest.mark.parametrize("sampling", [2, -1])
def test_gradients_are_those_of_finite_differences(sampling):
    torch.manual_seed(2)
    features = torch.randn(2, 2, 5, 6, dtype=torch.float64, requires_grad=True)
    regions = torch.tensor([[0, 0.3, 0.6, 4.1, 3.9], [1, 1.2, -0.4, 5.7, 4.6]], dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda f: roi_align(f, regions, 1.0, 2, 3, sampling, True), (features,))


def test_the_gradient_of_a_mean_is_shared_out():
    features = ramp().requires_grad_()
    roi_align(features, region(1, 1, 5, 5), 1.0, 1, 1, 4, True).sum().backward()
    expected = torch.zeros(6, 8, dtype=torch.float64)
    expected[1:5, 1:5] = 1 / 16
    assert torch.allclose(features.grad[0, 0], expected)


def test_it_agrees_with_torchvisions_own_reference():
    torchvision = import_torchvision()
    reference = sys.modules["torchvision.ops.roi_align"]._roi_align.__wrapped__
    torch.manual_seed(4)
    features = torch.randn(2, 3, 16, 12, dtype=torch.float64)
    regions = torch.rand(30, 5, dtype=torch.float64) * 6
    regions[:, 0] = torch.arange(30) % 2
    regions[:, 3:] += regions[:, 1:3]
    for aligned in (True, False):
        for sampling in (2, -1):
            ours = torchvision.ops.roi_align(features, regions, (3, 4), 0.9, sampling, aligned)
            theirs = reference(features, regions, 0.9, 3, 4, sampling, aligned)
            assert torch.allclose(ours, theirs, atol=1e-12)


def test_torchvision_finds_its_operators():
    code = (
        "tv = ours.import_torchvision(); assert ours.import_torchvision() is tv; "
        "boxes = torch.tensor([[0., 0, 10, 10], [1, 1, 10, 10], [20, 20, 30, 30]]); "
        "scores = torch.tensor([.9, .8, .7]); "
        "print(tv.ops.nms(boxes, scores, .5).tolist(), "
        "tv.ops.batched_nms(boxes, scores, torch.tensor([0, 1, 1]), .5).tolist()); "
        "f = torch.randn(1, 2, 8, 8, requires_grad=True); "
        "vars(__import__('sys').modules['torchvision.ops.roi_align'])['_roi_align'] = None; "
        "tv.ops.roi_align(f, [boxes / 4], 3, sampling_ratio=2).sum().backward(); "
        "print(bool(f.grad.any()))"
    )
    assert run(code).splitlines() == ["[0, 2] [0, 1, 2]", "True"]


def test_mask_rcnn_trains_and_runs():
    code = (
        "ours.import_torchvision(); "
        "from torchvision.models.detection import maskrcnn_resnet50_fpn as make; "
        "torch.manual_seed(0); "
        "net = make(weights=None, weights_backbone=None, num_classes=2, min_size=64, max_size=64); "
        "box = torch.tensor([[8., 8, 40, 40]]); mask = torch.zeros(1, 64, 64, dtype=torch.uint8); "
        "mask[:, 8:40, 8:40] = 1; "
        "told = [{'boxes': box, 'labels': torch.tensor([1]), 'masks': mask}]; "
        "losses = net([torch.rand(3, 64, 64)], told); sum(losses.values()).backward(); "
        "assert net.roi_heads.mask_predictor.mask_fcn_logits.weight.grad.any(); "
        "print(sorted(net.eval()([torch.rand(3, 64, 64)])[0]))"
    )
    assert run(code) == "['boxes', 'labels', 'masks', 'scores']"


def test_nothing_is_touched_where_compiled_operators_are():
    code = (
        "lib = torch.library.Library('torchvision', 'DEF'); "
        "[lib.define(schema) for schema in ours._SCHEMAS]; "
        "lib.impl('nms', lambda boxes, scores, t: torch.tensor([42]), 'CPU'); "
        "assert ours.compiled_operators(); tv = ours.import_torchvision(); assert ours._library is None; "
        "print(torch.ops.torchvision.nms(torch.zeros(1, 4), torch.zeros(1), .5).tolist())"
    )
    assert run(code) == "[42]"


def test_no_torchvision_is_said(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match="torchvision is not installed"):
        torchvision_ops.compiled_operators()
