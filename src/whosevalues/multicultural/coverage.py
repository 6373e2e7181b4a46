"""What the analyses stand on: questions without people, uneven questions, uneven losses (sections 2.1 and 3)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from . import prompts, released, resampling
from .names import MODELS, STATES

PROMPTS = prompts.PROMPTS
COLUMNS = ["state", "metric", "model", "language", "value", "low", "high", "n", "chance", "printed"]


def asked() -> pd.DataFrame:
    """Read which question each of the 300 prompts of a language asks.

    Returns
    -------
    One row per prompt, in the order of the authors' file: `language`, `question`.
    """
    return prompts.read()[["language", "question"]]


def coverage(*, rounds: int = 200, seed: int = 0) -> pd.DataFrame:
    """Count what each analysis stands on, and what weighing questions alike would change.

    Parameters
    ----------
    rounds, seed : of the bootstrap over questions, and of the random losses.

    Returns
    -------
    One row per (state, metric, model, language): `value`, `low`, `high`, `n`, `chance`, `printed`. Metrics, all of
    the models analysed: 'without ground truth', the share of valid responses that drop out because no survey value
    exists, per language and 'all' (model 'all'), and over all rows of the file, baselines and set-aside models
    included (model 'file'); 'valid', the share of 300 prompts with a valid response; 'effective questions',
    (sum n)^2 / (sum n^2) over the questions that have ground truth, n being their responses; 'shift of questions',
    the total variation distance between the questions asked and those with a valid response, `chance` being what as
    many losses at random give; 'alignment', 'alignment, questions alike' and their 'difference', with 95% percentile
    intervals over resampled questions, also for model 'mean', of the paper's six.
    """
    parts = [part.assign(state=state) for state in STATES for part in _counts(state, rounds, seed)]
    return pd.concat(parts, ignore_index=True).reindex(columns=COLUMNS)


def _counts(state: str, rounds: int, seed: int) -> list[pd.DataFrame]:
    responses, truth, _ = released.read(state)
    known = set(truth["question"])
    analysed = responses[responses["model"].isin(sum(MODELS.values(), ()))]
    lost = (~analysed["question"].isin(known)).groupby(analysed["language"]).agg(value="mean", n="size").reset_index()
    for name, table in (("all", analysed), ("file", responses)):
        share = (~table["question"].isin(known)).mean()
        lost = pd.concat([lost, pd.DataFrame([{"model": name, "language": "all", "value": share, "n": len(table)}])])
    lost["model"] = lost["model"].fillna("all")
    rows, all_asked = [], asked()
    rng = np.random.default_rng(seed)
    for (model, language), part in analysed.groupby(["model", "language"], sort=False):
        given = all_asked.loc[all_asked["language"] == language, "question"]
        cell = {"model": model, "language": language, "n": len(part)}
        sizes = part.loc[part["question"].isin(known), "question"].value_counts()
        rows.append(cell | {"metric": "valid", "value": len(part) / len(given)})
        rows.append(
            cell | {"metric": "effective questions", "value": sizes.sum() ** 2 / (sizes**2).sum(), "n": len(sizes)}
        )
        whole = given.value_counts()
        at_random = rng.multivariate_hypergeometric(whole.to_numpy(), len(part), size=rounds)
        distance = _distance(part["question"].value_counts().reindex(whole.index, fill_value=0).to_numpy(), whole)
        chance = np.mean([_distance(line, whole) for line in at_random])
        rows.append(cell | {"metric": "shift of questions", "value": distance, "chance": chance})
    return [lost.assign(metric="without ground truth"), pd.DataFrame(rows), _alike(analysed, truth, rounds, seed)]


def _distance(counts: np.ndarray, whole: pd.Series) -> float:
    return float(np.abs(counts / counts.sum() - (whole / whole.sum()).to_numpy()).sum() / 2)


def _alike(responses: pd.DataFrame, truth: pd.DataFrame, rounds: int, seed: int) -> pd.DataFrame:
    """Alignment as it is, and with every question weighing the same, however many responses it has."""
    table = released.join(responses, truth, "language").query("group == language").reset_index(drop=True)
    weight = 1 / table.groupby(["model", "language", "question"])["score"].transform("size").to_numpy()
    times = resampling.question_times(table["question"], rounds, seed)
    once = np.ones((1, len(table)))
    found = {}
    for name, weights in (("alignment", np.ones(len(table))), ("alignment, questions alike", weight)):
        draws = (resampling.alignment(table, w * weights).droplevel("group", axis=1) for w in (once, times))
        found[name] = [pd.concat([part, _mean(part)], axis=1) for part in draws]
    as_is, alike = found.values()
    found["difference"] = [b - a for a, b in zip(as_is, alike, strict=True)]
    n = table.groupby(["model", "language"])["question"].nunique()
    parts = []
    for name, (point, draws) in found.items():
        part = draws.quantile([0.025, 0.975]).T.set_axis(["low", "high"], axis=1).assign(value=point.iloc[0], n=n)
        part["n"] = part["n"].fillna(table["question"].nunique())
        parts.append(part.reset_index().assign(metric=name, chance=0.0))
    return pd.concat(parts, ignore_index=True)


def _mean(values: pd.DataFrame) -> pd.DataFrame:
    """The mean of the models that both states have, per language and over all."""
    six = values.loc[:, values.columns.get_level_values("model").isin(MODELS["gemma"] + MODELS["openai"])]
    each = six.T.groupby(level="language").mean().T.assign(all=six.mean(axis=1))
    names = pd.MultiIndex.from_product([["mean"], each.columns], names=["model", "language"])
    return each.set_axis(names, axis=1)
