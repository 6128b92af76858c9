"""The store: frames, runs, detections and corrections in one DuckDB file."""

from core.store.frames import StoredFrame
from core.store.runs import StoredRun
from core.store.store import Store, default_path

__all__ = ["Store", "StoredFrame", "StoredRun", "default_path"]
