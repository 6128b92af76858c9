"""Processing a frame: a chain of four steps that a person can see, switch and repeat."""

from core.frames.process.background import BackgroundSubtraction
from core.frames.process.chain import STEPS, process, steps_from_json
from core.frames.process.enhance import Enhancement
from core.frames.process.histogram import Histogram, histogram
from core.frames.process.noise import NoiseReduction
from core.frames.process.normalise import Normalisation
from core.frames.process.step import ProcessingStep

__all__ = [
    "STEPS",
    "BackgroundSubtraction",
    "Enhancement",
    "Histogram",
    "NoiseReduction",
    "Normalisation",
    "ProcessingStep",
    "histogram",
    "process",
    "steps_from_json",
]
