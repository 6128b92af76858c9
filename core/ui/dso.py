"""What only the deep-sky page shows: names, object cards, pictures without stars, and why a box is there."""

from __future__ import annotations

import dataclasses
import functools
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from core.corrections import CorrectedCatalogue
from core.dso.kinds import LABELS
from core.dso.known import Known, known_objects
from core.dso.names import find_card, name_detections
from core.dso.report import WITHOUT_CLASS, summary
from core.errors import AlmagestError
from core.frames import Frame
from core.frames.display import DisplaySettings
from core.methods import Method, methods
from core.parameters import canonical_json
from core.results import Detections
from core.ui import boxes
from core.ui.boxes import tells_classes
from core.ui.confidence import Candidates, candidates_of, short_title
from core.ui.corrections import aim_window, corrected
from core.ui.corrections import correction_panel as canvas_panel
from core.ui.exports import catalogue_panel
from core.ui.frames import Choice, about_frame
from core.ui.runs import Analysis
from core.ui.selection import Selected, offer
from core.ui.shell import show_error
from core.ui.tables import sources_table
from core.ui.text import plain
from core.ui.viewer import Layer, Pane
from core.ui.visitor import person

if TYPE_CHECKING:
    from core.dso.xrai import Why

Box = tuple[float, float, float, float]
NAMES = "OpenNGC"
"""What the layer of known objects is called, in the legend and in a selection."""
NAMES_COLOUR = "#DDE3EC"
MOST_NAMES = 60
LEAST_SNR = 3.0
"""Simulated objects fainter than this need not be found."""
QUICK_PIXELS = 6 * 2**20
CORRECTION_LABELS = (*LABELS, "star", "artefact")
AS_SHOWN = DisplaySettings(stretch="linear", limits="manual", low=0.0, high=255.0)
EXPLAINER = "dso.xrai"
FIRST_COLUMNS = ("name", "label", "score", "common_name", "kind", "constellation", "magnitude", "size_arcmin")
NO_PLACE = (
    "Names need to know where on the sky the frame is. A FITS file with a WCS says so; plate solvers such as "
    "astrometry.net write one."
)


@dataclass(frozen=True, eq=False)
class Truth:
    """What detections can be held against.

    Attributes:
        title: What a person calls it.
        about: What it is, as a sentence.
        score: Holds detections against it.
    """

    title: str
    about: str
    score: boxes.Scorer


@dataclass(frozen=True, eq=False)
class Remade:
    """A picture that a method made of the frame.

    Attributes:
        title: ``"starless"``.
        frame: The picture as a frame, to be shown as it is.
        pixels: ``(h, w)`` or ``(h, w, 3)`` uint8, row 0 of the frame first.
    """

    title: str
    frame: Frame
    pixels: NDArray[np.uint8]


def is_quick(frame: Frame) -> bool:
    """Whether every method may be asked at once; on a larger frame a person chooses what to wait for."""
    return frame.width * frame.height <= QUICK_PIXELS


# ---- what was found -------------------------------------------------------------------------------


def candidates(analyses: Sequence[Analysis], frame: Frame, asked: float | None) -> list[Candidates]:
    """What each method found at the confidence asked for, named where the frame knows its place."""
    return [
        Candidates(analysis, *_named(_run_name(analysis), analysis, frame), asked) for analysis in analyses
    ]


def _run_name(analysis: Analysis) -> str:
    facts = analysis.result.provenance
    return canonical_json([dataclasses.asdict(facts) if facts else None, len(analysis.result.detections)])


@st.cache_resource(show_spinner=False, max_entries=32, ttl=3600)
def _named(run: str, _analysis: Analysis, _frame: Frame) -> tuple[Detections, float]:
    everything, limit = candidates_of(_analysis.result)
    if _frame.wcs is None or not len(everything):
        return everything, limit
    # What was found is named first; what a candidate is called may not be taken from it.
    sure = np.arange(len(everything)) < len(_analysis.result.detections)
    named = name_detections(everything.where(sure), _frame)
    others = name_detections(everything.where(~sure), _frame)
    taken = set(named.table["name"].dropna())
    table = everything.table.copy()
    for column in ("name", "common_name", "kind", "constellation", "magnitude", "catalogue_size_arcmin"):
        values = others.table[column].where(~others.table["name"].isin(taken), None)
        table[column] = [*named.table[column], *values]
    return Detections(table, named.units), limit


def sentence(found: Sequence[Candidates], asked: float | None, *, waiting: bool) -> str:
    """The one sentence on top of the page: what the first method says."""
    if not found:
        return (
            "Looking for galaxies, nebulae and clusters." if waiting else "No method can look at this here."
        )
    first = found[0]
    if asked is None or not len(first.everything):
        return first.analysis.result.summary
    return f"At a confidence of {asked:.2f} and above: {_lower(summary(first.shown))}"


def _lower(words: str) -> str:
    return words[:1].lower() + words[1:]


# ---- names ----------------------------------------------------------------------------------------


@st.cache_resource(show_spinner=False, max_entries=16, ttl=3600)
def _known(frame_key: str, _frame: Frame) -> Known:
    return known_objects(_frame)


def known_on(frame: Frame) -> Known:
    """The objects of OpenNGC on a frame; none of them without a WCS."""
    return _known(frame.key, frame)


def names_toggle(frame: Frame) -> bool:
    """Draw the switch of the known objects; it is off and says why where the frame has no place."""
    placed = frame.wcs is not None
    on = st.toggle(
        "Names from the catalogue",
        value=True,
        key="dso.names" if placed else "dso.names.none",
        disabled=not placed,
        help="Galaxies, nebulae and clusters of OpenNGC that lie on this frame." if placed else NO_PLACE,
    )
    return placed and on


def names_layer(frame: Frame) -> Layer:
    """The known objects with their names, the largest first."""
    return Layer(
        NAMES,
        catalogue_rows(frame),
        NAMES_COLOUR,
        "circle",
        note="magnitude",
        size_px="radius_px",
        ellipse=("axis_ratio", "turn_deg"),
        lettered=True,
    )


def catalogue_rows(frame: Frame) -> Detections:
    """The known objects that :func:`names_layer` shows, in its order."""
    known = known_on(frame)
    shown = known.objects if len(known.objects) else known.others
    return shown.where(np.arange(len(shown)) < MOST_NAMES)


# ---- the picture ----------------------------------------------------------------------------------


def remade_pictures(analyses: Sequence[Analysis], frame: Frame) -> dict[str, Remade]:
    """The pictures that methods made of the frame, by title."""
    return {
        title: _remade(_run_name(analysis), title, analysis, frame)
        for analysis in analyses
        for title in analysis.result.pictures
    }


@st.cache_resource(show_spinner=False, max_entries=12, ttl=3600)
def _remade(run: str, title: str, _analysis: Analysis, _frame: Frame) -> Remade:
    pixels = np.asarray(_analysis.result.pictures[title])
    facts: dict[str, Any] = {
        "row0": _frame.row0,
        "saturation": 255.0,
        "processing": canonical_json([{"step": title, "run": run}]),
    }
    if pixels.shape[:2] == (_frame.height, _frame.width):
        # Of the frame's own size: the view, the sky and the scale are the frame's.
        shown = dataclasses.replace(_frame, pixels=pixels.astype(np.float32), unit="", **facts)
    else:
        shown = Frame.from_array(pixels, f"{_frame.name} {title}", **facts)
    return Remade(title, shown, pixels)


def picture_panes(remade: Sequence[Remade]) -> list[Pane]:
    """A pane for each picture, without marks."""
    return [Pane(each.title.capitalize(), each.frame, AS_SHOWN, layers=()) for each in remade]


def picture_downloads(remade: Sequence[Remade], frame: Frame) -> None:
    """Draw a button for each picture that takes it home as PNG, every pixel of it."""
    stem = frame.name.partition(".")[0] or "frame"
    with st.container(horizontal=True):
        for each in remade:
            st.download_button(
                f"{each.title.capitalize()} as PNG",
                data=functools.partial(_png, each),
                file_name=f"{stem}.{each.title.replace(' ', '_')}.png",
                mime="image/png",
                key=f"dso.download.{each.title}",
                icon=":material/download:",
                on_click="ignore",
            )


def _png(remade: Remade) -> bytes:
    from PIL import Image

    upright = remade.pixels[::-1] if remade.frame.row0 == "bottom" else remade.pixels
    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(upright)).save(out, "PNG")
    return out.getvalue()


def choose_heat(analyses: Sequence[Analysis], *, grid: bool) -> tuple[NDArray[np.float32] | None, str, bool]:
    """Draw the choice of a heat map, where a method made one.

    Returns:
        The map to lay over every picture or None, what it is of, and whether each pane has its method's own.
    """
    found: dict[str, NDArray[np.float32]] = {}
    for analysis in analyses:
        for name, values in analysis.result.maps.items():
            found.setdefault(name, values)
    if not found:
        return None, "", False
    own = ["each method's own"] if grid else []
    name = st.selectbox(
        "Heat map over the picture", ["none", *own, *found], key="dso.map.grid" if grid else "dso.map"
    )
    return found.get(name), "Heat map" if name in own else name, name in own


def own_heat(analysis: Analysis) -> NDArray[np.float32] | None:
    """The first heat map a method made, or None."""
    return next(iter(analysis.result.maps.values()), None)


def objects_panel(found: Sequence[Candidates], mark: Selected | None) -> None:
    """Draw the table of what one method found, linked to the picture."""
    sources = {each.analysis.method.name: each for each in found}
    if st.session_state.get("dso.objects") not in sources:
        st.session_state["dso.objects"] = next(iter(sources))
    name = st.segmented_control(
        "Method",
        list(sources),
        key="dso.objects",
        required=True,
        format_func=lambda name: sources[name].title,
    )
    each = sources[str(name)]
    rows = list(each.rows)
    row = rows.index(mark[1]) if mark and mark[0] == name and mark[1] in rows else None
    if not rows:
        st.info(
            f"{each.title} found nothing at this confidence. Lower it under the picture, and more is shown."
        )
        return
    picked = sources_table(each.shown, f"dso.table.{name}", row, first=FIRST_COLUMNS)
    if picked is not None and picked < len(rows):
        offer("dso", f"table.{name}.{row}", (str(name), int(rows[picked])))


# ---- one object -----------------------------------------------------------------------------------


def object_card(chosen: Selected | None, found: Sequence[Candidates], frame: Frame) -> None:
    """Draw what there is to say of the object that is selected, if one is."""
    if chosen is None:
        return
    source, row = chosen
    if source == NAMES:
        table = catalogue_rows(frame).table
        if row < len(table):
            with st.container(border=True):
                _catalogue_facts(str(table.iloc[row]["name"]))
        return
    each = next((each for each in found if each.analysis.method.name == source), None)
    if each is None or row >= len(each.everything):
        return
    entry = each.everything.table.iloc[row]
    with st.container(border=True):
        if entry["name"] is None or not _catalogue_facts(str(entry["name"])):
            label = str(entry["label"])
            st.markdown(f"##### {'An object' if label == WITHOUT_CLASS else f'A {label}'} without a name")
            st.caption(
                "The catalogue has nothing of this size here." if frame.wcs is not None else plain(NO_PLACE)
            )
        label = "something" if entry["label"] == WITHOUT_CLASS else f"a {entry['label']}"
        width, height = entry["x_max"] - entry["x_min"], entry["y_max"] - entry["y_min"]
        st.markdown(
            plain(
                f"{each.title} sees {label} here, {width:.0f} × {height:.0f} px"
                f"{_on_the_sky(max(width, height), frame)}, with a confidence of {entry['score']:.2f}."
            )
        )
        _why(each.analysis, entry, frame)


def _catalogue_facts(name: str) -> bool:
    """Draw the card of a catalogued object; whether there is one."""
    card = find_card(name)
    if card is None:
        return False
    st.markdown(f"##### {plain(card.title)}")
    st.write(plain(card.about))
    st.markdown("  \n".join(f"**{plain(title)}:** {plain(value)}" for title, value in card.facts))
    return True


def _on_the_sky(size_px: float, frame: Frame) -> str:
    scale = frame.pixel_scale_arcsec
    return "" if scale is None else f" or {size_px * scale / 60.0:.3g}′ on the sky"


# ---- why ------------------------------------------------------------------------------------------


def _why(analysis: Analysis, entry: Any, frame: Frame) -> None:
    """Draw the button that explains a box, or the explanation once it is there."""
    explainer = methods("dso").get(EXPLAINER)
    if explainer is None or not explainer.is_ready:
        return
    key = why_key(frame, entry)
    known = _explanations()
    if key in known:
        st.markdown(f"**Why?** {plain(known[key].sentence)}")
        _probabilities(known[key].probabilities)
        if st.button("Take the map away", key="dso.why.off", icon=":material/layers_clear:", width="stretch"):
            known.pop(key)
            st.rerun()
        return
    if st.button("Why?", key="dso.why.on", icon=":material/psychology:", width="stretch"):
        bar = st.progress(0.0, text="Asking the network what it looked at")
        try:
            from core.dso.xrai import why

            known[key] = why(frame, key[1], functools.partial(_move, bar))
        except AlmagestError as error:
            show_error(error)
            return
        finally:
            bar.empty()
        while len(known) > 8:
            known.pop(next(iter(known)))
        st.rerun()


def _move(bar: DeltaGenerator, done: float, doing: str) -> None:
    bar.progress(min(max(done, 0.0), 1.0), text=plain(doing))


def _probabilities(given: Mapping[str, float]) -> None:
    words = {"any": "anything at all"}
    said = ", ".join(f"{words.get(label, label)} {value:.0%}" for label, value in given.items())
    st.caption(plain(f"The classifier, of this part of the frame: {said}."))


def why_key(frame: Frame, entry: Any) -> tuple[str, Box]:
    """What an explanation is known by: the frame and the box."""
    x_min, y_min, x_max, y_max = (float(entry[name]) for name in ("x_min", "y_min", "x_max", "y_max"))
    return frame.key, (x_min, y_min, x_max, y_max)


def _explanations() -> dict[tuple[str, Box], Why]:
    known: dict[tuple[str, Box], Why] = st.session_state.setdefault("dso.whys", {})
    return known


def why_map(chosen: Selected | None, found: Sequence[Candidates], frame: Frame) -> NDArray[np.float32] | None:
    """The map that explains the selected box, once a person has asked for it."""
    each = next((each for each in found if chosen and each.analysis.method.name == chosen[0]), None)
    if each is None or chosen is None or chosen[1] >= len(each.everything):
        return None
    known = _explanations().get(why_key(frame, each.everything.table.iloc[chosen[1]]))
    return None if known is None else known.relevance


# ---- words ----------------------------------------------------------------------------------------


def explain(choice: Choice, found: Sequence[Candidates], *, named: bool) -> None:
    """Tell a visitor what they are looking at and what the methods do, in plain words."""
    with about_frame(choice):
        rings = " A circle is an object that catalogues know." if named else ""
        st.write(f"Every box is a place where a method sees something.{rings} Click one to read about it.")
        for each in found:
            method = each.analysis.method
            st.markdown(f"**{plain(each.title)}** marks {len(each.shown):,}. {plain(method.summary)}")


def about_methods() -> None:
    """Tell a researcher how each method works, what it is bad at, and where it was published."""
    for method in methods("dso").values():
        ready = "" if method.is_ready else " · its weights are not installed here"
        st.markdown(f"**{plain(method.title)}**{plain(ready)}")
        st.write(plain(f"{method.description} {method.summary}"))
        st.caption(plain(f"Reference: {method.reference}."))


def times(found: Sequence[Candidates]) -> str:
    """How long each method took."""
    return " · ".join(
        f"{each.title} {each.analysis.result.timings.get('total', 0.0):.1f} s" for each in found
    )


def missing_methods(failures: Sequence[tuple[Method, str]]) -> list[str]:
    """A sentence for each method that gave no result."""
    return [f"{short_title(method.title)}: {said}" for method, said in failures]


# ---- truth ----------------------------------------------------------------------------------------


def truths(
    choice: Choice, frame: Frame, analyses: Sequence[Analysis], catalogues: Sequence[CorrectedCatalogue]
) -> list[Truth]:
    """What there is to hold the methods against, the surest first.

    Args:
        choice: The frame as chosen, with its truth where it was simulated.
        frame: The frame as analysed.
        analyses: The methods' runs.
        catalogues: What a person has put right of each of them.
    """
    found = []
    if choice.truth is not None:
        found.append(simulated_truth(choice.truth))
    for analysis, catalogue in zip(analyses, catalogues, strict=True):
        if catalogue.reviewed:
            windows = len(catalogue.reviewed)
            about = (
                f"What you made of {short_title(analysis.method.title)}'s boxes, within the "
                f"{windows} window{'s' * (windows != 1)} you marked as complete."
            )
            found.append(Truth("Your corrections", about, boxes.against_corrections(catalogue)))
            break
    known = known_on(frame)
    if len(known.objects):
        names = ", ".join(str(name) for name in known.objects.table["name"][:6])
        more = len(known.objects) - 6
        about = (
            f"The catalogue OpenNGC: {names}{f' and {more} more' if more > 0 else ''}. A box goes around the "
            "ellipse the catalogue gives; what is small, faint or of unknown size counts neither way, and "
            "whether this exposure shows an object is not known."
        )
        found.append(Truth("Catalogue", about, boxes.against(known.objects, known.others)))
    return found


def simulated_truth(truth: Detections) -> Truth:
    """The truth of a simulated frame, without its stars."""
    table = truth.table
    extended = table["label"].isin(LABELS) & truth.table["x_min"].notna()
    bright = table["snr"] >= LEAST_SNR if "snr" in table else extended
    objects, others = truth.where(extended & bright), truth.where(extended & ~bright)
    about = (
        f"What was put into the simulated frame: {len(objects)} galaxies, nebulae and clusters of a "
        f"signal-to-noise ratio of {LEAST_SNR:g} and more; fainter ones count neither way."
    )
    return Truth("Simulation", about, boxes.against(objects, others))


def truth_panel(found: Sequence[Candidates], known: Sequence[Truth]) -> None:
    """Draw the scores of the methods against what is known of the frame."""
    if not known:
        st.info(
            "Nothing is known of this frame to hold the methods against. A frame with a WCS has the "
            "catalogue, a frame from the playground its truth, and a window that you correct and mark as "
            "complete is as good."
        )
        return
    titles = {each.title: each for each in known}
    picked = st.segmented_control(
        "Held against", list(titles), default=next(iter(titles)), key="dso.truth", required=True
    )
    truth = titles.get(str(picked), known[0])
    boxes.score_panel(found, truth.score, truth.about)


# ---- corrections and exports ----------------------------------------------------------------------


def correction_panel(
    analysis: Analysis,
    found: Sequence[Candidates],
    frame: Frame,
    settings: DisplaySettings,
    clicked: tuple[float, float] | None,
) -> None:
    """Draw the canvas on which a method's boxes are put right, and every method's score against that."""
    who = person()
    aim_window("dso.correct", clicked)
    own = analysis.method.labels
    labels = (*own, *CORRECTION_LABELS) if tells_classes(own) else (*CORRECTION_LABELS, *own)
    canvas_panel(analysis, frame, settings, who, "dso.correct", labels=labels)
    catalogue = corrected(analysis, who)
    if catalogue.reviewed:
        about = "Your own boxes, within the windows you marked as complete."
        boxes.score_panel(found, boxes.against_corrections(catalogue), about)
    else:
        st.info("Mark a window as complete, and every method is scored there against your own boxes.")


def export_panel(analysis: Analysis, found: Sequence[Candidates], frame: Frame) -> None:
    """Draw the download of a method's boxes: as found, as shown at another confidence, or as put right."""
    who = person()
    each = next(each for each in found if each.analysis is analysis)
    shown = None if each.asked is None else each.shown
    catalogue_panel(
        analysis, corrected(analysis, who), frame, who, "dso.export", shown=shown, confidence=each.asked
    )
