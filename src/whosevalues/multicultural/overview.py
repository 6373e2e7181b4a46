"""What the regressions of "Multilingual != Multicultural" start from: responses, countries, alignment, consistency."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .. import stats
from .names import MODELS, RANDOM, STATES
from .released import join, read
from .scores import alignment, consistency, distinct_consistency, steps

SHARED = MODELS["gemma"] + MODELS["openai"]
"""The models that both states of the data have: the six of the paper."""


def valid_responses() -> pd.DataFrame:
    """Count what is left of the 300 responses per model and language after the authors' filter (section 3).

    Returns
    -------
    One row per (state, model, language): `value`, the valid responses, also of the Mistral family, which the paper
    sets aside; and the 'fewest' and 'most' of the models analysed, with the `printed` bounds.
    """
    tables = []
    for state in STATES:
        table = read(state)[0].groupby(["model", "language"]).size().rename("value").reset_index()
        table = table[~table["model"].str.startswith("Baseline")]
        analysed = table.loc[table["model"].isin(sum(MODELS.values(), ())), "value"]
        bounds = pd.DataFrame(
            {"model": ["fewest", "most"], "language": "all", "value": [analysed.min(), analysed.max()]}
        )
        bounds["printed"] = [111, 299] if state == STATES[0] else np.nan
        tables.append(pd.concat([table, bounds]).assign(state=state))
    return pd.concat(tables, ignore_index=True)[["state", "model", "language", "value", "printed"]]


def native_countries() -> pd.DataFrame:
    """List the countries that RQ2 takes for local.

    Returns
    -------
    One row per language: `countries` and `questions`, those with an answer in every one of them and in the US.
    """
    truth = read(STATES[0])[1].query("level == 'country'")
    asked = truth.groupby("group")["question"].agg(set)
    languages = truth.groupby("group_language")["group"].unique()
    shared = languages.map(lambda countries: len(set.intersection(*asked[[*countries, "US"]])))
    return pd.DataFrame({"countries": languages.map(", ".join), "questions": shared}).reset_index(names="language")


def alignment_table(*, rounds: int = 100, seed: int = 0) -> pd.DataFrame:
    """Raw alignment and self-consistency of every model, the quantities of figures 3, 6 and 7.

    Responses are resampled, as for figure 3, and every quantity of a round is taken from the same sample.

    Parameters
    ----------
    rounds, seed : of the bootstrap.

    Returns
    -------
    One row per (state, metric, model, language): `value` (mean over rounds), `low`, `high` (95% percentile interval),
    `n` (valid responses), `chance` (what uniformly random scores get; 0 for a difference), `printed`. Metrics:
    'self-consistency'; 'self-consistency, distinct pairs', without resampling and so without interval; 'alignment'
    with the speakers of the language; 'step', its difference from the model before in the family; 'step, local minus
    global', what that step is more than the step towards everybody; 'mean alignment' of the `SHARED` models over all
    languages; 'highest alignment'.
    """
    tables = []
    for state in STATES:
        table = _overview(state, rounds, seed)
        best = table[table["metric"] == "alignment"].nlargest(1, "value").assign(metric="highest alignment")
        best["printed"] = 0.4 if state == STATES[0] else np.nan
        tables.append(pd.concat([table, best]).assign(state=state))
    columns = ["state", "metric", "model", "language", "value", "low", "high", "n", "chance", "printed"]
    return pd.concat(tables, ignore_index=True)[columns]


def _overview(state: str, rounds: int, seed: int) -> pd.DataFrame:
    responses, truth, _ = read(state)
    responses = responses[responses["family"] != "mistral"].reset_index(drop=True)
    figures = _resampled(responses.reset_index(names="row"), truth, state, rounds, seed)
    bounds = figures.quantile([0.025, 0.975]).unstack().set_axis(["low", "high"], axis=1)
    distinct = distinct_consistency(responses, state).rename(columns={"consistency": "value"})
    distinct["metric"] = "self-consistency, distinct pairs"
    table = pd.concat([bounds.assign(value=figures.mean()).reset_index(), distinct], ignore_index=True)
    chance = table[table["model"] == RANDOM].set_index(["metric", "language"])["value"]
    sizes = responses.groupby(["model", "language"]).size()
    sizes["all", "all"] = sizes[sizes.index.isin(SHARED, level="model")].sum()
    table = table[~table["model"].str.startswith("Baseline")].merge(sizes.rename("n").reset_index())
    at = pd.MultiIndex.from_frame(table[["metric", "language"]])
    return table.assign(chance=np.where(table["metric"].str.startswith("step"), 0, chance.reindex(at)))


def _resampled(
    responses: pd.DataFrame, truth: pd.DataFrame, state: str, rounds: int, seed: int
) -> pd.api.typing.SeriesGroupBy:
    """Every figure of every round, grouped by metric, model and language."""
    counts = stats.bootstrap_counts(len(responses), rounds, seed)
    local = join(responses, truth, "language").query("group == language")
    everybody = join(responses, truth, "global")
    keys = ["round", "model", "language"]
    wide = consistency(responses, counts, state).set_index(keys).rename(columns={"consistency": "self-consistency"})
    wide["alignment"] = alignment(local, counts[:, local["row"]]).set_index(keys)["alignment"]
    others = alignment(everybody, counts[:, everybody["row"]]).set_index(keys)["alignment"]
    wide["step"] = steps(wide["alignment"])
    wide["step, local minus global"] = wide["step"] - steps(others)
    both = wide["alignment"].rename(dict.fromkeys(SHARED, "all"), level="model")
    both = both[both.index.isin(["all", RANDOM], level="model")].groupby(["round", "model"]).mean()
    mean = both.to_frame("mean alignment").assign(language="all").set_index("language", append=True)
    long = pd.concat([wide, mean]).rename_axis(columns="metric").stack().dropna()
    return long.groupby(["metric", "model", "language"])
