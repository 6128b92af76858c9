import numpy as np

from core.dso.boxes import Found, fused, merged


def found(*rows):
    """Rows of x_min, y_min, x_max, y_max, score, class, cut."""
    array = np.array(rows, float).reshape(-1, 7)
    return Found(array[:, :4], array[:, 4], array[:, 5].astype(int), array[:, 6] > 0)


def test_nothing_is_nothing():
    assert len(merged(Found.none())) == 0
    assert len(Found.joined([])) == 0


def test_one_box_stays_as_it_is():
    one = merged(found((1, 2, 30, 40, 0.7, 2, 0)))
    np.testing.assert_array_equal(one.boxes, [[1, 2, 30, 40]])
    assert one.labels.tolist() == [2]


def test_of_alike_boxes_the_surest_stays():
    both = merged(found((10, 10, 50, 50, 0.5, 0, 0), (12, 9, 52, 49, 0.8, 0, 0)))
    assert both.scores.tolist() == [0.8]
    np.testing.assert_array_equal(both.boxes, [[12, 9, 52, 49]])


def test_classes_never_meet():
    assert len(merged(found((10, 10, 50, 50, 0.5, 0, 0), (10, 10, 50, 50, 0.8, 1, 0)))) == 2


def test_neighbours_stay_two():
    assert len(merged(found((10, 10, 50, 50, 0.5, 0, 0), (40, 10, 80, 50, 0.8, 0, 0)))) == 2


def test_a_whole_box_replaces_its_pieces_even_where_they_are_surer():
    whole = (100, 100, 400, 400, 0.4, 1, 0)
    one = merged(found((100, 100, 250, 400, 0.9, 1, 1), (240, 100, 400, 400, 0.8, 1, 1), whole))
    np.testing.assert_array_equal(one.boxes, [whole[:4]])


def test_pieces_that_meet_are_one_object():
    left, right = (100, 100, 260, 300, 0.6, 1, 1), (200, 110, 420, 310, 0.7, 1, 1)
    low = (210, 220, 430, 500, 0.5, 1, 1)
    one = merged(found(left, right, low))
    np.testing.assert_array_equal(one.boxes, [[100, 100, 430, 500]])
    assert one.scores.tolist() == [0.7]


def test_pieces_that_do_not_meet_stay():
    assert len(merged(found((0, 0, 50, 50, 0.5, 1, 1), (100, 0, 150, 50, 0.5, 1, 1)))) == 2


def test_a_surer_small_object_in_a_large_one_stays():
    large, small = (0, 0, 500, 500, 0.5, 0, 0), (100, 100, 150, 150, 0.8, 0, 0)
    assert merged(found(large, small)).scores.tolist() == [0.8, 0.5]


def test_a_doubtful_knot_in_a_large_object_goes():
    large, knot = (0, 0, 500, 500, 0.8, 1, 0), (100, 100, 150, 150, 0.3, 1, 0)
    assert merged(found(large, knot)).scores.tolist() == [0.8]


def test_the_order_of_windows_does_not_matter():
    rng = np.random.default_rng(0)
    low = rng.uniform(0, 500, (40, 2))
    rows = np.column_stack(
        [low, low + rng.uniform(20, 200, (40, 2)), rng.random(40), rng.integers(0, 3, 40), np.zeros(40)]
    )
    first, again = merged(found(*rows)), merged(found(*rows[::-1]))
    np.testing.assert_array_equal(first.boxes, again.boxes)
    assert (np.diff(first.scores) <= 0).all()


def test_what_all_copies_show_is_averaged_by_score():
    both = fused([found((10, 10, 50, 50, 0.6, 0, 0)), found((12, 10, 54, 50, 0.2, 0, 0))])
    np.testing.assert_allclose(both.boxes, [[10.5, 10, 51, 50]])
    np.testing.assert_allclose(both.scores, [0.4])


def test_what_one_copy_shows_counts_for_less():
    one = fused([found((10, 10, 50, 50, 0.6, 0, 0)), Found.none(), Found.none()])
    np.testing.assert_allclose(one.scores, [0.2])
    assert one.boxes.tolist() == [[10, 10, 50, 50]]


def test_two_boxes_of_one_copy_are_not_counted_twice():
    one = fused([found((10, 10, 50, 50, 0.6, 0, 0), (11, 10, 51, 50, 0.5, 0, 0)), Found.none()])
    np.testing.assert_allclose(one.scores, [0.3])


def test_fusing_keeps_classes_and_neighbours_apart():
    rows = found((10, 10, 50, 50, 0.6, 0, 0), (10, 10, 50, 50, 0.6, 1, 0), (60, 10, 90, 50, 0.6, 0, 0))
    assert len(fused([rows, rows])) == 3
    assert len(fused([Found.none()])) == 0
    assert len(fused([])) == 0
