"""Where the stars of the cluster page come from: a place on the sky, a picture, or a table."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core.catalogues.gaia import MAX_ONLINE_RADIUS_DEG, cone
from core.catalogues.tables import SourceTable, read_table
from core.clusters.columns import UNITS, identifier_of, map_columns, read_column
from core.clusters.table import StarTable, star_table
from core.errors import AlmagestError, CatalogueUnavailable, TableRejected
from core.frames import Frame
from core.methods import Method, methods
from core.results import Detections
from core.ui.arrivals import Arrivals, arrived
from core.ui.frames import Choice, choose_frame
from core.ui.shell import show_error, show_warnings
from core.ui.text import plain

if TYPE_CHECKING:
    from core.simulate.names import Target

SKY, PICTURE, TABLE = "Sky", "Picture", "Table"
TABLE_TYPES = ["csv", "txt", "dat", "tsv", "ecsv", "fits", "fit", "vot", "xml", "parquet", "gz"]
"""Endings the file dialogue offers; what a file is, is decided by its content."""
MADE_UP = "made up"
OPENING = ("M 45", 4.0)
"""Where the page opens: the Pleiades, which the stars that come along show as a cluster."""
PLACES: dict[str, tuple[str, float]] = {
    "Pleiades": ("M 45", 4.0),
    "Beehive": ("M 44", 3.0),
    "Ptolemy's cluster": ("M 7", 2.0),
    "Southern Beehive": ("NGC 2516", 2.0),
    "Double cluster": ("NGC 869", 1.5),
    "Coma Berenices": ("Mel 111", 6.0),
}
"""Clusters that show with the stars that come along: object and radius in degrees."""
PICTURES = ("m13", "m44", "m3", "m22")
_WORDS = {
    "ra_deg": "Right ascension",
    "dec_deg": "Declination",
    "x": "x",
    "y": "y",
    "pm_ra_mas_yr": "Proper motion east",
    "pm_dec_mas_yr": "Proper motion north",
    "parallax_mas": "Parallax",
    "pm_ra_error_mas_yr": "Its error, east",
    "pm_dec_error_mas_yr": "Its error, north",
    "parallax_error_mas": "Error of the parallax",
    "mag": "Magnitude",
    "colour": "Colour",
    "blue": "Blue magnitude",
    "red": "Red magnitude",
    "flux": "Flux",
}
_UNIT_CHOICES = {
    "deg": ("deg", "hourangle", "rad", "arcmin", "arcsec"),
    "mas/yr": ("mas/yr", "arcsec/yr", "deg/yr"),
    "mas": ("mas", "arcsec", "deg"),
}
_NONE = "–"


@dataclass(frozen=True, eq=False)
class Field:
    """The stars a person is looking at, and what they stand on.

    Attributes:
        title: What a person calls it.
        origin: :data:`SKY`, :data:`PICTURE` or :data:`TABLE`.
        source: The table that methods of tables analyse; None while there is none.
        stars: The same as stars on a plane; None where there are too few.
        choice: The picture, or None.
        pixels: ``(N, 2)`` place of each star on the picture, or None.
        credit: Where the stars come from.
        notes: Sentences a person should see.
        finding: The method that finds the stars of the picture, while or after it is at work.
        target: The object that was asked for, or None.
    """

    title: str
    origin: str
    source: SourceTable | None = None
    stars: StarTable | None = None
    choice: Choice | None = None
    pixels: NDArray[np.float64] | None = None
    credit: str = ""
    notes: tuple[str, ...] = ()
    finding: Arrivals | None = None
    target: Target | None = None

    @property
    def frame(self) -> Frame | None:
        """The picture's frame, or None."""
        return None if self.choice is None else self.choice.frame

    @property
    def downwards(self) -> bool:
        """Whether y grows downwards where the stars are drawn in pixels, as on their picture."""
        return self.frame is not None and self.frame.row0 == "top"

    @property
    def key(self) -> str:
        """Names these very stars, to cache by."""
        return "" if self.source is None else self.source.key


def want_place(place: str, radius_deg: float) -> None:
    """Ask for a place on the sky on the next run of the page (for buttons' ``on_click``)."""
    st.session_state["clusters.origin.wanted"] = SKY
    st.session_state["clusters.where"] = place
    st.session_state["clusters.radius"] = radius_deg


def want_picture(name: str) -> None:
    """Ask for a sample picture on the next run of the page."""
    st.session_state["frame.wanted"] = name


def want_example() -> None:
    """Ask for the made-up table on the next run of the page."""
    st.session_state["clusters.origin.wanted"] = TABLE
    st.session_state.pop("clusters.upload", None)


def choose_field(*, full: bool) -> Field:
    """Draw the choice of stars in the current container and give them.

    A page always has a field: what cannot be read leaves the last good one in place under its sentence.

    Args:
        full: Every setting, or only the telling ones.
    """
    wanted = st.session_state.pop("clusters.origin.wanted", None)
    if "frame.wanted" in st.session_state or (
        "frame" in st.query_params and "clusters.from" not in st.session_state
    ):
        wanted = PICTURE
    if wanted is not None:
        st.session_state["clusters.from"] = wanted
    origin = st.segmented_control(
        "Stars from",
        [SKY, PICTURE, TABLE],
        default=SKY if "clusters.from" not in st.session_state else None,
        key="clusters.from",
        required=True,
        persist_state="session",
        width="stretch",
    )
    return _picture(full=full) if origin == PICTURE else _table() if origin == TABLE else _sky(full=full)


def _with_stars(field: Field) -> Field:
    """The field with its stars on a plane, or with the sentence why they cannot be drawn there."""
    if field.source is None:
        return field
    try:
        stars = _stars(field.source.key, field.source)
    except TableRejected as error:
        return replace(field, source=None, notes=(*field.notes, error.message))
    notes = list(field.notes)
    if not np.ptp(stars.xy, axis=0).any():
        notes.append("All stars are at one place: no cluster can be told from that.")
    pixels = None if field.pixels is None else field.pixels[stars.row]
    return replace(field, stars=stars, pixels=pixels, notes=tuple(notes))


@st.cache_resource(show_spinner=False, max_entries=4, ttl=3600)
def _stars(key: str, _source: SourceTable) -> StarTable:
    return star_table(_source)


def _sky(*, full: bool) -> Field:
    """Draw the search for a place and give Gaia's stars around it."""
    from core.simulate.names import find

    st.session_state.setdefault("clusters.where", OPENING[0])
    st.session_state.setdefault("clusters.radius", OPENING[1])
    text = st.text_input(
        "Object or place",
        key="clusters.where",
        persist_state="session",
        help="A name such as M 45, Beehive or NGC 2516, or coordinates.",
    )
    try:
        st.session_state["clusters.target"] = find(text)
    except AlmagestError as error:
        show_error(error)
    target: Target = st.session_state.get("clusters.target") or find(OPENING[0])
    radius = st.slider("Radius (°)", 0.25, 10.0, step=0.25, key="clusters.radius", persist_state="session")
    online = full and st.toggle(
        "Ask the Gaia archive",
        key="clusters.online",
        help="Off: the stars that come with Almagest, to G = 10, without motions and parallaxes. "
        "On: Gaia DR3 with both, over the network.",
    )
    limit = 18.0
    if online:
        limit = st.slider("Faintest (G)", 10.0, 20.0, limit, 0.5, key="clusters.faintest")
    notes: tuple[str, ...] = ()
    try:
        with st.spinner("Asking the Gaia archive"):
            source, credit = _cone(target.ra_deg, target.dec_deg, radius, limit if online else None)
    except CatalogueUnavailable as error:
        notes = (f"{error.message} The stars that come along are used instead.",)
        source, credit = _cone(target.ra_deg, target.dec_deg, radius, None)
    else:
        if online and radius > MAX_ONLINE_RADIUS_DEG:
            notes = (f"The archive is asked for {MAX_ONLINE_RADIUS_DEG:g}° around the middle at most.",)
    named = replace(source, name=f"{target.name}, {radius:g}°")
    return _with_stars(
        Field(target.title, SKY, named, credit=credit, notes=notes, target=target)
        if len(named)
        else Field(target.title, SKY, credit=credit, notes=("There are no stars here.",), target=target)
    )


@st.cache_resource(show_spinner=False, max_entries=8, ttl=3600)
def _cone(
    ra_deg: float, dec_deg: float, radius_deg: float, limit_mag: float | None
) -> tuple[SourceTable, str]:
    """Stars of a cone and where they come from; offline without a limit."""
    online = limit_mag is not None
    radius = min(radius_deg, MAX_ONLINE_RADIUS_DEG) if online else radius_deg
    found = cone(ra_deg, dec_deg, radius, online=online, limit_mag=limit_mag)
    known = found.table.dropna(axis="columns", how="all") if len(found) else found.table
    return SourceTable.from_frame(known, "Gaia", notes=found.notes), found.source


def _picture(*, full: bool) -> Field:
    """Draw the choice of a picture and give the stars found on it."""
    choice = choose_frame("m13", kinds=("deep_sky", "star_field"))
    finders = {name: method for name, method in methods("stars").items() if method.is_ready}
    name = "stars.sep"
    if full:
        name = st.selectbox(
            "Stars found by",
            list(finders),
            index=list(finders).index(name),
            key="clusters.finder",
            format_func=lambda each: finders[each].title,
        )
    finder = finders[name]
    finding = arrived([finder], choice.frame, {finder.name: finder.params()})
    field = Field(choice.frame.name, PICTURE, choice=choice, finding=finding)
    if choice.sample is not None:
        field = replace(field, title=choice.sample.title.partition(",")[0])
    if not finding.analyses:
        return field
    found = finding.analyses[0].result.detections
    table = source_of_detections(found, choice.frame.key, field.title, finder)
    pixels = found.xy
    return _with_stars(replace(field, source=table, pixels=pixels, credit=f"stars found by {finder.title}"))


def source_of_detections(found: Detections, frame_key: str, name: str, finder: Method) -> SourceTable:
    """The stars of a picture as a table: on the sky where they have a place there, else in pixels."""
    table = found.table
    on_sky = len(table) and table[["ra_deg", "dec_deg"]].notna().all(axis=None)
    place = ["ra_deg", "dec_deg"] if on_sky else ["x", "y"]
    known = table[[*place, "flux"]].dropna(axis="columns", how="all")
    made = SourceTable.from_frame(known, name)
    digest = hashlib.sha256(f"{frame_key} {finder.name} {made.key}".encode()).hexdigest()
    return replace(made, sha256=digest)


def _table() -> Field:
    """Draw the upload of a table, its columns where they need a hand, and give its stars."""
    with st.popover(
        "Open your own table",
        icon=":material/upload:",
        width="stretch",
        key="clusters.popover",
        on_change="rerun",
    ):
        st.file_uploader(
            "CSV, ECSV, FITS, VOTable or Parquet, gzipped or not, up to 2 million rows",
            type=TABLE_TYPES,
            key="clusters.file",
            on_change=_take_upload,
        )
        st.caption(
            "One row a star: ra and dec, or x and y; proper motions, parallaxes, magnitudes and colours, if "
            "there are any. The file is read by this server and kept only as long as this tab is open."
        )
    refused = st.session_state.pop("clusters.refused", None)
    if refused is not None:
        show_error(refused)
    upload = st.session_state.get("clusters.upload")
    if upload is None:
        source = _example()
        st.caption("A made-up field with two clusters in it, until you open a table of your own.")
        return _with_stars(Field(source.name, TABLE, source, credit="made up; nothing here is real"))
    source = _read_upload(hashlib.sha256(upload[1]).hexdigest(), *upload)
    st.caption(plain(f"{upload[0]}: {len(source):,} rows, {len(source.table.columns)} columns."))
    if st.button("Back to the made-up field", key="clusters.back", icon=":material/undo:", width="stretch"):
        want_example()
        st.rerun()
    field = Field(upload[0], TABLE, source, credit="your own table")
    try:
        return _with_stars(replace(field, source=_by_hand(source)))
    except TableRejected as error:
        return replace(field, source=None, notes=(error.message,))


@st.cache_resource(show_spinner="Making up a field", max_entries=1)
def _example() -> SourceTable:
    from core.clusters.example import example_table

    made = example_table()
    # What is true stays with the table; a method must not see it.
    return replace(made, table=made.table.drop(columns="truth"))


@st.cache_resource(show_spinner="Reading the table", max_entries=3, ttl=3600)
def _read_upload(sha256: str, name: str, _data: bytes) -> SourceTable:
    return read_table(_data, name)


def _take_upload() -> None:
    """Take a file as the table once it has been read; one that cannot be read changes nothing."""
    file = st.session_state.get("clusters.file")
    if file is None:
        return
    st.session_state["clusters.popover"] = False
    name, data = file.name, file.getvalue()
    try:
        _read_upload(hashlib.sha256(data).hexdigest(), name, data)
    except TableRejected as error:
        st.session_state["clusters.refused"] = error
        return
    st.session_state["clusters.upload"] = (name, data)


def _by_hand(source: SourceTable) -> SourceTable:
    """Draw the columns and their units, recognised by name and changed by hand; the table they make.

    Raises:
        TableRejected: A column holds no numbers, or its unit cannot be what it is used for.
    """
    known = map_columns(source.table.columns)
    places = {"ra_deg", "dec_deg"} <= known.keys() or {"x", "y"} <= known.keys()
    columns = [str(column) for column in source.table.columns]
    with st.expander("Columns", icon=":material/view_column:", expanded=not places):
        if not places:
            st.caption("The places were not recognised by name: choose them.")
        chosen: dict[str, str] = {}
        units: dict[str, str] = {}
        usual: dict[str, str] = {}  # what is read without a hand
        for target, word in _WORDS.items():
            options = [_NONE, *columns]
            default = options.index(known[target]) if target in known else 0
            key = f"clusters.column.{source.key[:16]}.{target}"
            left, right = st.columns([3, 2], gap="small", vertical_alignment="bottom")
            column = left.selectbox(word, options, default, key=key, persist_state="session")
            if column == _NONE:
                continue
            chosen[target] = column
            choices = _UNIT_CHOICES.get(UNITS[target])
            if choices is None:
                right.caption(plain({"pix": "px"}.get(UNITS[target], UNITS[target])))
                continue
            own = source.units.get(column, "")
            offered = list(dict.fromkeys([*([own] if own else []), *choices]))
            usual[column] = offered[0]
            units[column] = right.selectbox(
                f"Unit of {word}",
                offered,
                key=f"{key}.unit",
                label_visibility="collapsed",
                persist_state="session",
            )
    if chosen == known and units == usual:
        return source
    facts = repr((source.name, sorted(chosen.items()), sorted(units.items())))
    return _mapped(source.key, facts, source, chosen, units)


@st.cache_resource(show_spinner=False, max_entries=3, ttl=3600)
def _mapped(
    key: str, facts: str, _source: SourceTable, _chosen: dict[str, str], _units: dict[str, str]
) -> SourceTable:
    """The table of the chosen columns, by what they hold and in the units that are wanted."""
    values = {
        target: read_column(_source, target, column, _units.get(column)) for target, column in _chosen.items()
    }
    if not values:
        raise TableRejected("No column is chosen: choose ra and dec, or x and y.", parameter="columns")
    table = pd.DataFrame(values)
    identifier = identifier_of(_source.table.columns)
    if identifier is not None:
        table[identifier] = _source.table[identifier]
    return SourceTable.from_frame(table, _source.name, notes=_source.notes)


def show_notes(field: Field) -> None:
    """Draw what a person should know of the stars."""
    show_warnings(list(field.notes))
