"""What people put right: a log that is only added to, and the catalogue that follows from it."""

from core.corrections.diff import EditableObject, diff_objects, kept_on_frame, merge_objects, split_object
from core.corrections.fold import ARTEFACT, CorrectedCatalogue, Window, fold
from core.corrections.log import (
    Correction,
    Edit,
    active,
    added_id,
    check_log,
    last_redoable,
    last_undoable,
    predicted_id,
)

__all__ = [
    "ARTEFACT",
    "CorrectedCatalogue",
    "Correction",
    "Edit",
    "EditableObject",
    "Window",
    "active",
    "added_id",
    "check_log",
    "diff_objects",
    "fold",
    "kept_on_frame",
    "last_redoable",
    "last_undoable",
    "merge_objects",
    "predicted_id",
    "split_object",
]
