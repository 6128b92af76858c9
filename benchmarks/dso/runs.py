"""What a method gives on each picture of a set, kept picture by picture; its time and its memory."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from benchmarks.dso.sets import Example
from benchmarks.kept import code_of, key_of, lines_of
from core.methods import Method
from core.results import Detections, Result
from core.scoring.maps import pointing_game, relevance_mass

Float64 = NDArray[np.float64]

UNSURE = "confidence below"
"""Candidates that were turned down for their score alone count where a curve over scores is drawn."""
SHARED = ("dso/boxes", "dso/classifier", "dso/report", "explain/*", "models/*", "frames/night")
"""Code that decides what its methods find."""
TOLERANCE_SHARE = 15 / 224
"""Of the pointing game, in the longer side of a map: the 15 px that its authors have on photographs."""
_PEAK = """
import re, sys
import numpy as np
from PIL import Image
from core.frames import Frame
from core.methods import get_method
pixels = np.asarray(Image.open(sys.argv[2]).convert("RGB"))
get_method(sys.argv[1]).run(Frame.from_array(pixels, "frame.png", row0="top", saturation=255.0))
print(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
"""


@dataclass(frozen=True)
class Found:
    """What a method gave on one picture.

    Attributes:
        name: Of the picture.
        boxes: x_min, y_min, x_max, y_max of what it found, and of what it was not sure enough of.
        scores: Of each.
        labels: Of each.
        sure: Whether each was found.
        seconds: The run took, loading of the network left out.
        maps: By name of a map: ``pointing`` (whether its hottest place lies in a true box; null on pictures
            without objects), ``mass`` (the share of it that does) and ``area`` (the share of the picture that
            true boxes cover: what a flat map scores).
        error: The sentence of a failure, or nothing.
        chance: Probability of any object that the method gives the whole picture; None where it gives none.
    """

    name: str
    boxes: list[list[float]]
    scores: list[float]
    labels: list[str]
    sure: list[bool]
    seconds: float
    maps: dict[str, dict[str, float | bool | None]] = field(default_factory=dict)
    error: str = ""
    chance: float | None = None

    @property
    def array(self) -> Float64:
        """``(N, 4)`` boxes."""
        return np.array(self.boxes, float).reshape(-1, 4)

    @property
    def is_sure(self) -> NDArray[np.bool_]:
        """``(N,)``."""
        return np.array(self.sure, bool)


def found_on(method: Method, examples: Sequence[Example], cache: Path, set_key: str) -> list[Found]:
    """Run a method on every picture, or read what it gave before.

    Args:
        method: With its default parameters.
        examples: The pictures.
        cache: Folder of what is kept: a line of JSON a picture.
        set_key: Tells sets apart, such as their fingerprint.
    """
    path = cache / f"{method.name}-{key_of(method, method_code(method), set_key)}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = {line["name"]: Found(**line) for line in lines_of(path)}
    missing = [one for one in examples if one.name not in kept]
    if missing:
        run_one(method, missing[0])  # imports, and loads the network
    with path.open("a", encoding="utf-8") as file:
        for example in tqdm(missing, desc=method.name, unit="picture"):
            one = run_one(method, example)
            file.write(json.dumps(asdict(one)) + "\n")
            file.flush()
            kept[one.name] = one
    return [kept[one.name] for one in examples]


def run_one(method: Method, example: Example) -> Found:
    """One picture; a failure is no box and a sentence."""
    from core.errors import AlmagestError

    try:
        result = method.run(example.frame)
    except AlmagestError as refusal:
        return Found(example.name, [], [], [], [], 0.0, error=refusal.message)
    found, unsure = result.detections, _unsure(result)
    return Found(
        name=example.name,
        boxes=np.round(np.concatenate([found.boxes, unsure.boxes]), 2).tolist(),
        scores=[float(score) for table in (found, unsure) for score in table.table["score"]],
        labels=[str(label) for table in (found, unsure) for label in table.table["label"]],
        sure=[True] * len(found) + [False] * len(unsure),
        seconds=round(float(result.timings["total"]), 4),
        maps={name: judged(np.asarray(values, float), example) for name, values in result.maps.items()},
        chance=result.facts.get("any_object_probability"),
    )


def judged(values: Float64, example: Example) -> dict[str, float | bool | None]:
    """How a map that covers a picture fits its true boxes; all null on a picture without objects."""
    if not len(example.boxes):
        return {"pointing": None, "mass": None, "area": None}
    height, width = example.picture.shape[:2]
    zoom = np.tile([values.shape[1] / width, values.shape[0] / height], 2)
    boxes = (example.boxes + 0.5) * zoom - 0.5
    values = np.nan_to_num(values)
    mass = relevance_mass(values, boxes)
    return {
        "pointing": pointing_game(values, boxes, TOLERANCE_SHARE * max(values.shape)),
        "mass": mass if np.isfinite(mass) else None,
        "area": relevance_mass(np.ones_like(values), boxes),
    }


def peak_mb(method: Method, example: Example) -> float:
    """Peak memory in MB of a fresh process that analyses one picture, libraries included."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frame.png"
        Image.fromarray(example.picture).save(path)
        command = [sys.executable, "-c", _PEAK, method.name, str(path)]
        root = Path(__file__).parents[2]
        done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=root)  # noqa: S603
    return int(done.stdout) / 1024.0


def _unsure(result: Result) -> Detections:
    table = result.rejected.table
    if "reason" not in table:
        return Detections.empty()
    return result.rejected.where(table["reason"].str.startswith(UNSURE, na=False).to_numpy(bool))


def method_code(method: Method) -> str:
    """Hash of the method's own code: one that was changed is run again."""
    own = f"{method.task}/{method.name.partition('.')[2]}*.py"
    return code_of([own, *(f"{name}.py" for name in SHARED)])
