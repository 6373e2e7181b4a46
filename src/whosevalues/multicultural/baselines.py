"""What alignment and self-consistency mean: models that answer at random, that do not move, that know the people."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .. import stats
from . import released, scores
from .names import RANDOM, STATES

FIFTY = "Baseline_fifty_percent"


def ten_people(
    responses: pd.DataFrame, truth: pd.DataFrame, compared: pd.DataFrame, redraws: int, seed: int = 0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Put ten people drawn at random from the speakers of the prompt's language in the place of every response.

    Parameters
    ----------
    responses : `model`, `language`, `question`.
    truth : as from :func:`~whosevalues.multicultural.released.read`.
    compared : `row` (position in `responses`), `model`, `language`, `group`, `human`.
    redraws : simulated models.
    seed : of the random generator.

    Returns
    -------
    Mean over redraws: per (model, language, group) and per (model, language), `ceiling`, the alignment and the
    self-consistency (Pearson, distinct pairs) of a model that simulates surveys of ten perfectly, on the same
    questions and as many responses.
    """
    own = truth[truth["level"] == "language"].rename(columns={"group": "language"})
    share = responses[["language", "question"]].merge(own, on=["language", "question"], how="left")["human"].to_numpy()
    known = ~np.isnan(share)
    rows = compared[known[compared["row"]]]
    rng, aligned, same = np.random.default_rng(seed), [], []
    for _ in range(redraws):
        score = rng.binomial(10, np.where(known, share, 0)) / 10
        once = np.ones((1, len(rows)), dtype=int)
        aligned.append(scores.alignment(rows.assign(score=score[rows["row"]]), once))
        same.append(scores.distinct_consistency(responses[known].assign(score=score[known]), STATES[0]))
    means = [
        pd.concat(parts).groupby(keys)[name].mean().rename("ceiling").reset_index()
        for parts, keys, name in (
            (aligned, ["model", "language", "group"], "alignment"),
            (same, ["model", "language"], "consistency"),
        )
    ]
    return means[0], means[1]


def redrawn_consistency(responses: pd.DataFrame, state: str, redraws: int, seed: int = 0) -> pd.DataFrame:
    """Self-consistency of models that answer uniformly at random.

    Parameters
    ----------
    responses : `model`, `language`, `question`; every response gets a random score in its place.
    state : decides the correlation.
    redraws : simulated models.
    seed : of the random generator.

    Returns
    -------
    One row per (metric, model, language): `chance`, the mean over redraws. Metrics 'copies counted', in one bootstrap
    of the responses per redraw, and 'distinct pairs'.
    """
    kind, reliability = scores.CONSISTENCY[state]
    grouped = responses.groupby(["model", "language"])
    cell, item = grouped.ngroup().to_numpy(), responses.groupby(["model", "language", "question"]).ngroup().to_numpy()
    drawn = stats.bootstrap_counts(len(responses), redraws, seed)
    rng, once, values = np.random.default_rng(seed), np.ones(len(responses), dtype=int), []
    for line in drawn:
        counts = np.array([line, once])
        values.append(stats.pair_correlation(counts, cell, item, rng.random(len(responses)), ranks=kind == "spearman"))
    means = np.nanmean(values, axis=0) / reliability
    names = grouped.size().reset_index()[["model", "language"]]
    metrics = ("copies counted", "distinct pairs")
    return pd.concat(
        [names.assign(metric=metric, chance=line) for metric, line in zip(metrics, means, strict=True)],
        ignore_index=True,
    )


def baselines_table(redraws: int = 200, seed: int = 0) -> pd.DataFrame:
    """What the baselines get, on the questions and the number of responses of the released ones.

    Parameters
    ----------
    redraws : simulated models of each random kind.
    seed : of the random generator.

    Returns
    -------
    One row per (state, baseline, metric, language); metric 'alignment', with the speakers of the language, or
    'self-consistency' over distinct pairs. `value` (mean over redraws), `low` and `high` (where 95% of the redraws
    lie), `n` (responses), `redraws`, `chance`, `rank` (share of the redrawn uniform models below a released one),
    `printed`. Baselines: 'uniform, as released', one draw; 'uniform, redrawn'; 'fifty percent, as released', which
    varies a little; 'fifty percent', NaN, for what does not vary correlates with nothing; 'perfect', every response
    the share of the population; 'ten people', every response ten people drawn from it.
    """
    tables = [_baselines(state, redraws, seed).assign(state=state) for state in STATES]
    columns = ["value", "low", "high", "n", "redraws", "chance", "rank", "printed"]
    table = pd.concat(tables, ignore_index=True).assign(printed=np.nan)
    return table[["state", "baseline", "metric", "language", *columns]]


def _baselines(state: str, redraws: int, seed: int) -> pd.DataFrame:
    responses, truth, _ = released.read(state)
    joined = released.join(responses, truth, "language").query("group == language")
    rows = joined[joined["model"] == RANDOM]
    rng, size = np.random.default_rng(seed), len(rows)
    models = {"uniform, as released": rows["score"], "perfect": rows["human"], "fifty percent": 0.5}
    models |= {f"uniform, redrawn {k}": rng.random(size) for k in range(redraws)}
    models |= {f"ten people {k}": rng.binomial(10, rows["human"]) / 10 for k in range(redraws)}
    table = pd.concat([rows.assign(model=name, score=score) for name, score in models.items()])
    table = pd.concat([table, joined[joined["model"] == FIFTY].assign(model="fifty percent, as released")])
    aligned = scores.alignment(table, np.ones((1, len(table)), dtype=int)).drop(columns=["round", "group"])
    same = scores.distinct_consistency(table, state).rename(columns={"consistency": "self-consistency"})
    values = aligned.merge(same).melt(["model", "language"], var_name="metric")
    values["baseline"] = values["model"].str.replace(r" \d+$", "", regex=True)
    keys = ["baseline", "metric", "language"]
    cells = values.groupby(keys, sort=False)["value"]
    out = pd.DataFrame({"value": cells.mean(), "low": cells.quantile(0.025), "high": cells.quantile(0.975)})
    out["redraws"] = cells.size()
    out.loc[out["redraws"] == 1, ["low", "high"]] = np.nan
    out = out.reset_index().merge(rows.groupby("language").size().rename("n").reset_index())
    random = values[values["baseline"] == "uniform, redrawn"].groupby(["metric", "language"])["value"]
    at = pd.MultiIndex.from_frame(out[["metric", "language"]])
    below = [(random.get_group(key) < value).mean() for key, value in zip(at, out["value"], strict=True)]
    released_rows = out["baseline"].str.contains("released")
    return out.assign(chance=random.mean().reindex(at).to_numpy(), rank=np.where(released_rows, below, np.nan))
