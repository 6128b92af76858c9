"""What the page of planetary surfaces shows of what was found, and says of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core.frames import Frame
from core.frames.display import DisplaySettings
from core.methods import methods
from core.results import Detections
from core.surfaces.kinds import CRATER, LANDFORMS, SEGMENTS, UNSURE
from core.surfaces.looks import COLOURS, DASHES, MARKED, PATTERNS, PLURAL, counted
from core.surfaces.measure import Measure, measured, named
from core.surfaces.mix import mix_of, mix_or_cover
from core.ui.confidence import Candidates, candidates_of, run_name
from core.ui.frames import Choice, about_frame
from core.ui.methods import choose_map, lasting_choice, method_style, short_title
from core.ui.runs import Analysis
from core.ui.selection import Selected
from core.ui.surfaces_scale import Ground
from core.ui.text import plain, three_figures
from core.ui.viewer import AreaClass, Areas, Layer, Pane
from core.ui.viewer.model import Pattern
from core.words import percent

QUICK_PIXELS = 6 * 2**20
"""On a larger picture a person chooses which methods to wait for."""
LEADERS = ("surfaces.craters", "surfaces.segment")
"""Of what several methods find, that of the first of these is shown first."""
PAINTERS = ("surfaces.classify", "surfaces.segment")
"""Whose classes of places are laid over the picture first: that which says best where it is not sure."""
SECOND_DASH = (4.0, 4.0)
"""What another method also found."""
NOWHERE = "none"


@dataclass(frozen=True, eq=False)
class Marks:
    """Layers of the viewer, and what their rows are.

    Attributes:
        layers: A layer for each landform of each method.
        means: Of each layer, the method and the rows of its candidates.
    """

    layers: list[Layer]
    means: list[tuple[str, NDArray[np.intp]]]

    def at(self, mark: tuple[str, int] | None) -> tuple[int, int] | None:
        """Layer and row in it of a selection."""
        for number, (name, rows) in enumerate(self.means):
            if mark is not None and mark[0] == name and mark[1] in rows:
                return number, int(np.flatnonzero(rows == mark[1])[0])
        return None

    def of(self, method: str) -> tuple[int, ...]:
        """The layers of one method."""
        return tuple(number for number, (name, _) in enumerate(self.means) if name == method)

    def meant(self, selected: tuple[int, int]) -> tuple[str, int] | None:
        """Method and row of its candidates of what was clicked; None of a layer that is no method's."""
        layer, row = selected
        if layer >= len(self.means):
            return None
        name, rows = self.means[layer]
        return name, int(rows[row])


def is_quick(frame: Frame) -> bool:
    """Whether every method may be asked at once."""
    return frame.width * frame.height <= QUICK_PIXELS


def first_method() -> str:
    """The method that is asked where only one is."""
    ready = [name for name, method in methods("surfaces").items() if method.is_ready]
    return next((name for name in (*LEADERS, *ready) if name in ready), "surfaces.hough")


def candidates(
    analyses: Sequence[Analysis], measure: Measure, asked: float | None, frame: Frame | None = None
) -> list[Candidates]:
    """What each method found at the confidence asked for, measured; with names where the frame is given."""
    found = []
    for analysis in analyses:
        key = f"{run_name(analysis)} {measure!r} {'no names' if frame is None else 'names'}"
        everything, limit = _everything(key, analysis, measure, frame)
        found.append(Candidates(analysis, everything, limit, asked))
    return found


@st.cache_resource(show_spinner=False, max_entries=32, ttl=3600)
def _everything(
    key: str, _analysis: Analysis, _measure: Measure, _frame: Frame | None
) -> tuple[Detections, float]:
    everything, limit = candidates_of(_analysis.result)
    everything = measured(everything, _measure)
    return everything if _frame is None else named(everything, _frame), limit


def rank(method: str) -> int:
    """Which of several methods that found something is shown first: that of the lowest rank."""
    return LEADERS.index(method) if method in LEADERS else len(LEADERS)


def leaders(found: Sequence[Candidates]) -> dict[str, Candidates]:
    """For each landform the method that is shown first: the first of :data:`LEADERS` to find any."""
    ordered = sorted(found, key=lambda each: rank(each.analysis.method.name))
    first: dict[str, Candidates] = {}
    for label in MARKED:
        each = next((each for each in ordered if (each.shown.table["label"] == label).any()), None)
        if each is not None:
            first[label] = each
    return first


def objects_of(found: Sequence[Candidates]) -> Detections:
    """The objects that are shown first, of every landform its leader's."""
    tables: list[pd.DataFrame] = []
    units: dict[str, str] = {}
    for label, each in leaders(found).items():
        shown = each.shown.table
        tables.append(shown[shown["label"] == label])
        units.update(each.shown.units)
    if not tables:
        return Detections.empty()
    table = pd.concat([table.dropna(axis="columns", how="all") for table in tables], ignore_index=True)
    return Detections(table, {name: unit for name, unit in units.items() if name in table})


def marks_of(found: Sequence[Candidates], *, grid: bool = False) -> Marks:
    """A layer for each landform of each method; what another method shows first waits in the legend.

    Args:
        found: What each method found.
        grid: Every method has a picture of its own, so that nothing hides anything.
    """
    first = leaders(found)
    layers, means = [], []
    for label in MARKED:
        several = sum((each.everything.table["label"] == label).any() for each in found) > 1
        for each in sorted(found, key=lambda each: each is not first.get(label)):
            rows = np.flatnonzero(each.everything.table["label"] == label)
            if not len(rows):
                continue
            leads = grid or each is first.get(label, each)
            dash = DASHES.get(label, ())
            name = PLURAL[label].capitalize()
            layers.append(
                Layer(
                    f"{name} · {each.title}" if several else name,
                    _drawn(each.everything.where(np.isin(np.arange(len(each.everything)), rows))),
                    COLOURS[label] if leads else method_style(each.analysis.method.name)[0],
                    "circle" if label == CRATER else "line",
                    visible=leads,
                    note=_note(label, each.everything),
                    size_px="semi_major_px",
                    ellipse=("axis_ratio", "angle_deg"),
                    path="path",
                    dash=dash if leads else SECOND_DASH,
                    limit=each.limit,
                )
            )
            means.append((each.analysis.method.name, rows))
    return Marks(layers, means)


def _drawn(detections: Detections) -> Detections:
    """With all the columns that the viewer draws from, whatever a method gives."""
    table = detections.table.copy()
    for name in ("diameter_px", "axis_ratio", "angle_deg"):
        values = table[name] if name in table else np.full(len(table), np.nan)
        table[name] = np.asarray(values, float)
    if "path" not in table:
        table["path"] = None
    ratio = np.clip(np.nan_to_num(table["axis_ratio"], nan=1.0), 0.05, 1.0)
    table["semi_major_px"] = np.nan_to_num(table["diameter_px"]) / 2.0 / np.sqrt(ratio)
    return Detections(table, detections.units)


def _note(label: str, everything: Detections) -> str | None:
    size = "diameter" if label == CRATER else "length"
    return next((name for name in (f"{size}_km", f"{size}_px") if name in everything.table), None)


def class_names(analysis: Analysis) -> tuple[str, ...]:
    """What the numbers from 1 in a result's mask mean."""
    return SEGMENTS if "landforms" in analysis.result.masks else tuple(analysis.result.maps)


def areas_of(analysis: Analysis) -> Areas | None:
    """What a method took each place for; None where it does not say."""
    return _areas(run_name(analysis), analysis) if analysis.result.masks else None


@st.cache_resource(show_spinner=False, max_entries=16, ttl=3600)
def _areas(run: str, _analysis: Analysis) -> Areas:
    names = class_names(_analysis)
    classes = [
        AreaClass(name, COLOURS.get(name, "#FFFFFF"), cast(Pattern, PATTERNS.get(name, "solid")))
        for name in (UNSURE, *names)
    ]
    mask = next(iter(_analysis.result.masks.values()))
    # A number that is no class is as good as unsure.
    mask = np.where(mask <= len(names), mask, 0).astype(np.uint16)
    shown = {name: _analysis.result.maps[name] for name in names if name in _analysis.result.maps}
    return Areas("Landforms", tuple(classes), mask, shown)


def panes_of(
    found: Sequence[Candidates],
    frame: Frame,
    settings: DisplaySettings,
    marks: Marks,
    areas: Areas | None,
    km_per_px: float | None,
) -> list[Pane]:
    """The frame once for each of the methods, with what that one found; once with all marks for none.

    Args:
        found: What the methods found that are shown apart.
        frame, settings: What is shown, and how.
        marks: Of all methods.
        areas: The classes of places that are laid over it, apart those of each method; None for none.
        km_per_px: Kilometres of a pixel from left to right, for the scale bar.
    """
    if not found:
        return [Pane(frame.name, frame, settings, areas=areas, km_per_px=km_per_px)]
    return [
        Pane(
            each.title,
            frame,
            settings,
            marks.of(each.analysis.method.name),
            areas=areas_of(each.analysis) if areas else None,
            km_per_px=km_per_px,
        )
        for each in found
    ]


def choose_areas(analyses: Sequence[Analysis], *, full: bool) -> Areas | None:
    """Draw the choice of whose classes of places are laid over the picture, where a method gives them."""
    painters = [each for each in analyses if each.result.masks]
    painters.sort(key=lambda each: (*PAINTERS, each.method.name).index(each.method.name))
    makers = {short_title(each.method.title): each for each in painters}
    if not makers:
        return None
    if not full or len(makers) == 1:
        on = st.toggle("Colour the landforms", value=True, key="surfaces.areas", persist_state="session")
        return areas_of(next(iter(makers.values()))) if on else None
    picked = lasting_choice("Colour the landforms", [*makers, NOWHERE], "surfaces.areas.of")
    return areas_of(makers[picked]) if picked in makers else None


def choose_heat(analyses: Sequence[Analysis]) -> tuple[NDArray[np.float32] | None, str]:
    """Draw the choice of a class whose probability is laid over the picture, where a method gives one."""
    if not any(analysis.result.maps for analysis in analyses):
        return None, ""
    heat, name = choose_map(analyses, "surfaces.map")
    return heat, f"Probability of {name}"


def refusal(analyses: Sequence[Analysis]) -> str:
    """Why nothing was looked for, where every method turned the picture down with a sentence; else empty."""
    said = [
        analysis.result.warnings[0]
        for analysis in analyses
        if analysis.result.warnings
        and not len(analysis.result.detections)
        and not len(analysis.result.rejected)
        and not analysis.result.maps
    ]
    return said[0] if said and len(said) == len(analyses) else ""


def sentence(
    found: Sequence[Candidates], measure: Measure, ground: Ground, asked: float | None, *, waiting: bool
) -> str:
    """The one sentence on top of the page."""
    if not found:
        return "Looking for craters, valleys and ridges." if waiting else "No method can look at this here."
    turned_down = refusal([each.analysis for each in found])
    if turned_down:
        return turned_down
    lead = "" if asked is None else f"At a confidence of {asked:.2f} and above: "
    return f"{lead}{in_words(objects_of(found).table, measure, ground)}{mix_words(found)}"


def in_words(objects: pd.DataFrame, measure: Measure, ground: Ground) -> str:
    """A sentence on how many craters, valleys and ridges there are, and on the largest crater."""
    counts = [(int((objects["label"] == label).sum()), label) for label in MARKED]
    said = [counted(n, label) for n, label in counts if n]
    if not said:
        return "No craters, valleys or ridges stand out here."
    listed = said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"
    return f"{listed}{_largest(objects, measure, ground)}."


def _largest(objects: pd.DataFrame, measure: Measure, ground: Ground) -> str:
    craters = objects[objects["label"] == CRATER]
    name, unit = ("diameter_km", "km") if ground.km_per_px is not None else ("diameter_px", "px")
    if name not in craters or not craters[name].notna().any():
        return ""
    largest = craters.iloc[[int(np.nanargmax(craters[name]))]]
    size = f"{three_figures(largest[name].item())} {unit} across"
    if measure.cuts(largest).item():
        return f"; the largest crater, cut off by the frame, would be {size}"
    return f"; the largest crater is {size}"


def mix_words(found: Sequence[Candidates]) -> str:
    """A sentence on what covers most of the surface, where a method says so that could see slopes."""
    facts = (each.analysis.result.facts for each in found)
    told = (mix_of(each) for each in facts if not np.isnan(each.get("sun_azimuth_deg", 0.0)))
    mix: dict[str, float] = next((each for each in told if each), {})
    sure = {label: share for label, share in mix.items() if label in LANDFORMS}
    if not sure or max(sure.values()) < 0.2:
        return ""
    label = max(sure, key=lambda name: sure[name])
    much = "Most" if sure[label] > 0.5 else percent(sure[label])
    return f" {much} of the ground is {label}."


def mixes(found: Sequence[Candidates], measure: Measure) -> dict[str, dict[str, float]]:
    """What each method takes a frame for a mix of, by its title; only those that say so."""
    told = {
        each.title: mix_or_cover(
            each.analysis.result.facts, each.shown.table, measure.width, measure.height, measure.area_px
        )
        for each in sorted(found, key=lambda each: not mix_of(each.analysis.result.facts))
    }
    return {title: mix for title, mix in told.items() if mix}


def object_card(mark: Selected | None, found: Sequence[Candidates], ground: Ground) -> None:
    """Draw what there is to say of the object that is selected, if one is."""
    each = next((each for each in found if mark and each.analysis.method.name == mark[0]), None)
    if mark is None or each is None or mark[1] >= len(each.everything):
        return
    row = each.everything.table.iloc[mark[1]]
    with st.container(border=True):
        st.markdown(f"##### {plain(_title(row, ground))}")
        for line in _lines_about(row, ground):
            st.markdown(plain(line))
        st.caption(plain(f"{each.title} saw it, with a confidence of {row['score']:.2f}."))


def _title(row: pd.Series, ground: Ground) -> str:
    size = "diameter" if row["label"] == CRATER else "length"
    unit = "km" if ground.km_per_px is not None else "px"
    value = row.get(f"{size}_{unit}", np.nan)
    name = row.get("name")
    what = f"{name}, a {row['label']}" if isinstance(name, str) else f"A {row['label']}"
    if value is None or not np.isfinite(value):
        return what
    return f"{what}, {three_figures(value)} {unit} {'across' if size == 'diameter' else 'long'}"


def _lines_about(row: pd.Series, ground: Ground) -> list[str]:
    said = []
    ratio, angle = np.sqrt(1.0 - row.get("eccentricity", np.nan) ** 2), row.get("angle_deg", np.nan)
    azimuth = row.get("azimuth_deg", np.nan)
    if row["label"] == CRATER and np.isfinite(ratio):
        shape = "round" if ratio > 0.9 else "slightly oval" if ratio > 0.75 else "oval"
        said.append(f"It looks {shape}: its short axis is {ratio:.2f} of the long one.")
    elif row["label"] != CRATER and np.isfinite(azimuth):
        said.append(f"Its mean direction is {azimuth:.0f}° from north through east.")
    elif row["label"] != CRATER and angle is not None and np.isfinite(angle):
        said.append(f"Its mean direction is {angle:.0f}° from the frame's +x axis towards +y.")
    lat, lon = row.get("lat_deg", np.nan), row.get("lon_deg", np.nan)
    if np.isfinite(lat) and np.isfinite(lon):
        said.append(f"Its middle lies at {abs(lat):.2f}° {'NS'[lat < 0]}, {abs(lon):.2f}° {'EW'[lon < 0]}.")
    if ground.km_per_px is None:
        said.append("No scale is known, so there is no size in km.")
    return said


def ground_facts(frame: Frame, ground: Ground) -> str:
    """One line of what is known of the frame and of the ground it shows, as Markdown-safe text."""
    told = [str(frame.header[card]) for card in ("TELESCOP", "INSTRUME", "OBJECT") if card in frame.header]
    return plain(" · ".join([f"{frame.width} × {frame.height} px", ground.said, *told]))


def explain(choice: Choice, found: Sequence[Candidates]) -> None:
    """Tell a visitor what they are looking at, in plain words."""
    with about_frame(choice):
        if found and not refusal([each.analysis for each in found]):
            st.write(
                "A ring is a crater; a line is a valley, a dashed one a ridge. Click one to read about it. "
                "What a thing looks like is told here, not how it came to be."
            )
        with st.expander("What each method does"):
            for each in found:
                count = len(each.shown)
                marked = f" marks {count:,}" if count else " marks nothing by itself"
                about = plain(each.analysis.method.summary)
                st.markdown(f"**{plain(each.title)}**{marked}. {about}")
