import numpy as np
import pandas as pd
import pytest

from core.catalogues.tables import SourceTable
from core.clusters import groups
from core.errors import TableRejected
from core.methods import get_method
from tests.clusters.skies import cluster, field, sky

METHOD = get_method("clusters.hdbscan")


def f1(members, truth, number):
    """Of the found cluster that shares most with a planted one."""
    own = truth == number
    found = [members["cluster"].to_numpy() == label for label in range(members["cluster"].max() + 1)]
    return max((2 * np.sum(one & own) / (one.sum() + own.sum()) for one in found), default=0.0)


def injected(seed):
    """Three clusters of 50 to 350 stars at 400 to 1,800 pc in a field of 2,000 to 8,000."""
    rng = np.random.default_rng(seed)
    planted, sizes = [], []
    for angle in rng.uniform(0, 2 * np.pi) + np.array([0, 2.1, 4.2]):
        kpc, size = rng.uniform(0.4, 1.8), int(rng.uniform(50, 350))
        place = 30 * np.array([np.cos(angle), np.sin(angle)])
        motion, core = rng.normal([-1.5, -1.5], 3.0), rng.uniform(1, 2) * 3.44 / kpc / 2
        planted.append(
            cluster(rng, size, centre=place, core=core, tidal=8 * core, pm=motion, pm_spread=0.15 / kpc,
                    parallax=1 / kpc)
        )  # fmt: skip
        sizes.append(size)
    return (*sky(rng, int(rng.uniform(2000, 8000)), *planted), sizes)


def test_planted_clusters_are_found_with_their_members():
    recovered, false, member_scores = [], 0, []
    for seed in range(6):
        source, truth, sizes = injected(seed)
        result = METHOD.run(source)
        scores = [f1(result.members, truth, number) for number in range(3)]
        recovered += [score > 0.5 for score in scores]
        false += len(result.detections) - sum(score > 0.5 for score in scores)
        member_scores += [
            score for score, size in zip(scores, sizes, strict=True) if size >= 100 and score > 0.5
        ]
    assert np.mean(recovered) >= 0.85
    assert sum(recovered) / (sum(recovered) + false) >= 0.9
    assert np.min(member_scores) >= 0.85


def test_a_field_without_clusters_has_none():
    for seed in range(4):
        source, _ = sky(np.random.default_rng(seed), 4000)
        result = METHOD.run(source)
        assert len(result.detections) == 0
        assert result.summary == "No significant cluster among 4,000 stars."
        assert (result.members["cluster"] == -1).all()


@pytest.mark.parametrize("spread", [None, 1.0, 6.0])
def test_motions_without_parallaxes_show_a_cluster_and_no_more(spread):
    """In a field of near and far stars, and in fields whose motions are one normal distribution."""
    for seed in range(2):
        rng = np.random.default_rng(seed)
        table = field(rng, 4000)
        if spread is not None:
            table[["pmra", "pmdec"]] = rng.normal(0, spread, (4000, 2))
        table["parallax"] = np.nan  # a column without a value is as good as none
        assert len(METHOD.run(SourceTable.from_frame(table)).detections) == 0
        with_one = pd.concat([table, cluster(rng, 150, centre=(15, 10)).assign(parallax=np.nan)])
        result = METHOD.run(SourceTable.from_frame(with_one))
        assert len(result.detections) == 1
        assert f1(result.members, np.repeat([-1, 0], [4000, 150]), 0) > 0.9


def test_labels_are_the_same_each_time_and_ordered_by_size():
    rng = np.random.default_rng(3)
    source, truth = sky(
        rng, 4000, cluster(rng, 90, centre=(20, 5)), cluster(rng, 250, centre=(-20, 0), pm=(5, 5))
    )
    one, two = METHOD.run(source), METHOD.run(source)
    pd.testing.assert_frame_equal(one.members, two.members)
    sizes = one.detections.table["n_members"].tolist()
    assert sizes == sorted(sizes, reverse=True)
    assert np.bincount(one.members["cluster"][one.members["cluster"] >= 0]).tolist() == sizes
    assert (one.members["cluster"][truth == 1] == 0).mean() > 0.9
    # The order of the rows changes nothing but the order of the rows.
    order = rng.permutation(len(source))
    moved = METHOD.run(SourceTable.from_frame(source.table.iloc[order]))
    same = moved.members["cluster"].to_numpy() == one.members["cluster"].to_numpy()[order]
    assert same.mean() > 0.999


def test_a_cluster_is_where_and_how_it_was_planted():
    rng = np.random.default_rng(5)
    source, _ = sky(rng, 4000, cluster(rng, 300, centre=(10, -15), pm=(-4, 2), parallax=1.0))
    result = METHOD.run(source)
    row = result.detections.table.iloc[0]
    assert len(result.detections) == 1
    assert (row["pm_ra_mas_yr"], row["pm_dec_mas_yr"]) == pytest.approx((-4, 2), abs=0.05)
    assert row["parallax_mas"] == pytest.approx(1.0, abs=0.03)
    assert row["pm_ra_spread_mas_yr"] == pytest.approx(0.15, rel=0.2)
    assert row["dec_deg"] == pytest.approx(-30.25, abs=0.02)
    assert 0.9 < row["score"] <= 1
    assert result.detections.units["r50_arcmin"] == "arcmin"
    assert result.provenance.frame_name == "sky.csv"


@pytest.mark.parametrize("error", [0.35, 0.7])
def test_motions_measured_from_the_ground_show_a_cluster(error):
    rng = np.random.default_rng(6)
    table = pd.concat([field(rng, 3000), cluster(rng, 200, centre=(10, 5), pm=(20, -45), parallax=7.3)])
    motions = table[["pmra", "pmdec"]] + rng.normal(0, error, (3200, 2))
    table = table.assign(pmra=motions["pmra"], pmdec=motions["pmdec"], pmra_error=error, pmdec_error=error)
    result = METHOD.run(SourceTable.from_frame(table))
    assert len(result.detections) == 1
    assert f1(result.members, np.repeat([-1, 0], [3000, 200]), 0) > 0.85


def test_a_list_of_nothing_but_members_is_one_cluster():
    rng = np.random.default_rng(1)
    result = METHOD.run(SourceTable.from_frame(cluster(rng, 400)))
    assert result.detections.table["n_members"].tolist() == [pytest.approx(400, abs=40)]


def test_places_alone_can_show_a_cluster():
    rng = np.random.default_rng(2)
    source, truth = sky(rng, 1500, cluster(rng, 300, centre=(20, 10), core=2, tidal=12))
    result = METHOD.run(SourceTable.from_frame(source.table[["ra", "dec"]]))
    assert len(result.detections) == 1
    assert f1(result.members, truth, 0) > 0.75
    assert any("no proper motions" in warning for warning in result.warnings)
    blank, _ = sky(rng, 1500)
    assert len(METHOD.run(SourceTable.from_frame(blank.table[["ra", "dec"]])).detections) == 0


@pytest.mark.parametrize("rows", [10, 23, 40])
def test_few_stars_give_an_honest_answer(rows):
    result = METHOD.run(SourceTable.from_frame(field(np.random.default_rng(rows), rows)))
    assert len(result.detections) == 0
    assert result.summary.startswith("No significant cluster")


def test_odd_tables_give_an_answer_or_a_sentence():
    rng = np.random.default_rng(0)
    table = field(rng, 300)
    at_one = table.assign(ra=10.0, dec=5.0)
    assert len(METHOD.run(SourceTable.from_frame(at_one)).detections) == 0
    everything_same = pd.concat([table.iloc[:1]] * 50)
    assert len(METHOD.run(SourceTable.from_frame(everything_same)).detections) == 0
    negative = METHOD.run(SourceTable.from_frame(table.assign(parallax=-1.0)))
    assert any("No parallax is positive" in warning for warning in negative.warnings)
    holes = table.copy()
    holes.loc[::3, "pmra"] = np.nan
    assert len(METHOD.run(SourceTable.from_frame(holes)).members) == 300
    with pytest.raises(TableRejected, match="at least 10"):
        METHOD.run(SourceTable.from_frame(table.iloc[:9]))


def test_a_large_table_is_searched_in_part_and_says_so(monkeypatch):
    rng = np.random.default_rng(7)
    source, truth = sky(rng, 4000, cluster(rng, 300, centre=(10, 10)))
    monkeypatch.setattr("core.clusters.hdbscan.MAX_SEARCHED", 2500)
    monkeypatch.setattr(groups.searchable, "__defaults__", (2500,))
    result = METHOD.run(source)
    assert result.facts["n_searched"] == 2500
    assert f1(result.members, truth, 0) > 0.85
    assert any("2,500 best measured of 4,300" in warning for warning in result.warnings)
