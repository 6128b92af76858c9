from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from core.corrections import Correction
from core.results import Detections


@pytest.fixture
def stars() -> Detections:
    """Three points at (10, 10), (20, 20), (30, 30) with columns of their own."""
    place = np.array([10.0, 20.0, 30.0])
    table = pd.DataFrame(
        {
            "label": "star",
            "score": [0.9, 0.8, 0.7],
            "x": place,
            "y": place,
            "flux": place * 10,
            "ra_deg": place,
            "dec_deg": place,
            "n_pixels": [5, 6, 7],
            "saturated": [True, False, False],
            "snr": np.array([1.0, 2.0, 3.0], np.float32),
        }
    )
    return Detections(table, {"flux": "adu"})


@pytest.fixture
def galaxies() -> Detections:
    """Two boxes of 10 × 10 px, centred on (20, 20) and (60, 60)."""
    place = np.array([20.0, 60.0])
    edges = {"x_min": place - 5, "y_min": place - 5, "x_max": place + 5, "y_max": place + 5}
    return Detections(pd.DataFrame({"label": "galaxy", "score": 0.5, "x": place, "y": place, **edges}))


class Log(list):
    """A log that numbers what is put into it: ``log.put("move", "p0", x=1, y=2)``."""

    def put(self, action, target="", person="Ada", group="", **after):
        number = len(self) + 1
        correction = Correction(
            action,
            target,
            {},
            after,
            group=group,
            correction_id=f"c{number}",
            seq=number,
            run_id="run",
            person=person,
            at=datetime(2026, 3, 1, 21, 0, tzinfo=UTC) + timedelta(seconds=number),
        )
        self.append(correction)
        return correction


@pytest.fixture
def log() -> Log:
    return Log()
