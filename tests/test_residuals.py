"""The checks of residuals say what a plot would show, and the explained variance is the textbook's."""

import os

import numpy as np
import pandas as pd
import pytest

from whosevalues import stats
from whosevalues.multicultural import names, released, repeated, residuals, rq1, rq1_checks

with_data = pytest.mark.skipif(
    not os.environ.get("WHOSEVALUES_DATA"), reason="WHOSEVALUES_DATA names no folder with the released files"
)

CELLS = pd.DataFrame({"model": np.repeat(["a", "b", "c"], 40), "language": np.tile(["da", "nl"], 60)})
NUMBER = CELLS.groupby(["model", "language"]).ngroup().to_numpy()
FITTED = np.linspace(0, 1, len(CELLS))


def noise(seed=0):
    return np.random.default_rng(seed).normal(size=len(CELLS))


def test_residuals_that_share_a_mean_are_told_from_noise():
    """A cell whose residuals all lie on one side is the fault of a model, and a histogram hides it."""
    shifted = noise() + np.array([-2, 2, -2, 2, -2, 2])[NUMBER]
    table = residuals.run_checks(FITTED, shifted, CELLS, seed=1).set_index("metric")
    # By hand: the cells' means vary by 4, their members by 1.
    assert table.loc["share explained by cell", "value"] == pytest.approx(4 / (4 + 1), abs=0.05)
    # By chance (cells - 1) of the (rows - 1) directions.
    assert table.loc["share explained by cell", "chance"] == pytest.approx(5 / 119, abs=0.04)


def test_the_share_of_a_cell_is_an_analysis_of_variance():
    """Eta squared must be that of one-way ANOVA: F (k - 1) / (F (k - 1) + n - k)."""
    from scipy.stats import f_oneway

    values = noise(2) + NUMBER / 3
    f = f_oneway(*[values[k == NUMBER] for k in range(6)]).statistic
    share = residuals.checks(FITTED, values, NUMBER)["share explained by cell"]
    assert share == pytest.approx(f * 5 / (f * 5 + 120 - 6))


def test_unequal_spread_is_seen_across_cells_and_along_the_fit():
    """Some cells vary more than others: a regression that takes them for alike has wrong standard errors."""
    found = residuals.checks(FITTED, noise(3) * np.array([1, 1, 1, 1, 5, 5])[NUMBER], NUMBER)
    assert found["equal spread across cells, p"] < 1e-6 and found["equal spread along the fit, p"] < 1e-6
    assert 3.5 < found["spread across cells"] < 8
    even = residuals.checks(FITTED, noise(3), NUMBER)
    assert even["equal spread across cells, p"] > 0.01 and even["spread across cells"] < 2


def test_heavy_tails_are_seen():
    """Residuals with outliers must not pass for normal: their kurtosis and the test must say so."""
    heavy = np.random.default_rng(4).standard_t(3, size=len(CELLS))
    assert residuals.checks(FITTED, heavy, NUMBER)["excess kurtosis"] > 1
    assert residuals.checks(FITTED, heavy, NUMBER)["normality, p"] < 0.01
    assert residuals.checks(FITTED, noise(), NUMBER)["normality, p"] > 0.01


def test_the_picture_keeps_every_cell_and_the_normal_line():
    """The figure is drawn from a small table: a lost cell, or quantiles off the line, would show another figure."""
    table = residuals.picture(FITTED, noise() + NUMBER, CELLS)
    cells, quantiles = (table[table["metric"] == metric] for metric in ("cell", "quantile"))
    assert len(cells) == 6 and cells["n"].sum() == len(CELLS)
    expected = CELLS.assign(r=noise() + NUMBER).groupby(["model", "language"])["r"].mean()
    assert cells.set_index(["model", "language"])["value"].to_dict() == pytest.approx(expected.to_dict())
    assert (cells["low"] < cells["value"]).all() and (cells["value"] < cells["high"]).all()
    big = np.random.default_rng(0).normal(size=20_000) * 7
    line = residuals.picture(big, big, pd.DataFrame({"one": np.zeros(len(big))}))
    line = line[line["metric"] == "quantile"]
    assert (line["at"] - line["value"]).abs().max() < 0.06 and len(quantiles) == residuals.QUANTILES


class Fit:
    """A mixed model with known parts: X b has variance 2/3 * 4, the intercepts 1, the residuals 1/3."""

    model = type("Model", (), {"exog": np.array([[1.0, 0], [1, 1], [1, 2]])})
    fe_params = pd.Series([5.0, 2.0])
    cov_re = pd.DataFrame([[1.0]])
    scale = 1 / 3


def test_explained_variance_is_nakagawas():
    """Marginal and conditional R2 must be Var(Xb) and Var(Xb) + intercepts over the total, the mean left out."""
    found = residuals.r_squared(Fit)
    assert found["marginal"] == pytest.approx((8 / 3) / (8 / 3 + 1 + 1 / 3))
    assert found["conditional"] == pytest.approx((8 / 3 + 1) / 4)


def test_explained_variance_of_a_fitted_model():
    """On data made with variances 4, 1 and 1 the estimate must come near 4/6 and 5/6."""
    import statsmodels.formula.api as smf

    rng = np.random.default_rng(1)
    group = np.repeat(np.arange(300), 10)
    x = rng.normal(size=3000)
    y = 2 * x + rng.normal(size=300)[group] + rng.normal(size=3000)
    found = residuals.r_squared(smf.mixedlm("y ~ 0 + x", pd.DataFrame({"x": x, "y": y}), groups=group).fit())
    assert found["marginal"] == pytest.approx(4 / 6, abs=0.03)
    assert found["conditional"] == pytest.approx(5 / 6, abs=0.02)


def test_without_their_mean_the_intercepts_take_it_in():
    """A mean of 5 in the outcome must not read as variance between groups where the formula has a mean."""
    import statsmodels.formula.api as smf

    rng = np.random.default_rng(2)
    group = np.repeat(np.arange(60), 20)
    x = rng.normal(size=1200)
    rows = pd.DataFrame({"x": x, "y": 5 + 2 * x + rng.normal(size=60)[group] + rng.normal(size=1200)})
    fits = [smf.mixedlm(f"y ~ {mean} + x", rows, groups=group).fit() for mean in (0, 1)]
    without, estimated = map(residuals.r_squared, fits)
    assert estimated["marginal"] == pytest.approx(4 / 6, abs=0.05)
    assert without["marginal"] == pytest.approx(4 / (4 + 5**2 + 1 + 1), abs=0.03)


@with_data
@pytest.mark.filterwarnings("ignore:The MLE may be on the boundary")
@pytest.mark.parametrize("state", names.STATES)
def test_the_intercept_of_the_paper_is_added_and_nothing_else(state):
    """The rows that say 'intercept of Eq. 1' must be the fit of that formula on the same observations."""
    import statsmodels.formula.api as smf

    responses, truth, capability = released.read(state)
    rows = rq1.rq1_rows(released.join(responses, truth, "language"), capability, state, rounds=8, seed=0)
    formula = rq1.FORMULA[state].replace("~ 0 +", "~ 1 +")
    expected = residuals.r_squared(smf.mixedlm(formula, rows.dropna(), groups="model").fit())
    table = rq1_checks.rq1_r2([0], rounds=8).set_index(["state", "metric"])["value"]
    for metric, share in expected.items():
        assert table[(state, f"{metric}, {rq1_checks.INTERCEPT}")] == pytest.approx(share, abs=1e-4)
        assert table[(state, metric)] != pytest.approx(share, abs=1e-4)


def one_seed(seed):
    """A run of an analysis whose value the seed fixes."""
    return pd.DataFrame({"seed": [seed], "value": stats.bootstrap_counts(50, 1, seed)[0, :1] / 3})


@pytest.mark.parametrize("workers", [1, 2])
def test_the_number_of_workers_changes_nothing(workers):
    """A machine with more processors must give the same figures in the same order."""
    alone = [one_seed(seed) for seed in range(7)]
    found = repeated.repeat(one_seed, range(7), workers=workers)
    pd.testing.assert_frame_equal(pd.concat(found), pd.concat(alone))


def test_no_bar_where_nobody_watches(capfd):
    """A log full of progress bars hides the messages that matter."""
    repeated.repeat(one_seed, range(3), workers=1, what="RQ1")
    assert capfd.readouterr().err == ""
