"""The classes of clusters that are found in pictures."""

from __future__ import annotations

OPEN, GLOBULAR = "open cluster", "globular cluster"
LABELS = (OPEN, GLOBULAR)
