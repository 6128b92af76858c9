"""Plots of planetary surfaces: names of files and people in them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from core.surfaces.size_frequency import Points
from core.ui import surfaces_plots as plots
from core.ui.plots import empty_figure

NAME = "<a href='https://example.org'>M 31</a> & %{x}"
ONE = np.array([1.0])

FIGURES = {
    "mix": lambda: plots.mix_figure({NAME: {"plain": 1.0}}),
    "counts": lambda: plots.counts_figure(
        pd.DataFrame({"craters": [1], "valleys": [2], "ridges": [3]}, index=[NAME]), upright=False
    ),
    "rose": lambda: plots.rose_figure({NAME: (np.array([0.0, 180.0]), ONE)}, {NAME: "#FFFFFF"}),
    "sizes": lambda: plots.size_figure(
        {NAME: Points(ONE, ONE, ONE, ONE, np.array([1]), np.array([False]))},
        {NAME: "#FFFFFF"},
        x_title="D",
        y_title="N",
        limits={},
    ),
    "density": lambda: plots.density_figure({NAME: (1.0, 0.5, 2.0)}, "Mpx"),
    "axes": lambda: empty_figure(f"value [{NAME}]", f"counts [{NAME}]"),
}


def texts(part: object) -> list[str]:
    if isinstance(part, str):
        return [part]
    inside = part.values() if isinstance(part, dict) else part if isinstance(part, list | tuple) else []
    return [text for each in inside for text in texts(each)]


@pytest.mark.parametrize("figure", FIGURES)
def test_names_are_shown_as_text(figure: str) -> None:
    drawn: go.Figure = FIGURES[figure]()
    shown = texts(drawn.to_plotly_json())
    assert any("&lt;a href" in text for text in shown)
    assert not [text for text in shown if "<a" in text]
    assert not [text for text in texts([each.hovertemplate for each in drawn.data]) if "%{x}" in text]


def test_days_are_rows_of_a_mix_and_no_axis_of_time() -> None:
    figure = plots.mix_figure({"2026-03-01": {"plain": 1.0}, "2026-03-09": {"plain": 1.0}})
    assert figure.layout.yaxis.type == "category"
