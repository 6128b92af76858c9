"""Deep-sky objects cut out of photographs, their background removed, to lay onto other skies.

Three collections are read where they are present under a data folder:

- ``dso_stellarium``: photographs with boxes from OpenNGC and a ``split.csv``; an object that stands in more
  than one split is kept in the last of train, val, test alone.
- ``galaxyzoo1_small``: one SDSS galaxy in the middle of each picture.
- ``hubble_galaxy_nebula``: galaxies and nebulae that mostly fill the picture.

The latter two have no split; theirs follows from the file's name.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from core.errors import ParameterInvalid

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

LABELS = ("galaxy", "nebula", "cluster")
SPLITS = ("train", "val", "test")
CACHE = Path(".cache") / "dso"
FORMAT = 5
"""Of the cache; one of another number is made anew."""
MAX_CUTOUT_PX, MAX_GALAXY_PX, MAX_PHOTOGRAPH_PX = 384, 192, 512
MIN_SOURCE_PX = 24
MIN_CONTRAST = 10.0
"""Levels an object must stand above what surrounds it to be worth cutting out."""
MAX_OUTSIDE = 0.3
"""Most of the nebulous light of a photograph that may lie outside its boxes: else they are incomplete."""
MARGIN = 0.35
"""Part of an object's box that is taken along on each side, where its light fades."""
MAX_GALAXY_ZOO = 500


@dataclass(frozen=True, eq=False)
class Cutout:
    """One object on black.

    Attributes:
        label: One of :data:`LABELS`.
        kind: OpenNGC's type (``"PN"``, ``"GCl"``), or the collection's name.
        picture: ``(h, w, 3)`` the object; stars are damped in galaxies and nebulae, and kept in clusters.
        starless: ``(h, w, 3)`` what remains of it without stars; the same as ``picture`` but for clusters.
        source: The file it is from.
    """

    label: str
    kind: str
    picture: UInt8
    starless: UInt8
    source: str


@dataclass(frozen=True, eq=False)
class Photograph:
    """A photograph as it is: ``(h, w, 3)`` picture, ``(n, 4)`` boxes, ``(n,)`` numbers of labels."""

    picture: UInt8
    boxes: Float32
    labels: NDArray[np.int64]
    source: str


@dataclass(frozen=True, eq=False)
class Objects:
    """All there is to compose scenes of: cutouts by label, and whole photographs."""

    cutouts: dict[str, list[Cutout]]
    photographs: list[Photograph]

    def __len__(self) -> int:
        return sum(map(len, self.cutouts.values()))


NO_OBJECTS = Objects({label: [] for label in LABELS}, [])
"""No photographs at hand: every object is then a simulated one."""


def load_objects(data: Path, split: str, cache: Path = CACHE) -> Objects:
    """The objects of a split, cut out once and then read from a packed file.

    Args:
        data: Folder that holds the collections.
        split: ``"train"``, ``"val"`` or ``"test"``.
        cache: Folder of the packed files.

    Raises:
        ParameterInvalid: There is no such split, or none of the collections is there.
    """
    if split not in SPLITS:
        raise ParameterInvalid(
            f"split must be one of {', '.join(SPLITS)}, got {split!r}.",
            parameter="split",
            given=split,
            limit=SPLITS,
        )
    known = [data / name for name in ("dso_stellarium", "galaxyzoo1_small", "hubble_galaxy_nebula")]
    if not any(folder.is_dir() for folder in known):
        raise ParameterInvalid(
            f"data must hold one of {', '.join(f.name for f in known)}; {data} does not.",
            parameter="data",
            given=str(data),
            limit=[f.name for f in known],
        )
    where = hashlib.sha256(str(data.resolve()).encode()).hexdigest()[:10]
    path = cache / f"{split}-{where}-{FORMAT}.npz"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{np.random.default_rng().integers(1 << 30)}.part")
        with part.open("wb") as file:
            np.savez(file, **_packed(cut_out(data, split)))
        part.replace(path)
    with np.load(path, allow_pickle=False) as arrays:
        return _unpacked({name: arrays[name] for name in arrays.files})


def cut_out(data: Path, split: str) -> Objects:
    """Cut the objects of a split out of the collections that are there."""
    cutouts: dict[str, list[Cutout]] = {label: [] for label in LABELS}
    photographs: list[Photograph] = []
    stellarium = data / "dso_stellarium"
    if stellarium.is_dir():
        table = catalogue_boxes(stellarium, split)
        for file, rows in table.groupby("file", sort=True):
            picture = _read(stellarium / "images" / str(file))
            for found in _of_photograph(picture, rows, str(file)):
                cutouts[found.label].append(found)
            photograph = _photograph(picture, rows, str(file))
            if photograph is not None:
                photographs.append(photograph)
    zoo = sorted((data / "galaxyzoo1_small").glob("images/**/*.jpg"))
    zoo = [path for path in zoo if split_of(path.name) == split]
    zoo.sort(key=lambda path: hashlib.sha256(path.name.encode()).digest())
    whole = [(path, "galaxy", "zoo") for path in zoo[:MAX_GALAXY_ZOO]]
    for folder, label in (("Galaxy", "galaxy"), ("Nebula", "nebula")):
        files = sorted((data / "hubble_galaxy_nebula" / folder).glob("*"))
        whole += [(path, label, "hubble") for path in files if split_of(path.stem) == split]
    for path, label, kind in whole:
        alone = _of_picture(_read(path), label, kind, path.name)
        if alone is not None:
            cutouts[label].append(alone)
    return Objects(cutouts, photographs)


def split_of(name: str) -> str:
    """The split a file without one belongs to: 8 of 10 train, one val, one test, by its name."""
    number = hashlib.sha256(name.encode()).digest()[0] % 10
    return "val" if number == 8 else "test" if number == 9 else "train"


def catalogue_boxes(folder: Path, split: str) -> pd.DataFrame:
    """Boxes of the photographs of a split; objects that stand in a later split too are left out."""
    boxes = pd.read_csv(folder / "openngc_boxes.csv").merge(pd.read_csv(folder / "split.csv"), on="file")
    last = boxes["split"].map({name: number for number, name in enumerate(SPLITS)})
    boxes = boxes[last == last.groupby(boxes["name"]).transform("max")]
    boxes = boxes[(boxes["split"] == split) & (boxes["size_px"] >= 12)].copy()
    for low, high in (("x0", "x1"), ("y0", "y1")):
        pair = boxes[[low, high]].to_numpy()
        boxes[low], boxes[high] = pair.min(axis=1), pair.max(axis=1)
    return boxes


def damp_stars(picture: Float32, protect_middle: bool = True) -> Float32:
    """Replace small bright spots by the median of what surrounds them.

    Args:
        picture: ``(h, w, 3)``.
        protect_middle: Leave the nucleus of a galaxy as it is.
    """
    from scipy import ndimage

    grey = picture.mean(axis=2)
    side = min(grey.shape)
    size = max(5, side // 26) | 1
    # Medians of a large window are dear: a picture at half the size has the same large-scale light.
    step = 2 if size >= 9 else 1
    window = (size // step) | 1
    coarse = np.stack([ndimage.median_filter(picture[::step, ::step, c], window) for c in range(3)], axis=2)
    smooth = _resized(coarse, grey.shape)
    excess = grey - smooth.mean(axis=2)
    spots, n = ndimage.label(excess > 8.0 + 0.12 * smooth.mean(axis=2))
    if n == 0:
        return picture
    areas = np.bincount(spots.ravel())
    star = areas < (side / 9.0) ** 2
    star[0] = False
    if protect_middle:
        h, w = grey.shape
        near = spots[int(h * 0.46) : int(h * 0.54) + 1, int(w * 0.46) : int(w * 0.54) + 1]
        star[np.unique(near)] = False
    mask = ndimage.binary_dilation(star[spots], iterations=max(1, side // 100))
    soft = ndimage.gaussian_filter(mask.astype(np.float32), 1.0)[..., None]
    soft = np.maximum(soft, mask[..., None])
    damped: Float32 = (picture * (1.0 - soft) + smooth * soft).astype(np.float32)
    return damped


def on_black(picture: Float32) -> Float32:
    """Take away what surrounds the object, and fade to black towards the border."""
    h, w = picture.shape[:2]
    y, x = np.abs(np.linspace(-1, 1, h))[:, None], np.abs(np.linspace(-1, 1, w))[None, :]
    rim = np.maximum(x, y) > 0.88
    clean = np.maximum(picture - np.median(picture[rim], axis=0), 0.0)
    round_ = np.hypot(x, y)
    edge = np.minimum(_ramp((1.0 - np.maximum(x, y)) / 0.2), _ramp((1.28 - round_) / 0.4))
    black: Float32 = (clean * edge[..., None]).astype(np.float32)
    return black


def _of_photograph(picture: UInt8, rows: pd.DataFrame, file: str) -> list[Cutout]:
    h, w = picture.shape[:2]
    nebulae = rows[rows["cls"] == "nebula"]
    extended = nebulae[nebulae["size_px"] > 0.35 * max(h, w)]
    found = []
    if (len(extended) or len(nebulae) >= 2) and not (rows["cls"] == "galaxy").any():
        # Catalogue boxes cut large nebulosity to pieces; the whole photograph is one cloud.
        kind = str((extended if len(extended) else nebulae)["type"].iloc[0])
        found.append(_finished(picture.astype(np.float32), "nebula", kind, file))
        rows = rows[rows["cls"] != "nebula"]
    boxes = rows[["x0", "y0", "x1", "y1"]].to_numpy(float)
    for number, row in enumerate(rows.itertuples()):
        box = boxes[number]
        size = box[2:] - box[:2]
        if size.max() < MIN_SOURCE_PX:
            continue
        inner = np.clip(box, 0, [w, h, w, h])
        if np.prod(inner[2:] - inner[:2]) < 0.75 * np.prod(size):
            continue
        if row.cls == "galaxy" and _overlaps(box, np.delete(boxes, number, axis=0)):
            continue
        grown = np.concatenate([box[:2] - MARGIN * size, box[2:] + MARGIN * size])
        x0, y0, x1, y1 = np.clip(grown, 0, [w, h, w, h]).astype(int)
        piece = picture[y0:y1, x0:x1].astype(np.float32)
        found.append(_finished(piece, str(row.cls), str(row.type), file))
    return [cutout for cutout in found if cutout is not None]


def _of_picture(picture: UInt8, label: str, kind: str, file: str) -> Cutout | None:
    if kind == "hubble" and label == "galaxy":
        # Only those that are whole: the rest of them are close views of a part.
        grey = picture.mean(axis=2)
        rim = np.concatenate(
            [grey[:12].ravel(), grey[-12:].ravel(), grey[:, :12].ravel(), grey[:, -12:].ravel()]
        )
        if np.percentile(rim, 60) > 30.0 or grey.max() < 80.0:
            return None
    if kind == "zoo":
        edge = picture.shape[0] // 5
        picture = picture[edge:-edge, edge:-edge]
    return _finished(picture.astype(np.float32), label, kind, file)


def _finished(piece: Float32, label: str, kind: str, file: str) -> Cutout | None:
    """Damp, take away the background, and scale to a peak of 255; None when nothing stands out."""
    if min(piece.shape[:2]) < MIN_SOURCE_PX:
        return None
    piece = _at_most(piece, MAX_CUTOUT_PX if label != "galaxy" else MAX_GALAXY_PX)
    damped = damp_stars(piece, protect_middle=label == "galaxy")
    starless = on_black(damped)
    kept = starless
    if label == "cluster":
        kept = on_black(piece)
        sky = np.percentile(kept, 40, axis=(0, 1))
        kept = np.maximum(kept - sky, 0.0)
    else:
        from scipy import ndimage

        # A little smoothing: JPEG blocks and grain of the photograph must not give it away.
        kept = starless = np.stack([ndimage.gaussian_filter(starless[..., c], 0.7) for c in range(3)], axis=2)
    if kept.shape[0] * kept.shape[1] == 0 or np.percentile(kept.mean(axis=2), 97) < MIN_CONTRAST:
        return None
    peak = max(float(np.percentile(kept.max(axis=2), 99.7)), 1.0)
    scale = 255.0 / peak
    return Cutout(label, kind, _levels(kept * scale), _levels(starless * scale), file)


def _photograph(picture: UInt8, rows: pd.DataFrame, file: str) -> Photograph | None:
    """The photograph with those boxes in which something stands out; None when a box is doubtful."""
    h, w = picture.shape[:2]
    scale = min(1.0, MAX_PHOTOGRAPH_PX / max(h, w))
    rows = rows[rows["size_px"] * scale >= 12]
    boxes = np.clip(rows[["x0", "y0", "x1", "y1"]].to_numpy(float), 0, [w, h, w, h])
    grey = picture.mean(axis=2)
    sky = float(np.percentile(grey, 20))
    for x0, y0, x1, y1 in boxes.astype(int):
        if x1 - x0 < 4 or y1 - y0 < 4 or grey[y0:y1, x0:x1].mean() < sky + 4.0:
            return None
    if not len(boxes) or len(boxes) > 8:
        return None
    if (rows["cls"] == "nebula").any() and _light_outside(grey, boxes) > MAX_OUTSIDE:
        return None
    small = _levels(_at_most(picture.astype(np.float32), MAX_PHOTOGRAPH_PX))
    labels = np.array([LABELS.index(name) for name in rows["cls"]], dtype=np.int64)
    return Photograph(small, (boxes * scale).astype(np.float32), labels, file)


def _light_outside(grey: Float32, boxes: NDArray[np.float64]) -> float:
    """Part of a photograph's diffuse light that no box holds."""
    from scipy import ndimage

    coarse = ndimage.median_filter(grey[::4, ::4], 7)
    light = np.maximum(coarse - np.percentile(coarse, 20) - 4.0, 0.0)
    outside = np.ones(light.shape, bool)
    for x0, y0, x1, y1 in (boxes / 4.0).astype(int):
        outside[y0 : y1 + 1, x0 : x1 + 1] = False
    return float(light[outside].sum() / max(light.sum(), 1e-6))


def _overlaps(box: NDArray[np.float64], others: NDArray[np.float64]) -> bool:
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=1)
    return bool((shared > 0.3 * np.prod(box[2:] - box[:2])).any())


def _ramp(x: NDArray[np.float64]) -> NDArray[np.float64]:
    x = np.clip(x, 0.0, 1.0)
    return x * x * (3.0 - 2.0 * x)


def _read(path: Path) -> UInt8:
    with Image.open(path, formats=("JPEG", "PNG")) as image:
        return np.asarray(image.convert("RGB"))


def _at_most(picture: Float32, side: int) -> Float32:
    scale = side / max(picture.shape[:2])
    if scale >= 1.0:
        return picture
    shape = (max(1, round(picture.shape[0] * scale)), max(1, round(picture.shape[1] * scale)))
    return _resized(picture, shape)


def _resized(picture: Float32, shape: tuple[int, ...]) -> Float32:
    size = (shape[1], shape[0])
    planes = [Image.fromarray(picture[..., c]).resize(size, Image.Resampling.BICUBIC) for c in range(3)]
    return np.stack([np.asarray(plane) for plane in planes], axis=2)


def _levels(picture: Float32) -> UInt8:
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def _packed(objects: Objects) -> dict[str, Any]:
    cutouts = [cutout for label in LABELS for cutout in objects.cutouts[label]]
    clusters = [cutout for cutout in cutouts if cutout.label == "cluster"]
    photographs = objects.photographs
    return {
        "facts": np.array([[c.label, c.kind, c.source] for c in cutouts], dtype=np.str_).reshape(-1, 3),
        "shapes": _shapes([c.picture for c in cutouts]),
        "pixels": _flat([c.picture for c in cutouts]),
        "starless": _flat([c.starless for c in clusters]),
        "photograph_files": np.array([p.source for p in photographs], dtype=np.str_),
        "photograph_shapes": _shapes([p.picture for p in photographs]),
        "photograph_pixels": _flat([p.picture for p in photographs]),
        "n_boxes": np.array([len(p.boxes) for p in photographs], dtype=np.int64),
        "boxes": np.concatenate([np.zeros((0, 4), np.float32), *(p.boxes for p in photographs)]),
        "labels": np.concatenate([np.zeros(0, np.int64), *(p.labels for p in photographs)]),
    }


def _unpacked(arrays: dict[str, Any]) -> Objects:
    cutouts: dict[str, list[Cutout]] = {label: [] for label in LABELS}
    pictures = _pieces(arrays["pixels"], arrays["shapes"])
    is_cluster = arrays["facts"][:, 0] == "cluster"
    starless = iter(_pieces(arrays["starless"], arrays["shapes"][is_cluster]))
    for (label, kind, source), picture in zip(arrays["facts"], pictures, strict=True):
        bare = next(starless) if label == "cluster" else picture
        cutouts[str(label)].append(Cutout(str(label), str(kind), picture, bare, str(source)))
    ends = np.cumsum(arrays["n_boxes"])[:-1]
    wholes = zip(
        _pieces(arrays["photograph_pixels"], arrays["photograph_shapes"]),
        np.split(arrays["boxes"], ends) if len(arrays["n_boxes"]) else [],
        np.split(arrays["labels"], ends) if len(arrays["n_boxes"]) else [],
        arrays["photograph_files"],
        strict=True,
    )
    return Objects(cutouts, [Photograph(p, b, n, str(file)) for p, b, n, file in wholes])


def _shapes(pictures: list[UInt8]) -> NDArray[np.int64]:
    return np.array([picture.shape[:2] for picture in pictures], dtype=np.int64).reshape(-1, 2)


def _flat(pictures: list[UInt8]) -> UInt8:
    return np.concatenate([np.zeros(0, np.uint8), *(picture.ravel() for picture in pictures)])


def _pieces(flat: UInt8, shapes: NDArray[np.int64]) -> list[UInt8]:
    ends = np.cumsum(shapes.prod(axis=1) * 3)
    return [
        flat[end - h * w * 3 : end].reshape(h, w, 3)
        for end, (h, w) in zip(ends, shapes.tolist(), strict=True)
    ]
