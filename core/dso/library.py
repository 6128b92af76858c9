"""``import ultralytics`` without a network, without its settings in a person's home, without surprises."""

from __future__ import annotations

import importlib
import os
import tempfile
import threading
from pathlib import Path
from types import ModuleType

import core

CACHE = Path(core.__file__).parents[1] / ".cache" / "ultralytics"
_lock = threading.Lock()


def import_ultralytics() -> ModuleType:
    """Import ultralytics; the one entrance.

    It is told never to reach the network nor to install packages, and keeps its settings in the project's
    cache. Importing it would limit OpenMP to one thread; torch, imported first, keeps its own number.

    Returns:
        The module ``ultralytics``.

    Raises:
        ImportError: ultralytics is not installed.
    """
    with _lock:
        os.environ["YOLO_OFFLINE"] = "true"
        os.environ["YOLO_AUTOINSTALL"] = "false"
        os.environ.setdefault("YOLO_CONFIG_DIR", str(_writable(CACHE)))
        os.environ.setdefault("YOLO_VERBOSE", "false")

        from core.models.torchvision_ops import import_torchvision

        import_torchvision()
        threads = os.environ.get("OMP_NUM_THREADS")
        ultralytics = importlib.import_module("ultralytics")
        if threads is None:
            os.environ.pop("OMP_NUM_THREADS", None)
        settings = vars(ultralytics)["settings"]
        if settings.get("sync"):
            settings.update({"sync": False})
        return ultralytics


def _writable(folder: Path) -> Path:
    """The folder, or one for this process where the project's cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        return Path(tempfile.mkdtemp(prefix="ultralytics-"))
