"""Deep-sky objects: galaxies, nebulae and clusters on a frame, by every method at once."""

from __future__ import annotations

import streamlit as st

from core.ui import boxes, corrections, dso, dso_card, dso_names, dso_pictures, dso_truth, methods
from core.ui.arrivals import NO_RESULT, arrived, wait_for_next
from core.ui.benchmark_tables import benchmark_tables
from core.ui.confidence import layers_of, leading
from core.ui.frames import choose_frame, frame_facts, sample_gallery
from core.ui.processing import display_controls
from core.ui.runs import run_note
from core.ui.selection import offer, selected
from core.ui.shell import choose_one, choose_section, enter_dashboard, face, lead, show_warnings
from core.ui.viewer import Pane, frame_viewer
from core.ui.visitor import person

SECTIONS = {
    "Explore": ("Try another", "Put it right", "Take it home"),
    "Research": ("Objects", "Agreement", "Truth", "Methods", "Scores", "Put it right", "Take it home"),
}
GALLERY = ("m31", "m8", "m17", "m51_kpno", "m83", "m66", "m74", "ic1396", "m13", "m3", "m44")
MODES = {"Overlay": "single", "Grid": "side by side", "Blink": "blink"}

enter_dashboard()
st.title("Deep-sky objects")
research = face() == "Research"
picture, controls = st.columns([3, 1], gap="medium")

with controls:
    card = st.container()
    choice = choose_frame("m66", kinds=("deep_sky", "galaxy"))
    frame = choice.frame
    chosen = methods.choose_methods("dso", first="dso.yolo", all_at_first=dso.is_quick(frame))
    params = methods.method_parameters(chosen) if research else methods.default_parameters(chosen)
    again = research and st.button("Run again", icon=":material/refresh:", width="stretch")
    arrivals = arrived(chosen, frame, params, again=again)
    analyses = arrivals.analyses
    mode = choose_one("View", MODES, "dso.mode")
    remade = dso_pictures.remade_pictures(analyses)
    beside = dso_pictures.choose_pictures(remade)
    heat, heat_title, own_heat = dso_pictures.choose_heat(analyses, grid=mode == "Grid")
    names = dso_names.names_toggle(frame)
    with st.expander("Display", icon=":material/contrast:"):
        settings = display_controls(frame, "display", full=research)

with picture:
    headline, progress = st.container(), st.empty()
    asked = st.session_state.get("dso.confidence")
    found = dso.candidates(analyses, frame, asked)
    mark = selected("dso", (frame.key, params))
    only = leading(found) if not research and mode == "Overlay" else None
    layers = layers_of(found, only=only, lettered=not names)
    sources = [analysis.method.name for analysis in analyses]
    if names:
        layers, sources = [*layers, dso_names.names_layer(frame)], [*sources, dso_names.NAMES]
    panes = [Pane(frame.name, frame, settings)]
    if mode != "Overlay" and found:
        over = (len(found),) if names else ()
        panes = [
            Pane(
                each.title,
                frame,
                settings,
                (k, *over),
                dso_pictures.own_heat(each.analysis) if own_heat else None,
            )
            for k, each in enumerate(found)
        ]
    panes += dso_pictures.picture_panes(beside, frame)
    why = dso_card.why_map(mark, found, frame)
    event = frame_viewer(
        panes,
        layers,
        key="dso.viewer",
        mode="side by side" if mode == "Overlay" and beside else MODES[mode],
        selected=(sources.index(mark[0]), mark[1]) if mark and mark[0] in sources else None,
        height_px=640 if len(panes) < 3 or mode == "Blink" else 440,
        heat=heat if why is None else why,
        heat_title=heat_title if why is None else "Why: XRAI",
    )
    if event.threshold != asked:
        st.session_state["dso.confidence"] = event.threshold
        st.rerun()
    meant = (sources[event.selected[0]], event.selected[1]) if event.selected else None
    offer("dso", "picture", meant, {"dso.objects": meant[0]} if meant else None)
    st.caption(" · ".join(run_note(analysis) for analysis in analyses) if research else dso.times(found))
    with headline:
        lead(dso.sentence(found, asked, waiting=bool(arrivals.waiting)))
        st.caption(frame_facts(frame))
        show_warnings([*frame.notes, *arrivals.warnings])

with card:
    dso_card.object_card(mark, found, frame)
if not research:
    with controls:
        dso.explain(choice, found, named=names)

options = (*SECTIONS[face()], *(("Truth",) if choice.truth is not None and not research else ()))
section = choose_section(options, "dso.section")
if section == "Try another":
    sample_gallery(GALLERY, "dso.gallery")
elif section == "Methods":
    methods.about_methods("dso")
elif section == "Scores":
    benchmark_tables("dso")
elif not found:
    st.info(NO_RESULT)
elif section == "Objects":
    dso.objects_panel(found, mark)
elif section == "Agreement":
    picked = boxes.agreement_panel(found, "dso.agree")
    offer("dso", "agreement", picked)
elif section == "Truth":
    who = person()
    mended = [corrections.corrected(analysis, who) for analysis in analyses]
    dso_truth.truth_panel(found, dso_truth.truths(choice, frame, analyses, mended))
elif section == "Put it right":
    analysis = methods.choose_analysis(analyses, "dso.correct")
    dso.correction_panel(analysis, found, frame, settings, event.clicked)
elif section == "Take it home":
    analysis = methods.choose_analysis(analyses, "dso.export")
    dso.export_panel(analysis, found, frame)
    dso_pictures.picture_downloads(list(remade.values()), frame)
wait_for_next([(frame, arrivals)], params, progress)
