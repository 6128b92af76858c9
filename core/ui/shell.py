"""The frame around every page: navigation, the sidebar, and what happens when something goes wrong."""

from __future__ import annotations

import html
import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import streamlit as st

from core.errors import AlmagestError
from core.ui.appearance import appearance_switch
from core.ui.text import plain

Face = Literal["Explore", "Research"]
_log = logging.getLogger("almagest")
_LEAVING, _DRAWN = "shell.leaving", "shell.drawn"
_ICON = Path(__file__).with_name("icon.svg")

_STYLE = """
<style>
.block-container { padding: 3.9rem 2.5rem 3rem; max-width: 1760px; }
h1 { font-size: clamp(1.5rem, 3.2vw, 2.1rem) !important; padding: 0.2rem 0 0.3rem !important; }
.almagest-lead { font-size: clamp(1.05rem, 2vw, 1.3rem); line-height: 1.45; margin: 0 0 0.4rem; }
@media (max-width: 640px) {
  .block-container { padding-left: 0.8rem; padding-right: 0.8rem; }
}
</style>
"""


@dataclass(frozen=True)
class PageLink:
    """A page of the dashboard, how it is listed, and whether a frame can be sent to it.

    ``url`` is the name of its file: the first visitor of a server who follows a link to any other address is
    told by Streamlit that there is no such page (see :func:`enter_dashboard`).
    """

    path: str
    title: str
    icon: str
    url: str
    default: bool = False
    takes_frames: bool = False


PAGES: tuple[PageLink, ...] = (
    PageLink("pages/home.py", "Home", ":material/home:", "home", default=True),
    PageLink("pages/stars.py", "Star detection", ":material/flare:", "stars", takes_frames=True),
    PageLink("pages/clusters.py", "Star clusters", ":material/scatter_plot:", "clusters", takes_frames=True),
    PageLink("pages/dso.py", "Deep-sky objects", ":material/blur_on:", "dso", takes_frames=True),
    PageLink("pages/surfaces.py", "Planetary surfaces", ":material/landscape:", "surfaces"),
    PageLink("pages/playground.py", "Simulation playground", ":material/auto_awesome:", "playground"),
    PageLink("pages/frames.py", "Look at a frame", ":material/image_search:", "frames", takes_frames=True),
    PageLink("pages/results.py", "Stored runs", ":material/database:", "results"),
)


_run = threading.local()


def enter_dashboard() -> None:
    """Make sure a page is drawn inside the common frame; every page says this first.

    The very first visitor of a server may follow a link to a page. Streamlit then takes the folder
    ``pages`` for an old-style application and runs the page's file without ``Home.py``.
    """
    if not getattr(_run, "inside", False):
        run_dashboard()
        st.stop()


def run_dashboard() -> None:
    """Draw the page the visitor is on, inside the common frame."""
    _run.inside = True
    try:
        _draw()
    finally:
        _run.inside = False


def _draw() -> None:
    st.set_page_config(page_title="Almagest", page_icon=str(_ICON), layout="wide")
    st.html(_STYLE)
    page = st.navigation(
        [
            st.Page(link.path, title=link.title, icon=link.icon, url_path=link.url, default=link.default)
            for link in PAGES
        ]
    )
    with st.sidebar:
        _sidebar()
    st.session_state[_DRAWN] = set()
    try:
        page.run()
        _leave()
    except AlmagestError as error:
        show_error(error)
    except Exception:
        # The log gets the traceback; the visitor gets a sentence and keeps what was on the page.
        _log.exception("page %s failed", page.url_path)
        st.error(
            "Something went wrong on our side and was written to the server's log. "
            "What is stored is safe; choose another frame or reload the page.",
            icon=":material/error:",
        )


def when_left(key: str, do: Callable[[], bool] | None) -> None:
    """Have something done as soon as a whole run of any page no longer draws what says this.

    A section is closed, another frame or page is opened: what was not kept yet can be kept then.

    Args:
        key: Of what is drawn, the same in each run that draws it.
        do: What is done, and says whether the page must be drawn anew; it takes the place of what was to be
            done before. None for nothing.
    """
    st.session_state.setdefault(_LEAVING, {})[key] = do
    st.session_state.setdefault(_DRAWN, set()).add(key)


def _leave() -> None:
    """Do what :func:`when_left` was told for what is not drawn any more."""
    leaving = st.session_state.get(_LEAVING, {})
    left = [leaving.pop(key) for key in set(leaving) - st.session_state[_DRAWN]]
    if sum(do() for do in left if do is not None):
        st.rerun()


def face() -> Face:
    """Which face of the dashboard is on: Explore for visitors, Research for everything."""
    return "Research" if st.session_state.get("face") == "Research" else "Explore"


def go_to(page: str) -> None:
    """Open another page by its path, in the face that is on."""
    # Without parameters given Streamlit would clear the address first, and refuses to where it says the face.
    st.switch_page(page, query_params={})


def open_section(options: Sequence[str], key: str) -> str:
    """Which section of a page is open, before :func:`choose_section` is drawn: the first where none was."""
    if st.session_state.get(key) not in options:
        st.session_state[key] = options[0]
    return str(st.session_state[key])


def choose_section(options: Sequence[str], key: str) -> str:
    """Draw the row of a page's sections, and give the one that is open."""
    open_section(options, key)
    return str(
        st.segmented_control(
            "Section",
            options,
            key=key,
            persist_state="session",
            required=True,
            label_visibility="collapsed",
            wrap=True,
        )
    )


def choose_one(label: str, options: Iterable[str], key: str, default: str | None = None) -> str:
    """Draw a choice of one, which stays for whoever comes back to the page; by default the first at first."""
    titles = list(options)
    return str(
        st.segmented_control(
            label,
            titles,
            default=default or titles[0],
            key=key,
            persist_state="session",
            required=True,
            wrap=True,
        )
    )


def lead(sentence: str) -> None:
    """The one sentence on top of a page that says what was found."""
    st.html(f'<p class="almagest-lead" role="status">{html.escape(sentence)}</p>')


def show_error(error: AlmagestError) -> None:
    """Show what Almagest refuses or cannot do, as the sentence it carries."""
    st.error(plain(error.message), icon=":material/error:")


def show_warnings(sentences: tuple[str, ...] | list[str]) -> None:
    """Show sentences a person should see, each once."""
    for sentence in dict.fromkeys(sentences):
        st.warning(plain(sentence), icon=":material/info:")


def _sidebar() -> None:
    st.segmented_control(
        "Show",
        ["Explore", "Research"],
        default=None if "face" in st.session_state else "Explore",  # a link may have said it
        key="face",
        required=True,
        width="stretch",
        bind="query-params",
        help="Explore: the picture and what it means. Research: every parameter, table, plot and score.",
    )
    st.caption("Appearance")
    appearance_switch()
    st.text_input(
        "Your name",
        key="person",
        max_chars=80,
        placeholder="visitor",
        persist_state="session",
        help="Goes with your corrections and exports. Without one, this browser gets a number.",
    )
