"""The shared statistics against textbook cases, scipy and samples that are really drawn."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from whosevalues import UserError, stats


def samples(draw):
    """A small table with ties in every column, and a sample of its rows as counts."""
    size = draw(st.integers(4, 14))
    column = st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0]), min_size=size, max_size=size)
    cell = draw(st.lists(st.integers(0, 1), min_size=size - 1, max_size=size - 1)) + [1]
    cell[0] = 0
    item = draw(st.lists(st.integers(0, 2), min_size=size, max_size=size))
    counts = draw(st.lists(st.integers(0, 3), min_size=size, max_size=size))
    table = pd.DataFrame({"cell": cell, "x": draw(column), "y": draw(column), "item": item})
    return table, np.array(counts)


def test_wilson_interval_is_the_textbook_one():
    """A share's interval in the book must be Wilson's: 8 of 10 is Agresti and Coull's example."""
    low, high = stats.wilson(8, 10)
    assert (round(low, 3), round(high, 3)) == (0.490, 0.943)


def test_cluster_interval_knows_that_copies_are_no_new_information():
    """Asking each question fifty times must not make the interval of a mean fifty times surer."""
    questions = np.arange(12)
    once = pd.DataFrame({"question": questions, "value": np.tile([0.0, 0.5, 1.0], 4)})
    often = pd.concat([once] * 50)
    assert stats.cluster_interval(often, "value", "question") == stats.cluster_interval(once, "value", "question")


def test_a_figure_made_of_sums_draws_whole_questions():
    """A hundred cells of one question are one question: taken for a hundred, the interval would be far too narrow."""
    rows = pd.DataFrame({"question": ["a"] * 50 + ["b"] * 50, "gain": [1.0] * 50 + [0.0] * 50, "room": [2.0, 0.5] * 50})
    assert tuple(stats.estimate(rows, "gain", rounds=500).values()) == (0.5, 0, 1)
    assert stats.estimate(rows, ["gain", "room"], rounds=500)["value"] == 50 / 125
    # A figure that one round in two lacks has no interval; neither has that of a single question.
    gap = stats.estimate(rows, ["gain", "room"], lambda sums: np.where(sums[:, 0] == 50, 1, np.nan), rounds=500)
    assert gap["value"] == 1 and np.isnan(gap["low"])
    alone = stats.estimate(rows[:50], "gain")
    assert alone["value"] == 1 and np.isnan(alone["high"])
    assert np.isnan(list(stats.estimate(rows[:0], "gain").values())).all()


def test_a_bootstrap_line_draws_as_many_rows_as_there_are():
    """A resample of another size would change every standard error; the same seed must give the same sample."""
    counts = stats.bootstrap_counts(50, 30, seed=3)
    assert counts.shape == (30, 50) and (counts.sum(axis=1) == 50).all() and counts.min() == 0
    assert (counts == stats.bootstrap_counts(50, 30, seed=3)).all()
    assert (counts != stats.bootstrap_counts(50, 30, seed=4)).any()
    # A row is left out of a resample with probability (1 - 1/50)^50.
    assert abs((counts == 0).mean() - 0.98**50) < 0.03


@settings(max_examples=60, deadline=None)
@given(st.composite(samples)())
def test_alignment_of_counts_is_that_of_the_drawn_rows(case):
    """Counts stand for rows: the correlation must be scipy's on the rows written out, ties included."""
    table, counts = case
    ours = stats.weighted_spearman(counts[None], *(table[c].to_numpy() for c in ("cell", "x", "y")))[0]
    for cell in (0, 1):
        kept = (table["cell"] == cell).to_numpy()
        drawn = table[kept].loc[np.repeat(table.index[kept], counts[kept])]
        if drawn["x"].nunique() > 1 and drawn["y"].nunique() > 1:
            assert ours[cell] == pytest.approx(scipy_stats.spearmanr(drawn["x"], drawn["y"]).statistic, abs=1e-12)
        else:
            assert np.isnan(ours[cell])


@pytest.mark.parametrize(("ranks", "peer"), [(False, scipy_stats.pearsonr), (True, scipy_stats.spearmanr)])
@settings(max_examples=60, deadline=None)
@given(case=st.composite(samples)())
def test_the_closed_form_is_the_correlation_over_written_out_pairs(ranks, peer, case):
    """Consistency without forming pairs must equal the self-join that it replaces, ties and duplicates included."""
    table, counts = case
    table = table.assign(item=table["cell"] * 3 + table["item"])
    _, items = np.unique(table["item"], return_inverse=True)
    arguments = table["cell"].to_numpy(), items, table["x"].to_numpy()
    ours = stats.pair_correlation(counts[None], *arguments, ranks=ranks)[0]
    drawn = table.loc[np.repeat(table.index, counts)]
    for cell, rows in drawn.groupby("cell"):
        pairs = [pair for _, item in rows.groupby("item") for pair in permutations(item["x"], 2)]
        left, right = zip(*pairs, strict=False) if pairs else ((), ())
        if len(set(left)) > 1:
            assert ours[cell] == pytest.approx(peer(left, right).statistic, abs=1e-12)


def test_the_monte_carlo_interval_is_three_standard_deviations_of_a_difference():
    """A printed figure is one noisy draw: by hand, draws 1, 2, 3 have mean 2, sd 1 and reach 3 sqrt(4/3)."""
    draws = pd.DataFrame({"term": ["b", "b", "b", "a", "a"], "seed": [0, 1, 2, 0, 1], "value": [1.0, 2, 3, 5, 5]})
    table = stats.monte_carlo_interval(draws, ["term"])
    assert list(table["term"]) == ["b", "a"] and list(table["n"]) == [3, 2]
    assert table.loc[0, "low"] == pytest.approx(2 - 3 * (4 / 3) ** 0.5)
    assert table.loc[1, "low"] == table.loc[1, "high"] == 5


def test_one_seed_has_no_monte_carlo_interval():
    """With a single seed nothing is known of the noise: the bounds must be empty, not zero wide."""
    table = stats.monte_carlo_interval(pd.DataFrame({"term": ["a"], "value": [1.0]}), ["term"])
    assert table[["sd", "low", "high"]].isna().all(axis=None)


def test_the_joint_test_of_one_figure_is_the_two_sample_t_test():
    """With one figure the joint test must be the t-test of one new observation against n others."""
    draws, printed = np.array([1.0, 2.5, 3.1, 4.7, 2.2]), 5.5
    peer = scipy_stats.ttest_ind([printed], draws)
    ours = stats.joint_test(draws[:, None], np.array([printed]))
    assert ours["F"] == pytest.approx(peer.statistic**2)
    assert ours["p_value"] == pytest.approx(peer.pvalue)


def test_the_joint_test_of_two_figures_is_the_manova_of_two_groups():
    """With more figures it must be Hotelling's two-sample test, here statsmodels' with a group of one."""
    from statsmodels.stats.multivariate import test_mvmean_2indep as hotelling

    draws = np.random.default_rng(1).normal(size=(12, 3)) @ np.array([[1, 0.5, 0], [0, 1, 0.8], [0, 0, 0.3]])
    printed = np.array([0.4, -1.0, 0.9])
    # The peer needs two observations to a group: a second group of two equals weighs as n1 n2 / (n1 + n2) = 12/7.
    peer = hotelling(np.stack([printed, printed]), draws)
    ours = stats.joint_test(draws, printed)
    distance = peer.t2 * (12 + 2) / (12 * 2) * 11 / 12
    assert ours["distance"] == pytest.approx(distance)
    assert ours["F"] == pytest.approx(12 * 9 * distance / (13 * 3 * 11))
    assert ours["p_value"] == pytest.approx(scipy_stats.f.sf(ours["F"], 3, 9))


def test_the_joint_test_keeps_its_level():
    """A vector from the same source must be rejected at the 5% level about 5% of the time."""
    rng = np.random.default_rng(0)
    p = [stats.joint_test(d[1:], d[0])["p_value"] for d in rng.normal(size=(600, 31, 8))]
    assert 0.03 < np.mean(np.array(p) < 0.05) < 0.07


def test_too_few_seeds_give_no_joint_verdict():
    """Fewer seeds than figures cannot carry a joint test: it must say nothing instead of failing or guessing."""
    assert np.isnan(stats.joint_test(np.eye(3), np.zeros(3))["p_value"])


def table_of(seeds, hashes="today", shift=0.0):
    table = pd.DataFrame({"term": "a", "seed": seeds, "value": [s + shift for s in seeds]})
    table.attrs["provenance"] = {"data": hashes}
    return table


def test_stored_seeds_complete_the_fresh_ones():
    """The book runs three seeds and must still speak with the two hundred of the full run."""
    both = stats.unite_draws(table_of([0, 1]), table_of([0, 1, 2, 3]), ["term"])
    assert list(both["seed"]) == [0, 1, 2, 3] and list(both["value"]) == [0, 1, 2, 3]


def test_draws_from_other_data_are_left_alone():
    """When a released file changes, yesterday's draws must not be mixed with today's."""
    assert list(stats.unite_draws(table_of([0]), table_of([0, 1], "yesterday"), ["term"])["seed"]) == [0]
    assert list(stats.unite_draws(table_of([0]), None, ["term"])["seed"]) == [0]


def test_a_seed_that_no_longer_gives_its_figure_is_refused():
    """A silent change of the analysis would mix two analyses: the seed and both figures must be named."""
    with pytest.raises(UserError, match=r"seed 1 now gives 1.5 for a, stored is 1.0"):
        stats.unite_draws(table_of([0, 1], shift=0.5).assign(value=[0, 1.5]), table_of([0, 1, 2]), ["term"])


def test_a_full_run_replaces_what_is_stored():
    """After a change made on purpose a run of all seeds must be able to store itself anew."""
    assert list(stats.unite_draws(table_of([0, 1], shift=0.5), table_of([0, 1]), ["term"])["value"]) == [0.5, 1.5]
