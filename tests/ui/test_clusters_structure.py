import numpy as np
import pandas as pd
import pytest

from core.catalogues.tables import SourceTable
from core.clusters.structure import structure
from core.clusters.table import star_table
from core.frames import Frame
from core.ui import clusters_home, clusters_plots
from core.ui.clusters_field import PICTURE, TABLE, Field
from core.ui.clusters_found import own_found
from core.ui.clusters_structure import figures
from core.ui.frames import Choice

MEMBERS = 200


def crowd(place, **columns):
    """A table of a crowd of :data:`MEMBERS` in an even field of twice as many stars."""
    rng = np.random.default_rng(0)
    xy = np.concatenate([rng.normal(500, 30, (MEMBERS, 2)), rng.uniform(0, 1000, (2 * MEMBERS, 2))])
    return SourceTable.from_frame(pd.DataFrame(xy, columns=place).assign(**columns), "t")


def made(field):
    return own_found(field, (np.arange(3 * MEMBERS) < MEMBERS).astype(float), "Your own")


@pytest.mark.parametrize("row0", ["top", "bottom"])
def test_plots_of_a_picture_stand_as_the_picture_does(row0, monkeypatch):
    source = crowd(["x", "y"])
    frame = Frame.from_array(np.zeros((1000, 1000), np.float32), "f", row0=row0)
    field = Field("f", PICTURE, source, star_table(source), Choice(frame))
    drawn = []
    sky_figure = clusters_plots.sky_figure
    monkeypatch.setattr(
        clusters_plots, "sky_figure", lambda *of, **how: drawn.append(sky_figure(*of, **how)) or drawn[-1]
    )
    clusters_home.report(field, made(field), 0, "A sentence.")
    low, high = drawn[0].layout.yaxis.range
    assert (low > high) == (row0 == "top")
    measured = structure(field.stars, made(field).belonging(0))
    for title in ("How dense its members stand", "How sure that map is"):
        chart = figures(field, made(field), measured, 0)[title][0]
        assert (chart.layout.yaxis.autorange == "reversed") == (row0 == "top")


def test_the_hess_diagram_holds_what_is_left_of_the_members_and_less_than_nothing_too():
    rng = np.random.default_rng(1)
    colour, mag = rng.uniform(0, 2, 3 * MEMBERS), rng.uniform(10, 18, 3 * MEMBERS)
    source = crowd(["x", "y"], mag=mag, colour=colour)
    field = Field("f", TABLE, source, star_table(source))
    measured = structure(field.stars, made(field).belonging(0))
    chart = figures(field, made(field), measured, 0)["Hess diagram"][0]
    left = measured.colours.hess - measured.colours.hess_field
    assert np.nansum(chart.data[0].z) == pytest.approx(left.sum())
    assert np.nanmin(chart.data[0].z) < 0
    assert chart.layout.yaxis.title.text == "magnitude [mag]"


def test_magnitudes_of_fluxes_are_called_instrumental_and_unknown_ones_unknown():
    flux = np.where(np.arange(3 * MEMBERS) == 7, np.nan, 100.0)
    source = crowd(["x", "y"], flux=flux)
    field = Field("f", TABLE, source, star_table(source))
    said = clusters_plots.sky_figure(field.stars, None, None).data[0].text
    assert list(said[6:8]) == ["-5.0 mag, instrumental", "magnitude not known"]
    chart = clusters_plots.magnitude_figure(field.stars, None, None)
    assert chart.layout.xaxis.title.text == "instrumental magnitude [mag]"
    measured = structure(field.stars, made(field).belonging(0))
    assert "zero point is not known" in figures(field, made(field), measured, 0)["Its light"][1]
