import threading
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import core
from core.frames import Frame
from core.results import Detections, Provenance, Result
from core.store import Store


@pytest.fixture
def store():
    with Store(":memory:") as opened:
        yield opened


@pytest.fixture
def frame() -> Frame:
    return Frame.from_array(np.arange(12_000.0).reshape(100, 120), name="field.fits", hdu=1)


def some_stars(n: int, seed: int = 0) -> Detections:
    """Detections with own columns of every kind a method may give."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "label": "star",
            "score": rng.uniform(0, 1, n),
            "x": rng.uniform(0, 119, n),
            "y": rng.uniform(0, 99, n),
            "flux": rng.exponential(100.0, n),
            "snr": rng.exponential(10.0, n),
            "fwhm_px": rng.normal(3.0, 0.1, n).astype(np.float32),
            "n_pixels": rng.integers(1, 90, n),
            "flags": rng.integers(0, 9, n).astype(np.uint8),
            "saturated": rng.uniform(size=n) > 0.5,
            "kind": rng.choice(["point", "blend"], n),
        }
    )
    return Detections(table, {"fwhm_px": "pix", "flux": "adu"})


@pytest.fixture
def result_of() -> Callable[..., Result]:
    """Make the result of a run on a frame."""

    def make(frame: Frame, n: int = 5, method: str = "stars.toy", version: str = "", **facts) -> Result:
        provenance = Provenance(
            method=method,
            params={"threshold_sigma": 1.5, "kernel": "auto"},
            frame_name=frame.name,
            frame_sha256=frame.sha256,
            frame_key=frame.key,
            width=frame.width,
            height=frame.height,
            hdu=frame.hdu,
            version=version or core.__version__,
            started_at="2026-03-01T21:04:05+00:00",
        )
        given = {"detections": some_stars(n), "provenance": provenance, "timings": {"total": 0.25}, **facts}
        return Result(**given)

    return make


@pytest.fixture
def in_threads() -> Callable[..., list[BaseException]]:
    """Run ``work(0)`` … ``work(n - 1)`` at once; give the errors."""

    def run(work: Callable[[int], object], n: int = 8) -> list[BaseException]:
        errors: list[BaseException] = []
        start = threading.Barrier(n)

        def guarded(number: int) -> None:
            start.wait()
            try:
                work(number)
            except BaseException as error:
                errors.append(error)

        threads = [threading.Thread(target=guarded, args=(number,)) for number in range(n)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return errors

    return run
