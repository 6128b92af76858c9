"""Choosing methods and their parameters, and how each is drawn everywhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.methods import Method, methods
from core.parameters import Parameters
from core.ui.cards import model_card
from core.ui.parameters import parameter_widgets
from core.ui.runs import Analysis
from core.ui.shell import choose_one
from core.ui.text import plain
from core.ui.viewer import Layer
from core.ui.viewer.model import Marker

STYLES: tuple[tuple[str, Marker], ...] = (
    ("#E69F00", "square"),
    ("#56B4E9", "circle"),
    ("#009E73", "diamond"),
    ("#CC79A7", "triangle"),
    ("#F0E442", "cross"),
)
"""Colour and marker of each method in turn: Okabe and Ito's palette, and never colour alone."""


def choose_methods(
    task: str, first: str, *, all_at_first: bool = True, inputs: tuple[str, ...] = ("frame",)
) -> list[Method]:
    """Draw the task's methods as pills and give those chosen; never none. One alone needs no choice.

    Args:
        task: The task.
        first: Name of the method that leads: it gives the sentence on top of the page.
        all_at_first: Every method that has its weights is chosen at first, or only the one that leads. A
            method without its weights can be chosen; its run then says what is missing.
        inputs: What there is to be analysed: methods of frames, of tables, or both.
    """
    takers = {name: method for name, method in methods(task).items() if method.input in inputs}
    if len(takers) == 1:
        return list(takers.values())
    known = dict(sorted(takers.items(), key=lambda item: item[0] != first))
    ready = [name for name, method in known.items() if method.is_ready] or [first]
    picked = st.pills(
        "Methods",
        list(known),
        default=ready if all_at_first else ready[:1],
        selection_mode="multi",
        key=".".join([task, "methods", *([] if all_at_first else ["one"]), *inputs[1:]]),
        format_func=lambda name: _offered(known[name]),
        persist_state="session",
        wrap=True,
    )
    return [method for name, method in known.items() if name in (picked or ready[:1])]


def _offered(method: Method) -> str:
    """A method's title; one that cannot run says so, in so few words that they are not cut off."""
    return method.title if method.is_ready else f"{short_title(method.title)} (no weights)"


def short_title(title: str) -> str:
    """``"YOLO26"`` of ``"YOLO26 · object detector"``."""
    return title.partition(" · ")[0]


def about_methods(task: str) -> None:
    """Tell a researcher how each method works, what it is bad at, and where it was published."""
    for method in methods(task).values():
        ready = "" if method.is_ready else " · its weights are not installed here"
        st.markdown(f"**{plain(method.title)}**{plain(ready)}")
        st.write(plain(f"{method.description} {method.summary}"))
        st.caption(plain(f"Reference: {method.reference}."))


def what_each_does(found: Sequence[tuple[Method, int]]) -> None:
    """Draw, folded away, what each method is good at and how much it marks, for visitors."""
    with st.expander("What each method does"):
        for method, marks in found:
            st.markdown(f"**{plain(method.title)}** marks {marks:,}. {plain(method.summary)}")


def choose_partner(chosen: Sequence[Method], key: str) -> list[Method]:
    """Draw the choice of what the first of three or more methods is compared with; it comes second."""
    first, *others = chosen
    if len(others) < 2:
        return list(chosen)
    titles = [method.title for method in others]
    picked = st.selectbox(f"Compare {first.title} with", titles, key=key, persist_state="session")
    return [first, *sorted(others, key=lambda method: method.title != picked)]


def method_parameters(chosen: Sequence[Method]) -> dict[str, Parameters]:
    """Draw each method's parameters, with the card of its network, and give those last applied.

    Nothing runs while a person is still turning the knobs: values count once Run is pressed.
    """
    applied: dict[str, Parameters] = {}
    for method in chosen:
        kept = st.session_state.setdefault(f"{method.name}.params", method.params())
        with st.expander(f"Parameters: {short_title(method.title)}", icon=":material/tune:"):
            with st.form(f"{method.name}.form", border=False):
                values = parameter_widgets(kept, f"{method.name}.set")
                if st.form_submit_button("Run", type="primary", width="stretch"):
                    st.session_state[f"{method.name}.params"] = kept = values
                st.caption(method.reference)
            model_card(method)
        applied[method.name] = kept
    return applied


def choose_map(analyses: Sequence[Analysis], key: str) -> tuple[NDArray[np.float32] | None, str]:
    """Draw the choice of a map to lay over the picture; the map, or None, and what it is of.

    Maps that several methods made are those of the first of them.
    """
    found: dict[str, NDArray[np.float32]] = {}
    for analysis in analyses:
        for name, values in analysis.result.maps.items():
            found.setdefault(name, values)
    name = lasting_choice("Map over the picture", ["none", *found], key)
    return found.get(name), name


def lasting_choice(label: str, options: Sequence[str], key: str) -> str:
    """Draw a choice among options that come and go with the results, and give what is chosen.

    The first is chosen at first, and while what a person wants is not there: a map is away as long as the
    method that makes it runs anew.
    """
    wanted = st.session_state.get(f"{key}.wanted")
    st.session_state[key] = wanted if wanted in options else options[0]
    return str(st.selectbox(label, options, key=key, on_change=remember_choice, args=(key,)))


def remember_choice(key: str) -> None:
    """Keep what a person has just chosen in the widget of a key as what they want."""
    st.session_state[f"{key}.wanted"] = st.session_state[key]


def choose_analysis(analyses: Sequence[Analysis], key: str) -> Analysis:
    """Draw the choice of method, when there is one, and give its analysis."""
    titles = {analysis.method.title: analysis for analysis in analyses}
    if len(titles) == 1:
        return analyses[0]
    return titles.get(choose_one("Method", titles, key), analyses[0])


def default_parameters(chosen: Sequence[Method]) -> dict[str, Parameters]:
    """The methods' defaults, for the face that shows no parameters."""
    return {method.name: method.params() for method in chosen}


def method_style(name: str) -> tuple[str, Marker]:
    """Colour and marker of a method, the same on every page."""
    order = list(methods(name.partition(".")[0]))
    return STYLES[order.index(name) % len(STYLES)]


def method_layers(
    analyses: Sequence[Analysis], *, rejected: bool = False, shown: int | None = None
) -> list[Layer]:
    """Overlay layers of what each method found, or of what each turned down and why.

    Args:
        analyses: The methods' results.
        rejected: The candidates turned down instead of the detections.
        shown: How many of the layers are switched on at first; all when None.
    """
    layers = []
    for number, analysis in enumerate(analyses):
        visible = shown is None or number < shown
        colour, marker = method_style(analysis.method.name)
        if rejected:
            title, found = f"{analysis.method.title}: rejected", analysis.result.rejected
            layers.append(Layer(title, found, colour, "cross", visible, note="reason"))
        else:
            found = analysis.result.detections
            note = "snr" if "snr" in found.table else None
            layers.append(Layer(analysis.method.title, found, colour, marker, visible, note=note))
    return layers
