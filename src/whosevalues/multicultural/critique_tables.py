"""What rounds, copies, the intercept, the unit of analysis and the bootstrap do to RQ1, as tables."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import pandas as pd

from . import critique_jackknife, released, rq1, scores
from .critique import CELL, OUTCOMES, SCHEMES, figures, fit, own, resample, study, whole
from .names import STATES

INTERCEPT = {"0 +": "0, as in the code", "1 +": "estimated, as in Eq. 1"}
"""How a formula begins, and what the mean of the random intercepts is then."""
JOINED = "joined rows, as in the paper"
"""The paper's own bootstrap: a response is in the draw once per group of speakers that it is compared with."""


def rounds_table(rounds: Sequence[int]) -> pd.DataFrame:
    """What the number of bootstrap rounds alone does to the coefficients of RQ1 (section 3.2).

    Parameters
    ----------
    rounds : numbers of rounds, ascending; the rounds of a smaller number are the first of a larger one.

    Returns
    -------
    One row per (state, term, rounds): `value`, `low` and `high` (95% interval of the regression), `z` (value over
    standard error), `significant` (z beyond 1.96 on either side), `n` (observations), `chance`, `printed`, `call`
    (what the paper says of significance).
    """
    tables = []
    for state in STATES:
        rows = _paper_rows(state, max(rounds))
        for number in rounds:
            fitted = rq1.rq1_fit(rows[rows["round"] < number], state)
            values = fitted.fe_params.to_numpy()
            table = pd.DataFrame({"term": _short(fitted.fe_params.index), "value": values, "std_err": fitted.bse_fe})
            tables.append(table.assign(state=state, rounds=number, n=fitted.nobs))
    table = _with_bounds(pd.concat(tables, ignore_index=True), 1.96)
    table["z"] = table["value"] / table["std_err"]
    table["significant"] = table["z"].abs() > 1.96
    printed = rq1.printed_figures("rq1")[["state", "term", "printed", "call"]]
    table = table.merge(printed, on=["state", "term"], how="left").assign(chance=0.0)
    columns = ["value", "low", "high", "n", "chance", "printed", "z", "significant", "call"]
    return table[["state", "term", "rounds", *columns]]


def _short(names: pd.Index) -> pd.Index:
    return names.str.replace("multilingual:", "").str.replace(r"\w+\[(\w+)\]", r"\1", regex=True)


def _with_bounds(table: pd.DataFrame, reach: float | pd.Series) -> pd.DataFrame:
    return table.assign(low=table["value"] - reach * table["std_err"], high=table["value"] + reach * table["std_err"])


@cache
def _paper_rows(state: str, rounds: int) -> pd.DataFrame:
    responses, truth, capability = released.read(state)
    return rq1.rq1_rows(released.join(responses, truth, "language"), capability, state, rounds=rounds)


def duplicates_table(rounds: int) -> pd.DataFrame:
    """By how much copies inflate consistency: the paper's estimate minus that over pairs of different responses.

    A bootstrap draws a response as often, on average, as it stands in the data, and so makes a share k of its pairs
    of a response and its copy: with n_q responses to question q, k = sum n_q / sum n_q^2. Such pairs agree, and the
    expected inflation is k (1 - consistency), over the divisor where the state has one.

    Parameters
    ----------
    rounds : of the paper's bootstrap.

    Returns
    -------
    One row per (state, model, language): `value` (inflation, mean over rounds), `low`, `high` (95% of the rounds), `n`
    (valid responses with ground truth), `chance` (`value` if copies changed nothing, 0), `printed` (none), `expected`
    (by the formula), `bootstrap` and `distinct` (the two estimates).
    """
    tables = []
    for state in STATES:
        rows = _paper_rows(state, rounds).groupby(CELL)["consistency"]
        table = rows.quantile([0.025, 0.975]).unstack().set_axis(["low", "high"], axis=1)
        table["bootstrap"] = rows.mean()
        responses = own(study(state)[0])
        table["distinct"] = figures(whole(responses), state).set_index(CELL)["consistency"]
        sizes = responses.groupby([*CELL, "question"]).size()
        copies = sizes.groupby(CELL).sum() / (sizes**2).groupby(CELL).sum()
        divisor = scores.CONSISTENCY[state][1]
        table["expected"] = copies * (1 - table["distinct"] * divisor) / divisor
        for column in ("low", "high"):
            table[column] -= table["distinct"]
        table["value"] = table["bootstrap"] - table["distinct"]
        table["n"] = sizes.groupby(CELL).sum()
        tables.append(table.reset_index().assign(state=state, chance=0.0, printed=np.nan))
    columns = ["value", "low", "high", "n", "chance", "printed", "expected", "bootstrap", "distinct"]
    return pd.concat(tables, ignore_index=True)[["state", *CELL, *columns]]


def intercept_table(rounds: int) -> pd.DataFrame:
    """What the mean of the random intercepts, which Eq. 1 has and the code leaves out, changes; all else as published.

    Parameters
    ----------
    rounds : of the paper's bootstrap.

    Returns
    -------
    One row per (state, term, intercept): `value`, `low`, `high` (95% interval of the regression, which takes rounds
    for observations), `n` (observations), `chance`, `printed`.
    """
    tables = []
    for state in STATES:
        rows = _paper_rows(state, rounds)
        tables += [fit(rows, state, intercept=k).assign(state=state, intercept=name) for k, name in INTERCEPT.items()]
    table = _with_bounds(pd.concat(tables, ignore_index=True), 1.96).assign(chance=0.0)
    printed = rq1.printed_figures("rq1")[["state", "term", "printed"]].assign(intercept=INTERCEPT["0 +"])
    table = table.merge(printed, on=["state", "term", "intercept"], how="left")
    return table[["state", "term", "intercept", "value", "low", "high", "n", "chance", "printed"]]


@cache
def cell_draws(rounds: int) -> pd.DataFrame:
    """Resample the responses of both states in every way, and measure every cell.

    Parameters
    ----------
    rounds : of the hierarchical bootstrap; the others, whose widths alone are shown, get half of them.

    Returns
    -------
    One row per (state, scheme, round, model, language): what :func:`~whosevalues.multicultural.critique.figures`
    gives, `family` and `multilingual`. Scheme 'none', round 0, is the data as they are.
    """
    tables = []
    for state in STATES:
        joined, cells = study(state)
        responses = own(joined)
        tables.append(figures(whole(responses), state).assign(state=state, scheme="none", round=0))
        for scheme in SCHEMES:
            for number in range(rounds if scheme == SCHEMES[2] else rounds // 2):
                table = figures(resample(responses, scheme, number), state)
                tables.append(table.assign(state=state, scheme=scheme, round=number))
        paper = _paper_rows(state, rounds // 2)
        tables.append(paper[[*CELL, "round", "alignment", "consistency"]].assign(state=state, scheme=JOINED))
    cells = pd.concat([study(state)[1].assign(state=state) for state in STATES])
    return pd.concat(tables, ignore_index=True).merge(cells, on=["state", *CELL])


@cache
def slope_draws(rounds: int) -> pd.DataFrame:
    """Fit Eq. 1, with its intercept, to one row per model and language in every draw.

    Parameters
    ----------
    rounds : of the hierarchical bootstrap, see :func:`cell_draws`.

    Returns
    -------
    One row per (state, scheme, outcome, intercept, round, term): `value`, `std_err`, `n`; `outcome` is 'alignment'.
    """
    return _fits(cell_draws(rounds), [("alignment", "1 +")])


@cache
def left_out_slopes() -> pd.DataFrame:
    """The same on all questions and without each of them, for every outcome and for the code's intercept too.

    Returns
    -------
    As from :func:`slope_draws`, from :func:`~whosevalues.multicultural.critique_jackknife.cells`.
    """
    return _fits(critique_jackknife.cells(), [("alignment", "0 +"), *((outcome, "1 +") for outcome in OUTCOMES)])


def _fits(cells: pd.DataFrame, kinds: list[tuple[str, str]]) -> pd.DataFrame:
    tables = []
    for (state, scheme, number), rows in cells.groupby(["state", "scheme", "round"], sort=False):
        for outcome, intercept in kinds:
            table = fit(rows, state, intercept=intercept, outcome=outcome)
            table.insert(0, "intercept", INTERCEPT[intercept])
            tables.append(table.assign(state=state, scheme=scheme, outcome=outcome, round=number))
    return pd.concat(tables, ignore_index=True)


def percentiles(draws: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """The percentile interval of every figure, and where it is on the data as they are.

    Parameters
    ----------
    draws : `by`, `scheme` and `value`; scheme 'none' holds the data.
    by : columns that name a figure.

    Returns
    -------
    One row per (`by`, `scheme`): `value` (of the data), `low`, `high`.
    """
    data = draws[draws["scheme"] == "none"].groupby(by, sort=False)["value"].first()
    bounds = draws[draws["scheme"] != "none"].groupby([*by, "scheme"], sort=False)["value"].quantile([0.025, 0.975])
    bounds = bounds.unstack().set_axis(["low", "high"], axis=1).reset_index()
    return bounds.merge(data.reset_index(), on=by)[[*by, "scheme", "value", "low", "high"]]


def one_row_table() -> pd.DataFrame:
    """RQ1 with one row per model and language and consistency over distinct pairs.

    Returns
    -------
    One row per (state, term, intercept, interval): `value`, `low`, `high`, `n` (rows), `chance`, `printed`. The
    interval is 95%, by 'regression' (Student's t; how well the line fits other models and languages of this kind), or
    by 'jackknife' (each question left out in turn; what other questions would have given for these models).
    """
    draws = left_out_slopes().query("outcome == 'alignment'")
    keys = ["state", "term", "intercept"]
    table = draws[draws["scheme"] == "none"]
    terms = table.groupby(["state", "intercept"])["term"].transform("size")
    regression = _with_bounds(table, _student(table["n"] - terms)).assign(interval="regression")
    jackknife = critique_jackknife.interval(draws, keys).merge(table[[*keys, "n"]], on=keys)
    both = pd.concat([regression, jackknife.assign(interval="jackknife")], ignore_index=True).assign(chance=0.0)
    both = both.merge(rq1.printed_figures("rq1")[["state", "term", "printed"]], on=["state", "term"], how="left")
    return both[[*keys, "interval", "value", "low", "high", "n", "chance", "printed"]]


def _student(degrees: pd.Series) -> np.ndarray:
    from scipy.stats import t

    return t.ppf(0.975, degrees)


def hierarchical_table(rounds: int) -> pd.DataFrame:
    """What is drawn decides how wide an interval is.

    Parameters
    ----------
    rounds : of every bootstrap.

    Returns
    -------
    One row per (state, metric, term, scheme): `value` (on the data), `low`, `high` (95% percentile interval), `n`
    (responses), `chance`, `printed` (none), `ratio`, how many times as wide the interval is as that of the paper's
    bootstrap. Metric 'slope': the terms of Eq. 1, one row per model and language; 'alignment': of the models' mean,
    per language and for 'all'.
    """
    slopes = slope_draws(rounds).assign(metric="slope")
    cells = cell_draws(rounds)
    keys = ["state", "scheme", "round"]
    means = pd.concat([cells.assign(term=cells["language"]), cells.assign(term="all")])
    means = means.groupby([*keys, "term"], sort=False)["alignment"].mean().rename("value").reset_index()
    draws = pd.concat([slopes[[*keys, "metric", "term", "value"]], means.assign(metric="alignment")])
    table = percentiles(draws, ["state", "metric", "term"])
    flat = table.assign(width=table["high"] - table["low"]).query("scheme == @JOINED")
    table = table.merge(flat[["state", "metric", "term", "width"]], on=["state", "metric", "term"])
    table["ratio"] = (table["high"] - table["low"]) / table.pop("width")
    sizes = {state: len(own(study(state)[0])) for state in STATES}
    table = table.assign(n=table["state"].map(sizes), chance=0.0, printed=np.nan)
    return table[["state", "metric", "term", "scheme", "value", "low", "high", "n", "chance", "printed", "ratio"]]
