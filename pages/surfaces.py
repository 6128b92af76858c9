"""Planetary surfaces: craters, valleys and ridges on a frame, measured, compared and counted."""

from __future__ import annotations

import streamlit as st

from core.ui import methods, surfaces, surfaces_home, surfaces_measured
from core.ui.arrivals import NO_RESULT, Step, arrived, wait_for_next
from core.ui.benchmark_tables import benchmark_tables
from core.ui.frames import choose_frame, sample_gallery
from core.ui.processing import display_controls
from core.ui.runs import run_note
from core.ui.selection import offer, selected
from core.ui.shell import choose_one, choose_section, enter_dashboard, face, lead, show_warnings
from core.ui.surfaces_compare import comparison_panel, survey_of
from core.ui.surfaces_names import names_layer, names_toggle
from core.ui.surfaces_scale import choose_ground, measure_of
from core.ui.surfaces_statistics import remember_ground, statistics_panel
from core.ui.viewer import frame_viewer
from core.ui.viewer.model import Mode

SECTIONS = {
    "Explore": ("Try another", "Compare", "Put it right", "Take it home"),
    "Research": (
        "Landforms",
        "Sizes",
        "Valleys and ridges",
        "Compare",
        "Statistics",
        "Methods",
        "Scores",
        "Put it right",
        "Take it home",
    ),
}
GALLERY = ("moon_imbrium", "moon_tycho", "moon_serenitatis", "mars_valles_marineris")
MODES: dict[str, Mode] = {"Overlay": "single", "Grid": "side by side", "Blink": "blink"}

enter_dashboard()
st.title("Planetary surfaces")
research = face() == "Research"
picture, controls = st.columns([3, 1], gap="medium")

with controls:
    card = st.container()
    choice = choose_frame("moon_tycho", kinds=("planetary",))
    frame = choice.frame
    first = surfaces.first_method()
    chosen = methods.choose_methods("surfaces", first=first, all_at_first=surfaces.is_quick(frame))
    params = methods.method_parameters(chosen) if research else methods.default_parameters(chosen)
    again = research and st.button("Run again", icon=":material/refresh:", width="stretch")
    arrivals = arrived(chosen, frame, params, again=again)
    analyses = arrivals.analyses
    ground = choose_ground(choice)
    measure = measure_of(frame, ground)
    remember_ground(frame, ground, measure, analyses)
    mode = "Overlay"
    if len(analyses) > 1:
        mode = choose_one("View", MODES, "surfaces.mode")
    named = names_toggle(frame)
    areas = surfaces.choose_areas(analyses, full=research)
    heat, heat_title = surfaces.choose_heat(analyses)
    with st.expander("Display", icon=":material/contrast:"):
        settings = display_controls(frame, "display", full=research)

with picture:
    headline, progress = st.container(), st.empty()
    asked = st.session_state.get("surfaces.confidence")
    found = surfaces.candidates(analyses, measure, asked, frame)
    marks = surfaces.marks_of(found, grid=mode != "Overlay")
    mark = selected("surfaces", (frame.key, params))
    apart = [] if mode == "Overlay" else found
    panes = surfaces.panes_of(apart, frame, settings, marks, areas, measure.across_km)
    event = frame_viewer(
        panes,
        [*marks.layers, names_layer(frame)] if named else marks.layers,
        key="surfaces.viewer",
        mode=MODES[mode],
        selected=marks.at(mark),
        height_px=640 if len(panes) < 3 or mode == "Blink" else 440,
        heat=heat,
        heat_title=heat_title,
    )
    if event.threshold != asked:
        st.session_state["surfaces.confidence"] = event.threshold
        st.rerun()
    meant = None if event.selected is None else marks.meant(event.selected)
    offer("surfaces", "picture", meant, {"surfaces.objects": meant[0]} if meant else None)
    surfaces_measured.mix_bar(found, measure, full=research)
    if research:
        st.caption(" · ".join(run_note(analysis) for analysis in analyses))
    sentence = surfaces.sentence(found, measure, ground, asked, waiting=bool(arrivals.waiting))
    with headline:
        lead(sentence)
        st.caption(surfaces.ground_facts(frame, ground))
        show_warnings([each for each in (*frame.notes, *arrivals.warnings) if each != sentence])

with card:
    surfaces.object_card(mark, found, ground)
if not research:
    with controls:
        surfaces.explain(choice, found)

survey = survey_of(choice.title, found, measure, ground.body)
steps: list[Step] = []
options = SECTIONS[face()]
section = choose_section(options, "surfaces.section")
if section == "Try another":
    sample_gallery(GALLERY, "surfaces.gallery")
elif section == "Statistics":
    statistics_panel()
elif section == "Methods":
    methods.about_methods("surfaces")
elif section == "Scores":
    benchmark_tables("surfaces")
elif not found:
    st.info(NO_RESULT)
elif section == "Landforms":
    surfaces_measured.objects_panel(found, mark)
elif section == "Sizes":
    surfaces_measured.sizes_panel(survey, ground)
elif section == "Valleys and ridges":
    surfaces_measured.lines_panel(survey, ground)
elif section == "Compare":
    steps = comparison_panel(survey, choice, chosen, params)
elif section == "Put it right":
    analysis = methods.choose_analysis(analyses, "surfaces.correct")
    surfaces_home.correction_panel(analysis, found, frame, settings, event.clicked)
elif section == "Take it home":
    analysis = methods.choose_analysis(analyses, "surfaces.export")
    surfaces_home.home_panel(analysis, found, choice, ground, measure)
wait_for_next([(frame, arrivals), *steps], params, progress)
