"""A model card for tests."""

import hashlib

from core.models import ModelCard, Score, TrainingData

FACTS = {
    "title": "Toy network",
    "architecture": "Two layers of four numbers.",
    "n_parameters": 20,
    "task": "stars",
    "labels": ("star",),
    "training_data": (TrainingData("Simulated fields", "AGPL-3.0", "training"),),
    "scores": {"F1 at SNR 5 and above": Score(0.97, "python -m benchmarks.stars")},
    "command": "python -m training.toy --seed 7",
    "seed": 7,
    "device": "two CPU cores",
    "date": "2026-11-21",
    "minutes": 1.5,
    "limits": ("It has only seen toys.",),
    "licence": "AGPL-3.0",
    "extra": {"temperature": 1.25},
}


def a_card(name="toy", content=b"weights", **changes):
    """The card of a file ``name.pt`` with this content."""
    measured = {
        "name": name,
        "file": f"{name}.pt",
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "precision": "float32",
    }
    return ModelCard(**{**FACTS, **measured, **changes})
