"""How good the methods are: the measured scores that come with the project, drawn."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from core.methods import methods
from core.scoring.completeness import CompletenessCurve
from core.scoring.truth import SnrBin
from core.ui import plots
from core.ui.methods import method_style
from core.ui.text import plain

STAR_RESULTS = Path(__file__).parents[2] / "benchmarks" / "results" / "stars.json"
COMMAND = "python -m benchmarks.stars"
FORMAT = 2
"""Version of the results that is understood here."""
BLANK, REAL = "blank", "real frames"
RIVAL_COLOURS = ("#0072B2", "#D55E00", "#CC79A7", "#999933", plots.GUIDE)
"""Of the rivals that are no methods of the project: legible on dark and on light, and apart from theirs."""
_MAGNITUDE = "magnitude over a sky of 15 e⁻ noise a pixel, zero point 25"
_PATTERNS = {"plain sky": "", "gradient and hot pixels": "/"}

Results = Mapping[str, Any]


def read_results(path: Path) -> Results | None:
    """The results of a benchmark of star methods; None when they are absent, broken or of another format."""
    try:
        results = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    known = isinstance(results, dict) and results.get("format") == FORMAT
    complete = known and all(isinstance(results.get(name), dict) for name in ("sets", "rivals"))
    return results if complete and results["sets"] else None


def star_benchmark(path: Path = STAR_RESULTS) -> None:
    """Draw what was measured of the star methods and their rivals, for a set that a person chooses."""
    st.subheader("How good are these methods?", anchor=False)
    results = read_results(path)
    if results is None:
        st.info(f"The measured scores are not here, or of an older kind. `{COMMAND}` measures them.")
        return
    names = [*results["sets"], *([REAL] if results.get("real") else [])]
    chosen = st.segmented_control(
        "Frames",
        names,
        default=names[0],
        key="stars.benchmark.set",
        format_func=str.capitalize,
        required=True,
        wrap=True,
    )
    titles = {name: str(rival["title"]) for name, rival in results["rivals"].items()}
    styles = _styles(list(titles))
    if chosen == REAL:
        _real(results["real"], titles)
        return
    one = results["sets"][str(chosen)]
    about = plain(one["about"])
    st.caption(
        f"{about[:1].upper()}{about[1:]}. {one['frames']} test frames of {one['side']}² pixels; each "
        f"method at the threshold that was best on other frames of this kind. Truth sha256 "
        f"{one['sha256'][:12]}; measured by `{COMMAND}`."
    )
    if chosen == BLANK:
        _blank(one["rivals"], titles)
    else:
        _simulated(one["rivals"], titles, styles, results.get("cost", {}))


def _simulated(
    rivals: Results, titles: Mapping[str, str], styles: Mapping[str, dict[str, Any]], cost: Results
) -> None:
    best = max(rivals, key=lambda name: float(rivals[name]["at"]["5"]["f1"]))
    at = rivals[best]["at"]["5"]
    st.write(
        f"For stars of SNR 5 and more **{plain(titles[best])}** is best here: "
        f"F1 {at['f1']:.3f} ± {at['f1_error']:.3f}."
    )
    bins = {titles[name]: _bins(one["snr_bins"]) for name, one in rivals.items()}
    curves = {
        titles[name]: _curve(one["completeness"]) for name, one in rivals.items() if one["completeness"]
    }
    colours = {titles[name]: styles[name]["color"] for name in rivals}
    dress = {titles[name]: styles[name] for name in rivals}
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**F1, by signal-to-noise ratio**")
        figure = _dressed(plots.f1_figure(bins, colours), dress)
        st.plotly_chart(
            figure, key="stars.benchmark.f1", alt="F1 of each rival against signal-to-noise ratio"
        )
        st.markdown("**How far off the places are**")
        figure = _dressed(offset_figure(bins), dress)
        st.plotly_chart(figure, key="stars.benchmark.offset", alt="Error of places against SNR")
    with right:
        st.markdown("**How many are found, by magnitude**")
        figure = _dressed(plots.completeness_figure(curves, colours), dress)
        figure.update_xaxes(title_text=_MAGNITUDE)
        st.plotly_chart(figure, key="stars.benchmark.mag", alt="Completeness against magnitude")
        st.markdown("**False detections, at the best threshold for SNR ≥ 5**")
        figure = false_figure(
            {"": {titles[name]: float(one["at"]["5"]["false_per_mpx"]) for name, one in rivals.items()}}
        )
        st.plotly_chart(figure, key="stars.benchmark.false", alt="False detections per megapixel")
    rows = [_row(titles[name], one, cost.get(name)) for name, one in rivals.items()]
    st.dataframe(pd.DataFrame(rows), hide_index=True, alt="Scores of each rival")
    st.caption(
        "A match is one to one and within 2 px. True stars under the SNR cut are neither hit nor miss. The "
        "plots are at the threshold that is best for SNR ≥ 3; a false detection counts where the frame, "
        "filtered with the star image, has its SNR. Bars are 95 % Wilson intervals; ± is over bootstraps of "
        "the frames."
    )


def _blank(rivals: Results, titles: Mapping[str, str]) -> None:
    st.write("There is no star on these frames: whatever is found is false.")
    for cut, place in zip(("3", "5"), st.columns(2, gap="large"), strict=True):
        with place:
            st.markdown(f"**At the best threshold for SNR ≥ {cut}**")
            bars = {
                "plain sky": {titles[name]: float(one[cut]["plain_per_mpx"]) for name, one in rivals.items()},
                "gradient and hot pixels": {
                    titles[name]: float(one[cut]["spoilt_per_mpx"]) for name, one in rivals.items()
                },
            }
            alt = f"False detections on empty sky, threshold for SNR {cut}"
            st.plotly_chart(false_figure(bars), key=f"stars.benchmark.blank.{cut}", alt=alt)
    rows = [
        {
            "method": titles[name],
            **{
                f"false per Mpx, threshold for SNR ≥ {cut}": f"{one[cut]['false_per_mpx']:.1f} ± "
                f"{one[cut]['error']:.1f}"
                for cut in ("3", "5")
            },
        }
        for name, one in rivals.items()
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, alt="False detections of each rival on empty sky")


def _real(frames: Results, titles: Mapping[str, str]) -> None:
    st.caption(
        "What is truly on a real frame is not known. Each method runs at its best threshold for SNR ≥ 5 on "
        "simulated typical frames; stars were put into the frame to see how many are found again."
    )
    for name, frame in frames.items():
        st.markdown(f"**{plain(name)}**")
        rows = []
        for rival, one in frame["rivals"].items():
            row: dict[str, Any] = {
                "method": titles[rival],
                "found": one["found"],
                "also by SEP, kernel as the stars": one["reference"]["both"],
            }
            for each in one["injected"]:
                label = f"put in and found, SNR {each['low']:g}–{each['high']:g}"
                row[label] = f"{each['found']} of {each['truth']}"
            if "catalogue" in one:
                row["also in SExtractor's catalogue"] = one["catalogue"]["both"]
            rows.append(row)
        st.dataframe(pd.DataFrame(rows), hide_index=True, alt=f"What each rival finds on {name}")


def offset_figure(found: Mapping[str, Sequence[SnrBin]]) -> go.Figure:
    """Root mean square distance of places from the truth along an axis, in ranges of SNR from 3 on."""
    figure = plots.empty_figure("signal-to-noise ratio of the truth", "RMS offset per axis [px]")
    for name, bins in found.items():
        filled = [each for each in bins if each.low >= 3 and np.isfinite(each.offset_rms_px)]
        figure.add_scatter(
            x=[plots._range(each) for each in filled],
            y=[each.offset_rms_px for each in filled],
            name=name,
            mode="lines+markers",
        )
    figure.update_xaxes(type="category")
    figure.update_yaxes(rangemode="tozero")
    return figure


def false_figure(values: Mapping[str, Mapping[str, float]]) -> go.Figure:
    """Bars of false detections per megapixel: by group (told apart by hatching), then by rival."""
    figure = plots.empty_figure("false detections per Mpx", "")
    for number, (group, bars) in enumerate(values.items()):
        figure.add_bar(
            y=list(bars),
            x=list(bars.values()),
            name=group,
            orientation="h",
            text=[f"{value:.3g}" for value in bars.values()],
            textposition="auto",
            showlegend=len(values) > 1,
            marker={
                "color": ("#56B4E9", "#E69F00")[number % 2],
                "pattern": {"shape": _PATTERNS.get(group, "")},
            },
        )
    figure.update_yaxes(autorange="reversed", automargin=True)
    return figure


def _styles(names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Colour, dash and symbol of each rival: no two share dash and symbol; methods keep their own colour."""
    own = set(methods("stars"))
    others = [name for name in names if name not in own]
    return {
        name: {
            "color": method_style(name)[0]
            if name in own
            else RIVAL_COLOURS[others.index(name) % len(RIVAL_COLOURS)],
            "dash": plots.DASHES[number % len(plots.DASHES)],
            "symbol": plots.SYMBOLS[(number + number // len(plots.DASHES)) % len(plots.SYMBOLS)],
        }
        for number, name in enumerate(names)
    }


def _dressed(figure: go.Figure, styles: Mapping[str, dict[str, Any]]) -> go.Figure:
    """The same figure with each rival's own colour, dash and symbol, for more rivals than plots have."""
    for trace in figure.data:
        style = styles[trace.name]
        trace.line = {"color": style["color"], "dash": style["dash"]}
        trace.marker = {"color": style["color"], "symbol": style["symbol"], "size": 8}
    return figure.update_layout(height=460)


def _bins(rows: Sequence[Results]) -> list[SnrBin]:
    return [
        SnrBin(
            low=row["low"],
            high=np.inf if row["high"] is None else row["high"],
            n_truth=row["truth"],
            n_found=row["found"],
            n_false=row["false"],
            offset_rms_px=np.nan if row["offset_rms_px"] is None else row["offset_rms_px"],
        )
        for row in rows
    ]


def _curve(stored: Results) -> CompletenessCurve:
    middle = np.asarray(stored["mag"], float)
    half = (middle[1] - middle[0]) / 2.0 if len(middle) > 1 else 0.25
    return CompletenessCurve(
        edges=np.append(middle - half, middle[-1:] + half),
        n_truth=np.asarray(stored["truth"], np.intp),
        n_found=np.asarray(stored["found"], np.intp),
        low=np.asarray(stored["low"], float),
        high=np.asarray(stored["high"], float),
        m50=stored["m50"],
        m90=stored["m90"],
    )


def _row(title: str, one: Results, cost: Results | None) -> dict[str, Any]:
    at, curve = one["at"], one["completeness"] or {"m50": None, "m90": None}
    row: dict[str, Any] = {"method": title}
    for cut in ("3", "5", "10"):
        row[f"F1, SNR ≥ {cut}"] = f"{at[cut]['f1']:.3f} ± {at[cut]['f1_error']:.3f}"
    row["F1, no cut"] = round(at["none"]["f1"], 3)
    row["precision, SNR ≥ 5"] = round(at["5"]["precision"], 3)
    row["recall, SNR ≥ 5"] = round(at["5"]["recall"], 3)
    row["m50 [mag]"], row["m90 [mag]"] = curve["m50"], curve["m90"]
    row["time for 512² [ms]"] = None if cost is None else round(cost["ms"]["512"])
    return row
