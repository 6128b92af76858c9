"""Files that several visitors open."""

from __future__ import annotations

import hashlib

from core.batch.sources import FRAME_SUFFIXES
from core.ui.frames import UPLOAD_TYPES, _read_upload
from tests.frames.files import picture


def test_the_same_file_has_the_name_each_visitor_gave_it() -> None:
    data = picture("PNG")
    names = ("target_of_ada.png", "field.png")
    frames = [_read_upload(hashlib.sha256(data).hexdigest(), None, None, data, name) for name in names]
    assert tuple(frame.name for frame in frames) == names
    assert frames[0].key == frames[1].key


def test_the_file_dialogue_offers_whatever_is_taken_for_a_frame_in_a_folder() -> None:
    assert {suffix.rpartition(".")[2] for suffix in FRAME_SUFFIXES} <= set(UPLOAD_TYPES)
