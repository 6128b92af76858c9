import dataclasses

import numpy as np
import pytest
from astropy.wcs import WCS
from regions import (
    CirclePixelRegion,
    CircleSkyRegion,
    EllipsePixelRegion,
    LinePixelRegion,
    LineSkyRegion,
    PointPixelRegion,
    PolygonPixelRegion,
    PolygonSkyRegion,
    RectanglePixelRegion,
    Regions,
)

from core.export import export
from core.results import Detections


def read(payload):
    return Regions.parse(payload.decode(), format="ds9")


def test_image_coordinates_count_from_one(make):
    text = export(make(["star"]), "ds9").decode()
    assert "\nimage\ncircle(6.2500,8.5000,3.0000)" in text


def test_shapes_without_a_wcs(make):
    result = make(["star", "galaxy", "star"])
    table = result.detections.table
    regions = read(export(result, "ds9"))
    assert [type(region) for region in regions] == [CirclePixelRegion, RectanglePixelRegion, PointPixelRegion]
    for region, x, y in zip(regions, table["x"], table["y"], strict=True):
        assert region.center.x == pytest.approx(x, abs=1e-3)
        assert region.center.y == pytest.approx(y, abs=1e-3)
    assert regions[0].radius == pytest.approx(3.0)
    assert (regions[1].width, regions[1].height) == pytest.approx((5.0, 5.0))
    assert [region.meta["text"] for region in regions] == ["star", "galaxy", "star"]
    assert regions[0].visual["facecolor"] != regions[1].visual["facecolor"]


def test_shapes_on_the_sky_come_back_to_their_pixels(make, sky_frame):
    result = make(["star", "galaxy", "star"])
    table = result.detections.table
    regions = read(export(result, "ds9", frame=sky_frame))
    assert isinstance(regions[0], CircleSkyRegion)
    assert isinstance(regions[1], PolygonSkyRegion)
    ra, dec = sky_frame.sky(table["x"], table["y"])
    for row in (0, 2):
        assert regions[row].center.ra.deg == pytest.approx(ra[row], abs=0.01 / 3600)
        assert regions[row].center.dec.deg == pytest.approx(dec[row], abs=0.01 / 3600)
    assert regions[0].radius.to_value("arcsec") == pytest.approx(1.5, abs=1e-3)
    pixels = regions[1].to_pixel(sky_frame.wcs).vertices
    low, high = table.loc[1, ["x_min", "y_min"]], table.loc[1, ["x_max", "y_max"]]
    np.testing.assert_allclose([pixels.x.min(), pixels.y.min()], low.to_numpy(float), atol=1e-3)
    np.testing.assert_allclose([pixels.x.max(), pixels.y.max()], high.to_numpy(float), atol=1e-3)


def test_ellipses_lines_and_polygons_without_a_wcs(shaped):
    crater, first, second, cluster = read(export(shaped, "ds9"))
    assert isinstance(crater, EllipsePixelRegion)
    assert (crater.center.x, crater.center.y) == pytest.approx((20.0, 24.0), abs=1e-3)
    major, minor = 12.0 * np.sqrt(2), 12.0 / np.sqrt(2)
    assert (crater.width, crater.height) == pytest.approx((major, minor), abs=1e-3)
    assert crater.angle.to_value("deg") == pytest.approx(30.0)
    assert isinstance(first, LinePixelRegion)
    assert isinstance(second, LinePixelRegion)
    assert (first.end.x, first.end.y) == (second.start.x, second.start.y) == (25.0, 30.0)
    assert (first.meta["text"], "text" in second.meta) == ("valley", False)
    assert isinstance(cluster, PolygonPixelRegion)
    assert (list(cluster.vertices.x), list(cluster.vertices.y)) == ([40, 60, 60], [5, 5, 20])


def test_rows_of_a_picture_count_from_its_bottom(shaped):
    picture = dataclasses.replace(shaped.provenance, frame_name="m 31.jpg", hdu=None)
    crater, first, _, cluster = read(export(dataclasses.replace(shaped, provenance=picture), "ds9"))
    assert (crater.center.x, crater.center.y) == pytest.approx((20.0, 47 - 24.0), abs=1e-3)
    assert crater.angle.to_value("deg") == pytest.approx(150.0)
    assert (first.start.y, first.end.y) == (47 - 30, 47 - 30)
    assert list(cluster.vertices.y) == [42, 42, 27]


def test_ellipses_lines_and_polygons_on_the_sky_come_back_to_their_pixels(shaped, sky_frame):
    crater, first, _, cluster = read(export(shaped, "ds9", frame=sky_frame))
    assert isinstance(first, LineSkyRegion)
    for region, shape in ((crater, "crater"), (cluster, "cluster")):
        assert isinstance(region, PolygonSkyRegion)
        pixels = region.to_pixel(sky_frame.wcs).vertices
        row = shaped.detections.table.set_index("label").loc[shape]
        edges = [pixels.x.min(), pixels.y.min(), pixels.x.max(), pixels.y.max()]
        np.testing.assert_allclose(
            edges, row[["x_min", "y_min", "x_max", "y_max"]].to_numpy(float), atol=0.02
        )


def test_nothing_found_is_a_valid_file(make, sky_frame):
    assert len(read(export(make([]), "ds9"))) == 0
    assert len(read(export(make([]), "ds9", frame=sky_frame))) == 0


def test_hostile_text_makes_no_region(make, hostile):
    bad = [*hostile, "}\ncircle(1,1,1)", "} ; circle(1,1,1) # text={x"]
    regions = read(export(make(bad, bad), "ds9", extra={"edited_by": "x\ncircle(1,1,1)"}))
    assert len(regions) == len(bad)
    assert regions[7].meta["text"] == "Ø ★ 星 σ: Ø ★ 星 σ"


def test_a_position_off_the_projection_puts_the_file_in_pixels(make, sky_frame):
    whole_sky = WCS(naxis=2)
    whole_sky.wcs.ctype = ["RA---AIT", "DEC--AIT"]
    whole_sky.wcs.cdelt = [-10.0, 10.0]
    whole_sky.wcs.crpix = [32.5, 24.5]
    frame = dataclasses.replace(sky_frame, wcs=whole_sky, pixel_scale_arcsec=None)
    result = make(["star"])
    corner = Detections(result.detections.table.assign(x=0.0, y=0.0))
    regions = read(export(result, "ds9", frame=frame, detections=corner))
    assert (regions[0].center.x, regions[0].center.y) == (0.0, 0.0)
