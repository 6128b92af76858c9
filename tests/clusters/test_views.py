import numpy as np
import torch

from core.clusters.views import (
    AROUND,
    BLOCK_PX,
    BRIGHTEST,
    BRIGHTEST_AROUND,
    COUNTED,
    N_VIEWS,
    PEAKS_SIGMA,
    VIEW_PX,
    views_of,
)

SIDE = 256


def a_field(xy, peak, *, side=SIDE, sky=13.0, noise=3.0, seed=0):
    """Stars of a FWHM of 3 px on a sky with noise, in levels; ``(3, side, side)`` in [0, 1]."""
    rng = np.random.default_rng(seed)
    picture = sky + noise * rng.standard_normal((side, side))
    rows, columns = np.arange(side)[:, None], np.arange(side)[None, :]
    for (x, y), height in zip(xy, np.broadcast_to(peak, len(xy)), strict=True):
        picture += height * np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * 1.3**2))
    picture = np.clip(np.rint(picture), 0, 255) / 255.0
    return torch.from_numpy(np.repeat(picture[None], 3, axis=0).astype(np.float32))


def counts(view, limit, around):
    """``(h, w)`` one of the counts of stars around."""
    first = N_VIEWS - len(AROUND) * len(COUNTED) - len(BRIGHTEST) * len(BRIGHTEST_AROUND)
    kind = COUNTED.index(PEAKS_SIGMA.index(limit))
    return view[first + AROUND.index(around) * len(COUNTED) + kind].numpy()


def brightest_counts(view, rank, around):
    """``(h, w)`` one of the counts of the brightest stars around."""
    first = N_VIEWS - len(BRIGHTEST) * len(BRIGHTEST_AROUND)
    return view[first + BRIGHTEST_AROUND.index(around) * len(BRIGHTEST) + rank].numpy()


def test_a_crowd_stands_out_of_the_field():
    rng = np.random.default_rng(1)
    crowd = rng.normal((80, 170), 14, (60, 2))
    field = rng.uniform(0, SIDE, (60, 2))
    view = views_of(a_field(np.concatenate([field, crowd]), 90.0)[None])[0]
    assert view.shape == (N_VIEWS, SIDE // VIEW_PX, SIDE // VIEW_PX)
    seen = counts(view, 12.0, 3)
    row, column = np.unravel_index(seen.argmax(), seen.shape)
    assert np.hypot(VIEW_PX * column - 80, VIEW_PX * row - 170) < 2 * BLOCK_PX
    assert seen.max() > 1.0
    assert np.median(seen) < 0.0


def test_noise_alone_shows_no_crowd():
    view = views_of(a_field([], 0.0)[None])[0]
    assert abs(counts(view, 12.0, 3)).max() < 0.1
    assert abs(counts(view, 2.0, 7)).max() < 1.0


def test_bright_stars_are_counted_by_themselves():
    rng = np.random.default_rng(2)
    faint, bright = rng.uniform(0, SIDE, (150, 2)), rng.normal((190, 60), 12, (25, 2))
    picture = a_field(np.concatenate([faint, bright]), [*[25.0] * 150, *[200.0] * 25])
    view = views_of(picture[None])[0]
    assert counts(view, 32.0, 3).max() > counts(view, 2.0, 3).max()


def test_the_brightest_stars_of_a_picture_are_counted_however_bright_all_are():
    """As in Praesepe: its stars and those of the field are all far above any limit that could be given."""
    rng = np.random.default_rng(6)
    field, bright = rng.uniform(0, SIDE, (120, 2)), rng.normal((100, 180), 15, (12, 2))
    picture = a_field(np.concatenate([field, bright]), [*[110.0] * 120, *[230.0] * 12], noise=0.3, sky=0.0)
    view = views_of(picture[None])[0]
    seen = brightest_counts(view, 1, 3)
    row, column = np.unravel_index(seen.argmax(), seen.shape)
    assert np.hypot(VIEW_PX * column - 100, VIEW_PX * row - 180) < 2 * BLOCK_PX
    assert seen.max() > counts(view, 32.0, 3).max() + 0.5


def test_stars_on_a_black_sky_are_seen():
    """The sky of many photographs is black: it is the sky all the same, and no place beside the picture."""
    xy = np.random.default_rng(7).uniform(0, SIDE, (40, 2))
    dark, grey = (
        views_of(a_field(xy, 90.0, sky=sky, noise=noise)[None])[0] for sky, noise in [(0, 0.2), (9, 2)]
    )
    np.testing.assert_allclose(counts(dark, 12.0, 7), counts(grey, 12.0, 7), atol=0.35)


def test_what_is_black_beside_the_picture_makes_no_stars():
    picture = a_field(np.random.default_rng(3).uniform(0, SIDE, (40, 2)), 90.0)
    laid = torch.zeros(3, 2 * SIDE, 2 * SIDE)
    laid[:, 100 : 100 + SIDE, 60 : 60 + SIDE] = picture
    view = views_of(laid[None])[0]
    shown = counts(view, 12.0, 1)
    assert shown[:10].max() < 0.0  # where nothing is seen there is less than usual
    rim, inner = shown[13:16, 10:37], shown[20:37, 15:32]
    assert rim.mean() < inner.mean() + 0.3


def test_views_do_not_change_with_the_rest_of_the_batch():
    one, other = a_field([(50, 50)], 90.0), a_field([(10, 200)], 30.0, seed=5, noise=9.0)
    both = views_of(torch.stack([one, other]))
    torch.testing.assert_close(both[0], views_of(one[None])[0])
