"""The card of a trained network as a researcher reads it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.errors import WeightsUnavailable
from core.methods import Method
from core.models import ModelCard, check_weights, read_card
from core.ui.text import plain


def model_card(method: Method) -> None:
    """Draw the card of a method's weights behind a button, or say why they are not there.

    A method that needs no weights has none, and nothing is drawn.
    """
    if method.weights is None:
        return
    try:
        check_weights(method.weights)
    except WeightsUnavailable as missing:
        st.caption(plain(missing.message))
    try:
        card = read_card(method.weights)
    except WeightsUnavailable:
        return
    with st.popover("Model card", icon=":material/badge:", width="stretch", key=f"{method.name}.card"):
        _draw(card)


def _draw(card: ModelCard) -> None:
    st.markdown(f"**{plain(card.title)}.** {plain(card.architecture)}")
    facts = {
        "Parameters": f"{card.n_parameters:,}",
        "Labels": ", ".join(card.labels),
        "Trained": f"{card.date}, {card.minutes:,.0f} min on {card.device}",
        "With": card.command,
        "Seed": "none" if card.seed is None else str(card.seed),
        "Precision": card.precision,
        "File": f"{card.file}, {card.bytes / 1e6:,.1f} MB",
        "sha256": card.sha256,
        "Licence": card.licence,
    }
    st.dataframe(
        pd.DataFrame(facts.items(), columns=["", "value"]), hide_index=True, alt="How the network was made"
    )
    st.markdown("**Trained on**")
    st.dataframe(
        pd.DataFrame(
            [(data.name, data.licence, data.use) for data in card.training_data],
            columns=["data", "licence", "used for"],
        ),
        hide_index=True,
        alt="What the network learned from",
    )
    if card.scores:
        st.markdown("**Measured on what it never saw**")
        scores = [(said, f"{score.value:.4g}", score.command) for said, score in card.scores.items()]
        st.dataframe(
            pd.DataFrame(scores, columns=["figure", "value", "command"]),
            hide_index=True,
            alt="Held-out scores, with the commands that measured them",
        )
    if card.limits:
        st.markdown("**Limits**")
    for limit in card.limits:
        st.markdown(f"- {plain(limit)}")
