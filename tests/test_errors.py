import pickle

import pytest

from core import errors
from core.errors import AlmagestError

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, AlmagestError) and kind is not AlmagestError
]


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_is_an_almagest_error_that_says_what_it_is_for(kind):
    assert issubclass(kind, AlmagestError)
    assert kind.__doc__.strip().endswith(".")


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_carries_its_facts(kind):
    error = kind("Too wide.", parameter="width", given=9, limit=8)
    assert str(error) == error.message == "Too wide."
    assert (error.parameter, error.given, error.limit) == ("width", 9, 8)


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_travels_between_processes(kind):
    back = pickle.loads(pickle.dumps(kind("Too wide.", parameter="width", given=9, limit=8)))  # noqa: S301
    assert type(back) is kind
    assert (back.message, back.parameter, back.given, back.limit) == ("Too wide.", "width", 9, 8)
