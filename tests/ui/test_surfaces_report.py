"""The report of a surface: whole, and what people and files say shown as text."""

from __future__ import annotations

import dataclasses
import shlex

import numpy as np
import pytest

from core.export.report import write_html, write_pdf
from core.frames import Frame
from core.frames.ground import simple_cylindrical
from core.methods import get_method
from core.surfaces.measure import Measure, measured
from core.ui.surfaces_report import Edits, Subject, edits_in_words, rerun_command, surface_report
from tests.export.test_report import pages_of, text_of
from tests.surfaces import surveys

HOSTILE = "<script>alert(1)</script> $x^2$ **moon**; rm -rf ~.png"


@pytest.fixture
def subject(toy_method):
    frame = Frame.from_array(np.zeros((200, 200)), HOSTILE)
    found = surveys.result(
        frame,
        surveys.craters([8.0, 12.0, 40.0]),
        surveys.line("valley", (5, 5), (50, 5)),
        surveys.line("ridge", (5, 50), (50, 90)),
        method="stars.toy",
    )
    return Subject(
        title=HOSTILE,
        sentence="3 craters.",
        method=get_method("stars.toy"),
        result=found,
        detections=measured(found.detections, Measure.of(frame, 2.0)),
        picture=np.full((100, 100, 3), 90, np.uint8),
        measure=Measure.of(frame, 2.0),
        edits=Edits({"accepted": 2, "added": 1}, "Ada <b>", 1),
        body="Moon",
        km_per_px=2.0,
        scale_source="by hand",
        credit="Picture: nobody.",
    )


def test_html_has_figures_tables_edits_and_the_command(subject):
    page = write_html(surface_report(subject)).decode()
    assert "<script>alert" not in page
    assert page.count("data:image/png;base64,") >= 4
    for said in (
        "3 objects by Ada &lt;b&gt; (2 accepted, 1 added)",
        "threshold",
        "by hand",
        "160,000",
        "Moon",
    ):
        assert said in page
    assert "python -m core analyse stars.toy" in page
    assert "A warning with &lt;b&gt;tags&lt;/b&gt;." in page
    assert "http" not in page


def test_pdf_opens_and_says_the_same(subject):
    pdf = write_pdf(surface_report(subject))
    assert pdf.startswith(b"%PDF-")
    assert pages_of(pdf) >= 2
    said = text_of(pdf)
    assert "<script>alert(1)</script>" in said
    assert "python -m core analyse stars.toy" in said
    assert b"run-again.sh" in pdf


@pytest.mark.parametrize(
    "changes",
    [
        {"km_per_px": None, "measure": Measure.of_whole(200, 200), "body": None},
        {"measure": Measure(200, 200, 9000.0, row0="bottom")},
        {"edits": Edits({})},
    ],
)
def test_what_is_not_known_is_said(subject, changes):
    page = write_html(surface_report(dataclasses.replace(subject, **changes))).decode()
    if "km_per_px" in changes:
        assert "unknown" in page
        assert "not told" in page
        assert "km²" not in page
    if changes.get("measure") and changes["measure"].row0:
        assert "the 22.5 % of the frame that are not missing" in page
    if "edits" in changes:
        assert "None: nobody has corrected anything." in page


def test_the_ground_within_craters_is_that_of_the_craters_people_left(subject):
    from_craters = dataclasses.replace(subject.result, facts={}, maps={}, masks={})
    subject = dataclasses.replace(subject, result=from_craters)
    largest = subject.detections.table["diameter_px"] == 40.0
    rejected = dataclasses.replace(subject, detections=subject.detections.where(~largest.to_numpy()))
    assert subject.survey.mix["within craters"] == pytest.approx(0.035, rel=0.05)
    assert rejected.survey.mix["within craters"] == pytest.approx(0.004, rel=0.1)


def test_places_are_told_as_finely_as_they_are_known(subject):
    ground = simple_cylindrical("Mars", west_deg=137.0, north_deg=10.0, px_per_deg=20.0)
    frame = Frame.from_array(np.zeros((200, 12_500)), "mars.png", ground=ground)
    crater = surveys.craters([40.0]).assign(x=12_345.67, y=100.0)
    found, measure = surveys.result(frame, crater, method="stars.toy"), Measure.of(frame)
    far = dataclasses.replace(
        subject, result=found, measure=measure, detections=measured(found.detections, measure)
    )
    page = write_html(surface_report(far)).decode()
    longitude = 137.0 + 12_346.17 / 20.0 - 720.0
    for said in ("12345.7", f"{longitude:.3f}", "4.975"):
        assert f">{said}<" in page
    assert "with a position on the map that is not in the file (the map it was cut from)" in page


def test_nothing_found_is_a_report_too(subject):
    frame = Frame.from_array(np.zeros((200, 200)), "empty.png")
    nothing = surveys.result(frame, method="stars.toy")
    empty = dataclasses.replace(subject, result=nothing, detections=nothing.detections)
    assert b"craters" in write_html(surface_report(empty))
    assert pages_of(write_pdf(surface_report(empty))) >= 1


def test_the_card_of_the_network_is_inside(subject, weights_folder):
    from core.models import write_card
    from tests.models.cards import a_card

    write_card(a_card("toy"), weights_folder)
    method = dataclasses.replace(subject.method, weights="toy")
    page = write_html(surface_report(dataclasses.replace(subject, method=method))).decode()
    assert "It has only seen toys." in page
    assert "Simulated fields" in page


def test_the_command_takes_every_name_as_one_word(subject):
    facts = subject.result.provenance
    words = shlex.split(rerun_command(facts))
    assert words[:4] == ["python", "-m", "core", "analyse"]
    assert words[5] == HOSTILE
    assert words[-3:] == ["--set", "threshold=10.0", "label=star"]
    dashed = dataclasses.replace(facts, frame_name="--out", params={"limit": None, "on": True})
    words = shlex.split(rerun_command(dashed))
    assert words[5] == "./--out"
    assert words[-2:] == ["limit=auto", "on=true"]


def test_edits_are_counted_in_words():
    assert edits_in_words(Edits({"added": 1}, "Ada")) == "1 object by Ada (1 added)."
    assert "looked through completely: 2" in edits_in_words(Edits({}, "Ada", 2))
