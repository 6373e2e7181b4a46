"""How good are topics? Do their words occur together, do topics differ, and does another seed find them again?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from .. import stats
from .topics import OUTLIER, words

COHERENCE, DIVERSITY, OUTLIERS, TOPICS = "coherence (NPMI)", "diversity", "outliers", "topics"
ARI, AMI = "adjusted Rand index", "adjusted mutual information"
BOTH = "in a topic in both"


def quality(topic: Sequence[int], articles: Sequence[str], counted, terms: np.ndarray, seed: int = 0) -> pd.DataFrame:
    """Measure topics by their ten words.

    Parameters
    ----------
    topic : of each passage.
    articles : of each passage; the intervals are over whole articles.
    counted, terms : as `topics.counts` gives them.
    seed : of the shuffle behind `chance`.

    Returns
    -------
    One row per `metric`: `value`, `low`, `high` (95%, over articles; NaN for diversity and the number of topics, which
    are those of this one run), `n` (topics; for outliers passages), `chance` (the same topics dealt out to the passages
    at random), `printed` (NaN). Coherence is the mean over topics of the mean normalised pointwise mutual information
    of their pairs of words over passages, in [-1, 1]; diversity the share of distinct words among all; outliers the
    share of passages in no topic.
    """
    topic = np.asarray(topic)
    shuffled = np.random.default_rng(seed).permutation(topic)
    ours, dealt = (_by_words(labels, articles, counted, terms) for labels in (topic, shuffled))
    outside = pd.DataFrame({"hit": topic == OUTLIER, "article": np.asarray(articles)})
    count = len(set(topic.tolist()) - {OUTLIER})
    rows = [
        {"metric": COHERENCE, **ours[COHERENCE], "n": count, "chance": dealt[COHERENCE]["value"]},
        {"metric": DIVERSITY, "value": ours[DIVERSITY], "n": count, "chance": dealt[DIVERSITY]},
        {"metric": OUTLIERS, **stats.estimate(outside, "hit", cluster="article"), "n": len(topic)},
        {"metric": TOPICS, "value": count, "n": len(topic)},
    ]
    return pd.DataFrame(rows, columns=["metric", "value", "low", "high", "n", "chance"]).assign(printed=np.nan)


def _by_words(topic: np.ndarray, articles: Sequence[str], counted, terms: np.ndarray) -> dict[str, object]:
    named = words(topic, counted, terms)
    named = named[named["topic"] != OUTLIER]
    if named.empty:
        return {COHERENCE: dict.fromkeys(("value", "low", "high"), np.nan), DIVERSITY: np.nan}
    return {
        COHERENCE: coherence(named, articles, counted, terms),
        DIVERSITY: named["word"].nunique() / len(named),
    }


def coherence(named: pd.DataFrame, articles: Sequence[str], counted, terms: np.ndarray) -> dict[str, float]:
    """Do the words of a topic occur in the same passages? Normalised pointwise mutual information (Bouma, 2009).

    Per pair of words log(p(a, b) / (p(a) p(b))) / -log p(a, b), a probability being a share of passages; -1 where they
    never meet, 1 where they always stand together. Pairs that share a word, as 'nuclear' and 'nuclear weapons' do, are
    left out.

    Parameters
    ----------
    named : as `topics.words` gives them, without outliers.
    articles : of each passage.
    counted, terms : as `topics.counts` gives them.

    Returns
    -------
    `value`, `low`, `high`: mean over topics of the mean over pairs, in [-1, 1], and 1.96 standard errors to each side,
    by a jackknife that leaves out an article at a time; the words stay. (In a bootstrap pairs that meet in a single
    article fall apart, and its rounds lie below the value.)
    """
    place = {term: number for number, term in enumerate(terms)}
    number, names = pd.factorize(pd.Series(articles))
    inside = (counted[:, [place[word] for word in dict.fromkeys(named["word"])]] > 0).astype(float).tocsc()
    column = {word: k for k, word in enumerate(dict.fromkeys(named["word"]))}
    single = _by_article(inside, number, len(names))
    total = np.bincount(number, minlength=len(names)).astype(float)
    drawn = np.vstack([np.ones(len(names)), 1 - np.eye(len(names))])
    scores = []
    for _, own in named.groupby("topic"):
        pairs = [(column[a], column[b]) for a, b in combinations(own["word"], 2) if not {*a.split()} & {*b.split()}]
        if pairs:
            one, two = map(list, zip(*pairs, strict=True))
            joint = _by_article(inside[:, one].multiply(inside[:, two]).tocsc(), number, len(names))
            scores.append(_npmi(drawn @ joint, drawn @ single[:, one], drawn @ single[:, two], drawn @ total))
    if not scores:
        return dict.fromkeys(("value", "low", "high"), np.nan)
    value, *others = np.mean(scores, axis=0)
    error = np.sqrt((len(others) - 1) * np.var(others)) if len(others) > 1 else np.nan
    return {"value": float(value), "low": float(value - 1.96 * error), "high": float(value + 1.96 * error)}


def _by_article(table, number: np.ndarray, articles: int) -> np.ndarray:
    from scipy.sparse import csr_matrix

    member = csr_matrix((np.ones(len(number)), (number, np.arange(len(number)))), shape=(articles, len(number)))
    return (member @ table).toarray()


def _npmi(joint: np.ndarray, one: np.ndarray, two: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Mean over pairs of the measure, per row of counts; a pair of which a word was not drawn says nothing."""
    every = total[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        score = np.log(joint * every / (one * two)) / -np.log(joint / every)
    score = np.where(joint == 0, -1.0, np.where(joint == every, 1.0, score))
    known = (one > 0) & (two > 0)
    with np.errstate(invalid="ignore"):
        return np.where(known, score, 0.0).sum(axis=1) / known.sum(axis=1)


def summary(draws: pd.DataFrame) -> pd.DataFrame:
    """Sum up the seeds of each way to place texts.

    Parameters
    ----------
    draws : as `quality` gives them, with `model` and `seed`.

    Returns
    -------
    One row per `model` and `metric`: `value` (mean over seeds), `low` and `high` (the lowest lower and the highest
    upper bound of any seed; where a seed has none, the least and the greatest value), `n` (as the first seed has it),
    `seeds`, `chance` (mean), `printed`. A seed without topics counts for their number and the outliers alone.
    """
    bounded = draws.assign(low=draws["low"].fillna(draws["value"]), high=draws["high"].fillna(draws["value"]))
    by = bounded.groupby(["model", "metric"], sort=False)
    return by.agg(
        value=("value", "mean"),
        low=("low", "min"),
        high=("high", "max"),
        n=("n", "first"),
        seeds=("seed", "nunique"),
        chance=("chance", "mean"),
        printed=("printed", "first"),
    ).reset_index()


def stability(labels: Mapping[int, Sequence[int]]) -> pd.DataFrame:
    """Does another seed find the same topics?

    Parameters
    ----------
    labels : topic of each passage, by seed; two seeds or more.

    Returns
    -------
    One row per `metric` and `over` ('all', the outliers being one topic more, or 'in a topic in both'): `value`, the
    mean over pairs of seeds; `low` and `high`, the least and the greatest pair; `n`, the pairs; `chance`, 0 for the
    two adjusted indices, for the share of passages that are in a topic in both what independent runs would have;
    `printed` (NaN).
    """
    rows = [row for one, two in combinations(labels, 2) for row in _pair(labels[one], labels[two])]
    by = pd.DataFrame(rows).groupby(["metric", "over"], sort=False)
    table = by.agg(
        value=("value", "mean"),
        low=("value", "min"),
        high=("value", "max"),
        n=("value", "size"),
        chance=("chance", "mean"),
    )
    return table.reset_index().assign(printed=np.nan)


def _pair(one: Sequence[int], two: Sequence[int]) -> list[dict[str, object]]:
    from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

    one, two = np.asarray(one), np.asarray(two)
    in_one, in_two = one != OUTLIER, two != OUTLIER
    both = in_one & in_two
    rows = []
    for metric, score in ((ARI, adjusted_rand_score), (AMI, adjusted_mutual_info_score)):
        for over, part in (("all", slice(None)), (BOTH, both)):
            value = score(one[part], two[part]) if len(one[part]) else np.nan
            rows.append({"metric": metric, "over": over, "value": value, "chance": 0.0})
    share = {"metric": BOTH, "over": "all", "value": both.mean(), "chance": in_one.mean() * in_two.mean()}
    return [*rows, share]
