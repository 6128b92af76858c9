import threading
import time
from types import MappingProxyType

import pytest
import torch

from core.errors import ParameterInvalid, WeightsUnavailable
from core.models import LockedNetwork, cached_network, inference, inference_dtype, write_card
from tests.models.cards import a_card


@pytest.fixture(autouse=True)
def empty_cache():
    inference._cache.clear()
    yield
    inference._cache.clear()


@pytest.mark.parametrize(
    ("able", "dtype"),
    [
        ({"avx512_f": True, "avx512_bf16": True}, torch.bfloat16),
        ({"amx_bf16": True}, torch.bfloat16),
        ({"avx512_f": True, "avx512_bf16": False, "amx_bf16": False}, torch.float32),
        ({"neon": True, "bf16": True}, torch.float32),
    ],
)
def test_bfloat16_is_for_processors_that_multiply_it(monkeypatch, able, dtype):
    monkeypatch.delenv("ALMAGEST_INFERENCE_DTYPE", raising=False)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: MappingProxyType(able))
    assert inference_dtype() is dtype


def test_this_processor_has_an_answer(monkeypatch):
    monkeypatch.delenv("ALMAGEST_INFERENCE_DTYPE", raising=False)
    assert inference_dtype() in (torch.bfloat16, torch.float32)


@pytest.mark.parametrize(("wanted", "dtype"), [("float32", torch.float32), ("bfloat16", torch.bfloat16)])
def test_the_environment_decides(monkeypatch, wanted, dtype):
    monkeypatch.setenv("ALMAGEST_INFERENCE_DTYPE", wanted)
    assert inference_dtype() is dtype


def test_an_unknown_precision_is_refused(monkeypatch):
    monkeypatch.setenv("ALMAGEST_INFERENCE_DTYPE", "float8")
    with pytest.raises(ParameterInvalid, match="must be one of auto, float32, bfloat16, got 'float8'"):
        inference_dtype()


def test_a_network_serves_one_thread_at_a_time():
    busy, most = [], []
    shared = LockedNetwork(object())

    def work():
        with shared.use():
            busy.append(1)
            most.append(len(busy))
            time.sleep(0.005)
            busy.pop()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 8


def test_a_run_that_is_stopped_lets_the_next_one_in():
    shared = LockedNetwork("network")
    with pytest.raises(KeyboardInterrupt), shared.use():
        raise KeyboardInterrupt
    with shared.use() as network:
        assert network == "network"


def test_a_network_is_built_once_for_all_threads(weights_folder):
    write_card(a_card())
    built, given = [], []

    def build():
        time.sleep(0.01)
        built.append(1)
        return object()

    threads = [threading.Thread(target=lambda: given.append(cached_network("toy", build))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(built) == 1
    assert len(set(map(id, given))) == 1


def test_new_weights_and_another_variant_are_built_anew(weights_folder):
    write_card(a_card(content=b"old"))
    old = cached_network("toy", object)
    assert cached_network("toy", object) is old
    assert cached_network("toy", object, variant="bfloat16") is not old
    write_card(a_card(content=b"newer"))
    assert cached_network("toy", object) is not old


def test_only_those_used_last_are_kept(weights_folder):
    names = [f"toy{number}" for number in range(inference.CACHED + 1)]
    for name in names:
        write_card(a_card(name=name))
    first = cached_network(names[0], object)
    second = cached_network(names[1], object)
    for name in names[2:-1]:
        cached_network(name, object)
    assert cached_network(names[0], object) is first
    cached_network(names[-1], object)
    assert len(inference._cache) == inference.CACHED
    assert cached_network(names[0], object) is first
    assert cached_network(names[1], object) is not second


def test_what_cannot_be_built_is_not_kept(weights_folder):
    with pytest.raises(WeightsUnavailable, match="not installed here"):
        cached_network("toy", object)
    write_card(a_card())

    def fail():
        raise WeightsUnavailable("No weights.")

    with pytest.raises(WeightsUnavailable, match="No weights"):
        cached_network("toy", fail)
    assert cached_network("toy", object)
