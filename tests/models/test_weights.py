import hashlib
import os
import subprocess
import sys

import pytest
import torch

from core.errors import ParameterInvalid, WeightsUnavailable
from core.models import (
    adopt_weights,
    are_present,
    check_weights,
    load_state,
    read_card,
    save_weights,
    weights,
    weights_path,
    write_card,
)
from tests.models.cards import FACTS, a_card


@pytest.fixture
def state():
    torch.manual_seed(1)
    shared = torch.randn(3, 4)
    return {
        "one.weight": torch.randn(8, 4),
        "one.bias": torch.randn(8) / 3,
        "norm.running_var": torch.tensor([1e6, 1e-9]),
        "norm.num_batches_tracked": torch.tensor(7),
        "tied.a": shared,
        "tied.b": shared,
        "turned": torch.randn(5, 6).T,
    }


def test_what_is_saved_is_loaded(weights_folder, state):
    card = save_weights("toy", state, FACTS, half=False)
    loaded = load_state("toy")
    assert loaded.keys() == state.keys()
    assert all(torch.equal(loaded[key], state[key]) for key in state)
    content = (weights_folder / "toy.safetensors").read_bytes()
    assert (card.bytes, card.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert (card.precision, card.file) == ("float32", "toy.safetensors")
    assert read_card("toy") == card
    assert sorted(path.name for path in weights_folder.iterdir()) == ["toy.json", "toy.safetensors"]


def test_half_precision_halves_what_is_large_and_comes_back_as_float32(weights_folder, state):
    card = save_weights("toy", state, FACTS)
    assert card.precision == "float16"
    loaded = load_state("toy")
    assert {tensor.dtype for tensor in loaded.values()} == {torch.float32, torch.int64}
    assert torch.equal(loaded["one.weight"], state["one.weight"].half().float())
    assert torch.equal(loaded["one.bias"], state["one.bias"])
    assert torch.equal(loaded["norm.running_var"], state["norm.running_var"])
    kept = load_state("toy", upcast=False)
    assert (kept["one.weight"].dtype, kept["one.bias"].dtype) == (torch.float16, torch.float32)


def test_the_caller_keeps_their_tensors(weights_folder, state):
    before = state["one.weight"].clone()
    save_weights("toy", state, FACTS)
    load_state("toy")["one.weight"].zero_()
    assert torch.equal(state["one.weight"], before)
    assert load_state("toy")["one.weight"].any()


@pytest.mark.parametrize(
    ("value", "half", "sentence"),
    [
        (1e6, True, "too large for half precision"),
        (float("nan"), False, "'w' hold numbers that are not finite"),
    ],
)
def test_numbers_that_would_be_lost_are_refused(weights_folder, value, half, sentence):
    with pytest.raises(ParameterInvalid, match=sentence):
        save_weights("toy", {"w": torch.full((2, 2), value)}, FACTS, half=half)
    assert not list(weights_folder.iterdir())


def test_a_file_too_large_for_the_repository_is_refused(weights_folder, monkeypatch):
    with pytest.raises(ParameterInvalid, match="26,000,000 is the limit"):
        save_weights("toy", {"w": torch.zeros(6_500_001)}, FACTS, half=False)
    assert not list(weights_folder.iterdir())


@pytest.mark.parametrize(
    ("changes", "error", "sentence"),
    [
        ({"sha256": "ab" * 32}, ParameterInvalid, "are measured, not given: sha256"),
        ({"precision": "float32"}, ParameterInvalid, "are measured, not given: precision"),
        ({"colour": "red"}, ParameterInvalid, "unexpected keyword argument 'colour'"),
        ({"title": ""}, WeightsUnavailable, "title must be some text"),
    ],
)
def test_wrong_facts_leave_nothing_behind(weights_folder, changes, error, sentence):
    with pytest.raises(error, match=sentence):
        save_weights("toy", {"w": torch.zeros(2)}, {**FACTS, **changes})
    assert not list(weights_folder.iterdir())


def test_missing_facts_are_listed(weights_folder):
    with pytest.raises(ParameterInvalid, match=r"not complete: missing .* 'title'"):
        save_weights("toy", {"w": torch.zeros(2)}, {k: v for k, v in FACTS.items() if k != "title"})


def test_the_date_is_today_unless_given(weights_folder):
    facts = {key: value for key, value in FACTS.items() if key != "date"}
    assert save_weights("toy", {"w": torch.zeros(2)}, facts).date >= "2026"


def test_a_file_that_loads_itself_is_copied_and_checked(weights_folder, tmp_path):
    (tmp_path / "best.pt").write_bytes(b"a pickle")
    card = adopt_weights("toy", tmp_path / "best.pt", FACTS, precision="float16")
    assert (card.file, card.precision, card.bytes) == ("toy.pt", "float16", 8)
    assert weights_path("toy") == weights_folder / "toy.pt"
    assert weights_path("toy").read_bytes() == b"a pickle"
    with pytest.raises(WeightsUnavailable, match=r"toy.pt cannot be loaded: only safetensors"):
        load_state("toy")


def test_missing_weights_are_said_in_a_visitors_words(weights_folder):
    assert not are_present("toy")
    write_card(a_card())
    assert not are_present("toy")
    for load in (check_weights, weights_path, load_state):
        with pytest.raises(
            WeightsUnavailable, match=r"'Toy network' is not installed here: there is no toy.pt"
        ):
            load("toy")


def test_weights_of_another_size_are_noticed_without_hashing(weights_folder, monkeypatch):
    monkeypatch.setattr(weights, "_sha256", lambda path: pytest.fail("hashed"))
    write_card(a_card(content=b"weights"))
    (weights_folder / "toy.pt").write_bytes(b"weights!")
    assert not are_present("toy")
    with pytest.raises(WeightsUnavailable, match="8 bytes instead of 7"):
        check_weights("toy")


def test_changed_weights_are_never_loaded(weights_folder, state, monkeypatch):
    save_weights("toy", state, FACTS)
    path = weights_folder / "toy.safetensors"
    assert weights_path("toy") == path
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(1, 1))
    assert are_present("toy"), "it has the right size"
    monkeypatch.setattr("safetensors.torch.load", lambda data: pytest.fail("loaded"))
    with pytest.raises(WeightsUnavailable, match=r"not those their card describes: their sha256 begins with"):
        load_state("toy")


def test_a_damaged_file_that_its_card_describes_is_refused(weights_folder):
    content = b"not safetensors at all"
    (weights_folder / "toy.safetensors").write_bytes(content)
    write_card(a_card(content=content, file="toy.safetensors"))
    with pytest.raises(WeightsUnavailable, match=r"cannot be loaded: it is not a safetensors file"):
        load_state("toy")


def test_a_folder_in_the_place_of_weights_is_refused(weights_folder):
    (weights_folder / "toy.pt").mkdir()
    write_card(a_card(**{"bytes": (weights_folder / "toy.pt").stat().st_size}))
    with pytest.raises(WeightsUnavailable, match=r"toy.pt cannot be loaded: Is a directory"):
        weights_path("toy")


def test_a_file_is_hashed_once_while_it_stays_the_same(weights_folder, state, monkeypatch):
    save_weights("toy", state, FACTS)
    asked = []
    true_hash = weights._sha256
    monkeypatch.setattr(weights, "_sha256", lambda path: asked.append(path) or true_hash(path))
    for _ in range(3):
        weights_path("toy")
    assert len(asked) == 1
    os.utime(weights_folder / "toy.safetensors", ns=(5, 5))
    weights_path("toy")
    assert len(asked) == 2


def test_asking_for_weights_costs_no_torch(weights_folder, state):
    save_weights("toy", state, FACTS)
    code = "import sys, core.models as m; assert m.are_present('toy'); m.weights_path('toy'); "
    code += "print([name for name in ('torch', 'safetensors', 'numpy', 'streamlit') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_bytes_come_back_within_half_a_step_of_each_channel(weights_folder, state):
    card = save_weights("toy", state, FACTS, precision="int8")
    assert card.precision == "int8"
    loaded = load_state("toy")
    assert loaded.keys() == state.keys()
    assert {tensor.dtype for tensor in loaded.values()} == {torch.float32, torch.int64}
    for key in ("one.weight", "tied.a", "turned"):
        half_step = state[key].abs().amax(dim=1, keepdim=True) / 254.0
        assert ((loaded[key] - state[key]).abs() <= half_step * 1.0001).all()
    assert torch.equal(loaded["one.bias"], state["one.bias"])
    assert torch.equal(loaded["norm.running_var"], state["norm.running_var"])
    again = weights.packed_int8(loaded)
    assert torch.equal(again["one.weight"], weights.packed_int8(state)["one.weight"])


def test_bytes_take_a_quarter_of_the_room(weights_folder):
    large = {"weight": torch.randn(64, 1024)}
    whole = save_weights("whole", large, FACTS, precision="float32").bytes
    assert save_weights("bytes", large, FACTS, precision="int8").bytes < 0.27 * whole


def test_channels_of_zeros_and_of_very_different_size_stay_what_they_are():
    rows = torch.stack([torch.zeros(5), torch.full((5,), 1e-30), torch.linspace(-1e6, 1e6, 5)])
    back = weights.unpacked_int8(weights.packed_int8({"a": rows, "none": torch.zeros(0, 3)}))
    assert torch.equal(back["a"][0], rows[0])
    torch.testing.assert_close(back["a"][1:], rows[1:], rtol=1e-2, atol=0.0)
    assert back["none"].shape == (0, 3)


def test_bytes_without_their_scales_are_refused(weights_folder):
    strange = {"lost" + weights.SCALE_SUFFIX: torch.ones(3)}
    save_weights("toy", strange, FACTS, precision="float32")
    with pytest.raises(WeightsUnavailable, match="lack their scales"):
        load_state("toy")


def test_precisions_that_are_none_are_refused(weights_folder, state):
    with pytest.raises(ParameterInvalid, match="precision"):
        save_weights("toy", state, FACTS, precision="int4")
    with pytest.raises(ParameterInvalid, match="not finite"):
        save_weights("toy", {"a": torch.tensor([[float("nan")]])}, FACTS, precision="int8")
