import json
import pickle
from dataclasses import FrozenInstanceError, dataclass

import numpy as np
import pytest

from core.errors import ParameterInvalid
from core.methods import methods
from core.parameters import Parameters, canonical_json, parameter


@dataclass(frozen=True)
class Sample(Parameters):
    threshold_sigma: float = parameter(1.5, label="Threshold", unit="σ", low=0.5, high=50.0)
    n_levels: int = parameter(32, label="Levels", low=1, high=64)
    fwhm_px: float | None = parameter(None, label="FWHM", unit="px", low=1.0)
    clean: bool = parameter(True, label="Clean")
    kernel: str = parameter("psf", label="Kernel", choices=("psf", "none"))
    note: str = parameter("", label="Note")
    depth_px: float = parameter(-1.0, label="Depth", unit="px", high=0.0)
    anything: float = parameter(0.0, label="Anything")
    plain: int = 3


GOOD = [
    ("threshold_sigma", 0.5, 0.5),
    ("threshold_sigma", 50, 50.0),
    ("threshold_sigma", np.float32(2), 2.0),
    ("n_levels", 1, 1),
    ("n_levels", 8.0, 8),
    ("n_levels", np.int64(64), 64),
    ("fwhm_px", None, None),
    ("fwhm_px", 3, 3.0),
    ("clean", False, False),
    ("clean", np.bool_(False), False),
    ("kernel", "none", "none"),
    ("note", "any text, σ", "any text, σ"),
    ("anything", -1e300, -1e300),
]

BAD = [
    ("threshold_sigma", 0.49, "0.5 to 50 σ"),
    ("threshold_sigma", 50.01, "0.5 to 50 σ"),
    ("threshold_sigma", float("nan"), "0.5 to 50 σ"),
    ("threshold_sigma", float("inf"), "0.5 to 50 σ"),
    ("threshold_sigma", None, "0.5 to 50 σ"),
    ("threshold_sigma", "2", "0.5 to 50 σ"),
    ("threshold_sigma", True, "0.5 to 50 σ"),
    ("threshold_sigma", np.bool_(True), "0.5 to 50 σ"),
    ("threshold_sigma", np.array([1.0, 2.0]), "0.5 to 50 σ"),
    ("threshold_sigma", [1.0], "0.5 to 50 σ"),
    ("threshold_sigma", 1 + 2j, "0.5 to 50 σ"),
    ("n_levels", 1.5, "1 to 64"),
    ("n_levels", 0, "1 to 64"),
    ("n_levels", 10**400, "1 to 64"),
    ("fwhm_px", 0.5, "1 or more px, or auto"),
    ("clean", 1, "true or false"),
    ("clean", "true", "true or false"),
    ("kernel", "box", "one of psf, none"),
    ("kernel", None, "one of psf, none"),
    ("note", 3, "any text"),
    ("depth_px", 0.1, "0 or less px"),
    ("anything", "x", "any number"),
]


@pytest.mark.parametrize(("name", "given", "value"), GOOD)
def test_good_values_get_their_type(name, given, value):
    found = getattr(Sample(**{name: given}), name)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(("name", "given", "bounds"), BAD)
def test_bad_values_are_refused_with_their_bounds(name, given, bounds):
    with pytest.raises(ParameterInvalid) as refusal:
        Sample(**{name: given})
    assert refusal.value.message.startswith(f"{name} must be {bounds}, got ")
    assert (refusal.value.parameter, refusal.value.limit) == (name, bounds)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("threshold_sigma", " 2.5 ", 2.5),
        ("threshold_sigma", "1e1", 10.0),
        ("n_levels", "16", 16),
        ("n_levels", "16.0", 16),
        ("fwhm_px", "auto", None),
        ("fwhm_px", "None", None),
        ("fwhm_px", "", None),
        ("fwhm_px", "3", 3.0),
        ("clean", "Yes", True),
        ("clean", "off", False),
        ("clean", "0", False),
        ("kernel", "none", "none"),
        ("note", " kept ", "kept"),
    ],
)
def test_text_of_the_command_line(name, text, value):
    assert getattr(Sample.from_strings({name: text}), name) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("threshold_sigma", "much"),
        ("threshold_sigma", "auto"),
        ("threshold_sigma", "nan"),
        ("threshold_sigma", "1,5"),
        ("n_levels", "1.5"),
        ("n_levels", "1e400"),
        ("clean", "maybe"),
        ("clean", ""),
        ("kernel", "PSF"),
    ],
)
def test_bad_text_is_refused_as_it_was_given(name, text):
    with pytest.raises(ParameterInvalid, match=f"{name} must be"):
        Sample.from_strings({name: text})


@pytest.mark.parametrize("read", [Sample.from_mapping, Sample.from_strings])
def test_an_unknown_name_lists_the_known_ones(read):
    with pytest.raises(ParameterInvalid, match="no parameter 'sigma'; there are: threshold_sigma, n_levels"):
        read({"sigma": "1"})


def test_values_survive_json():
    values = Sample(threshold_sigma=2, fwhm_px=3.5, note="σ")
    assert Sample.from_mapping(json.loads(values.to_json())) == values


def test_equal_values_give_equal_json():
    assert Sample(n_levels=8.0, clean=False).to_json() == Sample(clean=False, n_levels=8).to_json()
    assert canonical_json({"b": 1, "a": "σ"}) == '{"a":"σ","b":1}'


def test_json_has_no_nan():
    with pytest.raises(ValueError, match="Out of range"):
        canonical_json({"a": float("nan")})


def test_values_are_frozen_and_travel():
    values = Sample(n_levels=8)
    with pytest.raises(FrozenInstanceError):
        values.n_levels = 9
    assert pickle.loads(pickle.dumps(values)) == values  # noqa: S301


def test_only_declared_parameters_are_parameters():
    assert "plain" not in Sample().to_dict()
    assert [spec.name for spec in Sample.specs()][:3] == ["threshold_sigma", "n_levels", "fwhm_px"]


def test_a_subclass_has_its_own_parameters():
    @dataclass(frozen=True)
    class More(Sample):
        extra: int = parameter(1, label="Extra")

    assert len(More.specs()) == len(Sample.specs()) + 1
    assert More.from_mapping({"n_levels": 4, "extra": 2}).to_dict()["n_levels"] == 4


def test_no_parameters():
    assert Parameters().to_json() == "{}"
    with pytest.raises(ParameterInvalid, match="there are: none"):
        Parameters.from_mapping({"a": 1})


def test_a_type_that_cannot_be_a_parameter_is_a_fault_of_the_programmer():
    wrong = parameter(None, label="Values")

    @dataclass(frozen=True)
    class Wrong(Parameters):
        values: list = wrong

    with pytest.raises(TypeError, match="values: a parameter is a bool, int, float or str"):
        Wrong()


@pytest.mark.parametrize("name", methods())
def test_parameters_of_every_method(name):
    params = methods()[name].params
    assert params() == params.from_mapping(params().to_dict())
    for spec in params.specs():
        assert spec.label, f"{spec.name} has no label"
        assert spec.help.endswith("."), f"{spec.name} does not say what it does"
        if spec.kind in (int, float):
            assert spec.low is not None, f"{spec.name} has no lower bound"
