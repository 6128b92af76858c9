import dataclasses
import json

import pytest

from core.errors import ParameterInvalid, WeightsUnavailable
from core.models import ModelCard, Score, TrainingData, card, read_card, write_card
from core.models.card import CARD_MAX_BYTES, WEIGHTS
from tests.models.cards import a_card


def edit(path, **changes):
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_card_comes_back_as_it_was_written(weights_folder):
    card = a_card(extra={"temperature": 1.25, "bins": [1, 2]}, seed=None, scores={"Größe [σ]": Score(2, "x")})
    path = write_card(card)
    assert path == weights_folder / "toy.json"
    assert read_card("toy") == card
    first = path.read_bytes()
    assert write_card(read_card("toy")).read_bytes() == first
    assert "Größe [σ]" in first.decode()
    assert list(weights_folder.iterdir()) == [path], "no half-written file is left"


def test_it_is_read_in_the_order_of_its_fields_for_people(weights_folder):
    written = json.loads(write_card(a_card()).read_text())
    assert list(written) == [entry.name for entry in dataclasses.fields(ModelCard)]


def test_the_folder_is_the_projects_unless_told_otherwise(monkeypatch, tmp_path):
    monkeypatch.delenv("ALMAGEST_WEIGHTS", raising=False)
    assert card.weights_folder() == WEIGHTS
    monkeypatch.setenv("ALMAGEST_WEIGHTS", str(tmp_path))
    assert card.weights_folder() == tmp_path


def test_a_changed_card_is_read_again(weights_folder):
    write_card(a_card(title="First"))
    assert read_card("toy").title == "First"
    write_card(a_card(title="The second"))
    assert read_card("toy").title == "The second"


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("title", " ", "title must be some text, got ' '"),
        ("n_parameters", 0, "n_parameters must be a count above 0, got 0"),
        ("n_parameters", True, "n_parameters must be a count above 0, got True"),
        ("file", "../toy.pt", "file must be toy.safetensors or toy.pt, got '../toy.pt'"),
        ("bytes", -1, "bytes must be a count above 0"),
        ("sha256", "AB" * 32, "sha256 must be 64 hexadecimal digits"),
        ("precision", "float8", "precision must be one of float32, float16, bfloat16, int8, got 'float8'"),
        ("labels", (), "labels must be one or more names"),
        ("labels", "star", "labels must be one or more names"),
        (
            "training_data",
            (TrainingData("sky", "", "training"),),
            "training_data must be one or more entries",
        ),
        ("scores", {"F1": 0.9}, "scores must be figures by name, each with a value and its command"),
        ("scores", {"F1": Score(float("nan"), "x")}, "scores must be figures"),
        ("scores", {"F1": Score(0.9, "")}, "scores must be figures"),
        ("seed", -1, "seed must be a whole number or null"),
        ("date", "21 November", "date must be a day such as 2026-11-21"),
        ("minutes", float("inf"), "minutes must be a number of 0 or more"),
        ("limits", ("",), "limits must be sentences"),
        ("extra", [1], "extra must be facts by name"),
    ],
)
def test_a_wrong_field_is_named(field, value, sentence):
    with pytest.raises(WeightsUnavailable, match="card 'toy' is not usable") as refusal:
        a_card(**{field: value})
    assert sentence in refusal.value.message
    assert refusal.value.parameter == field


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": "other"}, "it says it is the card of 'other'"),
        ({"colour": "red"}, "colour unknown"),
        ({"scores": {"F1": {"value": 0.9}}}, "scores must be figures by name"),
        ({"training_data": [{"name": "sky"}]}, "training_data must be one or more entries"),
        ({"training_data": None}, "training_data must be one or more entries"),
        ({"labels": [1]}, "labels must be one or more names"),
    ],
)
def test_a_wrong_file_says_what_is_wrong(weights_folder, changes, sentence):
    edit(write_card(a_card()), **changes)
    with pytest.raises(WeightsUnavailable, match="card 'toy' is not usable") as refusal:
        read_card("toy")
    assert sentence in refusal.value.message


def test_missing_fields_are_listed(weights_folder):
    path = write_card(a_card())
    path.write_text(json.dumps({"name": "toy"}))
    with pytest.raises(WeightsUnavailable, match=r"title, architecture, .* missing"):
        read_card("toy")


def test_extra_may_be_left_out(weights_folder):
    path = write_card(a_card())
    path.write_text(json.dumps({k: v for k, v in json.loads(path.read_text()).items() if k != "extra"}))
    assert read_card("toy").extra == {}


@pytest.mark.parametrize("text", ["", "{", "[1]", '"toy"', "[" * 100_000])
def test_what_is_no_card_is_refused(weights_folder, text):
    (weights_folder / "toy.json").write_text(text)
    with pytest.raises(WeightsUnavailable, match="card 'toy' is not usable: it"):
        read_card("toy")


def test_a_file_too_large_for_a_card_is_not_read(weights_folder):
    (weights_folder / "toy.json").write_bytes(b" " * (CARD_MAX_BYTES + 1))
    with pytest.raises(WeightsUnavailable, match="1,000,000 is the limit"):
        read_card("toy")


def test_no_card_is_said_in_a_visitors_words(weights_folder):
    with pytest.raises(
        WeightsUnavailable, match=r"network 'toy' is not installed here: there is no toy.json"
    ):
        read_card("toy")


@pytest.mark.parametrize("name", ["", "../toy", "Toy", "a/b", "a.b", "a" * 65, "-a", "toy\n", None])
def test_names_that_could_leave_the_folder_are_refused(name):
    with pytest.raises(WeightsUnavailable, match="name of a model must be"):
        read_card(name)


@pytest.mark.parametrize("extra", [{"x": float("nan")}, {"x": {1, 2}}])
def test_extra_must_be_what_json_can_say(weights_folder, extra):
    with pytest.raises(ParameterInvalid, match="must be plain finite JSON"):
        write_card(a_card(extra=extra))
    assert not list(weights_folder.iterdir())
