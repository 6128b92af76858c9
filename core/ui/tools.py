"""What a person can draw with on the canvas: a tool for each shape, and a knife."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from core.shapes import Kind
from core.ui.canvas import DRAWN_FILL, DRAWN_STROKE, KNIFE_STROKE, POINT_FILL


@dataclass(frozen=True)
class Tool:
    """A way to draw.

    Attributes:
        title: What a person calls it.
        mode: Drawing mode of the canvas.
        hint: How it is used, as a sentence.
        fill, stroke: Colours of what it draws.
    """

    title: str
    mode: str
    hint: str
    fill: str = DRAWN_FILL
    stroke: str = DRAWN_STROKE


TOOLS: Mapping[Kind, tuple[Tool, ...]] = {
    "point": (Tool("Point", "point", "Click to add one.", fill=POINT_FILL),),
    "box": (Tool("Box", "rect", "Drag a box to add one."),),
    "ellipse": (
        Tool(
            "Ellipse", "circle", "Drag from edge to edge to add a circle, which can be stretched and turned."
        ),
    ),
    "line": (
        Tool("Line", "line", "Drag from end to end to add a straight line."),
        Tool("By hand", "freedraw", "Follow it with the mouse or a finger to add a line."),
    ),
    "polygon": (
        Tool(
            "Outline",
            "polygon",
            "Click from corner to corner, and the first one again to close it. Changes to other marks count "
            "only with another tool.",
        ),
    ),
}
KNIFE = Tool(
    "Cut",
    "line",
    "Drag straight through a mark, from outside to outside: it becomes two.",
    stroke=KNIFE_STROKE,
)


def choose_tool(kinds: Sequence[Kind], usual: Kind, key: str) -> Tool:
    """Draw the choice of tool, when there is one.

    Args:
        kinds: The shapes an object can have. What is no point can be cut.
        usual: The shape that is drawn unless a person chooses another.
        key: Prefix of the widget's key.
    """
    tools = {tool.title: tool for kind in kinds for tool in TOOLS[kind]}
    if kinds[0] != "point":
        tools[KNIFE.title] = KNIFE
    first = next(iter(TOOLS[usual])) if usual in kinds else next(iter(tools.values()))
    # A class that is drawn in another shape begins with that shape's tool.
    picked = st.segmented_control(
        "Tool", list(tools), default=first.title, key=f"{key}.tool.{first.title}", required=True, wrap=True
    )
    return tools[str(picked)]
