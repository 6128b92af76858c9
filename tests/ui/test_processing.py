"""Frames as a person switches them."""

from __future__ import annotations

import numpy as np
from streamlit.testing.v1 import AppTest

from core.frames import Frame
from core.frames.process import BackgroundSubtraction, process
from core.ui.processing import frame_histogram


def test_the_histogram_of_a_large_frame_is_not_worked_out_at_each_touch() -> None:
    frame = Frame.from_array(np.random.default_rng(0).normal(100.0, 5.0, (64, 64)), "it.fits")
    counted = frame_histogram(frame)
    assert frame_histogram(frame) is counted
    assert frame_histogram(process(frame, (BackgroundSubtraction(),))).median < counted.median


def test_the_help_of_a_step_is_text_and_no_code() -> None:
    def app() -> None:
        import numpy as np

        from core.frames import Frame
        from core.ui.processing import processing_chain

        processing_chain(Frame.from_array(np.zeros((8, 8)), "it.fits"), "chain")

    page = AppTest.from_function(app).run()
    assert len(page.toggle) > 2
    assert not any("\n    " in toggle.help for toggle in page.toggle)  # Markdown takes that for code
