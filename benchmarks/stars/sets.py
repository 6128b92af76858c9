"""The frozen sets: which frames there are, drawn once and kept, and a hash that says they are the same."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from benchmarks.kept import code_of
from benchmarks.stars import example, plain, scenes
from benchmarks.stars.example import Example

CACHE = Path(__file__).parents[2] / ".cache" / "benchmarks"
Split = Literal["test", "validation"]
_PLAIN: dict[str, tuple[int] | tuple[int, float]] = {
    "sparse": (plain.SPARSE_STARS,),
    "crowded": (plain.CROWDED_STARS,),
    "dense": (plain.DENSE_STARS, plain.DENSE_FAINTEST_E),
}
FIRST_SEED = 2**40
"""Far above every number that training or its validation draws a field from."""
_SEEDS_OF_A_SET, _VALIDATION = 2**20, 2**19


@dataclass(frozen=True)
class StarSet:
    """A kind of frame.

    Attributes:
        name: What it is called in results and on the command line.
        about: What is on its frames, for a person.
        side: Pixels along a side.
        n_test, n_validation: Frames to score on, and to choose thresholds on.
        number: Decides its seeds; never changed.
    """

    name: str
    about: str
    number: int
    side: int = 512
    n_test: int = 8
    n_validation: int = 4

    def seeds(self, split: Split) -> list[int]:
        """Seeds of its frames."""
        first = FIRST_SEED + self.number * _SEEDS_OF_A_SET
        if split == "test":
            return list(range(first, first + self.n_test))
        return list(range(first + _VALIDATION, first + _VALIDATION + self.n_validation))

    def draw(self, seed: int) -> Example:
        """Draw one frame."""
        if self.name in _PLAIN:
            # GalSim's seeds have 32 bits, and each frame uses two.
            return plain.draw_plain(2 * (seed % 2**28) + 2**29, self.side, *_PLAIN[self.name])
        return scenes.draw_scene(self.name, seed, self.side)


SETS = {
    each.name: each
    for each in (
        StarSet(
            "sparse",
            f"{plain.SPARSE_STARS} stars in all, most of them below the noise; Moffat β 3.5, FWHM 3 px, sky "
            "200 e⁻, read noise 5 e⁻; rivals are told the star image",
            1,
            n_test=16,
            n_validation=6,
        ),
        StarSet("crowded", f"the same with {plain.CROWDED_STARS:,} stars", 2),
        StarSet(
            "dense",
            f"{plain.DENSE_STARS:,} stars of {plain.DENSE_FAINTEST_E:g} e⁻ and more: no open sky",
            8,
        ),
        StarSet(
            "typical",
            "a few hundred stars of SNR 3 and more; Moffat, Kolmogorov, Gaussian or Airy images, FWHM 2 to "
            "4.5 px, to be measured on the frame; flat sky",
            3,
        ),
        StarSet("elongated", "stars trailed by 0.8 to 2.5 FWHM, or drawn out towards the corners", 4),
        StarSet(
            "artefacts",
            "the star image of the plain sets, told to rivals; hot pixels, cosmic rays, satellite trails, "
            "saturated stars that bleed",
            5,
        ),
        StarSet(
            "field",
            "as from a telescope: star images that vary over the frame, halos, gradients, vignetting, "
            "trails, hot pixels, cosmic rays, galaxies, some nebulae",
            6,
        ),
        StarSet("blank", "sky alone; half of the frames with a gradient and hot pixels", 7, 1024, 8, 0),
    )
}


def load(star_set: StarSet, split: Split, folder: Path = CACHE, limit: int | None = None) -> list[Example]:
    """The frames of a set; drawn when the folder does not hold them yet.

    Args:
        star_set: The set.
        split: Test or validation frames.
        folder: Where frames are kept, under a name that changes with the code that draws them.
        limit: Only so many of them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return [_one(star_set, seed, folder) for seed in star_set.seeds(split)[:limit]]


def fingerprint(examples: Sequence[Example]) -> str:
    """sha256 of the truth of frames: places to 0.001 px, SNR and magnitudes to 0.001."""
    digest = hashlib.sha256()
    for each in examples:
        table = np.column_stack([each.xy, each.snr, each.mag])
        digest.update(f"{each.pixels.shape} {len(table)}\n".encode())
        digest.update(np.rint(table * 1000.0).astype("<i8").tobytes())
    return digest.hexdigest()


def _one(star_set: StarSet, seed: int, folder: Path) -> Example:
    path = folder / f"stars-{star_set.name}-{star_set.side}-{seed - FIRST_SEED}-{_code()}.npz"
    if not path.exists():
        drawn = star_set.draw(seed)
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            np.savez(
                file,
                pixels=drawn.pixels,
                xy=drawn.xy,
                snr=drawn.snr,
                mag=drawn.mag,
                saturation=drawn.saturation,
                moffat=drawn.moffat or (),
            )
        part.replace(path)
    with np.load(path) as arrays:
        return Example(
            pixels=arrays["pixels"],
            xy=arrays["xy"],
            snr=arrays["snr"],
            mag=arrays["mag"],
            saturation=float(arrays["saturation"]),
            moffat=(float(arrays["moffat"][0]), float(arrays["moffat"][1]))
            if arrays["moffat"].size
            else None,
        )


def _code() -> str:
    """Short hash of the code that draws frames, the simulator's too."""
    files = [Path(str(module.__file__)) for module in (plain, scenes, example)]
    own = b"".join(file.read_bytes() for file in files)
    return hashlib.sha256(own + code_of(["simulate/*.py"]).encode()).hexdigest()[:10]
