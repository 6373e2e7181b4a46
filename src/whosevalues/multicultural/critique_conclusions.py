"""The main conclusions of "Multilingual != Multicultural", each beside the better estimate and judged by its rule."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pandas as pd

from . import critique, critique_tables, groups, overview, released, resampling, rq1, rq2, us_bias
from .critique import CELL, SCHEMES
from .names import MODELS, STATES

LANGUAGES = ("da", "nl", "en", "pt")
KEYS = ["state", "scheme", "round"]
PAPER_ROUNDS = 100

RULES = {
    "above": "stands if every interval lies above 0; does not stand if one lies below",
    "below": "stands if every interval lies below 0; does not stand if one lies above",
    "differs": "stands if the interval excludes 0",
    "not all above": "stands if an interval lies below 0; does not stand if every one lies above",
    "mixed": "stands if intervals lie on either side of 0; does not stand if all lie on one side",
}
"""When a conclusion stands; in all other cases it is open: the data can not tell."""


def judge(rule: str, low: pd.Series, high: pd.Series) -> str:
    """Decide whether a conclusion stands, by its rule and the intervals alone.

    Parameters
    ----------
    rule : one of `RULES`.
    low, high : bounds of the intervals that the conclusion speaks of.

    Returns
    -------
    'stands', 'does not stand' or 'open'.

    Examples
    --------
    >>> judge("above", pd.Series([0.1, -0.2]), pd.Series([0.5, 0.3]))
    'open'
    """
    above, below = low > 0, high < 0
    stands, falls = {
        "above": (above.all(), below.any()),
        "below": (below.all(), above.any()),
        "differs": ((above | below).all(), False),
        "not all above": (below.any(), above.all()),
        "mixed": (above.any() and below.any(), above.all() or below.all()),
    }[rule]
    return "stands" if stands else "does not stand" if falls else "open"


def conclusions_table(rounds: int) -> pd.DataFrame:
    """Set the paper's main conclusions beside better estimates and say, by rule, which of them stand.

    Better means: one row per model and language, the intercept of Eq. 1, consistency over pairs of different
    responses, and a bootstrap that draws questions, then responses; for bias, US minus local alignment of the same
    responses to questions that all the countries have, without a baseline, and a bootstrap that draws questions.

    The figures are, in the order of `CONCLUSIONS`: the slopes; their mean over languages, Gemma's minus OpenAI's; the
    coefficient of consistency minus the largest slope (where there is one per language, within it, and the mean); the
    consistency of the least consistent people of a language minus that of the most consistent model; US minus local
    alignment, mean of the models that both states have; the last model of a family minus the first, in this
    difference and in alignment.

    Parameters
    ----------
    rounds : of every bootstrap.

    Returns
    -------
    One row per (conclusion, state, figure): `value`, `low`, `high` (see
    :func:`~whosevalues.multicultural.critique_tables.safe_tail`), `n` (models times
    languages of the state), `chance`, `printed`, `paper` (the same figure by the paper's own analysis), `place`,
    `rule`, and `stands`, which all figures of a conclusion and state decide together: 'stands', 'does not stand' or
    'open'.
    """
    parts = []
    for conclusion, (place, rule, make) in CONCLUSIONS.items():
        draws = make(rounds)
        paper = draws[draws["scheme"] == "paper"].set_index(["state", "figure"])["value"].rename("paper").reset_index()
        table = critique_tables.percentiles(
            draws[draws["scheme"] != "paper"], ["state", "figure"], tail=critique_tables.safe_tail(rounds)
        )
        table["n"] = table["state"].map({state: len(critique.study(state)[1]) for state in STATES})
        table = table.merge(paper, how="left").assign(conclusion=conclusion, place=place, rule=RULES[rule])
        verdicts = {state: judge(rule, part["low"], part["high"]) for state, part in table.groupby("state")}
        parts.append(table.assign(stands=table["state"].map(verdicts)))
    table = pd.concat(parts, ignore_index=True)
    printed = rq1.printed_figures("rq1")[["state", "term", "printed"]].rename(columns={"term": "figure"})
    table = table.merge(printed, on=["state", "figure"], how="left").assign(chance=0.0)
    # A family and language also name a change from the first model to the last, which is not printed.
    table["printed"] = table["printed"].where(table["conclusion"].isin([*CONCLUSIONS][:2]))
    columns = ["value", "low", "high", "n", "chance", "printed", "paper", "place", "rule", "stands"]
    return table[["conclusion", "state", "figure", *columns]]


def _terms(rounds: int) -> pd.DataFrame:
    """Terms of Eq. 1: better draws of either outcome, and the paper's own."""
    draws = critique_tables.slope_draws(rounds)
    kept = (draws["intercept"] == critique_tables.INTERCEPT["1 +"]) & draws["scheme"].isin(["none", SCHEMES[2]])
    paper = critique_tables.intercept_table(PAPER_ROUNDS)
    paper = paper[paper["intercept"] == critique_tables.INTERCEPT["0 +"]].assign(scheme="paper", round=0)
    both = [draws[kept], *(paper.assign(outcome=outcome) for outcome in ("alignment", "disattenuated"))]
    return pd.concat(both, ignore_index=True)[["outcome", *KEYS, "term", "value"]]


def _gemma(rounds: int) -> pd.DataFrame:
    return _slopes(rounds, [f"gemma:{language}" for language in LANGUAGES])


def _openai(rounds: int) -> pd.DataFrame:
    return _slopes(rounds, [f"openai:{language}" for language in LANGUAGES if language != "en"])


def _slopes(rounds: int, terms: list[str]) -> pd.DataFrame:
    draws = _terms(rounds).query("outcome == 'alignment'")
    return draws[draws["term"].isin(terms)].rename(columns={"term": "figure"})


def _families(rounds: int) -> pd.DataFrame:
    draws = _terms(rounds).query("outcome == 'alignment'")
    family = draws["term"].str.partition(":")[0].rename("family")
    means = draws.groupby([*KEYS, family], sort=False)["value"].mean().unstack()
    difference = (means["gemma"] - means["openai"]).rename("value").reset_index()
    return difference.assign(figure="gemma minus openai")


def _lead(rounds: int) -> pd.DataFrame:
    draws = _terms(rounds).query("term != 'intercept' and outcome != 'question'")
    cons = draws["term"].str.startswith("consistency")
    keys = ["outcome", *KEYS]
    # Where consistency has a coefficient per language, it is compared within the language, as in the chapter on RQ1.
    within = draws["term"].str[-2:].where(draws["state"] != STATES[0], "").rename("within")
    largest = draws[~cons].groupby([*keys, within])["value"].max().groupby(keys).mean()
    lead = (draws[cons].groupby(keys)["value"].mean() - largest).rename("value").reset_index()
    return lead.assign(figure="on " + lead["outcome"].replace("alignment", "alignment over responses"))


def _people(rounds: int) -> pd.DataFrame:
    people = groups.people().groupby("language")["value"].min()
    cells = critique_tables.cell_draws(rounds)
    paper = critique_tables.duplicates_table(PAPER_ROUNDS).rename(columns={"bootstrap": "pearson"})
    paper = paper.assign(scheme="paper", round=0)
    cells = pd.concat([cells[cells["scheme"].isin(["none", SCHEMES[2]])], paper], ignore_index=True)
    most = cells.groupby([*KEYS, "language"], sort=False)["pearson"].max().reset_index()
    return most.assign(value=most["language"].map(people) - most["pearson"], figure=most["language"])


@cache
def _gaps(rounds: int) -> pd.DataFrame:
    """US minus local alignment of every model and language, and the paper's coefficients of Eq. 2."""
    parts = []
    for state in STATES:
        table = us_bias.beside_countries(*released.read(state)[:2])
        table = table[table["shared"]].reset_index(drop=True)
        once = np.ones((1, len(table)))
        times = resampling.question_times(table, rounds, 0)
        for scheme, weights in (("none", None), ("questions", times)):
            counts = np.broadcast_to(once, (1 if weights is None else rounds, len(table)))
            gaps = us_bias.gaps(resampling.alignment(table, counts, "response", weights))
            gaps = gaps.xs("mean", axis=1, level=2).rename_axis(index="round", columns=CELL)
            parts.append(gaps.stack(CELL).rename("value").reset_index().assign(state=state, scheme=scheme))
        rows = us_bias.bootstrap_rows(state, PAPER_ROUNDS, 0)
        parts.append(rq2.us_bias(rq2.rq2_fit(rows), rows).assign(state=state, scheme="paper", round=0))
    return pd.concat(parts, ignore_index=True)[[*KEYS, *CELL, "value"]]


def _bias(rounds: int) -> pd.DataFrame:
    gaps = _gaps(rounds)
    shared = gaps[gaps["model"].isin(overview.SHARED) & gaps["language"].isin(["nl", "da"])]
    means = shared.groupby([*KEYS, "language"], sort=False)["value"].mean().reset_index()
    return means.assign(figure=means["language"])


def _bias_change(rounds: int) -> pd.DataFrame:
    return _last_minus_first(_gaps(rounds))


def _alignment_change(rounds: int) -> pd.DataFrame:
    cells = critique_tables.cell_draws(rounds).rename(columns={"alignment": "value"})
    paper = cells[cells["scheme"] == critique_tables.JOINED].groupby(["state", *CELL])["value"].mean().reset_index()
    cells = cells[cells["scheme"].isin(["none", SCHEMES[2]])]
    return _last_minus_first(pd.concat([cells, paper.assign(scheme="paper", round=0)], ignore_index=True))


def _last_minus_first(cells: pd.DataFrame) -> pd.DataFrame:
    """What the last model of a family has more than the first, language by language."""
    wide = cells.pivot(index=[*KEYS, "language"], columns="model", values="value")
    changes = pd.DataFrame({family: wide[models[-1]] - wide[models[0]] for family, models in MODELS.items()})
    long = changes.rename_axis(columns="family").stack().dropna().rename("value").reset_index()
    return long.assign(figure=long["family"] + ":" + long["language"])


CONCLUSIONS: dict[str, tuple[str, str, Callable[[int], pd.DataFrame]]] = {
    "Gemma: alignment rises with capability in every language": ("abstract", "above", _gemma),
    "OpenAI: it does not, outside of English": ("figure 1", "below", _openai),
    "The relation differs between the families": ("abstract", "differs", _families),
    "Self-consistency is the stronger predictor": ("abstract", "above", _lead),
    "Models are less consistent than people": ("section 4.1", "above", _people),
    "US-centric bias in Dutch and Danish": ("section 4.2", "above", _bias),
    "Capability changes the bias in no consistent way": ("section 4.2", "mixed", _bias_change),
    "Capability does not by itself improve alignment": ("section 4.1", "not all above", _alignment_change),
}
"""Every conclusion: its place in the paper, its rule, and what draws its figures."""
