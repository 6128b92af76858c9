"""The model card among a method's parameters."""

import dataclasses

import pytest
from streamlit.testing.v1 import AppTest

from core.models import write_card
from tests.models.cards import a_card


def panel(method):
    from core.ui.cards import model_card

    model_card(method)


def draw(method):
    page = AppTest.from_function(panel, args=(method,)).run()
    assert not page.exception
    return page


@pytest.fixture
def needy(toy_method):
    return dataclasses.replace(toy_method, weights="toy")


def test_a_method_without_weights_has_no_card(toy_method):
    page = draw(toy_method)
    assert not page.markdown
    assert not page.caption


def test_no_card_is_one_sentence(needy, weights_folder):
    page = draw(needy)
    assert len(page.caption) == 1
    assert "not installed here" in page.caption[0].value
    assert not page.dataframe


def test_the_card_says_how_good_and_how_made(needy, weights_folder):
    card = a_card(content=b"weights", limits=("It *only* knows toys.",))
    write_card(card)
    (weights_folder / "toy.pt").write_bytes(b"weights")
    page = draw(needy)
    assert not page.caption
    tables = [table.value.astype(str).to_string() for table in page.dataframe]
    assert any(card.sha256 in text and "20" in text for text in tables)
    assert any("Simulated fields" in text and "AGPL-3.0" in text for text in tables)
    assert any("0.97" in text and "benchmarks.stars" in text for text in tables)
    assert any(r"\*only\*" in text.value for text in page.markdown), "shown letter for letter"


def test_a_card_without_its_file_is_shown_with_the_reason(needy, weights_folder):
    write_card(a_card())
    page = draw(needy)
    assert "there is no toy" in page.caption[0].value
    assert len(page.dataframe) == 3
