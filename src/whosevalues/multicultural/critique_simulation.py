"""Why a consistent model looks aligned: simulated models that hold the same values and differ in noise alone."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from . import critique, critique_jackknife, critique_tables, rq1
from .critique import CELL
from .names import STATES


def common_alignment(cells: pd.DataFrame) -> float:
    """The one alignment of all models that comes nearest to what was measured if noise alone tells them apart.

    By attenuation (Spearman, 1904), alignment over responses = alignment of the values x root of the reliability; this
    is the least-squares slope of that line through 0.

    Parameters
    ----------
    cells : `alignment` and `reliability`, as from :func:`~whosevalues.multicultural.critique.figures`.

    Returns
    -------
    In [-1, 1].

    Examples
    --------
    >>> cells = pd.DataFrame({"alignment": [0.1, 0.2], "reliability": [0.04, 0.16]})
    >>> print(f"{common_alignment(cells):.2f}")
    0.50
    """
    reliability = cells["reliability"].clip(lower=0)
    value = (cells["alignment"] * np.sqrt(reliability)).sum() / reliability.sum()
    return float(np.clip(value, -1, 1))


def profile(human: np.ndarray, correlation: float, rng: np.random.Generator) -> np.ndarray:
    """Draw values, one per question, that correlate with people's exactly as asked.

    Parameters
    ----------
    human : value polarity score per question, shape (questions,).
    correlation : Pearson correlation with the normal scores of `human`, in [-1, 1].
    rng : random generator.

    Returns
    -------
    Shape (questions,), mean 0, variance 1.
    """
    from scipy.stats import norm, rankdata

    people = norm.ppf((rankdata(human) - 0.5) / len(human))
    people = (people - people.mean()) / people.std()
    other = rng.standard_normal(len(human))
    other -= other.mean()
    other -= people * (other @ people) / (people @ people)
    return correlation * people + np.sqrt(1 - correlation**2) * other / other.std()


def same_values(joined: pd.DataFrame, cells: pd.DataFrame, correlation: float, seed: int) -> pd.DataFrame:
    """Let all models answer with the same values and their own noise.

    A response is root(r) times the value of its question, plus root(1 - r) times noise, r being the reliability of
    the model in the language: the expected correlation of two responses to a question. Values are drawn per language.

    Parameters
    ----------
    joined : as from :func:`~whosevalues.multicultural.critique.study`; which responses there are stays as it is.
    cells : `model`, `language`, `reliability`.
    correlation : of the values with people's, the same for all models and languages.
    seed : of the random generator.

    Returns
    -------
    The same rows with another `score`, the same in all rows of a response.
    """
    rng = np.random.default_rng(seed)
    responses = critique.own(joined)
    by_question, by_cell = responses.groupby(["language", "question"]), responses.groupby(CELL)
    people = by_question["human"].first()
    drawn = [profile(part.to_numpy(), correlation, rng) for _, part in people.groupby("language")]
    value = np.concatenate(drawn)[by_question.ngroup()]
    reliability = cells.set_index(CELL)["reliability"].loc[by_cell.size().index]
    reliability = reliability.clip(0, 1).to_numpy()[by_cell.ngroup()]
    noise = rng.standard_normal(len(responses))
    score = pd.Series(np.sqrt(reliability) * value + np.sqrt(1 - reliability) * noise, responses["response"])
    return joined.assign(score=joined["response"].map(score))


def coefficients(
    joined: pd.DataFrame, state: str, *, rounds: int = 25, seed: int = 0, paper: bool = True
) -> pd.DataFrame:
    """Fit Eq. 1 the paper's way, and with one row per model and language to each definition of alignment.

    Parameters
    ----------
    joined : as from :func:`~whosevalues.multicultural.critique.study`, or simulated.
    state : decides the formula and how consistency is measured.
    rounds, seed : of the paper's bootstrap; the number of rounds hardly moves a coefficient.
    paper : False leaves the paper's way out, which takes most of the time.

    Returns
    -------
    One row per (analysis, term): `analysis` is 'the paper' or one of :data:`critique.OUTCOMES`; `value`.
    """
    cells = critique.study(state)[1]
    rows = critique.figures(critique.whole(critique.own(joined)), state).merge(cells, on=CELL)
    fits = {outcome: critique.fit(rows, state, outcome=outcome) for outcome in critique.OUTCOMES}
    if paper:
        rows = rq1.rq1_rows(joined, cells.drop(columns="family"), state, rounds=rounds, seed=seed)
        fits["the paper"] = critique.fit(rows, state, intercept="0 +")
    return pd.concat(fits, names=["analysis"]).reset_index("analysis")[["analysis", "term", "value"]]


@cache
def simulated(state: str, simulations: int) -> pd.DataFrame:
    """Coefficients of consistency of models that hold the same values, see :func:`same_values`.

    Parameters
    ----------
    state : whose responses, reliabilities and common alignment are taken.
    simulations : sets of models; the first quarter of them is analysed the paper's way, too.

    Returns
    -------
    One row per (seed, analysis, term): `value`.
    """
    joined, _ = critique.study(state)
    own = critique.own(joined)
    measured = critique.figures(critique.whole(own), state)
    # Spearman's correlation of normal variables is 6/pi arcsin(r/2): the inverse makes its size what it should be.
    pearson = 2 * np.sin(np.pi * common_alignment(measured) / 6)
    made = []
    for seed in range(simulations):
        paper = 4 * seed < simulations
        answers = same_values(joined if paper else own, measured, pearson, seed)
        made.append(coefficients(answers, state, seed=seed, paper=paper))
    return _with_mean(pd.concat(made, keys=range(simulations), names=["seed"]).reset_index("seed"), "seed")


def attenuation_table(simulations: int) -> pd.DataFrame:
    """The coefficient of consistency beside the one that models with the same values get.

    Parameters
    ----------
    simulations : sets of models that hold the same values, see :func:`simulated`.

    Returns
    -------
    One row per (state, analysis, term, data): `value`, `low`, `high`, `n`, `chance`, `printed`, `p_value`. Data:
    'released', with the regression's 95% interval for 'the paper' and that of the jackknife over questions for one
    row per cell (`n` rows), `p_value` being the share of simulations with a coefficient at least as large, the
    released one counted as one of them, so that it is never below 1 / (simulations + 1); 'same values', mean and 95%
    range over simulations (`n`). 'consistency, mean' averages over the languages where the formula has one
    coefficient each. Analysis 'attenuation': the 'common alignment' of all models, see :func:`common_alignment`, and
    the share of the variance of alignment that it explains, both with jackknife intervals.
    """
    tables = [attenuation_of(state, simulations).assign(state=state) for state in STATES]
    printed = rq1.printed_figures("rq1")[["state", "term", "printed"]].assign(analysis="the paper")
    table = pd.concat(tables, ignore_index=True).merge(printed, on=["state", "analysis", "term"], how="left")
    columns = ["value", "low", "high", "n", "chance", "printed", "p_value"]
    return table[["state", "analysis", "term", "data", *columns]]


@cache
def attenuation_of(state: str, simulations: int) -> pd.DataFrame:
    """What :func:`attenuation_table` has of one state.

    Parameters
    ----------
    state, simulations : as for :func:`simulated`.

    Returns
    -------
    As there, without `state` and `printed`.
    """
    by = simulated(state, simulations).groupby(["analysis", "term"])["value"]
    paper = critique_tables.intercept_table(100)
    paper = paper[(paper["state"] == state) & (paper["intercept"] == critique_tables.INTERCEPT["0 +"])]
    paper = _with_mean(paper.assign(seed=0), "seed")[["term", "value", "low", "high", "n"]]
    paper["n"] = paper["n"].max()
    draws = critique_tables.left_out_slopes()
    draws = draws[(draws["state"] == state) & (draws["intercept"] == critique_tables.INTERCEPT["1 +"])]
    draws = _with_mean(draws.rename(columns={"outcome": "analysis"}), "round")
    better = critique_jackknife.interval(draws, ["analysis", "term"])
    better["n"] = len(critique.study(state)[1])
    released = pd.concat([paper.assign(analysis="the paper"), better]).assign(data="released")
    released = released.merge(by.agg(list).rename("made").reset_index())
    released["p_value"] = [(1 + (np.array(m) >= v).sum()) / (1 + len(m)) for v, m in released[["value", "made"]].values]
    bounds = by.quantile([0.025, 0.975]).unstack().set_axis(["low", "high"], axis=1)
    same = bounds.assign(value=by.mean(), n=by.size(), data="same values").reset_index()
    table = pd.concat([released.drop(columns="made"), same, _explained(state)], ignore_index=True)
    return table.assign(chance=0.0)


def _with_mean(table: pd.DataFrame, number: str) -> pd.DataFrame:
    """Only the terms of consistency and, where there are several, their mean."""
    table = table[table["term"].str.startswith("consistency")]
    keys = [c for c in ("analysis", "scheme", number) if c in table]
    mean = table.groupby(keys, sort=False)["value"].mean().reset_index().assign(term="consistency, mean")
    return pd.concat([table, mean], ignore_index=True) if table["term"].nunique() > 1 else table


def _explained(state: str) -> pd.DataFrame:
    cells = critique_jackknife.cells()
    cells = cells[cells["state"] == state]
    rows = []
    for (scheme, _), part in cells.groupby(["scheme", "round"], sort=False):
        common, y = common_alignment(part), part["alignment"]
        rest = y - common * np.sqrt(part["reliability"].clip(lower=0))
        share = 1 - (rest**2).sum() / ((y - y.mean()) ** 2).sum()
        rows += [(scheme, "common alignment", common), (scheme, "share explained", share)]
    table = critique_jackknife.interval(pd.DataFrame(rows, columns=["scheme", "term", "value"]), ["term"])
    table["high"] = table["high"].clip(upper=1)
    return table.assign(analysis="attenuation", data="released", n=cells.groupby(critique.CELL).ngroups)


def cells_table() -> pd.DataFrame:
    """Alignment with and without the noise of the answers, for every model and language.

    Returns
    -------
    One row per (state, metric, model, language): `value`, `low`, `high` (95% jackknife interval, questions left out;
    NaN where the data lack a value without one of them), `n` (responses), `chance` (random answers), `printed`
    (none). Metrics: 'alignment', 'question', 'disattenuated' and 'reliability', see :func:`critique.figures`;
    'attenuation', what `alignment` would be if all models held the same values, see :func:`common_alignment`, and
    'questions', how many have a response, both without interval.
    """
    cells = critique_jackknife.cells()
    keys = ["state", "metric", *CELL]
    metrics = ["alignment", "question", "disattenuated", "reliability"]
    table = critique_jackknife.interval(cells.melt(["scheme", "round", "state", *CELL], metrics, "metric"), keys)
    data = cells[cells["scheme"] == "none"]
    common = data.groupby("state")[["alignment", "reliability"]].apply(common_alignment)
    value = data["state"].map(common) * np.sqrt(data["reliability"].clip(lower=0))
    same = data[["state", *CELL]].assign(metric="attenuation", value=value)
    responses = pd.concat([critique.own(critique.study(state)[0]).assign(state=state) for state in STATES])
    by = responses.groupby(["state", *CELL])["question"]
    asked = by.nunique().rename("value").reset_index().assign(metric="questions")
    sizes = by.size().rename("n").reset_index()
    table = pd.concat([table, same, asked]).merge(sizes).assign(chance=0.0, printed=np.nan)
    table.loc[table["metric"] == "questions", "chance"] = np.nan
    return table[[*keys, "value", "low", "high", "n", "chance", "printed"]]
