"""What comes from a browser, which anybody can write to: it is checked before it is used."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def is_number(value: Any) -> bool:
    """Whether it is a finite number."""
    return isinstance(value, int | float | np.number) and math.isfinite(value)


def numbers(value: Any, count: int) -> tuple[float, ...] | None:
    """``count`` finite numbers, or None when it is anything else."""
    if isinstance(value, list | tuple) and len(value) == count and all(is_number(item) for item in value):
        return tuple(float(item) for item in value)
    return None
