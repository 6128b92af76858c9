"""Bytes for the browser: a JSON header and the blobs it speaks of, in one message."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Parcel:
    """Packed bytes, under the name by which the viewer asks for them.

    Attributes:
        slot: Where the browser keeps it; a newer parcel of the same slot replaces it.
        id: Hash of its content.
        data: Length of the header (32 bit, little-endian), header, blobs.
    """

    slot: str
    id: str
    data: bytes

    @property
    def address(self) -> dict[str, str]:
        """What tells the viewer which parcel to show."""
        return {"slot": self.slot, "id": self.id}


@dataclass
class Packer:
    """Collects blobs; a header refers to each by the index that :meth:`add` gives."""

    blobs: list[bytes] = field(default_factory=list)

    def add(self, blob: bytes | NDArray[Any]) -> int:
        """Put in bytes, or the bytes of an array in little-endian order, and give their index."""
        if isinstance(blob, np.ndarray):
            blob = np.ascontiguousarray(blob).astype(blob.dtype.newbyteorder("<"), copy=False).tobytes()
        self.blobs.append(blob)
        return len(self.blobs) - 1

    def parcel(self, slot: str, header: Mapping[str, Any]) -> Parcel:
        """Pack everything under ``slot``."""
        facts = {**header, "slot": slot, "blobs": [len(blob) for blob in self.blobs]}
        digest = hashlib.blake2b(json.dumps(facts).encode(), digest_size=16)
        for blob in self.blobs:
            digest.update(blob)
        name = digest.hexdigest()
        text = json.dumps({**facts, "id": name}).encode()
        return Parcel(slot, name, b"".join([struct.pack("<I", len(text)), text, *self.blobs]))
