"""Widgets drawn from a parameter dataclass: a page never lists parameters by hand."""

from __future__ import annotations

from typing import Any, TypeVar

import streamlit as st

from core.errors import ParameterInvalid
from core.parameters import Parameters, ParameterSpec, Value
from core.ui.shell import show_error

P = TypeVar("P", bound=Parameters)
SLIDER_STEPS = 150


def parameter_widgets(params: P, key: str, *, only: tuple[str, ...] | None = None) -> P:
    """Draw a widget for each parameter in the current container and give the values chosen.

    Values that contradict each other get a sentence, and the last ones that did not stay.

    Args:
        params: The values shown at first.
        key: Prefix of the widgets' keys, unique on the page.
        only: Names of the parameters to draw; all when None. The others keep their value.
    """
    values = params.to_dict()
    for spec in type(params).specs():
        if only is None or spec.name in only:
            values[spec.name] = _widget(spec, values[spec.name], f"{key}.{spec.name}")
    try:
        chosen = type(params).from_mapping(values)
    except ParameterInvalid as error:
        show_error(error)
        last: P = st.session_state.get(f"{key}.last", params)
        return last
    st.session_state[f"{key}.last"] = chosen
    return chosen


def _widget(spec: ParameterSpec, value: Value, key: str) -> Value:
    label = f"{spec.label} ({spec.unit})" if spec.unit else spec.label
    if spec.kind is bool:
        return st.toggle(label, bool(value), key=key, help=_help(spec), persist_state="session")
    if spec.choices:
        index = spec.choices.index(str(value))
        return st.selectbox(
            label, spec.choices, index, key=key, help=_help(spec), persist_state="session", format_func=_words
        )
    if spec.kind is str:
        return st.text_input(label, str(value), key=key, help=_help(spec), persist_state="session")
    return _number(spec, value, label, key)


def _number(spec: ParameterSpec, value: Value, label: str, key: str) -> Value:
    kind: Any = int if spec.kind is int else float
    if _is_short(spec):
        chosen: float = st.slider(
            label,
            kind(spec.low),
            kind(spec.high),
            kind(value),
            kind(spec.step),
            key=key,
            help=_help(spec),
            persist_state="session",
        )
        return chosen
    given: int | float | None = st.number_input(
        label,
        min_value=None if spec.low is None else kind(spec.low),
        max_value=None if spec.high is None else kind(spec.high),
        value=None if value is None else kind(value),
        step=kind(spec.step) if spec.step else (1 if kind is int else _step(spec)),
        format=None if kind is int else "%g",
        placeholder="automatic" if spec.optional else None,
        key=key,
        help=_help(spec),
        persist_state="session",
    )
    if given is None and not spec.optional:
        return spec.default
    return given


def _is_short(spec: ParameterSpec) -> bool:
    """Whether a slider under a finger can reach every value."""
    if spec.optional or not spec.step or spec.low is None or spec.high is None:
        return False
    return (spec.high - spec.low) / spec.step <= SLIDER_STEPS


def _step(spec: ParameterSpec) -> float:
    """A step of a hundredth of the range, rounded to 1, 2 or 5 times a power of ten."""
    if spec.low is None or spec.high is None or spec.high <= spec.low:
        return 0.1
    rough = (spec.high - spec.low) / 100.0
    power = 10.0 ** len(str(int(1.0 / rough))) if rough < 1 else 1.0
    return max(round(rough * power) / power, 1.0 / power)


def _help(spec: ParameterSpec) -> str:
    default = "automatic" if spec.default is None else spec.default
    about = [
        spec.help,
        f"Accepted: {spec.bounds}. Default: {default}" + (f", {spec.why}" if spec.why else "."),
    ]
    return "\n\n".join(text for text in about if text)


def _words(choice: str) -> str:
    return choice[:1].upper() + choice[1:].replace("_", " ")
