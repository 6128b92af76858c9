import contextlib
import io

import numpy as np
import pytest

from core.errors import ParameterInvalid
from core.scoring.average_precision import average_precision

A, B, C = (0, 0, 10, 10), (20, 20, 30, 30), (40, 40, 50, 50)
FALSE = (70, 70, 80, 80)


@pytest.mark.parametrize(
    ("truth", "found", "scores", "expected"),
    [
        ([A], [A], [0.9], 1.0),
        ([A, B], [A], [0.9], 0.5),
        ([A], [FALSE, A], [0.9, 0.5], 0.5),
        ([A], [A, FALSE], [0.9, 0.5], 1.0),
        ([A, B], [A, FALSE, B], [0.9, 0.8, 0.7], 0.5 * 1 + 0.5 * 2 / 3),
        ([A, B], [FALSE, A, B], [0.9, 0.8, 0.7], 2 / 3),  # precision is made to fall with recall
        ([A], [A, A], [0.9, 0.8], 1.0),
        ([A, B], [A, A, B], [0.9, 0.8, 0.7], 0.5 + 0.5 * 2 / 3),  # a second detection is false
        ([A, B], [B, FALSE, A], [0.5, 0.5, 0.5], 2 / 3),  # equal scores enter together
        ([], [], [], 1.0),
        ([], [FALSE], [0.5], 0.0),
        ([A], [], [], 0.0),
        ([A], [FALSE], [0.5], 0.0),
    ],
)
def test_area_by_hand(truth, found, scores, expected):
    assert average_precision([truth], [found], [scores]) == pytest.approx(expected)
    assert average_precision([truth], [found[::-1]], [scores[::-1]]) == pytest.approx(expected)


def test_frames_are_pooled_by_score():
    # A false detection of one frame stands above a true one of the other.
    truth, found, scores = [[A], [B]], [[A], [FALSE, B]], [[0.9], [0.8, 0.7]]
    assert average_precision(truth, found, scores) == pytest.approx(0.5 + 0.5 * 2 / 3)
    assert average_precision([], [], []) == 1.0


def test_the_overlap_that_is_asked_for_decides():
    found = (0, 0, 10, 8)
    assert average_precision([[A]], [[found]], [[1.0]], iou=0.8) == 1.0
    assert average_precision([[A]], [[found]], [[1.0]], iou=0.81) == 0.0


@pytest.mark.parametrize("seed", range(5))
def test_it_agrees_with_coco_but_for_its_sampling(seed):
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    rng = np.random.default_rng(seed)
    truth, found, scores = [], [], []
    for _ in range(12):
        corner = rng.uniform(0, 80, (rng.integers(1, 12), 2))
        boxes = np.hstack([corner, corner + rng.uniform(5, 20, corner.shape)])
        truth.append(boxes)
        moved = boxes[rng.uniform(size=len(boxes)) < 0.8] + rng.normal(0, 2, 4)
        extra = rng.uniform(0, 60, (3, 2))
        found.append(np.vstack([moved, np.hstack([extra, extra + 10])]))
        scores.append(np.concatenate([rng.uniform(0.3, 1, len(moved)), rng.uniform(0, 0.7, 3)]))

    def annotations(frames):
        for image, boxes in enumerate(frames, start=1):
            for box in boxes:
                width, height = box[2:] - box[:2]
                yield {"image_id": image, "category_id": 1, "bbox": [*box[:2], width, height]}

    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "images": [{"id": image} for image in range(1, 13)],
            "categories": [{"id": 1}],
            "annotations": [
                {**each, "id": number, "area": each["bbox"][2] * each["bbox"][3], "iscrowd": 0}
                for number, each in enumerate(annotations(truth), start=1)
            ],
        }
        coco.createIndex()
        results = coco.loadRes(
            [
                {**each, "score": score}
                for each, score in zip(annotations(found), np.concatenate(scores), strict=True)
            ]
        )
        evaluation = COCOeval(coco, results, "bbox")
        evaluation.params.iouThrs = np.array([0.5])
        evaluation.evaluate()
        evaluation.accumulate()
    expected = evaluation.eval["precision"][0, :, 0, 0, -1].mean()
    assert average_precision(truth, found, scores) == pytest.approx(expected, abs=0.012)


def test_numbers_that_differ_are_refused():
    with pytest.raises(ParameterInvalid, match="numbers of frames must be equal, got 1, 2, 1"):
        average_precision([[A]], [[A], [B]], [[0.5]])
    with pytest.raises(ParameterInvalid, match="boxes and scores must be equal, got 1, 2"):
        average_precision([[A]], [[A]], [[0.5, 0.6]])
