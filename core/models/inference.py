"""Running trained networks on a processor: in which precision, and one at a time.

A network takes memory and seconds to build, so a process keeps the few it used last, whoever asked. Torch
uses all cores for one image and a network may hold state between its layers, so it serves one thread at a
time.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from core.errors import ParameterInvalid
from core.models.card import read_card

if TYPE_CHECKING:
    import torch

DTYPE_VARIABLE = "ALMAGEST_INFERENCE_DTYPE"
DTYPES = ("auto", "float32", "bfloat16")
CACHED = 4
"""Networks kept at a time: as many as the tasks."""

Network = TypeVar("Network")


def inference_dtype() -> torch.dtype:
    """The precision networks run fastest in here: bfloat16 where the processor multiplies it, else float32.

    Torch runs bfloat16 on every processor, but without AVX512_BF16 or AMX it is emulated and slower than
    float32. ``ALMAGEST_INFERENCE_DTYPE`` set to ``float32`` or ``bfloat16`` decides instead.

    Raises:
        ParameterInvalid: The variable holds something else.
    """
    wanted = os.environ.get(DTYPE_VARIABLE) or "auto"
    if wanted not in DTYPES:
        raise ParameterInvalid(
            f"{DTYPE_VARIABLE} must be one of {', '.join(DTYPES)}, got {wanted!r}.",
            parameter=DTYPE_VARIABLE,
            given=wanted,
            limit=", ".join(DTYPES),
        )

    import torch

    if wanted == "auto":
        able = torch.cpu.get_capabilities()
        wanted = "bfloat16" if able.get("avx512_bf16") or able.get("amx_bf16") else "float32"
    return torch.bfloat16 if wanted == "bfloat16" else torch.float32


class LockedNetwork(Generic[Network]):
    """A network that all threads share and one uses at a time::

        with locked.use() as network, torch.inference_mode():
            scores = network(pixels)

    Hold it for a tile, not for a frame: others wait.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._lock = threading.Lock()

    @contextmanager
    def use(self) -> Iterator[Network]:
        """The network, for this thread alone until the block ends."""
        with self._lock:
            yield self._network


_cache: OrderedDict[tuple[str, str, str], LockedNetwork[Any]] = OrderedDict()
_cache_lock = threading.RLock()


def cached_network(name: str, build: Callable[[], Network], *, variant: str = "") -> LockedNetwork[Network]:
    """The network of a card, built once for the whole process while its weights are the same.

    Args:
        name: Name of the card.
        build: Makes the network and loads its weights; others wait meanwhile.
        variant: Tells apart networks built in different ways from the same weights, such as ``"bfloat16"``.

    Returns:
        The network, of which the :data:`CACHED` used last are kept.

    Raises:
        WeightsUnavailable: There is no card, or ``build`` finds no weights.
    """
    key = (name, read_card(name).sha256, variant)
    with _cache_lock:
        if key not in _cache:
            _cache[key] = LockedNetwork(build())
        _cache.move_to_end(key)
        while len(_cache) > CACHED:
            _cache.popitem(last=False)
        return cast(LockedNetwork[Network], _cache[key])
