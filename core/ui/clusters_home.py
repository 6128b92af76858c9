"""Taking a cluster home: the clusters, the members of one, and a report on one page."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import PurePath

import pandas as pd
import streamlit as st

import core
from core.clusters.structure import Structure
from core.export.report import Chart, Paragraph, Report, Section, Table, write_html
from core.parameters import canonical_json
from core.results import Provenance, Result
from core.ui import clusters_plots as plots
from core.ui.clusters_field import Field
from core.ui.clusters_found import OWN, Found, members_table
from core.ui.clusters_structure import caveats, figures, measure, numbers_of
from core.ui.corrections import corrected
from core.ui.exports import TABLE_FORMATS, catalogue_panel, export_panel
from core.ui.text import plain
from core.ui.visitor import person, person_name

_HEAD = ("quantity", "value", "remark", "how it was measured")


def home_panel(field: Field, found: Sequence[Found], chosen: tuple[Found, int] | None, sentence: str) -> None:
    """Draw the downloads."""
    if chosen is None or field.stars is None:
        st.info("Nothing was found that could be taken home.")
        return
    each, number = chosen
    what = st.segmented_control(
        "What",
        ["Members", "Clusters", "Report"],
        default="Members",
        key="clusters.home.what",
        required=True,
    )
    name = each.title if each.analysis is None else f"cluster {number + 1} of {each.title}"
    if what == "Report":
        st.caption(
            plain(f"On one page: {name}, with plots, numbers, parameters and sources, in one HTML file.")
        )
        st.download_button(
            "Download the report",
            data=functools.partial(report, field, each, number, sentence),
            file_name=f"{_stem(field)}.cluster{number + 1}.html",
            mime="text/html",
            key="clusters.home.report",
            icon=":material/download:",
            type="primary",
            on_click="ignore",
        )
        return
    result = _result(field, each)
    if what == "Members":
        st.caption(plain(f"The {len(each.members(number)):,} members of {name}."))
        table = members_table(field, each, number)
        extra = (
            {"cluster": number + 1, "made_by": person_name() or "a visitor"}
            if each.name == OWN
            else {"cluster": number + 1}
        )
        export_panel(
            result, None, "clusters.home.members", detections=table, extra=extra, formats=TABLE_FORMATS
        )
    elif each.by_mark and each.analysis is not None and field.choice is not None:
        who = person()
        key = "clusters.home.marks"
        catalogue_panel(each.analysis, corrected(each.analysis, who), field.choice.frame, who, key)
    else:
        export_panel(result, None, "clusters.home.clusters", detections=each.table(), formats=TABLE_FORMATS)


def _result(field: Field, found: Found) -> Result:
    """The method's result; for a person's own cluster one that says so."""
    if found.analysis is not None:
        return found.analysis.result
    source = field.source
    assert source is not None  # noqa: S101 (a cluster of one's own is made of a table's stars)
    provenance = Provenance(
        method=OWN,
        params={},
        frame_name=source.name,
        frame_sha256=source.sha256,
        frame_key=source.key,
        width=0,
        height=0,
        version=core.__version__,
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    return Result(found.detections, provenance=provenance)


def report(field: Field, found: Found, number: int, sentence: str) -> bytes:
    """A cluster on one page: self-contained HTML with plots, numbers, parameters and sources."""
    stars, measured = field.stars, measure(field, found, number)
    assert stars is not None  # noqa: S101 (there are clusters only among stars)
    sky = plots.sky_figure(stars, found, number, downwards=field.downwards, height=430)
    sky.update_xaxes(constrain="domain").update_yaxes(constrain="domain")
    charts = [("Where its stars stand", sky, field.credit)]
    if stars.pm is not None:
        charts.append(("How they move", plots.motion_figure(stars, found, number), "proper motions"))
    if stars.colour is not None and stars.mag is not None:
        charts.append(("How hot and how bright they are", plots.colour_figure(stars, found, number), ""))
    if isinstance(measured, Structure):
        drawings = figures(field, found, measured, number)
        charts += [(title, chart, about) for title, (chart, about) in drawings.items()]
    drawn = []
    for place, (title, chart, about) in enumerate(charts):
        chart.update_layout(template="plotly_white", paper_bgcolor="white", width=None, autosize=True)
        # The first carries the library, so that the page needs no network.
        body = chart.to_html(full_html=False, include_plotlyjs=place == 0, config={"displayModeBar": False})
        drawn.append(Chart(title, body, about))
    result = _result(field, found)
    facts = result.provenance
    title = f"{field.title}: {found.title if found.analysis is None else f'cluster {number + 1}'}"
    numbers = (
        Table(
            _HEAD, [(each.name, each.text, each.remark, each.source) for each in numbers_of(found, measured)]
        )
        if isinstance(measured, Structure)
        else Paragraph(measured)
    )
    made = [] if facts is None else [
        ("method", facts.method, found.analysis.method.title if found.analysis else "made by hand"),
        ("reference", found.analysis.method.reference if found.analysis else "–", ""),
        ("parameters", canonical_json(dict(facts.params)), ""),
        ("stars from", facts.frame_name, f"{field.credit}; sha256 {facts.frame_sha256}"),
        ("run", facts.started_at, f"Almagest {facts.version}"),
    ]  # fmt: skip
    said = [Paragraph(each, small=True) for each in caveats(field, found)]
    sections = [
        Section("Numbers, 68 % uncertainties", [numbers, *said]),
        Section("", drawn),
        Section("How it was made", [Table(("what", "value", "remark"), made)]),
    ]
    return write_html(Report(title, sentence, sections))


def _stem(field: Field) -> str:
    stem = PurePath(field.title).name.split(".")[0]
    return "_".join(pd.Series([stem]).str.findall(r"[A-Za-z0-9]+")[0]) or "field"
