"""What only the star page shows: profiles, star plots, and the match with Gaia."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from core.errors import CatalogueUnavailable
from core.frames import Frame
from core.frames.sky import field_of_view
from core.stars.profile import fwhm_map, magnitude_histogram, radial_profile
from core.ui import plots
from core.ui.frames import Choice, about_frame
from core.ui.methods import method_style, what_each_does
from core.ui.runs import Analysis
from core.ui.shell import show_warnings
from core.ui.tables import sources_table
from core.ui.text import plain

if TYPE_CHECKING:
    from core.stars.calibrate import Calibration


QUICK_PIXELS = 12 * 2**20
_MATCHED = {
    "source_id": "Gaia DR3 source",
    "g_mag": "G [mag]",
    "mag": "instrumental [mag]",
    "dx_arcsec": "Δα cos δ [″]",
    "dy_arcsec": "Δδ [″]",
    "offset_mag": "G − instrumental [mag]",
    "used": "used for the zero point",
}


def is_quick(frame: Frame) -> bool:
    """Whether every method takes seconds on a frame; on a larger one a person chooses what to wait for."""
    return frame.width * frame.height <= QUICK_PIXELS


def sentence(analyses: Sequence[Analysis], *, waiting: bool) -> str:
    """The one sentence on top of the page: what the first method says."""
    if not analyses:
        return "Looking for stars." if waiting else "No method can look at this here."
    return analyses[0].result.summary


def match_radius_px(analyses: Sequence[Analysis]) -> float:
    """How far two methods' positions of one star may lie apart: the first's FWHM, and at least 2 px."""
    return max([2.0, *(float(first.result.facts.get("fwhm_px", 2.0)) for first in analyses[:1])])


def explain(choice: Choice, analyses: Sequence[Analysis]) -> None:
    """Tell a visitor what they are looking at and what the methods do, in plain words."""
    with about_frame(choice):
        st.write("Every mark is a place where a method sees a star.")
        what_each_does([(each.method, len(each.result.detections)) for each in analyses])


def profile_panel(analysis: Analysis, frame: Frame, row: int | None) -> None:
    """Draw the radial profile of the selected star."""
    if row is None or row >= len(analysis.result.detections):
        st.info("Pick a star in the table or in the picture, and its profile is drawn here.")
        return
    star = analysis.result.detections.table.iloc[row]
    reach = 4.0 * float(analysis.result.facts.get("fwhm_px", 3.0))
    profile = radial_profile(frame, float(star["x"]), float(star["y"]), reach)
    said = f"fit: FWHM {profile.fwhm_px:.2f} px" if profile.fwhm_px is not None else ""
    st.plotly_chart(
        plots.profile_figure(
            profile.radius_px,
            profile.values,
            profile.fit_radius_px,
            profile.fit_values if len(profile.fit_values) else None,
            said,
            frame.unit,
        ),
        alt="Radial profile of the selected star",
    )


def rejected_panel(analysis: Analysis) -> None:
    """Draw the candidates that were turned down, counted by reason."""
    rejected = analysis.result.rejected
    if not len(rejected):
        st.info(f"{analysis.method.title} turned nothing down on this frame.")
        return
    kinds = rejected.table["reason"].str.partition(":")[0].value_counts()
    st.write("Candidates that were looked at and turned down. They are crosses in the picture.")
    counts, table = st.columns([2, 3], gap="large")
    counts.dataframe(kinds.rename_axis("reason").rename("candidates"), alt="Candidates turned down by reason")
    with table:
        sources_table(rejected, f"rejected.{analysis.method.name}", None)


def plots_panel(analyses: Sequence[Analysis], frame: Frame) -> None:
    """Draw the magnitude histogram and the map of sharpness over the frame."""
    left, right = st.columns(2, gap="large")
    counted = {a.method.title: magnitude_histogram(a.result.detections) for a in analyses}
    colours = {a.method.title: method_style(a.method.name)[0] for a in analyses}
    with left:
        st.subheader("How bright they are", anchor=False)
        st.plotly_chart(
            plots.magnitude_figure(counted, colours, "instrumental magnitude [mag]"),
            alt="Magnitude histogram",
        )
    with right:
        st.subheader("How sharp they are across the frame", anchor=False)
        widths = fwhm_map(analyses[0].result.detections, (frame.height, frame.width))
        st.plotly_chart(
            plots.map_figure(
                widths, (frame.width, frame.height), "FWHM [px]", bottom_first=frame.row0 == "bottom"
            ),
            alt="Map of the median FWHM of the stars in cells of the frame",
        )


def sky_panel(analysis: Analysis, frame: Frame) -> None:
    """Match the stars with Gaia and draw the astrometric residuals and the photometric zero point."""
    from core.catalogues.gaia import cone
    from core.stars.calibrate import match_catalogue

    field = field_of_view(frame)
    if field is None:
        st.info("The file does not say where on the sky it is (it has no WCS), so there is nothing to match.")
        return
    online = st.toggle(
        "Ask the Gaia archive (needs the network)",
        key="stars.gaia.online",
        persist_state="session",
        help="Off: the catalogue that comes with Almagest, complete to about G 10. On: all of Gaia DR3.",
    )
    try:
        with st.spinner("Matching with Gaia"):
            stars = cone(field.ra_deg, field.dec_deg, field.radius_deg, epoch=frame.epoch, online=online)
    except CatalogueUnavailable as error:
        show_warnings([f"{error.message} The offline catalogue is used instead."])
        stars = cone(field.ra_deg, field.dec_deg, field.radius_deg, epoch=frame.epoch)
    calibration = match_catalogue(analysis.result.detections, frame, stars)
    st.write(plain(calibration.summary))
    show_warnings(stars.notes)
    st.caption(plain(f"Reference: {stars.source}."))
    if calibration.n_matched:
        _calibration(calibration)


def _calibration(calibration: Calibration) -> None:
    numbers = st.columns(4)
    numbers[0].metric("Gaia stars matched", f"{calibration.n_matched:,} of {calibration.n_catalogue:,}")
    numbers[1].metric("Residual RMS per axis", f"{calibration.rms_arcsec:.2f}″")
    if calibration.n_used:
        zero_point = f"{calibration.zero_point_mag:.3f} ± {calibration.zero_point_err_mag:.3f} mag"
        numbers[2].metric(f"Zero point, from {calibration.n_used} stars", zero_point)
        numbers[3].metric("Faintest stars", f"G {calibration.limiting_mag:.1f}")
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**Where they lie with respect to Gaia**")
        st.plotly_chart(
            plots.residual_figure(calibration.dx_arcsec, calibration.dy_arcsec), alt="Astrometric residuals"
        )
    with right:
        st.markdown("**How bright they are with respect to Gaia**")
        st.plotly_chart(
            plots.zero_point_figure(
                calibration.catalogue_mag,
                calibration.offset_mag,
                calibration.used,
                calibration.zero_point_mag,
            ),
            alt="Zero point against magnitude",
        )
    st.dataframe(calibration.table, hide_index=True, column_config=_MATCHED, alt="Stars matched with Gaia")
