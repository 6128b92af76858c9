import dataclasses
import hashlib
import importlib
import sys
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest

import core
from core.catalogues.tables import SourceTable, TableResult
from core.errors import MethodUnknown, ParameterInvalid, WeightsUnavailable
from core.frames import Frame
from core.methods import TASKS, get_method, methods
from core.models import write_card
from core.parameters import Parameters
from core.results import Detections
from tests.models.cards import a_card


@pytest.fixture
def frame():
    pixels = np.zeros((20, 30))
    pixels[5, 7] = 100
    return dataclasses.replace(Frame.from_array(pixels, "sky.fits"), hdu=1, plane=2, processing='["x"]')


@pytest.mark.parametrize("name", methods())
def test_a_method_says_what_it_is(name):
    method = methods()[name]
    module = importlib.import_module(f"core.{name}")
    assert module.METHOD is method, "a method is called <task>.<file>"
    assert method.task in TASKS
    assert issubclass(method.params, Parameters)
    assert method.summary.endswith(".")
    assert method.description.endswith(".")
    assert method.reference
    assert method.labels


def test_methods_are_in_order_and_by_task(toy_method):
    assert list(methods()) == sorted(methods())
    assert set(methods("stars")) == {name for name in methods() if name.startswith("stars.")}
    assert methods("stars")["stars.toy"] is get_method("stars.toy")


def test_a_task_without_methods_yet_is_empty():
    assert all(method.task == task for task in TASKS for method in methods(task).values())


def test_an_unknown_task_lists_the_known_ones():
    with pytest.raises(MethodUnknown, match="no task 'weather'; there are: stars, clusters, surfaces, dso"):
        methods("weather")


@pytest.mark.parametrize("name", ["stars.none", "sep", "", "stars", "os.system"])
def test_an_unknown_method_lists_the_known_ones(name):
    with pytest.raises(MethodUnknown, match=r"there are: .*stars\.sep"):
        get_method(name)


def test_a_method_that_lacks_a_library_says_so(monkeypatch, tmp_path):
    (tmp_path / "broken.py").write_text("import a_library_that_is_not_there\n\nMETHOD = None")
    monkeypatch.setattr("core.stars.__path__", [*core.stars.__path__, str(tmp_path)])
    with pytest.raises(ModuleNotFoundError, match="a_library_that_is_not_there"):
        methods()


def test_a_file_that_holds_no_method_is_not_imported(toy_method, monkeypatch, tmp_path):
    (tmp_path / "network.py").write_text("import a_library_that_is_not_there  # METHOD = only words")
    monkeypatch.setattr("core.stars.__path__", [*core.stars.__path__, str(tmp_path)])
    assert "stars.toy" in methods()
    assert "core.stars.network" not in sys.modules


def test_a_task_that_lacks_a_library_says_so(monkeypatch, tmp_path):
    (tmp_path / "surfaces").mkdir()
    (tmp_path / "surfaces" / "__init__.py").write_text("import a_library_that_is_not_there")
    monkeypatch.setattr("core.__path__", [str(tmp_path)])
    for loaded in [name for name in sys.modules if name.startswith("core.surfaces")]:
        monkeypatch.delitem(sys.modules, loaded)
    with pytest.raises(ModuleNotFoundError, match="a_library_that_is_not_there"):
        methods("surfaces")


def test_a_run_fills_in_where_it_came_from(toy_method, frame):
    result = toy_method.run(frame, toy_method.params(threshold=50))
    source = result.provenance
    assert source.method == "stars.toy"
    assert source.params == {"threshold": 50.0, "label": "star"}
    assert (source.frame_name, source.frame_sha256, source.frame_key) == ("sky.fits", frame.sha256, frame.key)
    assert (source.width, source.height, source.hdu, source.plane) == (30, 20, 1, 2)
    assert (source.processing, source.weights_sha256) == ('["x"]', None)
    assert source.version == core.__version__
    assert datetime.fromisoformat(source.started_at).utcoffset() == timedelta(0)
    assert result.timings["total"] > 0
    assert result.detections.xy.tolist() == [[7.0, 5.0]]


def test_a_run_tells_its_progress_and_can_be_stopped(toy_method, frame):
    told = []
    toy_method.run(frame, progress=lambda *news: told.append(news))
    assert told == [(0.5, "looking")]

    class Stopped(Exception):
        pass

    def stop(fraction, doing):
        raise Stopped

    with pytest.raises(Stopped):
        toy_method.run(frame, progress=stop)


def test_a_method_without_its_weights_does_not_run(toy_method, frame, weights_folder):
    needy = dataclasses.replace(toy_method, weights="toy", analyse=lambda *_: pytest.fail("it ran"))
    assert (needy.is_ready, needy.weights_sha256) == (False, None)
    with pytest.raises(WeightsUnavailable, match=r"network 'toy' is not installed here"):
        needy.run(frame)


def test_a_run_keeps_the_hash_of_its_weights(toy_method, frame, weights_folder):
    content = b"any weights"
    (weights_folder / "toy.pt").write_bytes(content)
    write_card(a_card(name="toy", content=content))
    needy = dataclasses.replace(toy_method, weights="toy")
    assert needy.is_ready
    assert needy.run(frame).provenance.weights_sha256 == hashlib.sha256(content).hexdigest()
    assert needy.weights_sha256 == hashlib.sha256(content).hexdigest()


def test_parameters_of_another_method_are_refused(toy_method, frame):
    with pytest.raises(ParameterInvalid, match=r"stars\.toy takes ToyParameters, got Parameters"):
        toy_method.run(frame, Parameters())


def test_a_method_gets_what_it_takes(toy_method, frame):
    table = SourceTable.from_frame(pd.DataFrame({"x": [1.0], "y": [2.0]}), "t.csv")
    with pytest.raises(ParameterInvalid, match=r"stars\.toy takes a frame, got a table"):
        toy_method.run(table)
    with pytest.raises(ParameterInvalid, match=r"clusters\.hdbscan takes a table, got a frame"):
        get_method("clusters.hdbscan").run(frame)
    found = TableResult(Detections.empty(), members=pd.DataFrame({"row": [0], "cluster": [-1]}))
    taker = dataclasses.replace(toy_method, input="table", analyse=lambda *_: found)
    result = taker.run(table)
    assert isinstance(result, TableResult)
    assert result.members["cluster"].tolist() == [-1]
    source = result.provenance
    assert (source.frame_name, source.frame_sha256, source.frame_key) == ("t.csv", table.sha256, table.key)
    assert (source.width, source.height, source.hdu, source.processing) == (0, 0, None, "")
