"""Where an object is: by its name as people type it, offline, or by its coordinates."""

from __future__ import annotations

import difflib
import math
import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property, lru_cache

from core.catalogues.openngc import Entry, entries
from core.errors import ParameterInvalid
from core.simulate.names_position import read_position

# OpenNGC lacks these, or has them under a name few people type.
_ALSO_CALLED = {
    "pinwheel": "NGC5457",
    "pinwheel galaxy": "NGC5457",
    "flame nebula": "NGC2024",
    "flaming star": "IC0405",
    "heart nebula": "IC1805",
    "soul nebula": "IC1848",
    "elephants trunk nebula": "IC1396",
    "rosette nebula": "NGC2237",
    "running chicken nebula": "IC2944",
    "butterfly nebula": "NGC6302",
    "great hercules cluster": "NGC6205",
    "seven sisters": "Mel022",
    "beehive cluster": "NGC2632",
    "47 tucanae": "NGC0104",
    "tarantula": "NGC2070",
    "eta carinae nebula": "NGC3372",
    "sombrero": "NGC4594",
    "leo triplet": "NGC3627",
    "jewel box": "NGC4755",
    "virgo a": "NGC4486",
    "lmc": "ESO056-115",
    "smc": "NGC0292",
    "veil nebula": "NGC6960",
    "eastern veil nebula": "NGC6992",
    "western veil nebula": "NGC6960",
}
_PREFIXES = {
    "messier": "M",
    "caldwell": "C",
    "barnard": "B",
    "melotte": "MEL",
    "collinder": "CL",
    "sharpless": "SH2",
    "hickson": "HCG",
}
_DESIGNATION = re.compile(r"([a-z]+)[\s.\-]*0*(\d.*)")
N_SUGGESTIONS = 4


@dataclass(frozen=True)
class Target:
    """An object or a place to point at.

    Attributes:
        name: ``"M 13"``, ``"NGC 7000"``, or a position in degrees.
        ra_deg, dec_deg: ICRS degrees.
        kind: What it is, in words: ``"Globular Cluster"``, ``"Position"``.
        common_name: What people call it, or an empty string.
        designations: All its numbers, ``("M 13", "NGC 6205")``.
        size_arcmin, minor_arcmin: Major and minor axis in arcminutes, or None when not known.
        angle_deg: Position angle of the major axis, from north through east, or None.
        magnitude: In V, or in B where V is not known, or None.
    """

    name: str
    ra_deg: float
    dec_deg: float
    kind: str
    common_name: str = ""
    designations: tuple[str, ...] = ()
    size_arcmin: float | None = None
    minor_arcmin: float | None = None
    angle_deg: float | None = None
    magnitude: float | None = None

    @property
    def title(self) -> str:
        """The name with what people call it: ``"M 31 · Andromeda Galaxy"``."""
        return f"{self.name} · {self.common_name}" if self.common_name else self.name


def find(text: str) -> Target:
    """Find an object by name, or read coordinates.

    Names are Messier, NGC and IC numbers, the others OpenNGC knows (Caldwell, Barnard, Melotte, PGC, UGC
    and more), and common names or words of them, in any case and spacing: ``"m 13"``, ``"ngc7000"``,
    ``"Andromeda"``, ``"horsehead"``. Where a word fits several objects the brightest is taken.
    Coordinates are those of :func:`core.simulate.names_position.read_position`.

    The catalogue is OpenNGC (M. Verga, CC BY-SA 4.0) as the ``pyongc`` package carries it. The first
    search reads it in 0.2 s; later ones take under 0.1 ms, an unknown name 10 ms.

    Raises:
        ParameterInvalid: There is no such object; the sentence names the nearest ones.
    """
    position = read_position(text)
    if position is not None:
        return Target(f"{position[0]:.4f}° {position[1]:+.4f}°", *position, kind="Position")
    catalogue = _catalogue()
    row = catalogue.by_number(text) or catalogue.by_common_name(text)
    if row is not None:
        return row
    near = catalogue.suggestions(text)
    hint = f" Did you mean {', '.join(near)}?" if near else " Try a name such as M 13, or coordinates."
    raise ParameterInvalid(
        f"No object is called {text.strip()!r}.{hint}", parameter="object", given=text, limit=near
    )


@dataclass(frozen=True, eq=False)
class _Catalogue:
    """The objects by OpenNGC's name, and the names of each way to ask for them."""

    objects: dict[str, Target]
    numbers: dict[str, str]
    common: dict[str, str]

    def by_number(self, text: str) -> Target | None:
        name = self.numbers.get(_number(text))
        return None if name is None else self.objects.get(name)

    def by_common_name(self, text: str) -> Target | None:
        words = _plain(text).split()
        name = self.common.get(" ".join(words))
        if name is None and words:
            fits = [
                name
                for common, name in self.common.items()
                if all(any(_begins(own, word) for own in common.split()) for word in words)
            ]
            name = min(fits, key=self._faintness, default=None)
        return None if name is None else self.objects[name]

    def suggestions(self, text: str) -> list[str]:
        """Names that look like the text, as a person would write them."""
        names = {_plain(target.common_name): target.common_name for target in self.objects.values()}
        names |= {_plain(title): title for title in self._titles}
        names.pop("", None)
        near = difflib.get_close_matches(_plain(text), names, n=N_SUGGESTIONS, cutoff=0.6)
        return [names[name] for name in near]

    @cached_property
    def _titles(self) -> list[str]:
        messier = [target.name for target in self.objects.values() if target.name.startswith("M ")]
        return [*messier, *(common.title() for common in self.common)]

    def _faintness(self, name: str) -> float:
        magnitude = self.objects[name].magnitude
        return math.inf if magnitude is None else magnitude


@lru_cache(maxsize=1)
def _catalogue() -> _Catalogue:
    objects: dict[str, Target] = {}
    numbers: dict[str, str] = {}
    common: dict[str, str] = {}
    same_as: dict[str, str] = {}
    for entry in entries():
        if entry.same_as:
            same_as[entry.key] = entry.same_as
            continue
        objects[entry.key] = target = _target(entry)
        numbers |= {_number(designation): entry.key for designation in (entry.key, *target.designations)}
        for other in entry.identifiers:
            numbers.setdefault(_number(other), entry.key)
        for called in entry.common_names:
            common.setdefault(_plain(called), entry.key)
    numbers |= {_number(key): numbers[_number(same)] for key, same in same_as.items()}
    return _Catalogue(objects, numbers, {**common, **_ALSO_CALLED})


def _target(entry: Entry) -> Target:
    return Target(
        name=entry.name,
        ra_deg=entry.ra_deg,
        dec_deg=entry.dec_deg,
        kind=entry.kind,
        common_name=entry.common_name,
        designations=tuple(dict.fromkeys([entry.name, entry.designation])),
        size_arcmin=entry.size_arcmin,
        minor_arcmin=entry.minor_arcmin,
        angle_deg=entry.angle_deg,
        magnitude=entry.magnitude,
    )


def _number(text: str) -> str:
    """A designation in one spelling: ``"Messier 013"`` and ``"m13"`` are ``"M13"``."""
    parts = _DESIGNATION.fullmatch(text.strip().lower())
    if parts is None:
        return text.strip().upper()
    letters, number = parts.groups()
    return _PREFIXES.get(letters, letters.upper()) + re.sub(r"\s+", "", number).upper()


def _begins(name: str, word: str) -> bool:
    return name == word or (len(word) >= 3 and name.startswith(word))


def _plain(text: str) -> str:
    """Lower-case words without accents, apostrophes or an article."""
    bare = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9 ]+", " ", bare.replace("'", "")).split()
    return " ".join(word for word in words if word != "the")
