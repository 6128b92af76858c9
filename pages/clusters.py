"""Star clusters: found in the sky, on a picture or in a table, their members and their structure."""

from __future__ import annotations

import streamlit as st

from core.ui import clusters, clusters_correct, clusters_home, clusters_own, methods
from core.ui.arrivals import wait_for_next
from core.ui.clusters_field import choose_field
from core.ui.clusters_found import chosen_cluster, found_clusters, search
from core.ui.clusters_picture import cluster_viewer
from core.ui.clusters_structure import structure_panel
from core.ui.processing import display_controls
from core.ui.runs import run_note
from core.ui.selection import selected
from core.ui.shell import choose_section, enter_dashboard, face, lead, show_warnings

SECTIONS = {
    "Explore": ("Try another", "Look closer", "Put it right", "Take it home"),
    "Research": ("Clusters", "Structure", "Compare", "Your own", "Methods", "Put it right", "Take it home"),
}

enter_dashboard()
st.title("Star clusters")
research = face() == "Research"
picture, controls = st.columns([3, 1], gap="medium")

with controls:
    field = choose_field(full=research)
    chosen = clusters.choose(field)
    params = methods.method_parameters(chosen) if research else methods.default_parameters(chosen)
    again = research and st.button("Run again", icon=":material/refresh:", width="stretch")
    looking = search(field, chosen, params, again=again)
    found = found_clusters(looking.analyses, field)
    own = clusters_own.own_cluster(field)
    found = [*found, own] if own is not None else found
    at = selected("clusters", (field.key, params) if field.key else None)
    mark = chosen_cluster(at, found)
    if field.choice is not None:
        with st.expander("Display", icon=":material/contrast:"):
            settings = display_controls(field.choice.frame, "display", full=research)
    layers = st.container()

with picture:
    headline, progress = st.container(), st.empty()
    if field.choice is None:
        density = layers.toggle("Density of the stars", key="clusters.density.sky")
        clusters.sky_view(field, mark, density=density, full=research)
        clicked = None
    else:
        event = cluster_viewer(field, found, at, settings, full=research, controls=layers)
        clicked = event.clicked
    if research:
        st.caption(" · ".join(run_note(analysis) for analysis in looking.analyses))
    sentence = clusters.sentence(field, found, looking)
    with headline:
        lead(sentence)
        st.caption(clusters.facts(field))
        said = clusters.warnings(field, looking) if research else looking.refusals
        show_warnings([*field.notes, *said])

if not research:
    with controls:
        clusters.explain(field, found, mark)

options = tuple(each for each in SECTIONS[face()] if field.choice is not None or each != "Put it right")
section = choose_section(options, "clusters.section")
if section == "Try another":
    clusters.gallery()
elif section == "Look closer":
    clusters.closer_panel(field, mark)
elif section == "Clusters":
    clusters.clusters_panel(field, found, at)
    clusters.other_views(field, mark)
elif section == "Structure":
    if mark is None:
        st.info("Nothing was found that could be measured. You can make a cluster of your own.")
    else:
        structure_panel(field, *mark)
elif section == "Compare":
    clusters.comparison_panel(found)
elif section == "Your own":
    clusters_own.own_panel(field, found, at)
elif section == "Methods":
    methods.about_methods("clusters")
elif section == "Put it right" and field.choice is not None:
    clusters_correct.correction_panel(field, found, settings, clicked, waiting=looking.waiting)
elif section == "Take it home":
    clusters_home.home_panel(field, found, mark, sentence)
wait_for_next(looking.steps, looking.params, progress)
