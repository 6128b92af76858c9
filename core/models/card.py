"""What is known of a trained network: a JSON file beside its weights file, of the same name.

The idea is that of model cards (Mitchell et al. 2019, arXiv:1810.03993): what the network was trained on,
how well it does on what it never saw, and what it is bad at travel with the weights.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import core
from core.errors import ParameterInvalid, WeightsUnavailable

WEIGHTS = Path(core.__file__).parents[1] / "weights"
FOLDER_VARIABLE = "ALMAGEST_WEIGHTS"
SUFFIXES = (".safetensors", ".pt")
PRECISIONS = ("float32", "float16", "bfloat16", "int8")
CARD_MAX_BYTES = 1_000_000

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_CACHED = 64


@dataclass(frozen=True)
class TrainingData:
    """Something a network learned from.

    Attributes:
        name: What it is called, with its version.
        licence: Under what terms it may be used.
        use: What it was used for: training, validation, backgrounds.
    """

    name: str
    licence: str
    use: str


@dataclass(frozen=True)
class Score:
    """A figure measured on what the network never saw.

    Attributes:
        value: The figure.
        command: The command that measured it, from the project's root.
    """

    value: float
    command: str


@dataclass(frozen=True)
class ModelCard:
    """The card of a trained network. It is checked when made.

    Attributes:
        name: Name of the card and of the weights file without its suffix: ``"stars_hybrid"``.
        title: What a person calls the network.
        architecture: The network in one sentence.
        n_parameters: Numbers that were learned.
        file: Name of the weights file, in the card's folder.
        bytes: Size of the weights file.
        sha256: Hash of the weights file, in hexadecimal.
        precision: How most of the numbers are kept: one of :data:`PRECISIONS`.
        task: The task it serves, ``"stars"``.
        labels: The classes it can give.
        training_data: What it learned from.
        scores: Held-out figures by what they are ("F1 at SNR 5 and above"), with their unit.
        command: The command that trained it.
        seed: The seed it was trained with; None where nothing was random.
        device: What it was trained on, in words.
        date: Day it was trained, ``"2026-11-21"``.
        minutes: How long it was trained.
        limits: Sentences on what it is bad at.
        licence: Licence of the weights.
        extra: What only this method needs, such as a calibration temperature.

    Raises:
        WeightsUnavailable: A field is not what it should be; the message says which.
    """

    name: str
    title: str
    architecture: str
    n_parameters: int
    file: str
    bytes: int
    sha256: str
    precision: str
    task: str
    labels: tuple[str, ...]
    training_data: tuple[TrainingData, ...]
    scores: Mapping[str, Score]
    command: str
    seed: int | None
    device: str
    date: str
    minutes: float
    limits: tuple[str, ...]
    licence: str
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_name(self.name)
        for text in ("title", "architecture", "task", "command", "device", "licence"):
            self._hold(text, _is_text(getattr(self, text)), "some text")
        self._hold("n_parameters", _is_count(self.n_parameters) and self.n_parameters > 0, "a count above 0")
        files = [self.name + suffix for suffix in SUFFIXES]
        self._hold("file", self.file in files, " or ".join(files))
        self._hold("bytes", _is_count(self.bytes) and self.bytes > 0, "a count above 0")
        self._hold("sha256", _matches(_SHA256, self.sha256), "64 hexadecimal digits in lower case")
        self._hold("precision", self.precision in PRECISIONS, "one of " + ", ".join(PRECISIONS))
        self._hold("labels", _all(self.labels, _is_text) and bool(self.labels), "one or more names")
        data_ok = _all(self.training_data, _is_training_data) and bool(self.training_data)
        self._hold("training_data", data_ok, "one or more entries of name, licence and use")
        scores_ok = isinstance(self.scores, Mapping) and all(map(_is_score, self.scores.items()))
        self._hold("scores", scores_ok, "figures by name, each with a value and its command")
        self._hold("seed", self.seed is None or _is_count(self.seed), "a whole number or null")
        self._hold("date", _is_day(self.date), "a day such as 2026-11-21")
        self._hold("minutes", _is_number(self.minutes) and self.minutes >= 0, "a number of 0 or more")
        self._hold("limits", _all(self.limits, _is_text), "sentences")
        self._hold("extra", isinstance(self.extra, Mapping), "facts by name")

    def _hold(self, name: str, fine: bool, limit: str) -> None:
        if not fine:
            given = getattr(self, name)
            raise WeightsUnavailable(
                f"The model card {self.name!r} is not usable: {name} must be {limit}, got {given!r:.80}.",
                parameter=name,
                given=given,
                limit=limit,
            )


def weights_folder() -> Path:
    """Where cards and weights are: ``weights``, or the folder named by ``ALMAGEST_WEIGHTS``."""
    return Path(os.environ.get(FOLDER_VARIABLE) or WEIGHTS)


def check_name(name: str) -> None:
    """Raise :class:`WeightsUnavailable` when ``name`` cannot be the name of a card."""
    if not _matches(_NAME, name):
        raise WeightsUnavailable(
            f"The name of a model must be up to 64 lower-case letters, digits, _ and -, got {name!r:.80}.",
            parameter="name",
            given=name,
            limit=_NAME.pattern,
        )


def read_card(name: str) -> ModelCard:
    """The card of a network. Reading it again costs nothing while the file is the same.

    Raises:
        WeightsUnavailable: There is none, or it is damaged; the message says what is wrong.
    """
    check_name(name)
    path = weights_folder() / f"{name}.json"
    try:
        facts = path.stat()
        if facts.st_size > CARD_MAX_BYTES:
            raise _unusable(name, f"it has {facts.st_size:,} bytes, and {CARD_MAX_BYTES:,} is the limit")
        return _read(str(path), facts.st_mtime_ns, facts.st_size)
    except FileNotFoundError as missing:
        raise WeightsUnavailable(
            f"The trained network {name!r} is not installed here: "
            f"there is no {path.name} in the folder {path.parent.name!r}.",
            parameter="weights",
            given=name,
        ) from missing
    except OSError as refusal:
        raise _unusable(name, f"it cannot be read ({refusal.strerror})") from refusal


def write_card(card: ModelCard, folder: Path | None = None) -> Path:
    """Write a card as indented JSON, in the order of its fields, whole or not at all.

    Args:
        card: The card.
        folder: Where to; the folder of weights when None.

    Returns:
        The path of the card.

    Raises:
        ParameterInvalid: ``extra`` holds something JSON cannot say.
        OSError: The folder cannot be written.
    """
    try:
        text = json.dumps(dataclasses.asdict(card), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    except (TypeError, ValueError) as refusal:
        raise ParameterInvalid(
            f"The facts of the model card {card.name!r} must be plain finite JSON: {refusal}.",
            parameter="extra",
            given=card.extra,
        ) from refusal
    path = (weights_folder() if folder is None else folder) / f"{card.name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path


def chosen(given: float | None, extra: Mapping[str, Any], name: str, default: float) -> float:
    """What a person chose, else what the card's ``extra`` says, else the default."""
    return float(extra.get(name, default)) if given is None else given


@functools.lru_cache(maxsize=_CACHED)
def _read(path: str, mtime_ns: int, size: int) -> ModelCard:
    name = Path(path).stem
    try:
        facts = json.loads(Path(path).read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as refusal:
        raise _unusable(name, "it is not JSON") from refusal
    if not isinstance(facts, dict):
        raise _unusable(name, "it must be an object of names and values")
    known = {entry.name: entry for entry in dataclasses.fields(ModelCard)}
    strange = sorted(facts.keys() - known.keys())
    needed = known.keys() - {"extra"}
    missing = [entry for entry in known if entry in needed and entry not in facts]
    if missing or strange:
        said = [f"{', '.join(missing)} missing"] if missing else []
        said += [f"{', '.join(strange)} unknown"] if strange else []
        raise _unusable(name, " and ".join(said))
    if facts["name"] != name:
        raise _unusable(name, f"it says it is the card of {facts['name']!r:.80}")
    for entry in ("labels", "limits"):
        facts[entry] = _tuple(facts[entry])
    data = facts["training_data"]
    facts["training_data"] = (
        tuple(_part(TrainingData, one) for one in data) if isinstance(data, list) else data
    )
    scores = facts["scores"]
    if isinstance(scores, dict):
        facts["scores"] = {said: _part(Score, one) for said, one in scores.items()}
    return ModelCard(**facts)


def _part(kind: type, facts: Any) -> Any:
    """``facts`` as ``kind`` when its names are right; else as it is, for the card's check to refuse."""
    names = {entry.name for entry in dataclasses.fields(kind)}
    return kind(**facts) if isinstance(facts, dict) and facts.keys() == names else facts


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _unusable(name: str, why: str) -> WeightsUnavailable:
    return WeightsUnavailable(
        f"The model card {name!r} is not usable: {why}.", parameter="weights", given=name
    )


def _all(values: Any, fine: Callable[[Any], bool]) -> bool:
    return isinstance(values, tuple) and all(map(fine, values))


def _matches(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_day(value: Any) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _is_training_data(value: Any) -> bool:
    return isinstance(value, TrainingData) and all(map(_is_text, (value.name, value.licence, value.use)))


def _is_score(item: tuple[Any, Any]) -> bool:
    said, score = item
    fine = isinstance(score, Score) and _is_number(score.value) and _is_text(score.command)
    return fine and _is_text(said)
