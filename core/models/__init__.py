"""Trained networks: their cards, their weights, and what running them takes.

Importing this costs nothing: torch is imported when weights are loaded.
"""

from core.models.card import (
    ModelCard,
    Score,
    TrainingData,
    chosen,
    read_card,
    weights_folder,
    write_card,
)
from core.models.inference import LockedNetwork, cached_network, inference_dtype
from core.models.weights import (
    adopt_weights,
    are_present,
    check_weights,
    load_state,
    save_weights,
    weights_path,
)

__all__ = [
    "LockedNetwork",
    "ModelCard",
    "Score",
    "TrainingData",
    "adopt_weights",
    "are_present",
    "cached_network",
    "check_weights",
    "chosen",
    "inference_dtype",
    "load_state",
    "read_card",
    "save_weights",
    "weights_folder",
    "weights_path",
    "write_card",
]
