"""The measured scores on the page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.ui import benchmarks


def script(path: str) -> None:
    from pathlib import Path

    from core.ui.benchmarks import star_benchmark

    star_benchmark(Path(path))


def shown(path: Path) -> AppTest:
    return AppTest.from_function(script, kwargs={"path": str(path)}, default_timeout=60).run()


@pytest.fixture(scope="module")
def results() -> dict:
    return json.loads(benchmarks.STAR_RESULTS.read_text(encoding="utf-8"))


def test_the_results_that_come_with_the_project_are_drawn_for_every_set(results):
    page = shown(benchmarks.STAR_RESULTS)
    assert not page.exception
    for name in [*results["sets"], benchmarks.REAL]:
        page.segmented_control(key="stars.benchmark.set").set_value(name).run()
        assert not page.exception, name
        assert len(page.dataframe) >= 1
        if name in ("sparse", "field"):
            assert len(page.get("plotly_chart")) == 4
            assert any("best here" in text.value for text in page.markdown)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "{",
        "[]",
        "{}",
        '{"fields": 8, "f1": {}, "time": {}, "memory": {}}',
        '{"format": 1, "sets": {"sparse": {}}, "rivals": {}}',
        '{"format": 2, "sets": {}, "rivals": {}}',
    ],
)
def test_absent_broken_or_old_results_give_a_sentence(tmp_path, text):
    path = tmp_path / "stars.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    page = shown(path)
    assert not page.exception
    (said,) = page.info
    assert benchmarks.COMMAND in said.value


def test_every_rival_is_told_apart_without_colour(results):
    styles = benchmarks._styles([*results["rivals"], "another", "one.more"])
    looks = [(style["dash"], style["symbol"]) for style in styles.values()]
    assert len(set(looks)) == len(looks) > 7


def test_ranges_and_curves_come_back_as_they_were_measured(results):
    one = results["sets"]["sparse"]["rivals"]["sep.psf"]
    for stored, built in zip(one["snr_bins"], benchmarks._bins(one["snr_bins"]), strict=True):
        assert built.f1 == pytest.approx(stored["f1"], nan_ok=True) or stored["f1"] is None
        assert built.recall_interval == pytest.approx(tuple(stored["recall_interval"]))
    curve = benchmarks._curve(one["completeness"])
    assert curve.magnitude.tolist() == pytest.approx(one["completeness"]["mag"])
    assert curve.low[curve.n_truth > 0].min() >= 0
