"""Star detection: a field in, a corrected catalogue out."""

from __future__ import annotations

import streamlit as st

from core.ui import benchmarks, compare, corrections, exports, methods, stars, tables, truth
from core.ui.arrivals import NO_RESULT, arrived, wait_for_next
from core.ui.frames import choose_frame, frame_facts, sample_gallery
from core.ui.processing import display_controls, processing_chain
from core.ui.runs import run_note
from core.ui.selection import offer, selected
from core.ui.shell import choose_one, choose_section, enter_dashboard, face, lead, open_section, show_warnings
from core.ui.viewer import Pane, frame_viewer
from core.ui.visitor import person

SECTIONS = {
    "Explore": ("Try another", "Put it right", "Take it home"),
    "Research": ("Sources", "Rejected", "Compare", "Plots", "Sky", "Scores", "Put it right", "Take it home"),
}
GALLERY = ("isaac_psr_j1740", "m44", "m3", "m51_kpno", "m22", "m13")
MODES = {"One": "single", "Side by side": "side by side", "Blink": "blink"}

enter_dashboard()
st.title("Star detection")
research = face() == "Research"
picture, controls = st.columns([3, 1], gap="medium")

with controls:
    choice = choose_frame("isaac_psr_j1740", kinds=("star_field", "galaxy", "deep_sky"))
    frame = choice.frame
    quick = stars.is_quick(frame)
    first_method = "stars.hybrid" if quick else "stars.sep"
    chosen = methods.choose_methods("stars", first=first_method, all_at_first=quick)
    params = methods.method_parameters(chosen) if research else methods.default_parameters(chosen)
    again = research and st.button("Run again", icon=":material/refresh:", width="stretch")
    mode = "One"
    if len(chosen) > 1:
        mode = choose_one("Compare", MODES, "stars.mode")
        if research or mode != "One":
            chosen = methods.choose_partner(chosen, "stars.partner")
    with st.expander("Display", icon=":material/contrast:"):
        settings = display_controls(frame, "display", full=research)
    if research:
        with st.expander("Processing", icon=":material/filter_alt:"):
            frame = processing_chain(frame, "chain")
            st.caption("Methods run on the frame as the chain leaves it.")

options = (*SECTIONS[face()], *(("Truth",) if choice.truth is not None else ()))
with picture:
    headline, progress = st.container(), st.empty()
    arrivals = arrived(chosen, frame, params, again=again)
    analyses = arrivals.analyses
    radius_px = stars.match_radius_px(analyses)
    with headline:
        lead(stars.sentence(analyses, waiting=bool(arrivals.waiting)))
        st.caption(frame_facts(frame))
        show_warnings([*frame.notes, *arrivals.warnings])
    with controls:
        heat, heat_title = methods.choose_map(analyses, "stars.map") if research else (None, "")
    section = open_section(options, "stars.section")
    # Two methods' marks hide the stars from a visitor; the legend brings the second back.
    layers = methods.method_layers(analyses, shown=None if research or mode != "One" else 1)
    # Side by side and blinking: what belongs to the first method, and to the second.
    share: tuple[tuple[int, ...], ...] = ((0,), (1,))
    if section == "Compare" and len(analyses) > 1:
        agreement, layers = compare.compare_layers(analyses[0], analyses[1], radius_px)
        share = ((0, 1), (0, 2))
    elif section == "Rejected":
        layers = methods.method_layers(analyses, shown=0) + methods.method_layers(analyses, rejected=True)
        share = ((0, len(analyses)), (1, len(analyses) + 1))
    linked = section not in ("Compare", "Rejected")
    names = [analysis.method.name for analysis in analyses]
    mark = selected("stars", (frame.key, params))
    event = frame_viewer(
        [Pane(frame.name, frame, settings)]
        if mode == "One" or not analyses
        else [
            Pane(a.method.title, frame, settings, layers=own) for a, own in zip(analyses, share, strict=False)
        ],
        layers,
        key="stars.viewer",
        mode=MODES[mode],
        selected=(names.index(mark[0]), mark[1]) if linked and mark and mark[0] in names else None,
        heat=heat,
        heat_title=heat_title,
    )
    if linked and event.selected:
        layer, row = event.selected
        title = analyses[layer].method.title
        offer("stars", "picture", (names[layer], row), {"stars.sources": title})
    elif linked:
        offer("stars", "picture", None)
    st.caption(" · ".join(run_note(analysis) for analysis in analyses))

if not research:
    with controls:
        stars.explain(choice, analyses)

section = choose_section(options, "stars.section")
if section == "Try another":
    sample_gallery(GALLERY, "stars.gallery")
elif section == "Scores":
    benchmarks.star_benchmark()
elif not analyses:
    st.info(NO_RESULT)
elif section == "Sources":
    analysis = methods.choose_analysis(analyses, "stars.sources")
    row = mark[1] if mark and mark[0] == analysis.method.name else None
    table, profile = st.columns([3, 2], gap="large")
    with table:
        picked = tables.sources_table(analysis.result.detections, f"table.{analysis.method.name}", row)
        offer("stars", f"table.{row}", None if picked is None else (analysis.method.name, picked))
    with profile:
        stars.profile_panel(analysis, frame, row)
elif section == "Truth" and choice.truth is not None:
    truth.truth_panel(analyses, choice.truth, radius_px)
elif section == "Rejected":
    stars.rejected_panel(methods.choose_analysis(analyses, "stars.rejected"))
elif section == "Compare":
    if len(analyses) > 1:
        compare.compare_numbers(analyses[0], analyses[1], agreement, radius_px)
    else:
        st.info("Choose two methods, and what both found and what only one found is shown here.")
elif section == "Plots":
    stars.plots_panel(analyses, frame)
elif section == "Sky":
    stars.sky_panel(methods.choose_analysis(analyses, "stars.sky"), frame)
elif section == "Put it right":
    analysis = methods.choose_analysis(analyses, "stars.correct")
    who = person()
    corrections.aim_window("stars.correct", event.clicked)
    corrections.correction_panel(analysis, frame, settings, who, "stars.correct")
    corrections.score_table(analyses, corrections.corrected(analysis, who), radius_px)
elif section == "Take it home":
    analysis = methods.choose_analysis(analyses, "stars.export")
    who = person()
    exports.catalogue_panel(analysis, corrections.corrected(analysis, who), frame, who, "stars.export")
wait_for_next([(frame, arrivals)], params, progress)
