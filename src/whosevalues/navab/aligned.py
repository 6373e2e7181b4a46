"""Before and after: the same held-out items put to a model and to what training made of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import NormalDist

import numpy as np
import pandas as pd

from .. import ROOT, UserError, responses, stats
from ..models.base import Decoding, Model
from . import evaluation, judgement
from . import triples as bank

STORE = ROOT / "_build" / "responses" / "navab-alignment"

PIPELINE, DENIES, TEACHING = "pipeline", "pipeline, S denies", "teaching"
"""Held-out triples of the pipeline, in most of which the reverse gives itself away by a 'not'; those in which S has it;
the book's own, in which neither does."""

KINDS = (PIPELINE, DENIES, TEACHING)

COMPLETION, LETTER, BIAS = "completion", evaluation.BOTH, evaluation.BIAS
JUDGED, NEITHER = "answer judgement", "answer judgement, neither"
EVERY = (COMPLETION, LETTER, JUDGED)

FEW = 4
"""At least so many items of each nation, or half of them, get the letters and the open question, which take longest."""

SHORT = Decoding(max_tokens=24)
"""An open answer: its first words, the most probable ones."""

NAMED = ["items", "id", "nation", "article"]
KEYS = ["items", "id", "metric"]
COLUMNS = [*NAMED[1:], "question", "statement", "reverse_statement"]


def drawn(triples: pd.DataFrame, per_nation: int, words: int, seed: int = 0) -> pd.DataFrame:
    """Draw as many triples of every nation, among those short enough.

    Parameters
    ----------
    triples : columns `nation`, `statement`.
    per_nation : triples per nation; a nation that has fewer gives all of its own.
    words : longest statement, in words.
    seed : of the draw.

    Returns
    -------
    The rows drawn, in the order of the draw.
    """
    short = triples[triples["statement"].str.split().str.len() <= words]
    order = short.sample(frac=1, random_state=seed)
    return order[order.groupby("nation").cumcount() < per_nation].reset_index(drop=True)


def items(parts: pd.DataFrame, per_nation: int, words: int) -> dict[str, pd.DataFrame]:
    """List what is held out, by kind.

    Parameters
    ----------
    parts : the pipeline's triples as `alignment.split` gives them, with `negated` (whether S is the one that denies).
    per_nation : pipeline triples of each nation.
    words : longest statement, in words.

    Returns
    -------
    `PIPELINE`, a draw of the held-out triples; `DENIES`, up to as many in which S is the one that denies; `TEACHING`,
    the book's own, each an article of its own, without those that are trained on. Columns `id`, `nation`, `article`,
    `question`, `statement`, `reverse_statement`.
    """
    held, own = parts[parts["part"] == "test"], bank.teaching_triples()
    own = own[~own["id"].isin(parts.loc[parts["part"] == "train", "id"])]
    kinds = {
        PIPELINE: drawn(held, per_nation, words),
        DENIES: drawn(held[held["negated"].astype(bool)], per_nation, words),
        TEACHING: own.assign(article=own["id"]),
    }
    return {kind: rows[COLUMNS].assign(items=kind) for kind, rows in kinds.items()}


def score(model: Model, asked: pd.DataFrame, metrics: Sequence[str] = EVERY) -> pd.DataFrame:
    """Put held-out items of one kind to a model; what its store has is not asked again.

    Parameters
    ----------
    model : any model, an :class:`~whosevalues.navab.alignment.Aligned` one among them.
    asked : one of those that `items` gives.
    metrics : of 'completion', 'letter, both orders' (which brings 'letter bias') and 'answer judgement' (which brings
        the share of 'neither'); all but the first of `FEW` items of each nation, or half of them.

    Returns
    -------
    One row per item and metric: `items`, `id`, `nation`, `article`, `metric`, `value`, 1 where S is preferred, 0 where
    it is not, NaN where no choice was made; of letters the mean over both orders.
    """
    put = evaluation.requests(asked)
    wanted = [name for name, metric in (("completion", COMPLETION), ("letter", LETTER)) if metric in metrics]
    nations = asked.groupby("nation")["id"]
    first = asked[nations.cumcount() < (nations.transform("size") // 2).clip(lower=FEW)]
    among = (put["protocol"] == COMPLETION) | put["id"].isin(first["id"])
    put = put[put["protocol"].isin(wanted) & among]
    if JUDGED in metrics:
        prompts = [judgement.PROMPT.format(question=question) for question in first["question"]]
        open_ = first[["id", "nation"]].assign(protocol="open", kind="generate", prompt=prompts)
        put = pd.concat([put, open_.assign(decoding=[SHORT] * len(open_))], ignore_index=True)
    answers = responses.ask(model, put, STORE / model.name)
    answers = answers.reindex(columns=dict.fromkeys([*answers.columns, "logprob", "tokens", "probability"]))
    chosen = evaluation.multiple_choice(answers)
    found = [_by_item(chosen[chosen["protocol"] == "completion"], "correct", COMPLETION)]
    letters = chosen[chosen["protocol"] == "letter"]
    found += [_by_item(letters, "correct", LETTER), _by_item(letters, "picked_a", BIAS)]
    found.append(judged(asked, answers[answers["protocol"] == "open"]))
    return asked[NAMED].merge(pd.concat([part for part in found if len(part)]), on="id", validate="one_to_many")


def _by_item(chosen: pd.DataFrame, column: str, metric: str) -> pd.DataFrame:
    # One order without an answer would let the letter bias into the mean of both.
    value = chosen.groupby("id", sort=False)[column].agg(lambda both: both.mean(skipna=False))
    return value.rename("value").reset_index().assign(metric=metric)


def judged(asked: pd.DataFrame, answers: pd.DataFrame) -> pd.DataFrame:
    """Let the embedding judge open answers.

    Parameters
    ----------
    asked : `id`, `nation`, `question`, `statement`, `reverse_statement`.
    answers : `id`, `text`, `error`; nothing where no open question was put.

    Returns
    -------
    Two rows per answer, `id`, `value`, `metric`: whether it was called S, and whether it was called neither.
    """
    if answers.empty:
        return pd.DataFrame(columns=["id", "value", "metric"])
    told = answers[["id", "text"]].assign(text=answers["text"].where(answers["error"].isna()))
    put = asked.merge(told, on="id").assign(role="answer", truth=None)
    verdict = judgement.by_embedding(judgement.similarities(put))["verdict"].to_numpy(object)
    rows = []
    for metric, side in ((JUDGED, "S"), (NEITHER, "neither")):
        value = np.where(pd.isna(verdict), np.nan, verdict == side)
        rows.append(put[["id"]].assign(value=value.astype(float), metric=metric))
    return pd.concat(rows)


def compared(before: pd.DataFrame, after: pd.DataFrame, rounds: int = 1000) -> pd.DataFrame:
    """Hold a model after training against itself before it, item by item.

    Parameters
    ----------
    before, after : as `score` gives them; `after` may hold several seeds, in a column `seed`.
    rounds : bootstrap rounds.

    Returns
    -------
    Rows named by `items`, `metric`, `nation` ('all' first; the others for completions only) and `term`: 'before',
    'after', their difference 'change', and 'changed', the share of items whose score is another one; `value`; `low` and
    `high`, 95%, from drawing articles, all items and seeds of an article together; `n` items; `chance`.
    """
    both = _beside(after, before, "before", KEYS)
    both["change"] = both["value"] - both["before"]
    both["changed"] = (both["change"] != 0).where(both["change"].notna()).astype(float)
    terms = {"before": "before", "after": "value", "change": "change", "changed": "changed"}
    rows = []
    for (kind, metric), part in both.groupby(["items", "metric"], sort=False):
        for nation in ["all", *(part["nation"].unique() if metric == COMPLETION else [])]:
            own = part if nation == "all" else part[part["nation"] == nation]
            named = {"items": kind, "metric": metric, "nation": nation}
            for term, column in terms.items():
                rows.append(named | {"term": term} | mean(own, column, rounds) | _level(term, metric))
    return pd.DataFrame(rows)


def _beside(one: pd.DataFrame, other: pd.DataFrame, name: str, keys: list[str], more: Sequence[str] = ()):
    values = other[[*keys, *more, "value"]].rename(columns={"value": name})
    return one.merge(values, on=keys, validate="many_to_one")


def _level(term: str, metric: str) -> dict[str, float]:
    level = 0.0 if term == "change" else 0.5 if metric in (COMPLETION, LETTER, BIAS) and term != "changed" else np.nan
    return {"chance": level}


def mean(table: pd.DataFrame, column: str, rounds: int = 1000) -> dict[str, float]:
    """Average a column with an interval that draws whole articles.

    Where all items are alike a bootstrap has no width, as if a few articles could settle a rate. There it is Wilson's
    interval with the articles as trials; around a difference of 0 in all items, the share of articles that may still
    differ, either way.

    Parameters
    ----------
    table : one row per item (and seed), with `article` and `id`.
    column : of scores or of their differences.
    rounds : bootstrap rounds.

    Returns
    -------
    `value`, `low`, `high`, `n` (items).
    """
    kept = table.dropna(subset=[column])
    value, articles = kept[column].mean(), kept["article"].nunique()
    low, high = stats.cluster_interval(kept, column, "article", rounds=rounds)
    if low == high and column == "change":
        most = stats.wilson(0, articles)[1]
        low, high = max(-1, value - most), min(1, value + most)
    elif low == high:
        low, high = stats.wilson(value * articles, articles)
    return {"value": value, "low": low, "high": high, "n": kept["id"].nunique()}


def contrast(one: pd.DataFrame, other: pd.DataFrame, rounds: int = 1000) -> pd.DataFrame:
    """Hold two ways of training against each other, seed by seed and item by item.

    Parameters
    ----------
    one, other : as `score` gives them, with `seed` and `adapter`; only seeds and items of both count.
    rounds : bootstrap rounds.

    Returns
    -------
    Two rows per `items` and `metric`, for `nation` 'all': `term` 'difference', one minus the other, and 'differ', the
    share of items whose score is another one.
    """
    both = _beside(one, other.assign(adapter_other=other["adapter"]), "other", [*KEYS, "seed"], ["adapter_other"])
    both["change"] = both["value"] - both["other"]
    both["differ"] = (both["change"] != 0).where(both["change"].notna()).astype(float)
    # Where both ways came to the same pairs there is one adapter, and nothing that could differ.
    same = {"low": 0.0, "high": 0.0} if (both["adapter"] == both["adapter_other"]).all() else {}
    told = []
    for (kind, metric), part in both.groupby(["items", "metric"], sort=False):
        for term, column, chance in (("difference", "change", 0.0), ("differ", "differ", np.nan)):
            named = {"items": kind, "metric": metric, "nation": "all", "term": term, "chance": chance}
            told.append(named | mean(part, column, rounds) | same)
    return pd.DataFrame(told)


def needed(differences: Iterable[float], changed: float, power: float = 0.8, level: float = 0.05) -> pd.DataFrame:
    """Count the held-out items that it takes to see a difference between two runs over the same items.

    The sample size of McNemar's test (Connett, Smith and McHugh, 1987), for independent items: articles with several
    items make it larger.

    Parameters
    ----------
    differences : of the two rates, each above 0.
    changed : share of items whose choice differs between the two runs; it cannot be below the difference.
    power, level : of the two-sided test.

    Returns
    -------
    One row per difference: `difference`, `changed`, `n`.

    Raises
    ------
    UserError : a difference that is not above 0.

    Examples
    --------
    >>> int(needed([0.1], changed=0.2)["n"].iloc[0])
    155
    """
    normal, rows = NormalDist(), []
    for difference in differences:
        if difference <= 0:
            raise UserError(f"a difference of {difference} cannot be looked for: give one above 0, such as 0.05")
        share = max(changed, difference)
        spread = normal.inv_cdf(1 - level / 2) * share**0.5 + normal.inv_cdf(power) * (share - difference**2) ** 0.5
        rows.append({"difference": difference, "changed": share, "n": int(np.ceil((spread / difference) ** 2))})
    return pd.DataFrame(rows)
