"""Loading and saving weights: only the very file its card describes is ever loaded.

Weights are safetensors, which hold numbers and nothing that runs. A format that loads itself, such as the
``.pt`` of a YOLO, can hold code, so its hash is checked before its path is given out.
"""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import ParameterInvalid, WeightsUnavailable
from core.models.card import ModelCard, check_name, read_card, weights_folder, write_card

if TYPE_CHECKING:
    import torch

MAX_BYTES = 26_000_000
"""Largest weights file that is written: what is kept in the repository stays small."""

SAVED_PRECISIONS = ("float32", "float16", "int8")
SCALE_SUFFIX = ".int8_scale"
"""Beside a tensor of bytes, under its name with this: what one step of each output channel is worth."""
INT8_STEPS = 127

_CHUNK = 2**20
_CACHED = 64


def check_weights(name: str) -> ModelCard:
    """The card of a network whose weights are there, by their size; neither torch nor hashing is needed.

    Raises:
        WeightsUnavailable: The card or the weights are missing, or the size is not the card's.
    """
    card = read_card(name)
    path = weights_folder() / card.file
    try:
        size = path.stat().st_size
    except OSError as missing:
        raise WeightsUnavailable(
            f"The trained network {card.title!r} is not installed here: "
            f"there is no {path.name} in the folder {path.parent.name!r}.",
            parameter="weights",
            given=name,
        ) from missing
    if size != card.bytes:
        raise WeightsUnavailable(
            f"The weights {path.name} are not those their card describes: "
            f"they have {size:,} bytes instead of {card.bytes:,}. Fetch the file again.",
            parameter="weights",
            given=size,
            limit=card.bytes,
        )
    return card


def are_present(name: str) -> bool:
    """Whether the card and a weights file of the right size are there."""
    try:
        check_weights(name)
    except WeightsUnavailable:
        return False
    return True


def weights_path(name: str) -> Path:
    """The path of a weights file, once its hash is known to be that of its card.

    Raises:
        WeightsUnavailable: The card or the file is missing, unreadable, or not what it should be.
    """
    card = check_weights(name)
    path = weights_folder() / card.file
    try:
        found = path.stat()
        sha256 = _file_sha256(str(path), found.st_mtime_ns, found.st_size)
    except OSError as refusal:
        raise _unreadable(path, str(refusal.strerror)) from refusal
    if sha256 != card.sha256:
        raise WeightsUnavailable(
            f"The weights {path.name} are not those their card describes: "
            f"their sha256 begins with {sha256[:12]} instead of {card.sha256[:12]}. Fetch the file again.",
            parameter="weights",
            given=sha256,
            limit=card.sha256,
        )
    return path


def load_state(name: str, *, upcast: bool = True) -> dict[str, torch.Tensor]:
    """The weights of a network, on the CPU.

    Args:
        name: Name of its card.
        upcast: Turn half-precision numbers into float32; else they stay as they are kept. Numbers kept as
            bytes are float32 again in any case.

    Returns:
        The tensors by name, for ``load_state_dict``.

    Raises:
        WeightsUnavailable: The card or the file is missing, unreadable, or not what it should be.
    """
    path = weights_path(name)
    if path.suffix != ".safetensors":
        raise _unreadable(path, "only safetensors are loaded here")

    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        state = load(path.read_bytes())
    except (SafetensorError, OSError, ValueError, KeyError) as refusal:
        raise _unreadable(path, "it is not a safetensors file") from refusal
    try:
        state = unpacked_int8(state)
    except (RuntimeError, KeyError) as refusal:
        raise _unreadable(path, "its bytes lack their scales") from refusal
    halves = (torch.float16, torch.bfloat16)
    return {
        key: tensor.to(torch.float32) if upcast and tensor.dtype in halves else tensor
        for key, tensor in state.items()
    }


def save_weights(
    name: str,
    state: Mapping[str, torch.Tensor],
    facts: Mapping[str, Any],
    *,
    half: bool = True,
    precision: str | None = None,
    folder: Path | None = None,
) -> ModelCard:
    """Write weights and their card, each whole or not at all.

    Args:
        name: Name of the card and of the file without its suffix.
        state: The tensors by name, as of ``state_dict``.
        facts: The card's fields, but for those that are measured here: name, file, bytes, sha256 and
            precision. ``date`` is today when it is not given.
        half: Keep tensors of two and more dimensions as float16. Those of one dimension (biases, the
            statistics of a normalisation) weigh nothing and stay as they are.
        precision: ``"float32"`` or ``"float16"`` say the same as ``half``; ``"int8"`` keeps tensors of two
            and more dimensions as bytes, see :func:`packed_int8`.
        folder: Where to; the folder of weights when None.

    Returns:
        The card.

    Raises:
        ParameterInvalid: A tensor holds what is not a finite number, or one too large for float16; the file
            would be larger than :data:`MAX_BYTES`; a fact is unknown or missing; or the precision is none of
            these.
    """
    import torch
    from safetensors.torch import save

    precision = precision or ("float16" if half else "float32")
    if precision not in SAVED_PRECISIONS:
        raise ParameterInvalid(
            f"precision must be one of {', '.join(SAVED_PRECISIONS)}, got {precision!r}.",
            parameter="precision",
            given=precision,
            limit=", ".join(SAVED_PRECISIONS),
        )
    half = precision == "float16"
    kept: dict[str, torch.Tensor] = {}
    for key, tensor in state.items():
        # A copy of its own: safetensors refuse tensors that share memory.
        own = tensor.detach().to("cpu", copy=True).contiguous()
        if half and own.is_floating_point() and own.ndim > 1:
            own = own.to(torch.float16)
        if not bool(torch.isfinite(own).all()):
            said = "not finite, or too large for half precision" if half else "not finite"
            raise ParameterInvalid(
                f"The weights {key!r} hold numbers that are {said}.", parameter="state", given=key
            )
        kept[key] = own
    content = save(packed_int8(kept) if precision == "int8" else kept)

    def write(part: Path) -> None:
        part.write_bytes(content)

    return _keep(name, ".safetensors", write, len(content), facts, precision, folder)


def packed_int8(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Floating-point tensors of two and more dimensions as bytes, symmetrically by output channel.

    The largest number of a channel becomes ±127, so that the error of each is at most half a step of its
    own channel (Krishnamoorthi 2018, arXiv:1806.08342, section 2). Others stay as they are.

    Args:
        state: The tensors by name, all finite.

    Returns:
        The bytes under the same names, and beside each its float32 scales, ``(channels,)``.
    """
    import torch

    packed: dict[str, torch.Tensor] = {}
    for key, tensor in state.items():
        if not tensor.is_floating_point() or tensor.ndim < 2 or tensor.numel() == 0:
            packed[key] = tensor
            continue
        rows = tensor.to(torch.float32).flatten(1)
        scales = rows.abs().amax(dim=1) / INT8_STEPS
        # A channel of zeros, or of numbers so small that their step is none, is zero.
        steps = torch.where(scales > 0, scales, torch.ones_like(scales))
        bytes_ = (rows / steps[:, None]).round().clamp(-INT8_STEPS, INT8_STEPS).to(torch.int8)
        packed[key] = bytes_.reshape(tensor.shape)
        packed[key + SCALE_SUFFIX] = steps
    return packed


def unpacked_int8(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """What :func:`packed_int8` packed, as float32; tensors without scales stay as they are.

    Raises:
        KeyError: There are scales of a tensor that is not there.
        RuntimeError: There are not as many scales as channels.
    """
    import torch

    unpacked = {key: tensor for key, tensor in state.items() if not key.endswith(SCALE_SUFFIX)}
    for key, scales in state.items():
        if key.endswith(SCALE_SUFFIX):
            name = key.removesuffix(SCALE_SUFFIX)
            tensor = unpacked[name]
            shape = (len(tensor), *[1] * (tensor.ndim - 1))
            unpacked[name] = tensor.to(torch.float32) * scales.reshape(shape)
    return unpacked


def adopt_weights(
    name: str, source: Path, facts: Mapping[str, Any], *, precision: str, folder: Path | None = None
) -> ModelCard:
    """Copy a ``.pt`` that loads itself to where weights are kept, and write its card; whole or not at all.

    Args:
        name: Name of the card and of the file without its suffix.
        source: The file.
        facts: The card's fields, but for those that are measured here and ``precision``.
        precision: How most of the numbers in it are kept.
        folder: Where to; the folder of weights when None.

    Returns:
        The card.

    Raises:
        ParameterInvalid: The file is larger than :data:`MAX_BYTES`; or a fact is unknown or missing.
        OSError: The file cannot be read.
    """

    def write(part: Path) -> None:
        shutil.copyfile(source, part)

    return _keep(name, ".pt", write, source.stat().st_size, facts, precision, folder)


def _keep(
    name: str,
    suffix: str,
    write: Callable[[Path], None],
    size: int,
    facts: Mapping[str, Any],
    precision: str,
    folder: Path | None,
) -> ModelCard:
    check_name(name)
    if size > MAX_BYTES:
        raise ParameterInvalid(
            f"The weights {name!r} take {size:,} bytes, and {MAX_BYTES:,} is the limit.",
            parameter="bytes",
            given=size,
            limit=MAX_BYTES,
        )
    path = (weights_folder() if folder is None else folder) / f"{name}{suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        write(part)
        card = _card(name, path.name, part, facts, precision)
        part.replace(path)
        write_card(card, path.parent)
    finally:
        part.unlink(missing_ok=True)
    return card


def _card(name: str, file: str, path: Path, facts: Mapping[str, Any], precision: str) -> ModelCard:
    measured = {
        "name": name,
        "file": file,
        "bytes": path.stat().st_size,
        "sha256": _sha256(path),
        "precision": precision,
    }
    clash = sorted(measured.keys() & facts.keys())
    if clash:
        raise ParameterInvalid(
            f"These facts of a card are measured, not given: {', '.join(clash)}.",
            parameter="facts",
            given=clash,
            limit=", ".join(measured),
        )
    try:
        return ModelCard(**{"date": f"{datetime.now(UTC):%Y-%m-%d}", **facts, **measured})
    except TypeError as refusal:
        said = str(refusal).partition("__init__() ")[2]
        raise ParameterInvalid(
            f"The facts of a card are not complete: {said}.", parameter="facts", given=sorted(facts)
        ) from refusal


@functools.lru_cache(maxsize=_CACHED)
def _file_sha256(path: str, mtime_ns: int, size: int) -> str:
    return _sha256(Path(path))


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _unreadable(path: Path, why: str) -> WeightsUnavailable:
    return WeightsUnavailable(
        f"The weights {path.name} cannot be loaded: {why}.", parameter="weights", given=path.name
    )
