"""Fixtures for every test."""

import os
import sys

os.environ.setdefault("OMP_NUM_THREADS", "1")  # the tests themselves run side by side

import pytest

import core.stars
from core.methods import get_method

TOY = '''
"""The brightest pixel above a threshold: the least a method can be."""

import os
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.errors import FrameRejected
from core.methods import Method
from core.parameters import Parameters, parameter
from core.results import Detections, Result


@dataclass(frozen=True)
class ToyParameters(Parameters):
    """What the toy can be told."""

    threshold: float = parameter(10.0, label="Threshold", unit="adu", low=0.0, high=1e6)
    label: str = parameter("star", label="Label", choices=("star", "galaxy"))


def analyse(frame, params, progress):
    """Take the brightest pixel. The first pixel of a frame says how to fail, for the tests of failing."""
    first = frame.grey[0, 0]
    if first == 251:
        raise FrameRejected("The toy does not like this frame.")
    if first == 252:
        raise ZeroDivisionError("a fault of the method")
    if first == 253:
        os._exit(9)
    if first == 254:
        raise KeyboardInterrupt
    progress(0.5, "looking")
    y, x = np.unravel_index(np.argmax(frame.grey), frame.grey.shape)
    peak = float(frame.grey[y, x])
    found = pd.DataFrame({"label": [params.label], "score": [1.0], "x": [x], "y": [y], "flux": [peak]})
    coarse = frame.grey[::2, ::2].astype(np.float32)
    return Result(
        detections=Detections(found.head(int(peak > params.threshold)), units={"flux": "adu"}),
        summary="Toyed with.",
        maps={"brightness": coarse, "noise": coarse * 0},
        masks={"objects": (coarse > params.threshold).astype(np.uint16)},
        warnings=("A toy is not a telescope.",),
    )


METHOD = Method(
    name="stars.toy",
    title="Toy",
    summary="Finds the brightest pixel.",
    description="Takes the brightest pixel of the frame when it is above the threshold.",
    reference="none",
    params=ToyParameters,
    analyse=analyse,
    labels=("star", "galaxy"),
    geometry=("point",),
)
'''


@pytest.fixture
def toy_method(tmp_path_factory, monkeypatch):
    """The method ``stars.toy``, added as one new file in a folder where star methods are looked for."""
    folder = tmp_path_factory.mktemp("methods")
    (folder / "toy.py").write_text(TOY, encoding="utf-8")
    monkeypatch.setattr(core.stars, "__path__", [*core.stars.__path__, str(folder)])
    yield get_method("stars.toy")
    sys.modules.pop("core.stars.toy", None)
    vars(core.stars).pop("toy", None)


@pytest.fixture
def weights_folder(tmp_path, monkeypatch):
    """An empty folder where cards and weights are looked for."""
    folder = tmp_path / "weights"
    folder.mkdir()
    monkeypatch.setenv("ALMAGEST_WEIGHTS", str(folder))
    return folder
