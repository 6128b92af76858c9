"""Choosing a frame: a sample, a file of one's own, and the image inside it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import streamlit as st

from core.errors import FrameRejected, TableRejected
from core.frames import Frame, HduChoice, image_hdus, read_frame
from core.frames.display import DisplaySettings, encode, render
from core.frames.samples import Sample, samples
from core.results import Detections
from core.ui.shell import show_error
from core.ui.text import plain

UPLOAD_TYPES = [
    *("fits", "fit", "fts", "fz", "gz", "tif", "tiff", "png", "jpg", "jpeg"),
    *("cub", "img", "lbl", "vic", "vicar"),
]
"""Endings the file dialogue offers; what a file is, is decided by its content."""
_OWN, _SIMULATED = "own", "simulated"


@dataclass(frozen=True)
class Choice:
    """The frame a person is looking at.

    Attributes:
        frame: The frame.
        sample: The sample it is, or None.
        truth: What is truly on it, when it was simulated; else None.
    """

    frame: Frame
    sample: Sample | None = None
    truth: Detections | None = None

    @property
    def title(self) -> str:
        """What a person calls it."""
        return self.frame.name if self.sample is None else self.sample.title


@st.cache_data(show_spinner=False)
def all_samples() -> dict[str, Sample]:
    """The samples by name."""
    return {sample.name: sample for sample in samples()}


@st.cache_resource(show_spinner=False, max_entries=4, ttl=3600)
def _read_sample(name: str) -> Frame:
    return all_samples()[name].read()


@st.cache_resource(show_spinner=False, max_entries=3, ttl=3600)
def _read_upload(sha256: str, hdu: int | None, plane: int | None, _data: bytes, name: str) -> Frame:
    # The name is part of the key: another visitor may call the same file otherwise.
    return read_frame(_data, name=name, hdu=hdu, plane=plane)


@st.cache_data(show_spinner=False, max_entries=16, ttl=3600)
def _hdus(sha256: str, _data: bytes, _name: str) -> tuple[HduChoice, ...]:
    return image_hdus(_data, name=_name)


@st.cache_resource(show_spinner=False, max_entries=8, ttl=3600)
def _read_truth(sha256: str, _data: bytes) -> Detections | None:
    """The truth that a simulated FITS file carries; None for every other file."""
    if b"EXTNAME = 'TRUTH" not in _data:
        return None
    from core.simulate.dataset_fits import read_truth

    try:
        return read_truth(_data)
    except TableRejected as error:
        show_error(error)
        return None


@st.cache_data(show_spinner=False)
def thumbnail(name: str, side: int = 320) -> bytes:
    """A square JPEG or PNG of a sample, ``side`` pixels wide."""
    frame = all_samples()[name].read()
    short = min(frame.width, frame.height)
    left, top = (frame.width - short) // 2, (frame.height - short) // 2
    region = (left, top, left + short, top + short)
    picture = render(frame, DisplaySettings.for_frame(frame), region=region, max_side=side)
    return encode(picture.rgb)[0]


def choose_frame(default: str, kinds: tuple[str, ...] | None = None) -> Choice:
    """Draw the frame picker and give the frame chosen.

    A page always has a frame: the sample named in the address (``?frame=m13``), the one chosen last,
    or ``default``. A file that cannot be read leaves the last good frame in place under its sentence.

    Args:
        default: Name of the sample to open with.
        kinds: The kinds of samples offered first; the others follow.
    """
    known = all_samples()
    options = sorted(known, key=lambda name: kinds is not None and known[name].kind not in kinds)
    upload = st.session_state.get("frame.upload")
    simulated = st.session_state.get("frame.simulated")
    titles = {name: sample.title for name, sample in known.items()}
    if simulated is not None:
        titles[_SIMULATED] = "Simulated frame"
        options = [_SIMULATED, *options]
    if upload is not None:
        titles[_OWN] = upload[0]
        options = [_OWN, *options]

    wanted = st.session_state.pop("frame.wanted", None)
    if wanted in options:
        st.session_state["frame"] = wanted
    elif st.session_state.get("frame") not in options:
        asked = st.query_params.get("frame", default)
        st.session_state["frame"] = asked if asked in options else default

    refused = st.session_state.pop("frame.refused", None)
    if refused is not None:
        show_error(refused)
    picked = st.selectbox(
        "Frame", options, key="frame", format_func=titles.__getitem__, persist_state="session"
    )
    _uploader()
    _correct_address(picked)
    if picked == _OWN and upload is not None:
        return _own_choice(*upload)
    if picked == _SIMULATED and simulated is not None:
        return Choice(simulated[0], truth=simulated[1])
    return Choice(_read_sample(picked), known[picked])


def _correct_address(picked: str) -> None:
    """Have an address that names a frame name the one looked at: it may be sent on, or loaded anew."""
    if st.query_params.get("frame", picked) == picked:
        return
    if picked in all_samples():
        st.query_params["frame"] = picked
    else:
        del st.query_params["frame"]


def sample_frame(name: str) -> Frame:
    """A sample as a frame."""
    return _read_sample(name)


def own_frame() -> Frame | None:
    """The file that was opened in this visit as a frame, whichever is looked at now; None without one.

    Of a file with several images or planes it is the one that was chosen last.
    """
    upload = st.session_state.get("frame.upload")
    if upload is None:
        return None
    name, data, sha256 = upload
    hdu, plane = st.session_state.get(f"frame.{sha256[:12]}.part", (None, None))
    try:
        return _read_upload(sha256, hdu, plane, data, name)
    except FrameRejected:
        return None


def want_frame(name: str) -> None:
    """Ask for a sample on the next run of the page (for buttons' ``on_click``)."""
    st.session_state["frame.wanted"] = name


def sample_gallery(names: Sequence[str], key: str) -> None:
    """Draw samples as pictures with a button each; pressing one puts it on the page."""
    known = all_samples()
    shelf = st.container(horizontal=True, gap="small")
    for name in names:
        with shelf.container(width=168):
            st.image(thumbnail(name), width="stretch", alt=known[name].title)
            title = known[name].title.partition(",")[0].partition(":")
            short = (title[2] or title[0]).strip()
            st.button(
                short, key=f"{key}.{name}", on_click=want_frame, args=(name,), width="stretch", wrap=True
            )


def _uploader() -> None:
    # Its state is followed so that it can be closed once a file is there: it covers the picture.
    with st.popover(
        "Open your own file",
        icon=":material/upload:",
        width="stretch",
        key="frame.popover",
        on_change="rerun",
    ):
        st.file_uploader(
            "FITS (also .fz and .gz), TIFF, PNG, JPEG or a planetary map (ISIS cube, PDS3, VICAR), "
            "up to 64 megapixels",
            type=UPLOAD_TYPES,
            key="frame.file",
            on_change=_take_upload,
        )
        st.caption("The file is read by this server and kept only as long as this browser tab is open.")


def _take_upload() -> None:
    """Take a file as the frame once it has been read; one that cannot be read changes nothing."""
    file = st.session_state.get("frame.file")
    if file is None:
        return
    st.session_state["frame.popover"] = False
    name, data = file.name, file.getvalue()
    sha256 = hashlib.sha256(data).hexdigest()  # once: of a large file it takes seconds
    try:
        _read_upload(sha256, None, None, data, name)
    except FrameRejected as error:
        st.session_state["frame.refused"] = error
        return
    st.session_state["frame.upload"] = (name, data, sha256)
    st.session_state["frame.wanted"] = _OWN


def _own_choice(name: str, data: bytes, sha256: str) -> Choice:
    hdu, plane = None, None
    choices = {choice.title: choice for choice in _hdus(sha256, data, name)}
    chosen = next(iter(choices.values()), None)
    # Keys carry the file: its image stays chosen on every page, and another file opens with its first.
    key = f"frame.{sha256[:12]}"
    if len(choices) > 1:
        picked = st.selectbox("Image in the file", list(choices), key=f"{key}.hdu", persist_state="session")
        chosen = choices[picked]
        hdu = chosen.index
    if chosen is not None and chosen.planes > 1:
        last = chosen.planes - 1
        plane = st.number_input(
            f"Plane, page or band (0 to {last})",
            0,
            last,
            value=None,
            placeholder="automatic",
            key=f"{key}.plane.{chosen.index}",
            persist_state="session",
        )
    try:
        frame = _read_upload(sha256, hdu, plane, data, name)
        st.session_state[f"{key}.part"] = hdu, plane
    except FrameRejected as error:
        show_error(error)
        frame = _read_upload(sha256, None, None, data, name)
    return Choice(frame, truth=_read_truth(sha256, data))


@contextmanager
def about_frame(choice: Choice) -> Iterator[None]:
    """A box that tells a visitor what they are looking at; what is drawn inside stands before the credit."""
    sample = choice.sample
    with st.container(border=True):
        st.markdown("##### What am I looking at?")
        if sample is not None:
            st.markdown(f"**{plain(sample.title)}.** {plain(sample.about)}")
        elif choice.truth is not None:
            st.write("A simulated frame. What is truly on it is known: see Truth below the picture.")
        else:
            st.write("Your own frame.")
        yield
        if sample is not None:
            st.caption(f"Picture: {plain(sample.credit)}. Licence: {plain(sample.licence)}.")


def frame_facts(frame: Frame) -> str:
    """One line of what is known of a frame: its size, scale and instrument, as Markdown-safe text."""
    facts = [f"{frame.width} × {frame.height} px"]
    if frame.pixel_scale_arcsec is None:
        facts.append("no pixel scale, so sizes are in px")
    else:
        facts.append(f"{frame.pixel_scale_arcsec:.3g}″ a pixel")
    facts += [str(frame.header[card]) for card in ("TELESCOP", "INSTRUME", "OBJECT") if card in frame.header]
    return plain(" · ".join(facts))
