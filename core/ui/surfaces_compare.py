"""Two or more surfaces side by side: their mix, sizes, densities and directions, made comparable by area."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from core.errors import StoreUnavailable
from core.methods import Method
from core.parameters import Parameters
from core.store import Store, StoredRun
from core.surfaces.kinds import CRATER
from core.surfaces.looks import MARKED, PLURAL
from core.surfaces.measure import Measure
from core.surfaces.survey import Survey, complete_from_px
from core.ui import surfaces_plots as plots
from core.ui.arrivals import Step, arrived
from core.ui.confidence import Candidates
from core.ui.frames import Choice, all_samples, own_frame, sample_frame
from core.ui.runs import Analysis, store
from core.ui.shell import show_warnings
from core.ui.surfaces import candidates, leaders, mixes, objects_of
from core.ui.surfaces_measured import NO_FRAME, sizes_view
from core.ui.surfaces_scale import ground_of, measure_of
from core.ui.surfaces_statistics import BODY, MEASURE, SCALE, remember_ground
from core.ui.text import plain, three_figures

MOST = 5
"""More surfaces cannot be told apart in one plot."""
MOST_STORED = 200
VIEWS = ("Mix", "Sizes", "Density", "Directions")


def survey_of(title: str, found: Sequence[Candidates], measure: Measure, body: str | None) -> Survey:
    """What the methods found on one surface, of every landform its leading method's, ready to be compared."""
    counter = leaders(found).get(CRATER)
    facts = None if counter is None else counter.analysis.result.provenance
    return Survey(
        title=title,
        table=objects_of(found).table,
        measure=measure,
        complete_px=complete_from_px(facts.params if facts is not None else {}),
        body=body,
        mix=next(iter(mixes(found, measure).values()), {}),
    )


def comparison_panel(
    this: Survey, choice: Choice, chosen: Sequence[Method], params: Mapping[str, Parameters]
) -> list[Step]:
    """Draw the choice of surfaces and their comparison.

    Args:
        this: The surface of the page.
        choice: Its frame.
        chosen: The methods that look at each surface.
        params: The parameters of each by its name.

    Returns:
        How far the methods are, frame by frame.
    """
    offered = _offered(choice, chosen)
    if not offered:
        st.info("Open a file of your own, and it can be compared with this one.")
        return []
    picked = st.multiselect(
        "Compare this surface with",
        list(offered),
        default=list(offered)[:1],
        max_selections=MOST - 1,
        key="surfaces.compare",
        format_func=lambda name: offered[name],
    )
    surveys, steps = [this], []
    for name in picked:
        survey, step = _look(name, offered[name], chosen, params)
        if survey is not None:
            surveys.append(survey)
        if step is not None:
            steps.append(step)
            show_warnings([f"{offered[name]}, {said}" for said in step[1].refusals])
    surveys = _told_apart(surveys)
    waiting = sum(bool(arrivals.waiting) for _, arrivals in steps)
    if waiting:
        st.caption(f"Looking at {waiting} more.")
    view = st.segmented_control("View", VIEWS, default="Mix", key="surfaces.compare.view", required=True)
    colours = plots.surface_colours([survey.title for survey in surveys])
    if view == "Mix":
        _mixes(surveys)
    elif view == "Sizes":
        sizes_view(surveys, colours, "surfaces.compare.sizes")
    elif view == "Density":
        _densities(surveys)
    else:
        _directions(surveys, colours)
    return steps


def _offered(choice: Choice, chosen: Sequence[Method]) -> dict[str, str]:
    """The surfaces that can be compared with the page's, by key, with their titles."""
    known = all_samples()
    here = choice.frame.key
    this = None if choice.sample is None else choice.sample.name
    offered = {
        f"sample {name}": sample.title
        for name, sample in known.items()
        if sample.kind == "planetary" and name != this
    }
    mine = own_frame()
    if mine is not None and mine.key != here:
        offered = {"own": mine.name, **offered}
    db = store()
    if db is None:
        return offered
    seen = {here, *(sample_frame(name.removeprefix("sample ")).key for name in offered if name != "own")}
    seen |= {mine.key} if mine is not None else set()
    names = {method.name for method in chosen}
    for run in db.runs(task="surfaces", limit=MOST_STORED):
        if run.frame_key not in seen and run.method in names:
            seen.add(run.frame_key)
            offered[f"run {run.frame_key}"] = f"{run.frame_name} (stored {run.started_at[:10]})"
    return offered


def _look(
    name: str, title: str, chosen: Sequence[Method], params: Mapping[str, Parameters]
) -> tuple[Survey | None, Step | None]:
    """What is known of one of the surfaces offered, and how far the methods are with it."""
    if name.startswith("run "):
        db = store()
        return (None if db is None else _stored(db, name.removeprefix("run "), title, chosen)), None
    sample = all_samples().get(name.removeprefix("sample "))
    frame = own_frame() if sample is None else sample_frame(sample.name)
    if frame is None:
        return None, None
    arrivals = arrived(chosen, frame, params)
    ground = ground_of(Choice(frame, sample))
    measure = measure_of(frame, ground)
    remember_ground(frame, ground, measure, arrivals.analyses)
    found = candidates(arrivals.analyses, measure, None, frame)
    survey = survey_of(title, found, measure, ground.body) if found else None
    return survey, (frame, arrivals)


def _stored(db: Store, frame_key: str, title: str, chosen: Sequence[Method]) -> Survey | None:
    """A surface whose frame is no longer at hand: what the newest run of each method found."""
    newest: dict[str, StoredRun] = {}
    for run in db.runs(frame_key=frame_key, task="surfaces", limit=MOST_STORED):
        newest.setdefault(run.method, run)
    runs = [(method, newest[method.name]) for method in chosen if method.name in newest]
    try:
        analyses = [
            Analysis(method, db.load_result(run.run_id), run.run_id, run.started_at) for method, run in runs
        ]
        tags = db.tags(frame_key)
    except StoreUnavailable:
        return None
    if not runs:
        return None
    measure = Measure.of_text(tags.get(MEASURE, ""))
    if measure is None:  # stored before it was kept
        run, scale = runs[0][1], tags.get(SCALE)
        measure = Measure.of_whole(run.width, run.height, None if scale is None else float(scale))
    return survey_of(title, candidates(analyses, measure, None), measure, tags.get(BODY))


def _told_apart(surveys: Sequence[Survey]) -> list[Survey]:
    """With a number behind a title that another one has too."""
    seen: dict[str, int] = {}
    told = []
    for survey in surveys:
        seen[survey.title] = seen.get(survey.title, 0) + 1
        again = seen[survey.title]
        title = survey.title if again == 1 else f"{survey.title} ({again})"
        told.append(dataclasses.replace(survey, title=title))
    return told


def _mixes(surveys: Sequence[Survey]) -> None:
    told = {survey.title: survey.mix for survey in surveys if survey.mix}
    if not told:
        st.info("No method says yet what these surfaces are a mix of.")
        return
    st.plotly_chart(
        plots.mix_figure(told), key="surfaces.compare.mix", config=NO_FRAME, alt="The mix of each surface"
    )
    st.caption("Every bar is the whole of its frame, so surfaces of different sizes compare fairly.")


def _densities(surveys: Sequence[Survey]) -> None:
    in_km = all(survey.has_km for survey in surveys)
    unit = "million km²" if in_km else "Mpx"
    limit = max(survey.complete_from(in_km=in_km) for survey in surveys)
    rows = {survey.title: survey.crater_density(limit, in_km=in_km) for survey in surveys}
    st.plotly_chart(
        plots.density_figure(rows, unit),
        key="surfaces.compare.density",
        config=NO_FRAME,
        alt="Craters an area on each surface, with intervals",
    )
    table = pd.DataFrame(
        [
            {
                "surface": survey.title,
                "body": survey.body or "not told",
                f"area [{'km²' if in_km else 'Mpx'}]": survey.area(in_km=in_km) / (1.0 if in_km else 1e6),
                **{PLURAL[label]: survey.count(label) for label in MARKED},
                f"craters a {unit}": rows[survey.title][0],
                f"valleys and ridges [{'km a 1,000 km²' if in_km else 'px a 1,000 px²'}]": 1e3
                * float(survey.lengths(in_km=in_km).sum())
                / survey.area(in_km=in_km),
            }
            for survey in surveys
        ]
    )
    columns = {
        str(name): st.column_config.NumberColumn(format="%.4g")
        for name in table
        if table[name].dtype == float
    }
    st.dataframe(table, hide_index=True, column_config=columns, alt="Counts and densities of each surface")
    where = "" if in_km else " Not all of them have a scale, so areas are in pixels: not the same ground."
    st.caption(
        plain(
            f"Craters of {three_figures(limit)} {'km' if in_km else 'px'} and more, from where the count of "
            f"every surface is complete, with 68 % Poisson intervals.{where}"
        )
    )


def _directions(surveys: Sequence[Survey], colours: Mapping[str, str]) -> None:
    roses = {survey.title: survey.rose() for survey in surveys}
    drawn = {
        title: (each.edges_deg, each.parts) for title, each in roses.items() if each is not None and each.n
    }
    unknown = [title for title, each in roses.items() if each is None]
    if unknown:
        listed = ", ".join(unknown)
        st.info(
            plain(f"Nothing says which side of these pictures is up, so they have no directions: {listed}.")
        )
    if not drawn:
        if not unknown:
            st.info("No valleys or ridges were found on these surfaces.")
        return
    st.plotly_chart(
        plots.rose_figure(drawn, colours), key="surfaces.compare.rose", config=NO_FRAME,
        alt="Directions of valleys and ridges on each surface",
    )  # fmt: skip
    zero = " or ".join(sorted({survey.zero_direction for survey in surveys if survey.title in drawn}))
    st.caption(
        f"How much of the length of valleys and ridges runs in each direction, from {zero} "
        "clockwise; parts of each surface's own whole."
    )
