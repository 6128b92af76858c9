"""A surface on a few pages: what was found and measured, by what, and how to do it again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import WeightsUnavailable
from core.export.report import Block, Code, Paragraph, Picture, Report, Section, Table
from core.frames.ground import FILE_SOURCE
from core.methods import Method
from core.models import ModelCard, read_card
from core.results import Detections, Provenance, Result
from core.surfaces import figures
from core.surfaces.kinds import LINES
from core.surfaces.looks import MARKED, PLURAL
from core.surfaces.measure import Measure
from core.surfaces.mix import mix_or_cover
from core.surfaces.survey import Survey, complete_from_px
from core.ui.text import three_figures

UInt8 = NDArray[np.uint8]
MOST_ROWS = 100
"""Rows of landforms in a report; an export has them all."""
NOBODY = "nobody has corrected anything"


@dataclass(frozen=True)
class Edits:
    """What people put right.

    Attributes:
        counts: How many objects are in each state that is not "unreviewed" (``"accepted"``, ``"added"`` …).
        person: Whose corrections these are.
        windows: Parts of the frame that were looked through completely.
    """

    counts: Mapping[str, int]
    person: str = ""
    windows: int = 0

    @property
    def total(self) -> int:
        """Objects that a person touched."""
        return sum(self.counts.values())


@dataclass(frozen=True, eq=False)
class Subject:
    """What a report is of.

    Attributes:
        title: What the frame shows.
        sentence: What was found, in one sentence.
        method: The method.
        result: Its result, with provenance.
        detections: What is reported: as found, or as put right; measured.
        picture: ``(h, w, 3)`` of the whole frame, the right way up.
        measure: What it was measured by.
        edits: What people put right in ``detections``.
        body: ``"Moon"``, or None.
        km_per_px: Kilometres a pixel, or None.
        scale_source: How the scale is known, or why it is not.
        credit: Whose picture it is and what may be done with it.
    """

    title: str
    sentence: str
    method: Method
    result: Result
    detections: Detections
    picture: UInt8
    measure: Measure
    edits: Edits
    body: str | None = None
    km_per_px: float | None = None
    scale_source: str = ""
    credit: str = ""

    @property
    def survey(self) -> Survey:
        """What is reported, with the area it was found on."""
        facts = self.provenance
        return Survey(
            title=self.title,
            table=self.detections.table,
            measure=self.measure,
            complete_px=complete_from_px(facts.params),
            body=self.body,
            mix=mix_or_cover(
                self.result.facts, self.detections.table, facts.width, facts.height, self.measure.area_px
            ),
        )

    @property
    def provenance(self) -> Provenance:
        """Where the result came from.

        Raises:
            ValueError: The result does not say.
        """
        if self.result.provenance is None:
            raise ValueError("a report needs a result that says where it came from")
        return self.result.provenance


def surface_report(subject: Subject) -> Report:
    """The report: figures, numbers, tables, parameters, the network's card, edits, provenance, command."""
    command = rerun_command(subject.provenance)
    sections = [
        Section("", _pictures(subject)),
        Section("Numbers", [_numbers(subject)]),
        Section("Sizes and directions", _plots(subject)),
        Section("Landforms", _landforms(subject)),
        Section("Corrections by hand", [Paragraph(edits_in_words(subject.edits))]),
        Section("How it was made", [_provenance(subject), _parameters(subject)]),
        *_card(subject.method),
        Section(
            "Run it again",
            [
                Paragraph("From the folder of Almagest, with the file beside it:"),
                Code(command),
                *_beyond_command(subject),
            ],
        ),
    ]
    script = f"#!/bin/sh\n# {subject.provenance.frame_sha256}\n{command}\n"
    files = {"run-again.sh": script.encode()}
    return Report(subject.title, subject.sentence, [each for each in sections if each.blocks], files)


def rerun_command(provenance: Provenance) -> str:
    """The command line that does the run again; the frame is named, so it must lie in the folder."""
    settings = [shlex.quote(f"{name}={_setting(value)}") for name, value in provenance.params.items()]
    parts = ["python -m core analyse", provenance.method, shlex.quote(_file_name(provenance.frame_name))]
    parts += ["--out surface"]
    return " ".join(parts + (["--set", *settings] if settings else []))


def _file_name(name: str) -> str:
    """One that no shell and no argument parser takes for an option."""
    plain = "".join(letter if letter.isprintable() else "_" for letter in name)
    return f"./{plain}" if plain.startswith("-") else plain


def _setting(value: object) -> str:
    if value is None:
        return "auto"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _beyond_command(subject: Subject) -> list[Block]:
    """What the command does not say of the frame."""
    provenance, ground = subject.provenance, subject.measure.ground
    facts = [
        f"image {provenance.hdu} of the file" if provenance.hdu else "",
        f"its plane {provenance.plane}" if provenance.plane is not None else "",
        f"processed by {provenance.processing}" if provenance.processing else "",
        # What a method finds on a map depends on how its pixels lie on the ground.
        f"with a position on the map that is not in the file ({ground.source})"
        if ground is not None and ground.source != FILE_SOURCE
        else "",
    ]
    said = ", ".join(fact for fact in facts if fact)
    return [Paragraph(f"The run was made on {said}.", small=True)] if said else []


def edits_in_words(edits: Edits) -> str:
    """How much was put right, by whom."""
    if not edits.total and not edits.windows:
        return f"None: {NOBODY}."
    states = ", ".join(f"{count} {state}" for state, count in edits.counts.items() if count)
    windows = f" Parts looked through completely: {edits.windows}." if edits.windows else ""
    objects = f"{edits.total} object{'' if edits.total == 1 else 's'} by {edits.person or 'a visitor'}"
    return f"{objects}{f' ({states})' if states else ''}.{windows}"


def _pictures(subject: Subject) -> list[Block]:
    facts = subject.provenance
    classes = tuple(subject.result.maps)
    mask = next(iter(subject.result.masks.values()), None)
    drawn: list[Block] = [
        Picture(
            "",
            figures.picture_figure(
                subject.picture,
                subject.detections.table,
                (facts.width, facts.height),
                row0_bottom=subject.measure.row0 == "bottom",
                mask=mask if mask is not None and int(mask.max(initial=0)) <= len(classes) else None,
                classes=classes,
                km_per_px=subject.measure.across_km,
            ),
            subject.credit,
            wide=True,
        )
    ]
    if subject.survey.mix:
        picture = figures.mix_figure({subject.title: subject.survey.mix})
        drawn.append(Picture("What the ground is a mix of", picture, wide=True))
    return drawn


def _numbers(subject: Subject) -> Table:
    facts, survey, scale = subject.provenance, subject.survey, subject.km_per_px
    in_km = survey.has_km
    unit = "km" if in_km else "px"
    rows = [
        ("body", subject.body or "not told", ""),
        ("frame", f"{facts.width:,} × {facts.height:,} px", ""),
        ("scale", f"{scale:.4g} km a pixel" if scale is not None else "unknown", subject.scale_source),
        ("area counted", f"{_number(survey.area(in_km=in_km))} {unit}²", subject.measure.area_note),
    ]
    for label in MARKED:
        n = survey.count(label)
        remark = ""
        if label in LINES and n:
            remark = f"together {_number(survey.lengths([label], in_km=in_km).sum())} {unit} long"
        rows.append((PLURAL[label], f"{n:,}", remark))
    sizes = survey.diameters(in_km=in_km)
    if len(sizes):
        limit = survey.complete_from(in_km=in_km)
        density, low, high = survey.crater_density(limit, in_km=in_km)
        rows += [
            (
                "largest crater",
                f"{_number(float(sizes.max()))} {unit}",
                "cut off by the frame: what it would be" if survey.largest_is_cut else "",
            ),
            (
                f"craters of {three_figures(limit)} {unit} and more",
                f"{int((sizes >= limit).sum()):,}",
                "smaller ones are missed too often to be counted",
            ),
            (
                "their density",
                f"{_number(density)} a million {unit}²",
                f"68 % Poisson interval {_number(low)} to {_number(high)}",
            ),
        ]
    return Table(("quantity", "value", "remark"), rows)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000.0 else f"{value:.4g}"


def _plots(subject: Subject) -> list[Block]:
    survey, in_km = subject.survey, subject.survey.has_km
    unit = "km" if in_km else "px"
    drawn: list[Block] = []
    for title, points, y_title in survey.size_curves(in_km=in_km):
        picture = figures.size_figure(
            {survey.title: points},
            survey.complete_from(in_km=in_km),
            f"crater diameter D [{unit}]",
            y_title.format(unit=unit),
        )
        drawn.append(Picture(title, picture, "With 68 % Poisson intervals; what is not complete is faint."))
    roses = {label: survey.rose([label]) for label in LINES if survey.count(label)}
    parts = {label: (each.edges_deg, each.parts) for label, each in roses.items() if each is not None}
    if parts:
        picture = figures.rose_figure(parts)
        about = f"Parts of the length by direction, from {survey.zero_direction} clockwise."
        drawn.append(Picture("Where valleys and ridges run", picture, about))
    return drawn


def _landforms(subject: Subject) -> list[Block]:
    table = subject.detections.table
    if not len(table):
        return []
    size = np.zeros(len(table))
    for name in ("diameter_px", "length_px"):
        if name in table:
            size = np.fmax(size, table[name].to_numpy(float, na_value=0.0))
    largest = table.iloc[np.argsort(-size, kind="stable")[:MOST_ROWS]]
    columns = [name for name in _COLUMNS if name in table and table[name].notna().any()]
    rows = [[_cell(row[name], _DIGITS.get(name)) for name in columns] for _, row in largest.iterrows()]
    note = "" if len(table) <= MOST_ROWS else f"The {MOST_ROWS} largest of {len(table):,}."
    return [Table(tuple(_COLUMNS[name] for name in columns), rows, note)]


_COLUMNS = {
    "label": "landform",
    "name": "name",
    "score": "score",
    "x": "x [px]",
    "y": "y [px]",
    "diameter_px": "diameter [px]",
    "diameter_km": "diameter [km]",
    "axis_ratio": "axis ratio",
    "eccentricity": "eccentricity",
    "length_px": "length [px]",
    "length_km": "length [km]",
    "azimuth_deg": "direction from north [°]",
    "angle_deg": "angle [°]",
    "lat_deg": "latitude [°]",
    "lon_deg": "longitude [°]",
    "state": "state",
}


_DIGITS = {"x": 1, "y": 1, "azimuth_deg": 1, "angle_deg": 1, "lat_deg": 3, "lon_deg": 3}
"""Behind the point, of places and directions: four figures of a longitude would be some kilometres."""


def _cell(value: object, digits: int | None = None) -> str:
    if isinstance(value, float):
        said = _number(value) if digits is None else f"{value:.{digits}f}"
        return said if np.isfinite(value) else ""
    return "" if value is None or value is pd.NA else str(value)


def _provenance(subject: Subject) -> Table:
    facts = subject.provenance
    rows = [
        ("method", facts.method, subject.method.title),
        ("reference", subject.method.reference, ""),
        ("frame", facts.frame_name, f"sha256 {facts.frame_sha256}"),
        ("weights", facts.weights_sha256 or "none needed", ""),
        ("run", facts.started_at, f"Almagest {facts.version}"),
        *((f"warning {number}", said, "") for number, said in enumerate(subject.result.warnings, 1)),
    ]
    return Table(("what", "value", "remark"), rows)


def _parameters(subject: Subject) -> Table:
    known = {spec.name: spec for spec in subject.method.params.specs()}
    rows = []
    for name, value in subject.provenance.params.items():
        spec = known.get(name)
        unit = f" {spec.unit}" if spec is not None and spec.unit and value is not None else ""
        default = "" if spec is None else _setting(spec.default)
        rows.append((name, f"{_setting(value)}{unit}", default, "" if spec is None else spec.help))
    return Table(("parameter", "value", "default", "what it does"), rows)


def _card(method: Method) -> list[Section]:
    if method.weights is None:
        return []
    try:
        card = read_card(method.weights)
    except WeightsUnavailable:
        return []
    return [Section("The network", [_card_facts(card), *_card_tables(card)])]


def _card_facts(card: ModelCard) -> Table:
    rows = [
        ("network", card.title),
        ("architecture", card.architecture),
        ("parameters", f"{card.n_parameters:,}"),
        ("classes", ", ".join(card.labels)),
        ("trained", f"{card.date}, {card.minutes:,.0f} min on {card.device}"),
        ("with", card.command),
        ("file", f"{card.file}, sha256 {card.sha256}"),
        ("licence", card.licence),
        *((f"limit {number}", said) for number, said in enumerate(card.limits, 1)),
    ]
    return Table(("what", "value"), rows)


def _card_tables(card: ModelCard) -> list[Block]:
    data = [(each.name, each.licence, each.use) for each in card.training_data]
    scores = [(said, f"{score.value:.4g}", score.command) for said, score in card.scores.items()]
    tables: list[Block] = [Table(("data", "licence", "used for"), data)] if data else []
    return tables + ([Table(("measured on what it never saw", "value", "command"), scores)] if scores else [])
