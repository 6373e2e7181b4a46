"""The main conclusions of "Multilingual != Multicultural", each beside the better estimate and judged by its rule."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pandas as pd

from . import (
    critique,
    critique_jackknife,
    critique_simulation,
    critique_tables,
    groups,
    overview,
    released,
    resampling,
    rq1,
    rq2,
    scores,
    us_bias,
)
from .critique import CELL
from .names import STATES

LANGUAGES = ("da", "nl", "en", "pt")
KEYS = ["state", "scheme", "round"]
BOUNDS = ["low", "high", "any_low", "any_high"]
PAPER_ROUNDS = 100

RULES = {
    "above": "stands if every interval lies above 0; does not stand if one lies below 0; else open",
    "none above": "as worded, 'negative or insignificant': stands if no interval lies above 0, and does not stand if "
    "one does (not shown to rise is not shown not to rise)",
    "differs": "stands if the interval excludes 0; does not stand if it lies within 0.1 of 0; else open",
    "bias": "stands if every interval lies above 0; does not stand if one lies below 0, or within 0.02 of 0; else open",
    "not one side": "does not stand if every interval lies on one and the same side of 0; else stands",
    "not all above": "does not stand if every interval lies above 0; else stands",
}
"""When a conclusion stands. Where every interval must agree, each is one of 95%: all that are wrong at once are
rarer than one (intersection-union test; Berger, 1982). Where one of k is enough, each is one of 1 - .05/k."""


def judge(rule: str, table: pd.DataFrame) -> str:
    """Decide whether a conclusion stands, by its rule and the intervals alone.

    Parameters
    ----------
    rule : one of `RULES`.
    table : the figures that the conclusion speaks of: `low`, `high` (95%), `any_low`, `any_high` (wider where there
        are several, for what one of them alone decides).

    Returns
    -------
    'stands', 'does not stand' or 'open'.

    Examples
    --------
    >>> table = pd.DataFrame({"low": [0.1, -0.2], "high": [0.5, 0.3], "any_low": [0, -0.3], "any_high": [0.6, 0.4]})
    >>> judge("above", table)
    'open'
    """
    all_above, all_below = (table["low"] > 0).all(), (table["high"] < 0).all()
    one_above, one_below = (table["any_low"] > 0).any(), (table["any_high"] < 0).any()

    def one_within(margin: float) -> bool:
        return ((table["any_low"] > -margin) & (table["any_high"] < margin)).any()

    stands, falls = {
        "above": (all_above, one_below),
        "none above": (not one_above, one_above),
        "differs": (all_above or all_below, one_within(0.1)),
        "bias": (all_above, one_below or one_within(0.02)),
        "not one side": (not (all_above or all_below), all_above or all_below),
        "not all above": (not all_above, all_above),
    }[rule]
    return "stands" if stands else "does not stand" if falls else "open"


def conclusions_table(simulations: int) -> pd.DataFrame:
    """Set the paper's main conclusions beside better estimates and say, by rule, which of them stand.

    Better means: one row per model and language, the intercept of Eq. 1, and consistency over pairs of different
    responses; for bias, US minus local alignment of the same responses to questions that all the countries have,
    without a baseline. Intervals leave each question out in turn; a bootstrap would add noise to every consistency
    and so pull down its coefficient.

    The figures are, in the order of `CONCLUSIONS`: the slopes; their mean over languages, Gemma's minus OpenAI's; the
    coefficient of consistency minus the largest slope (where there is one per language, within it, and the mean); the
    same coefficient, and that on disattenuated alignment, minus those of simulated models that hold the same values;
    the consistency of the least
    consistent people of a language minus that of the most consistent model; US minus local alignment, mean of the
    models that both states have; what a model has more than the one before it in its family, in this difference; and
    all slopes.

    Parameters
    ----------
    simulations : of models that hold the same values, see
        :func:`~whosevalues.multicultural.critique_simulation.simulated`.

    Returns
    -------
    One row per (conclusion, state, figure): `value`, `low`, `high` (95%, see
    :func:`~whosevalues.multicultural.critique_jackknife.interval`; of what is more than noise, the range of the
    simulations), `any_low`, `any_high` (the same at 1 - .05/k, k being the figures of the conclusion and state), `n`
    (models times languages of the state), `chance`, `printed`, `paper` (the same figure by the paper's own analysis),
    `p_value` (of what is more than noise), `place`, `rule`, and `stands`, which all figures of a conclusion and state
    decide together: 'stands', 'does not stand' or 'open'.
    """
    parts = []
    for conclusion, (place, rule, make) in CONCLUSIONS.items():
        table = make(simulations).assign(conclusion=conclusion, place=place, rule=RULES[rule])
        verdicts = {state: judge(rule, part) for state, part in table.groupby("state")}
        parts.append(table.assign(stands=table["state"].map(verdicts)))
    table = pd.concat(parts, ignore_index=True)
    table["n"] = table["state"].map({state: len(critique.study(state)[1]) for state in STATES})
    printed = rq1.printed_figures("rq1")[["state", "term", "printed"]].rename(columns={"term": "figure"})
    table = table.merge(printed, on=["state", "figure"], how="left").assign(chance=0.0)
    columns = ["value", *BOUNDS, "n", "chance", "printed", "paper", "p_value"]
    return table[["conclusion", "state", "figure", *columns, "place", "rule", "stands"]]


def _judged(draws: pd.DataFrame) -> pd.DataFrame:
    """Jackknife intervals of both kinds, and the paper's own figure, from `state`, `scheme`, `figure` and `value`."""
    parts = []
    for state in STATES:
        part = draws[draws["state"] == state]
        table = critique_jackknife.interval(part, ["state", "figure"])
        wider = critique_jackknife.interval(part, ["state", "figure"], any_of=len(table))
        paper = part[part["scheme"] == "paper"].groupby("figure")["value"].first()
        parts.append(
            table.assign(any_low=wider["low"], any_high=wider["high"], paper=table["figure"].map(paper), p_value=np.nan)
        )
    return pd.concat(parts, ignore_index=True)


def _terms() -> pd.DataFrame:
    """Terms of Eq. 1, the better ones and the paper's own."""
    draws = critique_tables.left_out_slopes()
    kept = (draws["intercept"] == critique_tables.INTERCEPT["1 +"]) & (draws["outcome"] == "alignment")
    paper = critique_tables.intercept_table(PAPER_ROUNDS)
    paper = paper[paper["intercept"] == critique_tables.INTERCEPT["0 +"]].assign(scheme="paper", round=0)
    terms = pd.concat([draws[kept], paper], ignore_index=True)
    return terms.loc[terms["term"] != "intercept", [*KEYS, "term", "value"]].rename(columns={"term": "figure"})


def _slopes(simulations: int, family: str = "", languages: tuple[str, ...] = LANGUAGES) -> pd.DataFrame:
    draws = _terms()
    of, _, language = (part for _, part in draws["figure"].str.partition(":").items())
    return _judged(draws[of.ne("consistency") & of.str.startswith(family) & language.isin(languages)])


def _gemma(simulations: int) -> pd.DataFrame:
    return _slopes(simulations, "gemma")


def _openai(simulations: int) -> pd.DataFrame:
    return _slopes(simulations, "openai", ("da", "nl", "pt"))


def _families(simulations: int) -> pd.DataFrame:
    draws = _terms()
    family = draws["figure"].str.partition(":")[0].rename("family")
    means = draws.groupby([*KEYS, family], sort=False)["value"].mean().unstack()
    difference = (means["gemma"] - means["openai"]).rename("value").reset_index()
    return _judged(difference.assign(figure="gemma minus openai"))


def _lead(simulations: int) -> pd.DataFrame:
    draws = _terms()
    cons = draws["figure"].str.startswith("consistency")
    # Where consistency has a coefficient per language, it is compared within the language, as in the chapter on RQ1.
    within = draws["figure"].str[-2:].where(draws["state"] != STATES[0], "").rename("within")
    largest = draws[~cons].groupby([*KEYS, within])["value"].max().groupby(KEYS).mean()
    lead = (draws[cons].groupby(KEYS)["value"].mean() - largest).rename("value").reset_index()
    return _judged(lead.assign(figure="consistency minus the largest slope"))


def _more_than_noise(simulations: int) -> pd.DataFrame:
    rows = []
    for state in STATES:
        term = "consistency" if state == STATES[0] else "consistency, mean"
        found = critique_simulation.attenuation_of(state, simulations).query("data == 'released'")
        made = critique_simulation.simulated(state, simulations)
        found, made = (table[table["term"] == term].set_index("analysis") for table in (found, made))
        paper = found.at["the paper", "value"] - made.loc["the paper", "value"].mean()
        for analysis in ("alignment", "disattenuated"):
            more = found.at[analysis, "value"] - made.loc[analysis, "value"]
            bounds = dict(zip(BOUNDS, more.quantile([0.025, 0.975, 0.0125, 0.9875]), strict=True))
            row = {"state": state, "figure": f"consistency minus noise, {analysis}", "value": more.mean(), **bounds}
            rows.append({**row, "paper": paper, "p_value": found.at[analysis, "p_value"]})
    return pd.DataFrame(rows)


def _people(simulations: int) -> pd.DataFrame:
    people = groups.people().groupby("language")["value"].min()
    paper = critique_tables.duplicates_table(PAPER_ROUNDS).rename(columns={"bootstrap": "pearson"})
    cells = pd.concat([critique_jackknife.cells(), paper.assign(scheme="paper", round=0)], ignore_index=True)
    most = cells.groupby([*KEYS, "language"], sort=False)["pearson"].max().reset_index()
    return _judged(most.assign(value=most["language"].map(people) - most["pearson"], figure=most["language"]))


@cache
def _gaps() -> pd.DataFrame:
    """US minus local alignment of every model and language, and the paper's coefficients of Eq. 2."""
    parts = []
    for state in STATES:
        table = us_bias.beside_countries(*released.read(state)[:2])
        table = table[table["shared"]].reset_index(drop=True)
        number, questions = pd.factorize(table["question"])
        counts = np.vstack([np.ones(len(table)), np.arange(len(questions))[:, None] != number])
        gaps = us_bias.gaps(resampling.alignment(table, counts)).xs("mean", axis=1, level=2)
        gaps = gaps.rename_axis(index="round", columns=CELL).stack(CELL).rename("value").reset_index()
        scheme = np.where(gaps["round"] == 0, "none", critique_jackknife.LEFT_OUT)
        rows = us_bias.bootstrap_rows(state, PAPER_ROUNDS, 0)
        paper = rq2.us_bias(rq2.rq2_fit(rows), rows).assign(scheme="paper", round=0)
        parts.append(pd.concat([gaps.assign(scheme=scheme), paper]).assign(state=state))
    return pd.concat(parts, ignore_index=True)[[*KEYS, *CELL, "value"]]


def _bias(simulations: int) -> pd.DataFrame:
    gaps = _gaps()
    shared = gaps[gaps["model"].isin(overview.SHARED) & gaps["language"].isin(["nl", "da"])]
    means = shared.groupby([*KEYS, "language"], sort=False)["value"].mean().reset_index()
    return _judged(means.assign(figure=means["language"]))


def _bias_steps(simulations: int) -> pd.DataFrame:
    steps = scores.steps(_gaps().set_index([*KEYS, *CELL])["value"]).dropna().rename("value").reset_index()
    return _judged(steps.assign(figure=steps["model"] + ":" + steps["language"]))


CONCLUSIONS: dict[str, tuple[str, str, Callable[[int], pd.DataFrame]]] = {
    "Gemma: alignment rises with capability in every language": ("abstract", "above", _gemma),
    "OpenAI: it does not, outside of English": ("figure 1", "none above", _openai),
    "The relation differs between the families": ("abstract", "differs", _families),
    "Self-consistency is the stronger predictor": ("abstract", "above", _lead),
    "Self-consistency predicts more than noise alone would": ("abstract", "above", _more_than_noise),
    "Models are less consistent than people": ("section 4.1", "above", _people),
    "US-centric bias in Dutch and Danish": ("section 4.2", "bias", _bias),
    "Capability changes the bias in no consistent way": ("section 4.2", "not one side", _bias_steps),
    "Capability does not by itself improve alignment": ("section 4.1", "not all above", _slopes),
}
"""Every conclusion: its place in the paper, its rule, and what makes its figures."""
