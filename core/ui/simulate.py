"""The playground: a scene put together by hand, exposed, and sent to the other pages with its truth."""

from __future__ import annotations

import dataclasses
import io
import zipfile
from typing import Any, Literal

import numpy as np
import streamlit as st

from core.errors import ParameterInvalid
from core.frames import Frame
from core.frames.display import DisplaySettings
from core.frames.display import render as render_picture
from core.simulate.catalogue import StarCatalogue
from core.simulate.catalogue_scene import scene_stars
from core.simulate.dataset_fits import simulation_fits
from core.simulate.dataset_labels import yolo_labels
from core.simulate.datasets import MIN_SNR
from core.simulate.names import Target, find
from core.simulate.presets import PRESETS
from core.simulate.render import Simulation, render
from core.simulate.scene import Scene, exposures
from core.simulate.targets import with_target
from core.simulate.truth import LABELS
from core.ui.parameters import parameter_widgets
from core.ui.shell import PAGES, go_to, show_error
from core.ui.viewer import Layer
from core.ui.viewer.model import Marker

PREVIEW_SIDE = 512
MAX_ARCHIVED_PIXELS = 100_000_000
"""Of all exposures in an archive and their colours, four bytes each: it is put together in memory."""
LAYER_STYLES: dict[str, tuple[str, Marker]] = {
    "real stars": ("#56B4E9", "circle"),
    "stars drawn at random": ("#8894A8", "circle"),
    "galaxy": ("#E69F00", "box"),
    "nebula": ("#CC79A7", "box"),
    "cluster": ("#009E73", "box"),
}
_SHORT = {
    "sky": ("brightness_mag_arcsec2", "gradient", "moon_illumination"),
    "seeing": ("fwhm_arcsec", "trail_arcsec"),
    "camera": ("exposure_s", "n_stacked"),
    "extras": ("galaxies", "nebulae", "clusters", "satellites", "cosmic_rays"),
}
"""What the Explore face shows of each group."""
_GROUPS = {
    "telescope": "Telescope",
    "seeing": "Seeing",
    "sky": "Sky",
    "camera": "Camera",
    "extras": "Extras",
}


def scene_controls(*, full: bool) -> Scene:
    """Draw the scene's controls in the current container and give the scene.

    Settings that contradict each other get a sentence, and the last scene that could be stays.

    Args:
        full: Every parameter of every group, or only the telling ones.
    """
    target = _place()
    names = list(PRESETS)
    preset = st.selectbox(
        "Telescope", names, key="sim.preset", format_func=_preset_title, persist_state="session"
    )
    scene = PRESETS[preset]
    pointing = dataclasses.replace(scene.pointing, ra_deg=target.ra_deg % 360.0, dec_deg=target.dec_deg)
    groups: dict[str, Any] = {"pointing": pointing}
    if full:
        with st.expander("When and how it is turned", icon=":material/schedule:"):
            groups["pointing"] = parameter_widgets(pointing, "sim.pointing", only=("rotation_deg", "date"))
    for name, title in _GROUPS.items():
        only = None if full else _SHORT.get(name)
        if full or only:
            with st.expander(title, expanded=not full and name == "sky"):
                groups[name] = parameter_widgets(getattr(scene, name), f"sim.{preset}.{name}", only=only)
    seed = st.number_input(
        "Seed",
        0,
        2**31 - 1,
        1,
        key="sim.seed",
        persist_state="session",
        help="The same seed and scene give the same frame to the bit.",
    )
    try:
        chosen = with_target(dataclasses.replace(scene, **groups, seed=int(seed)), target)
    except ParameterInvalid as error:
        show_error(error)
        chosen = st.session_state.get("sim.scene", scene)
    st.session_state["sim.scene"] = chosen
    return chosen


def _preset_title(name: str) -> str:
    scene = PRESETS[name]
    return f"{scene.telescope.name}, {scene.pixel_scale_arcsec:.2g}″ a pixel"


def _place() -> Target:
    """Draw the search for a place on the sky and give the last one that was found."""
    text = st.text_input(
        "Where",
        "M 13",
        key="sim.where",
        persist_state="session",
        help="A name such as M 13 or Andromeda, or coordinates.",
    )
    try:
        st.session_state["sim.target"] = find(text)
    except ParameterInvalid as error:
        show_error(error)
    target: Target = st.session_state.get("sim.target") or find("M 13")
    st.caption(f"{target.title}: {target.kind}".replace("*", "\\*"))
    return target


def preview_scene(scene: Scene) -> Scene:
    """The middle of a scene, small enough to follow a slider."""
    return scene.cropped(PREVIEW_SIDE, PREVIEW_SIDE)


def expose(scene: Scene, *, online: bool) -> tuple[Simulation, StarCatalogue]:
    """The exposed scene and its stars; the offline catalogue when the archive cannot be reached."""
    stars = scene_stars(scene, online=online)
    return _expose(scene.to_json(), stars.source, stars.real_limit_mag, stars), stars


@st.cache_resource(show_spinner=False, max_entries=6, ttl=1800)
def _expose(scene_json: str, source: str, real_limit_mag: float, _stars: StarCatalogue) -> Simulation:
    return render(Scene.from_json(scene_json), _stars.table)


def as_shown(simulation: Simulation, *, developed: bool) -> Frame:
    """The frame as the viewer shows it: raw, or developed as a smart telescope's application does."""
    if not developed:
        return simulation.frame
    from core.simulate.look import smart_telescope_look

    look = smart_telescope_look(simulation.frame, simulation.scene).astype("float32")
    return dataclasses.replace(
        simulation.frame, pixels=look, unit="", saturation=255.0, processing='[{"step":"developed"}]'
    )


def truth_layers(simulation: Simulation, least_snr: float = 3.0) -> list[Layer]:
    """Overlays of what is truly there and bright enough to be seen."""
    truth = simulation.truth
    table = truth.table
    seen = table["snr"] >= least_snr
    star = table["label"] == "star"
    kinds = {
        "real stars": seen & star & table["real"].astype(bool),
        "stars drawn at random": seen & star & ~table["real"].astype(bool),
        **{label: seen & (table["label"] == label) for label in ("galaxy", "nebula", "cluster")},
    }
    return [
        Layer(
            name, truth.where(rows), *LAYER_STYLES[name], visible=name != "stars drawn at random", note="mag"
        )
        for name, rows in kinds.items()
        if rows.any()
    ]


def send_simulation(simulation: Simulation) -> None:
    """Hand a simulation to the other pages: its frame becomes the frame, its truth goes along."""
    st.session_state["frame.simulated"] = (simulation.frame, simulation.truth)
    st.session_state["frame.wanted"] = "simulated"


def send_buttons(simulation: Simulation) -> None:
    """Draw a button for each page that takes frames; it hands the simulation over and goes there."""
    for number, page in enumerate(page for page in PAGES if page.takes_frames):
        kind: Literal["primary", "secondary"] = "secondary" if number else "primary"
        if st.button(f"Send to {page.title}", type=kind, icon=":material/send:", width="stretch"):
            send_simulation(simulation)
            go_to(page.path)


def archivable(scene: Scene, count: int) -> Scene:
    """The scene, or so much of its middle that ``count`` exposures fit into an archive."""
    camera = scene.camera
    pixels = camera.width * camera.height * (3 if camera.mode == "rgb" else 1)
    share = min(1.0, (MAX_ARCHIVED_PIXELS / count / pixels) ** 0.5)
    return scene.cropped(int(share * camera.width), int(share * camera.height))


def exposures_zip(scene: Scene, count: int, dither_px: float, *, online: bool) -> bytes:
    """``count`` dithered exposures of the same stars as FITS files with their truth, in one archive."""
    archive = io.BytesIO()
    bar = st.progress(0.0, text="Exposing")
    taken = exposures(scene, count, dither_px, seed=scene.seed)
    stars = scene_stars(max(taken, key=lambda each: each.field_radius_deg), online=online).table
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for number, each in enumerate(taken):
            simulation = render(each, stars)
            out.writestr(f"exposure_{number:02d}.fits", simulation_fits(simulation))
            bar.progress((number + 1) / count, text=f"Exposed {number + 1} of {count}")
    bar.empty()
    return archive.getvalue()


def labelled_zip(simulation: Simulation) -> bytes:
    """The pixels as ``.npy`` with the truth as YOLO labels, in one archive."""
    pixels, archive = io.BytesIO(), io.BytesIO()
    np.save(pixels, simulation.frame.pixels)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("frame.npy", pixels.getvalue())
        out.writestr("frame.txt", yolo_labels(simulation.truth, simulation.scene, MIN_SNR))
        out.writestr("classes.txt", "\n".join(LABELS) + "\n")
        out.writestr("scene.json", simulation.scene.to_json())
    return archive.getvalue()


def picture_png(frame: Frame, settings: DisplaySettings) -> bytes:
    """The frame as the viewer shows it, every pixel of it."""
    from PIL import Image

    picture = io.BytesIO()
    Image.fromarray(render_picture(frame, settings).rgb).save(picture, "PNG")
    return picture.getvalue()


def simulation_downloads(simulation: Simulation, shown: Frame, settings: DisplaySettings) -> None:
    """Draw the downloads of one exposure: the frame with its truth, its picture, and the scene itself."""
    scene = simulation.scene
    stem = f"{scene.telescope.name} {scene.seed}".replace(" ", "_")
    files = (
        ("FITS with WCS and truth", lambda: simulation_fits(simulation), "fits", "application/fits"),
        ("Picture as PNG", lambda: picture_png(shown, settings), "png", "image/png"),
        ("NumPy array with YOLO labels", lambda: labelled_zip(simulation), "zip", "application/zip"),
        ("The scene as JSON", scene.to_json, "json", "application/json"),
    )
    for title, content, ending, mime in files:
        st.download_button(
            title,
            data=content,
            file_name=f"{stem}.{ending}",
            mime=mime,
            icon=":material/download:",
            on_click="ignore",
            width="stretch",
        )
