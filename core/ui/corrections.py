"""Putting right what a method got wrong: a window of the frame on a canvas, and an append-only log."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import accumulate, pairwise

import pandas as pd
import streamlit as st
from PIL import Image, ImageDraw, ImageFont
from streamlit.delta_generator import DeltaGenerator
from streamlit.errors import StreamlitAPIException

from core.corrections import (
    ARTEFACT,
    CorrectedCatalogue,
    Edit,
    EditableObject,
    diff_objects,
    fold,
    kept_on_frame,
    merge_objects,
    split_object,
)
from core.corrections.fold import REPLACED_STATES
from core.corrections.log import FRAME
from core.corrections.pieces import cut
from core.errors import ParameterInvalid, StoreUnavailable
from core.frames import Frame
from core.frames.display import DisplaySettings, render
from core.scoring.detection import Score, score_against_corrections
from core.shapes import BOX_COLUMNS, Kind, Line, Shape, shapes_of
from core.ui.canvas import POINT_RADIUS, STROKE, STYLES, Window, from_fabric, knives, to_fabric
from core.ui.runs import Analysis, store
from core.ui.shell import show_error, when_left
from core.ui.text import plain
from core.ui.tools import choose_tool
from core.ui.unsaved import ask_before_closing
from core.ui.visitor import nameless

CANVAS_SIDE = 576
"""Longest side of the canvas in screen pixels: fits beside its list on a laptop."""
_ON_A_PHONE = """
<style>
@media (max-width: 640px) { [class*="almagest-canvas"] { zoom: 0.58; } }
</style>
"""
"""A finger that draws cannot scroll: all of the canvas must be in view."""
MEANINGS = {
    "unreviewed": "the method's own",
    "accepted": "you said it is right",
    "edited": "moved, reshaped, relabelled or added",
    "unsure": "not sure",
}
"""What the marks of each state say, in the legend."""
WINDOW_SIDES = (64, 128, 256, 512)
MOVED_PX = 0.5
"""A smaller shift on the canvas, in screen pixels over the zoom, is a trembling hand."""
Region = tuple[int, int, int, int]
"""First column and row, and the first beyond the last, in frame pixels."""
MOST_NUMBERED = 40
"""With more marks in a window than this their names would hide the picture."""
NO_VERDICT = "–"
NO_STARS = ("galaxy",)
"""What a person may call what a method took for a star."""
VERDICTS = {"right": "accept", "not one": "reject", "not sure": "unsure"}
"""What a person says in the list, and the action it is."""


def corrected(analysis: Analysis, person: str) -> CorrectedCatalogue:
    """The catalogue as a person has put it right so far: a fold over the log in the store."""
    db = store()
    log = db.corrections(analysis.run_id, person) if db and analysis.run_id else []
    return fold(analysis.result.detections, log)


@st.fragment
def correction_panel(
    analysis: Analysis,
    frame: Frame,
    settings: DisplaySettings,
    person: str,
    key: str,
    *,
    labels: Sequence[str] = (),
    drawn_as: Mapping[str, Kind] | None = None,
) -> None:
    """Draw the canvas with its list and buttons. Changes are kept when Save is pressed, or when it is left.

    Args:
        analysis: The run whose detections are put right.
        frame: Its frame.
        settings: How the frame is shown.
        person: Whose corrections these are.
        key: Prefix of the widgets' keys.
        labels: What an object can be called; the method's own classes and a few more when none are given. A
            person may write another.
        drawn_as: The usual shape of classes that are drawn otherwise than most of the method's objects.
    """
    # Its files are found only where Streamlit runs, and this module is of use elsewhere too.
    from streamlit_drawable_canvas import st_canvas

    db = store()
    if db is None or analysis.run_id is None:
        st.info("Corrections are kept in the store, and the store cannot be written just now.")
        return
    log = db.corrections(analysis.run_id, person)
    catalogue = fold(analysis.result.detections, log)
    labels = labels or (*analysis.method.labels, *NO_STARS, ARTEFACT)
    kinds = analysis.method.geometry
    shaped = kinds[0] != "point"
    region = _choose_window(frame, catalogue, key, whole=shaped)
    window = _window(frame, settings, region)
    inside = _inside(catalogue, region)
    shown = inside[~inside["state"].isin(("rejected", *REPLACED_STATES))]
    objects = _editable(shown)
    # A longer log, or another's, draws the canvas and the list anew from what is now true; what was not saved
    # on the old ones is kept then. A name that is given while nothing is saved yet takes over what was drawn.
    now = f"{analysis.run_id}.{region}.{log[-1].seq if log else 0}"

    left, right = st.columns([2, 1], gap="medium")
    with left:
        what, how = st.columns([1, 2], vertical_alignment="bottom")
        names = list(dict.fromkeys(labels))
        label = what.selectbox(
            "What it is", names, _usual(analysis, names), key=f"{key}.label", accept_new_options=True
        )
        with how:
            tool = choose_tool(kinds, (drawn_as or {}).get(str(label), kinds[0]), key)
        st.caption(
            f"{tool.hint} To move, reshape or delete a mark, press the pencil above this picture, then drag "
            "the mark or press the cross. A click in the large picture brings the window there."
        )
        width, height = window.size
        st.html(_ON_A_PHONE)
        with st.container(key=f"{key}.almagest-canvas"):
            drawing = st_canvas(
                fill_color=tool.fill,
                stroke_width=int(STROKE),
                stroke_color=tool.stroke,
                background_image=_picture(window, objects if shaped else ()),
                width=width,
                height=height,
                drawing_mode=tool.mode,
                initial_drawing=to_fabric(objects, list(shown["state"]), window),
                point_display_radius=POINT_RADIUS,
                key=f"{key}.canvas.{now}",
            ).json_data
    with right:
        verdicts, picked = _verdict_list(
            inside[~inside["state"].isin(REPLACED_STATES)], f"{key}.list.{now}", labels if shaped else ()
        )
        called = str(label or "").strip()[:80] or labels[0]
        after = from_fabric(drawing, objects, called, window, kinds)
        after = _labels_kept(after, f"{key}.drawn.{now}")
        # Half a screen pixel, whatever the zoom: less is no move.
        zoom = window.zoom * window.picture.rgb.shape[1] / window.picture.region_width
        drawn = diff_objects(objects, after, tolerance_px=MOVED_PX / zoom)
        edits = [*kept_on_frame(drawn, frame.width, frame.height), *verdicts]
        edits = _with_cuts(edits, objects, knives(drawing, window))
        keep = partial(_keep, analysis.run_id, person)
        when_left(f"{key}.{now}", partial(keep, edits, left=True) if edits else None)
        save = partial(_save, keep, f"{key}.{now}")
        if bool(edits) != st.session_state.get(f"{key}.unsaved", False):
            # The window above was drawn before the edits were known; it must not move away from them.
            st.session_state[f"{key}.unsaved"] = bool(edits)
            _run_again()
        if shaped:
            chosen = [thing for thing in objects if thing.object_id in picked]
            _merge_and_split(edits, chosen, after, save, key)
        _buttons(analysis, edits, region, save, person, key)
    ask_before_closing(bool(edits), f"{key}.closing")
    _legend()
    st.caption(plain(_account(catalogue, person)))
    before = nameless()
    if not log and before not in (None, person) and db.corrections(analysis.run_id, before):
        st.info("What you put right here before you gave a name is kept: take the name away to see it.")


def aim_window(key: str, xy: tuple[float, float] | None) -> None:
    """Move the window to a place of the frame, if it is another than the last one aimed at."""
    if xy is not None and xy != st.session_state.get(f"{key}.aimed"):
        st.session_state[f"{key}.aimed"] = st.session_state[f"{key}.aim"] = xy


def _usual(analysis: Analysis, names: Sequence[str]) -> int:
    """Which of the names most of what was found has: what was missed is most often another of these."""
    counts = analysis.result.detections.table["label"].value_counts().reindex(list(names), fill_value=0)
    return int(counts.argmax())


def _labels_kept(after: Sequence[EditableObject], key: str) -> list[EditableObject]:
    """What was drawn keeps the class that was chosen when it was drawn, whatever is chosen for the next."""
    drawn = [thing for thing in after if thing.object_id is None]
    before: list[EditableObject] = st.session_state.get(key, [])
    if len(drawn) < len(before):
        # One was deleted: the others still are where they were.
        before = [old for old in before if any(old.shape == new.shape for new in drawn)]
    kept = [replace(new, label=old.label) for new, old in zip(drawn, before, strict=False)]
    kept += drawn[len(kept) :]
    st.session_state[key] = kept
    return [*(thing for thing in after if thing.object_id is not None), *kept]


def _choose_window(frame: Frame, catalogue: CorrectedCatalogue, key: str, *, whole: bool = False) -> Region:
    """The part of the frame on the canvas, in frame pixels, the upper bounds left out.

    Args:
        frame: The frame.
        catalogue: Says which parts a person has looked through.
        key: Prefix of the widgets' keys.
        whole: Begin with the whole frame, as suits objects that fill a good part of it.
    """
    longest = max(frame.width, frame.height)
    sides = [side for side in WINDOW_SIDES if side < longest] + ([longest] if longest <= 512 or whole else [])
    unsaved = bool(st.session_state.get(f"{key}.unsaved"))
    # Always there: an element that comes and goes above the canvas would make the browser draw it anew.
    st.caption("Save your changes before the window moves on." if unsaved else "One window at a time.")
    a, b, c, d = st.columns([2, 1, 1, 1], vertical_alignment="bottom")
    wanted = longest if whole else 128
    default = min(range(len(sides)), key=lambda i: abs(sides[i] - wanted))
    side = a.segmented_control(
        "Window (px)",
        sides,
        default=sides[default],
        key=f"{key}.side",
        required=True,
        persist_state="session",
        disabled=unsaved,
    )
    side = int(side or sides[default])
    lasts = {"x": max(frame.width - side, 0), "y": max(frame.height - side, 0)}
    # These keys carry the frame: whoever comes back to it finds the window where it was.
    place = f"{key}.{frame.key[:12]}"
    aim = None if unsaved else st.session_state.pop(f"{key}.aim", None)
    if aim is not None:
        st.session_state[f"{place}.x"] = max(round(aim[0] - side / 2), 0)
        st.session_state[f"{place}.y"] = max(round(aim[1] - side / 2), 0)
    x, y = (
        _corner(column, name, lasts[name], side, place, disabled=unsaved)
        for column, name in ((b, "x"), (c, "y"))
    )
    d.button(
        "Next window",
        icon=":material/arrow_forward:",
        on_click=_next_window,
        args=(frame, side, catalogue, x, y, place),
        help="The next part of the frame that nobody has looked through yet",
        width="stretch",
        disabled=unsaved,
    )
    return x, y, min(x + side, frame.width), min(y + side, frame.height)


def _corner(column: DeltaGenerator, axis: str, last: int, side: int, place: str, *, disabled: bool) -> int:
    """Draw where the window begins along an axis, and give it; in the middle at first."""
    key = f"{place}.{axis}"
    st.session_state[key] = min(int(st.session_state.get(key, last // 2)), last)
    return int(
        column.number_input(
            f"From {axis} (px)",
            0,
            last,
            step=max(side // 2, 1),
            key=key,
            persist_state="session",
            disabled=disabled,
        )
    )


def _next_window(frame: Frame, side: int, catalogue: CorrectedCatalogue, x: int, y: int, place: str) -> None:
    corners = [
        (left, bottom)
        for bottom in _starts(frame.height, side)
        for left in _starts(frame.width, side)
        if not any(
            left >= seen.x_min - 1
            and bottom >= seen.y_min - 1
            and min(left + side, frame.width) <= seen.x_max + 1
            and min(bottom + side, frame.height) <= seen.y_max + 1
            for seen in catalogue.reviewed
        )
    ]
    later = [corner for corner in corners if (corner[1], corner[0]) > (y, x)]
    if later or corners:
        st.session_state[f"{place}.x"], st.session_state[f"{place}.y"] = (later or corners)[0]


def _run_again() -> None:
    """Run the panel anew, or the whole page when it is the page that is running."""
    try:
        st.rerun(scope="fragment")
    except StreamlitAPIException:
        st.rerun()


def _starts(length: int, side: int) -> list[int]:
    return [min(start, max(length - side, 0)) for start in range(0, length, side)]


def _window(frame: Frame, settings: DisplaySettings, region: Region) -> Window:
    picture = render(frame, settings, region=region, max_side=CANVAS_SIDE)
    return Window(picture, CANVAS_SIDE / max(picture.rgb.shape[:2]))


def _picture(window: Window, objects: Sequence[EditableObject]) -> Image.Image:
    """What lies under the canvas: the frame, with the name of each object beside it unless they are many."""
    picture = Image.fromarray(window.picture.rgb).resize(window.size, Image.Resampling.BICUBIC)
    draw, face = ImageDraw.Draw(picture), ImageFont.load_default(14)
    for thing in objects if len(objects) <= MOST_NUMBERED else ():
        outline = window.to_canvas(thing.shape.outline)
        at = (float(outline[:, 0].max()) + 3.0, float(outline[:, 1].min()) - 3.0)
        draw.text(
            at, _short(thing.object_id), "#FFFFFF", face, anchor="ls", stroke_width=2, stroke_fill="#000000"
        )
    return picture


def _short(object_id: str | None) -> str:
    """What the list and the picture call an object: enough of its id to tell it from others."""
    return str(object_id)[:4]


def _inside(catalogue: CorrectedCatalogue, region: Region) -> pd.DataFrame:
    x_min, y_min, x_max, y_max = region
    table = catalogue.table
    return table[
        table["x"].between(x_min - 0.5, x_max - 0.5) & table["y"].between(y_min - 0.5, y_max - 0.5)
    ].reset_index(drop=True)


def _editable(table: pd.DataFrame) -> list[EditableObject]:
    rows = zip(table["object_id"], table["label"], shapes_of(table), table["x"], table["y"], strict=True)
    return [EditableObject(name, label, shape, (float(x), float(y))) for name, label, shape, x, y in rows]


def _with_cuts(edits: Sequence[Edit], objects: Sequence[EditableObject], cuts: Sequence[Line]) -> list[Edit]:
    """The edits with those of the cuts; of an object that is cut nothing else counts."""
    splits: list[Edit] = []
    for thing in objects:
        pieces: list[Shape] = [thing.shape]
        for knife in cuts:
            pieces = [part for piece in pieces for part in cut(piece, knife) or (piece,)]
        if len(pieces) > 1:
            splits += split_object(thing, pieces)
    gone = {edit.target for edit in splits if edit.action == "split"}
    return [*(edit for edit in edits if edit.target not in gone), *splits]


def _verdict_list(inside: pd.DataFrame, key: str, labels: Sequence[str] = ()) -> tuple[list[Edit], set[str]]:
    """Draw the list of objects in the window; the verdicts and new labels set in it, and who is picked.

    With ``labels`` a new label is one of them and objects can be picked; without, it is written.
    """
    if inside.empty:
        st.info("Nothing is marked in this window. If something is missing, mark it in the picture.")
        return [], set()
    shown = inside[["label", "state"]].copy()
    shown.insert(0, "object", [_short(each) for each in inside["object_id"]])
    shown.insert(1, "verdict", NO_VERDICT)
    if labels:
        shown.insert(0, "pick", value=False)
    edited = st.data_editor(
        shown,
        key=key,
        height=360,
        hide_index=True,
        disabled=["object", "state"],
        column_config={
            "pick": st.column_config.CheckboxColumn(width="small", help="To merge or to split"),
            "object": st.column_config.TextColumn(width="small"),
            "verdict": st.column_config.SelectboxColumn(
                options=[NO_VERDICT, *VERDICTS], required=True, width="small"
            ),
            "label": st.column_config.SelectboxColumn(
                "what it is", options=list(dict.fromkeys([*labels, *shown["label"]])), required=True
            )
            if labels
            else st.column_config.TextColumn("what it is", max_chars=80),
        },
        alt="Objects in the window, with a verdict to give on each",
    )
    edits: list[Edit] = []
    rows = zip(inside["object_id"], shown.iterrows(), edited.iterrows(), strict=True)
    for target, (_, before), (_, after) in rows:
        label = "" if pd.isna(after["label"]) else str(after["label"]).strip()
        if label and label != before["label"]:
            edits.append(Edit("relabel", target, before={"label": before["label"]}, after={"label": label}))
        if after["verdict"] in VERDICTS:
            edits.append(Edit(VERDICTS[after["verdict"]], target))
    picked = set(inside["object_id"][edited["pick"].to_numpy(bool)]) if labels else set()
    return edits, picked


def _merge_and_split(
    edits: Sequence[Edit],
    chosen: Sequence[EditableObject],
    after: Sequence[EditableObject],
    save: Callable[[Sequence[Edit]], None],
    key: str,
) -> None:
    """Draw the buttons that make one of the rows that are picked, or several of the one that is."""
    drawn = [thing for thing in after if thing.object_id is None]
    merge, split = st.columns(2, gap="small")
    if merge.button(
        "Merge",
        key=f"{key}.merge",
        icon=":material/merge:",
        help="Pick two rows or more, and they become one. Save other changes first.",
        width="stretch",
        disabled=len(chosen) < 2 or bool(edits),
    ):
        save(merge_objects(chosen))
    if split.button(
        "Split",
        key=f"{key}.split",
        icon=":material/call_split:",
        help="Pick one row, and draw what it is instead: two marks or more. The tool “Cut” is quicker.",
        width="stretch",
        disabled=len(chosen) != 1 or len(drawn) < 2,
    ):
        others = [edit for edit in edits if edit.action != "add" and edit.target != chosen[0].object_id]
        save([*others, *split_object(chosen[0], [thing.shape for thing in drawn])])


def _buttons(
    analysis: Analysis,
    edits: Sequence[Edit],
    region: Region,
    save: Callable[[Sequence[Edit]], None],
    person: str,
    key: str,
) -> None:
    st.markdown(f"**{_changes(edits)} not saved yet**" if edits else "**No unsaved changes**")
    if st.button(
        "Save", type="primary", disabled=not edits, key=f"{key}.save", icon=":material/save:", width="stretch"
    ):
        save(edits)
    if st.button(
        "Save, and this window is complete",
        key=f"{key}.review",
        icon=":material/done_all:",
        help="Everything in the window is now as you see it. Scores count only windows marked complete.",
        width="stretch",
    ):
        window = dict(zip(BOX_COLUMNS, _edges(region), strict=True))
        save([*edits, Edit("review", FRAME, after=window)])
    if st.button(
        "Undo the last saved change",
        key=f"{key}.undo",
        icon=":material/undo:",
        width="stretch",
        disabled=bool(edits),
    ):
        db = store()
        if db is not None and analysis.run_id is not None:
            db.undo_last(analysis.run_id, person)
            st.rerun()


def _save(keep: Callable[[Sequence[Edit]], bool], drawn: str, edits: Sequence[Edit]) -> None:
    """Keep edits in the store and draw everything anew, or say why they are not possible.

    Args:
        keep: Writes them, and says whether it did.
        drawn: What :func:`when_left` knows the canvas by: nothing on it is unsaved then.
        edits: All that is to be kept.
    """
    if keep(edits):
        when_left(drawn, None)
        st.rerun()


def _keep(run_id: str, person: str, edits: Sequence[Edit], *, left: bool = False) -> bool:
    """Whether the store took the edits; it says why not, and that it did where nobody pressed Save."""
    db = store()
    if db is None:
        return False
    try:
        db.append_corrections(run_id, person, edits)
    except (ParameterInvalid, StoreUnavailable) as error:
        show_error(error)
        return False
    if left:
        st.toast(f"Saved: {_changes(edits)}.", icon=":material/save:")
    return True


def _changes(edits: Sequence[Edit]) -> str:
    """How many changes a person would say these are."""
    count = len([edit for edit in edits if not edit.group]) + len({edit.group for edit in edits} - {""})
    return f"{count} change{'s' if count != 1 else ''}"


def _edges(region: Region) -> tuple[float, float, float, float]:
    """Outer edges in pixel coordinates of a region of whole pixels."""
    x_min, y_min, x_max, y_max = region
    return x_min - 0.5, y_min - 0.5, x_max - 0.5, y_max - 0.5


def _legend() -> None:
    marks = []
    for state, meaning in MEANINGS.items():
        ends = list(accumulate(STYLES[state]["strokeDashArray"] or (1,), initial=0))
        colours = (STYLES[state]["stroke"], "transparent")
        parts = [f"{colours[n % 2]} {start}px {end}px" for n, (start, end) in enumerate(pairwise(ends))]
        marks.append(
            '<span style="display: inline-flex; align-items: center; gap: 0.5em; margin-right: 1.5em">'
            '<span style="background: #20242C; border-radius: 3px; padding: 5px 4px">'
            f'<span style="display: block; width: 40px; height: {STROKE:g}px; '
            f'background: repeating-linear-gradient(90deg, {", ".join(parts)})"></span></span>'
            f"{meaning}</span>"
        )
    st.html(f'<div style="font-size: 0.875rem; line-height: 1.8">{"".join(marks)}</div>')


def _account(catalogue: CorrectedCatalogue, person: str) -> str:
    states = catalogue.table["state"].value_counts()
    touched = int(states.drop("unreviewed", errors="ignore").sum())
    windows = len(catalogue.reviewed)
    return (
        f"{touched} of {len(catalogue.table)} objects touched by {person}; "
        f"{windows} window{'s' if windows != 1 else ''} marked complete."
    )


def score_table(analyses: Sequence[Analysis], catalogue: CorrectedCatalogue, radius_px: float) -> None:
    """Draw precision and recall of each method against the person's own truth.

    Args:
        analyses: The methods run on the frame.
        catalogue: The corrected catalogue.
        radius_px: Largest distance between a truth and a detection that match.
    """
    if not catalogue.reviewed:
        st.info("Mark a window as complete, and every method is scored there against your own catalogue.")
        return
    rows = []
    for analysis in analyses:
        found = analysis.result.detections
        score = score_against_corrections(catalogue, found, radius_px=radius_px, others=NO_STARS)
        rows.append(_score_row(analysis.method.title, score))
    st.dataframe(pd.DataFrame(rows), hide_index=True, alt="Precision and recall of each method")
    st.caption(
        f"Within the windows you marked complete; a match is one to one and within {radius_px:.2g} px. "
        "Ranges are 95 % Wilson intervals."
    )


def _score_row(title: str, score: Score) -> dict[str, object]:
    def with_range(value: float, interval: tuple[float, float]) -> str:
        return f"{value:.3f} ({interval[0]:.2f} to {interval[1]:.2f})"

    return {
        "method": title,
        "found and true": score.true_positives,
        "found, not true": score.false_positives,
        "missed": score.false_negatives,
        "precision": with_range(score.precision, score.precision_interval),
        "recall": with_range(score.recall, score.recall_interval),
        "F1": f"{score.f1:.3f}",
    }
