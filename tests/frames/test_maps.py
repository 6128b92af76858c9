import numpy as np
import pytest

from core.errors import FrameRejected
from core.frames import image_hdus, read_frame
from core.frames.ground import RADIUS_KM

rasterio = pytest.importorskip("rasterio")
MOON_DEGREES = (
    'GEOGCS["GCS_Moon",DATUM["D_Moon",SPHEROID["Moon",1737400,0]],PRIMEM["Reference_Meridian",0],'
    'UNIT["Degree",0.0174532925199433]]'
)
MARS_PLANE = (
    'PROJCS["SimpleCylindrical Mars",GEOGCS["GCS_Mars",DATUM["D_Mars",SPHEROID["Mars",3396190,0]],'
    'PRIMEM["Reference_Meridian",0],UNIT["degree",0.0174532925199433]],PROJECTION["Equirectangular"],'
    'PARAMETER["standard_parallel_1",0],PARAMETER["central_meridian",0],PARAMETER["false_easting",0],'
    'PARAMETER["false_northing",0],UNIT["metre",1]]'
)
GROUND = np.random.default_rng(0).uniform(1, 200, (40, 60)).astype(np.float32)


def a_map(tmp_path, driver, pixels=GROUND, crs=MARS_PLANE, transform=None, **options):
    path = tmp_path / f"map.{ {'GTiff': 'tif', 'ISIS3': 'cub', 'VICAR': 'vic'}[driver] }"
    bands = pixels if pixels.ndim == 3 else pixels[None]
    transform = transform or rasterio.Affine(1000.0, 0, 600_000.0, 0, -1000.0, 300_000.0)
    with rasterio.open(
        path,
        "w",
        driver=driver,
        width=bands.shape[2],
        height=bands.shape[1],
        count=bands.shape[0],
        dtype=bands.dtype,
        crs=crs,
        transform=transform,
        **options,
    ) as file:
        file.write(bands)
    return path


@pytest.mark.parametrize("driver", ["GTiff", "ISIS3"])
def test_a_projected_map_knows_body_place_and_scale(tmp_path, driver):
    frame = read_frame(a_map(tmp_path, driver))
    np.testing.assert_allclose(frame.pixels, GROUND)
    ground = frame.ground
    assert ground.body == "Mars"
    assert ground.radius_km == pytest.approx(3396.19)
    (lat,), (lon,) = ground.latlon(-0.5, -0.5)
    degree = np.radians(1) * 3396.19
    assert (lat, lon) == pytest.approx((300 / degree, 600 / degree), abs=1e-4)
    np.testing.assert_allclose(ground.pixel([lat], [lon]), [[-0.5], [-0.5]], atol=1e-3)
    assert ground.km_per_px(30, 20) == pytest.approx(1.0, rel=0.01)


def test_a_map_in_degrees_needs_no_projection(tmp_path):
    step = rasterio.Affine(0.1, 0, -20.0, 0, -0.1, -40.0)
    frame = read_frame(a_map(tmp_path, "GTiff", GROUND.astype(np.uint8), MOON_DEGREES, step))
    assert frame.ground.body == "Moon"
    (lat,), (lon,) = frame.ground.latlon(0, 0)
    assert (lat, lon) == pytest.approx((-40.05, -19.95))


def test_a_body_without_a_name_is_known_by_its_radius(tmp_path):
    crs = MOON_DEGREES.replace("Moon", "body").replace("1737400", str(RADIUS_KM["Ceres"] * 1000))
    frame = read_frame(a_map(tmp_path, "GTiff", crs=crs, transform=rasterio.Affine(0.1, 0, 0, 0, -0.1, 0)))
    assert frame.ground.body == "Ceres"


def test_a_tiff_without_a_position_has_none(tmp_path):
    import tifffile

    path = tmp_path / "plain.tif"
    tifffile.imwrite(path, GROUND)
    assert read_frame(path).ground is None


def test_missing_pixels_of_a_cube_are_missing(tmp_path):
    pixels = GROUND.copy()
    pixels[:5, :5] = -3.4028226550889045e38
    frame = read_frame(a_map(tmp_path, "ISIS3", pixels))
    assert np.isnan(frame.pixels[:5, :5]).all()
    assert np.isfinite(frame.pixels[5:, 5:]).all()
    assert "missing" in frame.notes[-1]


def test_saturated_pixels_of_a_cube_of_16_bits_are_no_dark_ones(tmp_path):
    pixels = GROUND.astype(np.int16)
    pixels[0, :5] = -32768, -32767, -32766, -32765, -32764
    frame = read_frame(a_map(tmp_path, "ISIS3", pixels))
    assert np.isnan(frame.pixels[0, :5]).all()
    assert np.isfinite(frame.pixels[1:]).all()


def test_saturated_pixels_of_an_unsigned_cube_are_no_bright_ones(tmp_path):
    pixels = GROUND.astype(np.uint16) + np.uint16(3)
    pixels[0, :5] = 0, 1, 2, 65534, 65535
    frame = read_frame(a_map(tmp_path, "ISIS3", pixels))
    assert np.isnan(frame.pixels[0, :5]).all()


def test_a_tiff_of_many_bands_is_a_map_whose_bands_can_be_chosen(tmp_path):
    bands = np.stack([GROUND + 100 * number for number in range(7)])
    ground = read_frame(a_map(tmp_path, "GTiff")).ground
    path = a_map(tmp_path, "GTiff", bands, nodata=float(bands[6, 0, 0]), compress="deflate")
    first, last = read_frame(path), read_frame(path, plane=6)
    np.testing.assert_array_equal(first.pixels, GROUND)
    assert "7 bands" in first.notes[0]
    assert np.isnan(last.pixels[0, 0])
    np.testing.assert_array_equal(last.pixels[1:], bands[6, 1:])
    assert last.ground == ground
    assert image_hdus(path)[0].planes == 7
    with pytest.raises(FrameRejected, match="no band 7"):
        read_frame(path, plane=7)


def test_a_position_is_that_of_the_pixels_as_they_are_stored_and_of_the_first_page(tmp_path):
    import tifffile

    path = a_map(tmp_path, "GTiff")
    with tifffile.TiffFile(path) as tiff:
        tags = [tiff.pages.first.tags[code] for code in (33550, 33922, 34735, 34736, 34737)]
        known = [(tag.code, tag.dtype, tag.count, tag.value, True) for tag in tags]
    with tifffile.TiffWriter(tmp_path / "two.tif") as file:
        for _ in range(2):
            file.write(GROUND, extratags=[*known, (274, 3, 1, 3, True)], metadata=None)
    first, second = (read_frame(tmp_path / "two.tif", plane=page) for page in (None, 1))
    np.testing.assert_array_equal(first.pixels, GROUND)
    assert first.ground == read_frame(path).ground
    assert second.ground is None


def test_bands_can_be_chosen(tmp_path):
    path = a_map(tmp_path, "ISIS3", np.stack([GROUND, GROUND + 500]))
    assert "2 bands" in read_frame(path).notes[0]
    assert read_frame(path, plane=1).pixels.min() > 500
    with pytest.raises(FrameRejected, match="no band 2"):
        read_frame(path, plane=2)
    (choice,) = image_hdus(path)
    assert (choice.width, choice.height, choice.planes, choice.bitpix) == (60, 40, 2, -32)
    assert image_hdus(a_map(tmp_path, "ISIS3")) == ()


def test_a_cube_that_was_cut_short_is_refused(tmp_path):
    data = a_map(tmp_path, "ISIS3").read_bytes()
    with pytest.raises(FrameRejected, match=r"cut short|damaged"):
        read_frame(data[: len(data) // 2], name="half.cub")


@pytest.mark.parametrize(
    "pointer", ['"/etc/hostname"', '("DATA.IMG", 1)', "DATA.IMG", '"/vsicurl/http://127.0.0.1/x"']
)
def test_a_label_that_points_elsewhere_is_refused(pointer):
    label = (
        "PDS_VERSION_ID = PDS3\r\nRECORD_TYPE = FIXED_LENGTH\r\nRECORD_BYTES = 64\r\n"
        f"^IMAGE = {pointer}\r\nOBJECT = IMAGE\r\nLINES = 64\r\nLINE_SAMPLES = 64\r\n"
        "SAMPLE_BITS = 8\r\nSAMPLE_TYPE = UNSIGNED_INTEGER\r\nEND_OBJECT = IMAGE\r\nEND\r\n"
    )
    for look in (read_frame, image_hdus):
        with pytest.raises(FrameRejected, match="points at another file"):
            look(label.encode().ljust(8192), name="label.lbl")


def test_pixels_without_their_label_are_refused_with_a_sentence():
    with pytest.raises(FrameRejected, match="with its label in the same file"):
        read_frame(GROUND.tobytes(), name="detached.img")


def a_pds3(lines=40, samples=64, **more):
    cards = {
        "PDS_VERSION_ID": "PDS3", "RECORD_TYPE": "FIXED_LENGTH", "RECORD_BYTES": samples, "FILE_RECORDS": 0,
        "LABEL_RECORDS": 32, "^IMAGE": 33, **more,
    }  # fmt: skip
    text = "".join(f"{key} = {value}\r\n" for key, value in cards.items())
    text += (
        f"OBJECT = IMAGE\r\nLINES = {lines}\r\nLINE_SAMPLES = {samples}\r\nSAMPLE_BITS = 8\r\n"
        "SAMPLE_TYPE = UNSIGNED_INTEGER\r\nEND_OBJECT = IMAGE\r\nEND\r\n"
    )
    return text.encode().ljust(32 * 64)


def test_a_pds3_image_with_its_label_is_read():
    pixels = (1 + np.arange(40 * 64) % 250).astype(np.uint8).reshape(40, 64)
    frame = read_frame(a_pds3() + pixels.tobytes(), name="viking.img")
    np.testing.assert_array_equal(frame.pixels, pixels)
    assert frame.ground is None


@pytest.mark.parametrize("lines", [400_000_000, 5000])
def test_a_label_that_claims_too_much_is_refused(lines):
    with pytest.raises(FrameRejected, match=r"megapixels|cut short|damaged"):
        read_frame(a_pds3(lines=lines) + bytes(40 * 64), name="bomb.img")


@pytest.mark.parametrize(
    "data", [b"Object = IsisCube\n" + b"\xff" * 900, b"PDS_VERSION_ID = PDS3\nEND\n", b"LBLSIZE=99999999"]
)
def test_damaged_maps_are_refused_with_a_sentence(data):
    for look in (read_frame, image_hdus):
        with pytest.raises(FrameRejected, match="damaged"):
            look(data, name="it.cub")


def a_cube(direction="PositiveEast", latitudes="Planetocentric", polar_m=3_376_200.0):
    """64 × 32 px of 10 km of Mars around 90°, its upper left corner at the middle and 45°."""
    top = 3_396_190.0 * np.radians(45.0)
    label = f"""Object = IsisCube
  Object = Core
    StartByte = 8193
    Format = BandSequential
    Group = Dimensions
      Samples = 64
      Lines = 32
      Bands = 1
    End_Group
    Group = Pixels
      Type = Real
      ByteOrder = Lsb
      Base = 0.0
      Multiplier = 1.0
    End_Group
  End_Object
  Group = Mapping
    ProjectionName = SimpleCylindrical
    CenterLongitude = 90.0 <degrees>
    TargetName = Mars
    EquatorialRadius = 3396190.0 <meters>
    PolarRadius = {polar_m} <meters>
    LatitudeType = {latitudes}
    LongitudeDirection = {direction}
    LongitudeDomain = 360 <degrees>
    UpperLeftCornerX = 0.0 <meters>
    UpperLeftCornerY = {top} <meters>
    PixelResolution = 10000.0 <meters/pixel>
  End_Group
End_Object
End
"""
    return label.encode().ljust(8192) + np.arange(64 * 32, dtype="<f4").tobytes()


def a_pds3_map(direction="EAST", latitudes="PLANETOCENTRIC"):
    projection = "".join(
        f"  {key} = {value}\r\n"
        for key, value in {
            "MAP_PROJECTION_TYPE": '"SIMPLE CYLINDRICAL"',
            "A_AXIS_RADIUS": "3396.19 <KM>",
            "B_AXIS_RADIUS": "3396.19 <KM>",
            "C_AXIS_RADIUS": "3376.2 <KM>",
            "POSITIVE_LONGITUDE_DIRECTION": direction,
            "COORDINATE_SYSTEM_NAME": latitudes,
            "CENTER_LATITUDE": "0.0 <DEGREE>",
            "CENTER_LONGITUDE": "90.0 <DEGREE>",
            "LINE_PROJECTION_OFFSET": "90.0",
            "SAMPLE_PROJECTION_OFFSET": "0.0",
            "MAP_SCALE": f"{3396.19 * np.pi / 180 / 2} <KM/PIXEL>",
        }.items()
    )
    label = a_pds3(TARGET_NAME="MARS").rstrip().removesuffix(b"END")
    label += (
        f"OBJECT = IMAGE_MAP_PROJECTION\r\n{projection}END_OBJECT = IMAGE_MAP_PROJECTION\r\nEND\r\n".encode()
    )
    return label.ljust(32 * 64) + (1 + np.arange(40 * 64) % 250).astype(np.uint8).tobytes()


@pytest.mark.parametrize(
    ("east", "west"),
    [(a_cube(), a_cube("PositiveWest")), (a_pds3_map(), a_pds3_map("WEST"))],
    ids=["ISIS3", "PDS3"],
)
def test_longitudes_that_count_westward_do_not_count_eastward(east, west):
    # East is to the right on both; the middle of one lies at 90° east, that of the other at 90° west.
    (_, away), (_, back) = (
        read_frame(data, name="it.img").ground.latlon([0, 63], [9, 9]) for data in (east, west)
    )
    assert away[0] == pytest.approx(90.0, abs=0.5)
    np.testing.assert_allclose(back, away - 180.0)


@pytest.mark.parametrize(
    ("centric", "graphic"),
    [
        (a_cube(), a_cube(latitudes="Planetographic")),
        (a_pds3_map(), a_pds3_map(latitudes="PLANETOGRAPHIC")),
    ],
    ids=["ISIS3", "PDS3"],
)
def test_planetographic_latitudes_are_told_from_planetocentric_ones(centric, graphic):
    ((north,), _), ((south,), _) = (
        read_frame(data, name="it.img").ground.latlon([5], [0]) for data in (centric, graphic)
    )
    squash = 3376.2 / 3396.19
    assert south == pytest.approx(np.degrees(np.arctan(squash**2 * np.tan(np.radians(north)))), abs=1e-3)
    assert north - south == pytest.approx(0.34, abs=0.01)


def test_planetographic_latitudes_without_a_polar_radius_are_no_position():
    frame = read_frame(a_cube(latitudes="Planetographic", polar_m=0.0), name="it.cub")
    assert frame.ground is None
    assert any("planetographic" in note for note in frame.notes)
