"""Real frames: how rivals agree, and how many stars put into the frame each finds again.

What is truly on a real frame is not known, so there is no precision here. Stars are put in with the measured
width of the frame's own, without photon noise of their own, at places free of the reference rival's stars.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import galsim
import numpy as np
import pandas as pd
from scipy.spatial import KDTree

from benchmarks.stars.example import Floats
from benchmarks.stars.rivals import Rival, Setting, View, sky_taken_away
from benchmarks.stars.scores import MATCH_PX, recovered
from core.frames import Frame
from core.frames.read import read_frame
from core.results import Detections
from core.scoring.agreement import agree
from core.scoring.matching import match_points

SAMPLES = Path(__file__).parents[2] / "samples"
FRAMES = ("m51_kpno.fits", "isaac_psr_j1740.fits.fz")
CATALOGUED = "sep_image"
"""An image with the catalogue that SExtractor made of it, in a folder that ``--data`` names."""
REFERENCE = "sep.psf"
KNOWN_THRESHOLD = 0.9
"""Of the reference rival: stars are put in away from what it sees at this."""
INJECTED, ROUNDS = 120, 3
INJECTED_SNR = (3.0, 100.0)
BETA = 3.5


@dataclass(frozen=True, eq=False)
class RealFrame:
    """A real frame, and stars put into it.

    Attributes:
        view: The frame as it is.
        injected: The frame with stars put in, in some rounds.
        xy, snr: Their places and signal-to-noise ratios over the sky's noise, by round.
        catalogue: ``(K, 2)`` places of a catalogue made by others, or None.
    """

    view: View
    injected: tuple[View, ...]
    xy: tuple[Floats, ...]
    snr: tuple[Floats, ...]
    catalogue: Floats | None = None


def real_frames(reference: Rival, setting: Setting, data: Path | None) -> dict[str, RealFrame]:
    """The samples and, from a folder, the image with a catalogue; each with stars put in."""
    paths = {name: SAMPLES / name for name in FRAMES}
    catalogue = None
    if data is not None:
        image = next(data.rglob(f"{CATALOGUED}.fits"), None)
        if image is None:
            raise SystemExit(f"{data} holds no {CATALOGUED}.fits.")
        paths[image.name] = image
        catalogue = read_catalogue(image.with_name(f"{CATALOGUED}_sextractor.cat"))
    return {
        name: _with_injections(
            read_frame(path), reference, setting, catalogue if name.startswith(CATALOGUED) else None
        )
        for name, path in paths.items()
    }


def read_catalogue(path: Path) -> Floats:
    """``(K, 2)`` places of a SExtractor catalogue, counted from 0."""
    lines = path.read_text(encoding="utf-8").splitlines()
    heads = [line.split() for line in lines if line.startswith("#")]
    columns = [int(head[1]) - 1 for name in ("X_IMAGE", "Y_IMAGE") for head in heads if head[2] == name]
    rows = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    return np.array([[float(row[column]) for column in columns] for row in rows]) - 1.0


def on_real(
    rival: Rival, setting: Setting, reference: tuple[Rival, Setting], real: RealFrame
) -> dict[str, Any]:
    """What a rival finds on a real frame, as plain values."""
    found = rival.sweep(real.view, [setting.threshold])[setting]
    other = reference[0].sweep(real.view, [reference[1].threshold])[reference[1]]
    is_found = [
        np.isin(np.arange(len(xy)), match_points(xy, places, MATCH_PX).truth_index)
        for view, xy in zip(real.injected, real.xy, strict=True)
        for places in [rival.sweep(view, [setting.threshold])[setting]]
    ]
    row = {
        "threshold": setting.threshold,
        "cuts": setting.cuts,
        "found": len(found),
        "reference": _shared(found, other),
        "injected": recovered(np.concatenate(real.snr), np.concatenate(is_found)),
    }
    if real.catalogue is not None:
        row["catalogue"] = _shared(found, real.catalogue)
    return row


def _shared(found: Floats, other: Floats) -> Mapping[str, float | int | None]:
    agreement = agree(_table(found), _table(other), radius_px=MATCH_PX)
    n = len(agreement.matches)
    return {
        "both": n,
        "only_rival": len(agreement.only_a),
        "only_other": len(agreement.only_b),
        "rms_px": agreement.rms_px if n else None,
    }


def _table(places: Floats) -> Detections:
    columns = {"label": "star", "score": 1.0, "x": places[:, 0], "y": places[:, 1]}
    return Detections(pd.DataFrame(columns))


def _with_injections(frame: Frame, reference: Rival, setting: Setting, catalogue: Floats | None) -> RealFrame:
    view = View(frame)
    known = reference.sweep(view, [KNOWN_THRESHOLD])[Setting(KNOWN_THRESHOLD, setting.cuts)]
    _, noise = sky_taken_away(frame)
    psf = galsim.Moffat(beta=BETA, fwhm=view.fwhm_px)
    stamp = psf.drawImage(nx=31, ny=31, scale=1.0).array
    per_electron = float(np.sqrt(np.sum(stamp.astype(float) ** 2))) / noise
    views, places, ratios = [], [], []
    for number in range(ROUNDS):
        rng = np.random.default_rng([20_251, number])
        xy = rng.uniform(10, (frame.width - 11, frame.height - 11), (20 * INJECTED, 2))
        free = KDTree(known).query(xy)[0] > 3.0 * view.fwhm_px if len(known) else np.ones(len(xy), bool)
        chosen: list[Floats] = []
        for place in xy[free]:
            apart = not chosen or np.min(np.hypot(*(np.array(chosen) - place).T)) > 6.0 * view.fwhm_px
            if apart and len(chosen) < INJECTED:
                chosen.append(place)
        put = np.array(chosen)
        snr = INJECTED_SNR[0] * (INJECTED_SNR[1] / INJECTED_SNR[0]) ** rng.random(len(put))
        image = galsim.ImageF(np.array(frame.grey, np.float32), xmin=0, ymin=0, scale=1.0)
        for (x, y), ratio in zip(put, snr, strict=True):
            star = psf.withFlux(ratio / per_electron).drawImage(center=(x, y), nx=41, ny=41, scale=1.0)
            bounds = star.bounds & image.bounds
            image[bounds] += star[bounds]
        views.append(View(Frame.from_array(image.array, saturation=frame.saturation)))
        places.append(put)
        ratios.append(snr)
    return RealFrame(view, tuple(views), tuple(places), tuple(ratios), catalogue)
